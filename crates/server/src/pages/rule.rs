//! What a refusal may mean: where `error_uri` leads.

use serde::Serialize;

use super::Look;

#[derive(Debug, Clone, Serialize)]
pub struct RulePage<'a> {
    pub look: Look<'a>,
    /// The registered error code.
    pub error: &'a str,
    /// What the caller was told.
    pub told: &'a str,
    /// Every rule that tells a caller just this.
    pub rules: Vec<RuleLine<'a>>,
}

#[derive(Debug, Clone, Copy, Serialize)]
pub struct RuleLine<'a> {
    pub cause: &'a str,
    pub clause: &'a str,
    pub promise: &'a str,
    /// Commands and lines of configuration between backquotes.
    pub fix: &'a str,
}
