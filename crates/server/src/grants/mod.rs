//! The shells of grants: load, decide, mint, commit, reply, each visible in one function.

pub mod authorization_code;
pub mod client_credentials;
pub mod device_code;
pub mod jwt_bearer;
pub mod refresh_token;
pub mod token_exchange;
