//! The authorization endpoint: request, next step, response (RFC 6749 §4.1, Core §3.1.2).

pub mod parameters;
pub mod request;
pub mod response;
pub mod step;
