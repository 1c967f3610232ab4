//! JWT-secured authorization response mode (JARM).

#[path = "../common/mod.rs"]
mod common;

mod s2_response_mode;
