//! The record of a client, in the words of dynamic registration.

#[path = "../common/mod.rs"]
mod common;

mod s2_client_metadata;
