//! The authorization endpoint: request, next step, response (RFC 6749 §4.1, Core §3.1.2, RFC 9101,
//! RFC 9126).

pub mod parameters;
pub mod pushed;
pub mod request;
pub mod request_object;
pub mod response;
pub mod step;
