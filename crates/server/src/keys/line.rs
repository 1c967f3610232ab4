//! Lines of keys: each key of a line follows the one before it. Everything that differs from line to line is said here.

use jeton_store::keys::{KeyPurpose, StoredKey};
use jeton_token::algorithm::SignatureAlgorithm;
use jeton_token::timestamp::Timestamp;
use std::fmt;
use std::time::Duration;

/// The keys of one purpose, and for signing of one algorithm: a key signs with that algorithm only (SEC-416).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    Signing(SignatureAlgorithm),
    Handles,
    Seals,
    /// Signs checkpoints of the audit trail.
    Audit,
}

impl Line {
    /// Lines that every tenant has from the beginning: RS256 because every OpenID client must be able to verify it
    /// (Core §15.1), the other algorithms because they are faster.
    pub const FIRST: [Self; 5] = [
        Self::Signing(SignatureAlgorithm::Es256),
        Self::Signing(SignatureAlgorithm::Rs256),
        Self::Signing(SignatureAlgorithm::EdDsa),
        Self::Handles,
        Self::Seals,
    ];

    /// The line of a stored key; none for one that this version does not know.
    pub fn of(row: &StoredKey) -> Option<Self> {
        match row.purpose {
            KeyPurpose::Signing => SignatureAlgorithm::parse(&row.algorithm).map(Self::Signing),
            KeyPurpose::Handle => Some(Self::Handles),
            KeyPurpose::Seal => Some(Self::Seals),
            KeyPurpose::Audit => Some(Self::Audit),
        }
    }

    pub const fn purpose(self) -> KeyPurpose {
        match self {
            Self::Signing(_) => KeyPurpose::Signing,
            Self::Handles => KeyPurpose::Handle,
            Self::Seals => KeyPurpose::Seal,
            Self::Audit => KeyPurpose::Audit,
        }
    }

    /// The registered name for a signing key; a word of ours for the others.
    pub const fn algorithm(self) -> &'static str {
        match self {
            Self::Signing(algorithm) => algorithm.name(),
            Self::Handles | Self::Seals | Self::Audit => self.purpose().name(),
        }
    }

    /// When the last thing that a key of this line made is dead. How long handles live depends on the grants that exist when
    /// the key retires, so their end is found then; see `made.rs:end_retired`. Checkpoints are verified as long as there are any.
    pub fn end(self, retired_at: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Signing(_) | Self::Seals => Some(retired_at.plus(LONGEST_TOKEN).plus(MARGIN)),
            Self::Handles | Self::Audit => None,
        }
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.algorithm())
    }
}

/// The ceiling of all token lifetimes.
const LONGEST_TOKEN: Duration = Duration::from_secs(24 * 60 * 60);

/// Clocks differ, and a token may be minted in the very moment its key retires.
pub(super) const MARGIN: Duration = Duration::from_secs(120);
