//! RFC 9700 and `security.md`: attacks, and what must come of them.

mod forged;
mod headers;
mod json;
mod kinds;
mod offered;
mod policy;
mod requests;
pub mod sinks;
mod stopping;
mod tenants;
pub mod tokens;
