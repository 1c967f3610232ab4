//! What the crate promises, seen from outside; a file for each noun or specification.

mod claims;
mod handles;
mod json_strict;
mod jwk_parsing;
mod jws_refusals;
mod key_sets;
mod keys;
mod never_panics;
mod rfc7515_appendix_a;
mod rfc7638_rfc8037;
mod rfc9068_access_token;
mod rfc9449_dpop;
mod samples;
mod sealed_tokens;
mod signing;
mod stored_secrets;
mod target_uris;
mod values;
mod wycheproof;
