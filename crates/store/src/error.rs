//! The one way a verb can fail to find out. Refusals are outcomes and never come through here (SEC-R08).

use thiserror::Error;

/// "Could not find out". Every caller denies on it; the text is for the operator, never for a client.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum StoreError {
    /// The queue is full. Nothing was tried.
    #[error("the store has more work waiting than it accepts")]
    Busy,
    /// Nothing was changed.
    #[error("nothing was changed: {0}")]
    Failed(String),
    /// The change may or may not have been made (SEC-309).
    #[error("it is not known whether the change was made: {0}")]
    Unknown(String),
    /// A row does not say what this version can read.
    #[error("a stored row could not be understood: {0}")]
    Damaged(String),
    /// The database was not opened, and nothing in it was changed (SEC-314).
    #[error("{0}")]
    Refused(String),
}

impl StoreError {
    pub(crate) fn failed(reason: impl std::fmt::Display) -> Self {
        Self::Failed(reason.to_string())
    }

    pub(crate) fn damaged(reason: impl std::fmt::Display) -> Self {
        Self::Damaged(reason.to_string())
    }
}
