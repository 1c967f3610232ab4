//! Pushed authorization requests.

#[path = "../common/mod.rs"]
mod common;

mod s2_pushing;
mod s4_using;
