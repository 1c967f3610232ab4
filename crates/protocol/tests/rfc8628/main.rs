//! The device authorization grant, section by section.

#[path = "../common/mod.rs"]
mod common;

mod s3_1_request;
mod s3_3_user_interaction;
mod s3_5_polling;
mod s6_1_user_codes;
