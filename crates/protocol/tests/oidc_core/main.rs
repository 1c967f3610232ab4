//! OpenID Connect Core 1.0: what happens between request and response, ID tokens, claims, userinfo.

#[path = "../common/mod.rs"]
mod common;

mod s2_id_token;
mod s3_1_2_next_step;
mod s3_1_2_next_step_ends;
mod s5_3_userinfo;
mod s5_4_claims;
