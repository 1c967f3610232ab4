//! Grants that have state: load, decide, mint, commit, reply, each visible in one function.

pub mod authorization_code;
pub mod client_credentials;
pub mod device_code;
pub mod refresh_token;
