//! Checks access tokens at a resource server. It knows tokens, never the server that made them.

#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)
)]

pub mod verifier;
