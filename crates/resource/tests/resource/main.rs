//! A resource server against an issuer that tests play: tokens, proofs, keys, answers and the layer.

mod axum;
mod challenge;
mod key_cache;
mod layer;
mod properties;
mod rfc7662;
mod rfc9068;
mod rfc9449;
mod support;
