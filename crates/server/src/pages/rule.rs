//! What one rule asks for: where `error_uri` leads.

use serde::Serialize;

use super::Look;

#[derive(Debug, Clone, Serialize)]
pub struct RulePage<'a> {
    pub look: Look<'a>,
    /// The registered error code.
    pub error: &'a str,
    pub cause: &'a str,
    pub clause: &'a str,
    pub promise: &'a str,
    pub told: &'a str,
    /// Commands and lines of configuration between backquotes.
    pub fix: &'a str,
}
