//! The page a one-use link for an administrator leads to.

use serde::Serialize;

use super::Look;

#[derive(Debug, Clone, Serialize)]
pub struct AdminLink<'a> {
    pub look: Look<'a>,
    pub action: &'a str,
    pub token: &'a str,
    pub username: &'a str,
    /// The fewest characters a password may have.
    pub shortest: usize,
    /// The password that was sent had fewer.
    pub too_short: bool,
}
