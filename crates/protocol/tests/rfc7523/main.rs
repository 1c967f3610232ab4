//! JWTs as proof of a client: `private_key_jwt` and `client_secret_jwt`.

#[path = "../common/mod.rs"]
mod common;

mod assertion;
mod keys_elsewhere;
mod s2_2_presenting;
mod s3_algorithms;
mod s3_claims;
