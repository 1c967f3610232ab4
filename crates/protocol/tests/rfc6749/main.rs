//! The OAuth 2.0 Authorization Framework, section by section.

#[path = "../common/mod.rs"]
mod common;

mod appendix_b_parameters;
mod s2_3_1_basic;
mod s2_3_client_authentication;
mod s3_3_scope;
mod s4_1_1_authorization_request;
mod s4_1_2_authorization_response;
mod s4_1_3_access_token_request;
mod s4_4_client_credentials;
mod s5_1_token_response;
mod s5_2_rules;
mod s6_refreshing;
