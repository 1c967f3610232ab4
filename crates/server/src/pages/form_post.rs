//! The page that hands the answer over to the client.

use serde::Serialize;

use super::Look;

/// A form that sends itself. Without scripts its button sends it.
#[derive(Debug, Clone, Serialize)]
pub struct FormPost<'a> {
    pub look: Look<'a>,
    /// Where the form goes: the redirection URI, `http` or `https`.
    pub action: &'a str,
    /// Its host, for people.
    pub host: &'a str,
    pub fields: Vec<PostedField<'a>>,
    /// The text of the one script; the policy of the page names its hash.
    pub script: &'static str,
}

#[derive(Debug, Clone, Copy, Serialize)]
pub struct PostedField<'a> {
    pub name: &'a str,
    /// Sent as it is: the client compares it byte for byte.
    pub value: &'a str,
}
