//! Signing out: the question and the page after it.

use serde::Serialize;

use super::{Look, WebUrl};

/// Asked when the request does not prove which session it means. (OIDC RP-Initiated Logout §2, §6)
#[derive(Debug, Clone, Serialize)]
pub struct SignOutQuestion<'a> {
    pub look: Look<'a>,
    pub action: &'a str,
    pub csrf: &'a str,
    /// Names the pending request, so that the answer can go on with it. May be empty.
    pub interaction: &'a str,
    pub username: &'a str,
    pub client: Option<&'a str>,
}

#[derive(Debug, Clone, Serialize)]
pub struct SignedOut<'a> {
    pub look: Look<'a>,
    /// False when the person chose to stay.
    pub ended: bool,
    pub client: Option<&'a str>,
    pub back: Option<WebUrl<'a>>,
}
