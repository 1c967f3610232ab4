//! The consent page.

use serde::Serialize;

use super::{Asking, Look};

#[derive(Debug, Clone, Serialize)]
pub struct Consent<'a> {
    pub look: Look<'a>,
    pub client: Asking<'a>,
    pub action: &'a str,
    pub interaction: &'a str,
    pub csrf: &'a str,
    /// Who is signed in.
    pub username: &'a str,
    /// The final set: nothing that is not listed here may be granted. (SEC-141)
    pub scopes: Vec<ScopeLine<'a>>,
    /// The resources the access is for. (RFC 8707 §2)
    pub resources: Vec<&'a str>,
}

#[derive(Debug, Clone, Copy, Serialize)]
pub struct ScopeLine<'a> {
    pub scope: &'a str,
    /// Text of the resource that owns the scope. The scopes of OpenID Connect need none: theirs are translated.
    pub description: Option<&'a str>,
    /// Cannot be dropped (`openid`).
    pub mandatory: bool,
}
