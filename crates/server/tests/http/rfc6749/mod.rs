//! RFC 6749: the OAuth 2.0 framework.

mod s2_3_client_authentication;
mod s3_2_token_endpoint;
mod s4_1_1_authorization_request;
mod s4_1_3_access_token_request;
mod s4_4_client_credentials;
mod s6_refreshing;
