//! RFC 8628: the device authorization grant.

mod answering;
mod guessing;
mod polling;
mod starting;
