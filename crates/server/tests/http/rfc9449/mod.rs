//! RFC 9449: demonstrating proof of possession.

mod s10_pushing;
mod s11_replay;
mod s5_tokens;
mod s7_resources;
mod s8_nonces;
