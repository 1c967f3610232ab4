//! RFC 9700 and `security.md`: attacks, and what must come of them.

mod headers;
mod kinds;
mod policy;
mod requests;
pub mod sinks;
mod stopping;
mod tenants;
