//! Checks access tokens at a resource server. It knows tokens, never the server that made them.
#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)
)]

pub mod access;
pub mod challenge;
pub mod fetch;
pub mod introspect;
pub mod key_cache;
pub mod layer;
mod memory;
pub mod presented;
pub mod proofs;
pub mod rejected;
pub mod server;
pub mod verifier;

pub use access::{Access, Requirement};
pub use fetch::{BadAddress, Fetch, Unavailable};
pub use introspect::Introspector;
pub use key_cache::KeyCache;
pub use layer::{Protect, Protected};
pub use presented::{Presented, Scheme};
pub use proofs::{ClientCertificate, Proofs, Sent};
pub use rejected::{Code, Refused, Rejected};
pub use server::ResourceServer;
pub use verifier::Verifier;

pub use jeton_token::{Confirmation, KeySet, Secret, Timestamp};
