//! Demonstrating Proof of Possession, section by section.

#[path = "../common/mod.rs"]
mod common;
mod prover;

mod s4_3_proofs;
mod s5_binding;
mod s7_resources;
mod s8_nonces;
