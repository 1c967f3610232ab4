//! OAuth 2.0 Form Post Response Mode, and the modes of OAuth 2.0 Multiple Response Type Encoding Practices.

#[path = "../common/mod.rs"]
mod common;

mod s2_modes;
