//! Best current practice: exact redirection URIs, and the one gate before every token.

#[path = "../common/mod.rs"]
mod common;

mod s2_1_redirect_uri_admits;
mod s2_1_redirect_uri_parse;
mod s4_14_standing;
