//! OpenID Connect RP-Initiated Logout 1.0.

#[path = "../common/mod.rs"]
mod common;

mod s3_return_to;
