//! JWTs as proof of a client, and as a grant of a trusted issuer.

#[path = "../common/mod.rs"]
mod common;

mod assertion;
mod keys_elsewhere;
mod s2_1_grant;
mod s2_2_presenting;
mod s3_algorithms;
mod s3_claims;
