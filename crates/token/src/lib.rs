//! Tokens, handles, keys and signatures: what an authorization server and a resource server both meet.
//!
//! Nothing here asks the time, opens a socket or reads a file; luck comes in as an [`Entropy`], time as a [`Timestamp`].
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

pub mod algorithm;
pub mod at_jwt;
pub mod base64url;
pub mod confirmation;
pub mod dpop;
mod ed25519_point;
pub mod entropy;
pub mod half_hash;
pub mod handle;
pub mod json;
pub mod jwk;
pub mod jws;
pub mod jwt;
pub mod key_set;
pub mod row_id;
mod rsa_modulus;
pub mod seal_key;
pub mod sealed;
pub mod secret;
pub mod signing_key;
pub mod target_uri;
pub mod timestamp;

pub use algorithm::{KeyKind, SignatureAlgorithm};
pub use at_jwt::{AccessTokenClaims, AccessTokenFacts};
pub use confirmation::Confirmation;
pub use entropy::Entropy;
pub use handle::{Handle, HandleError, HandleKey, HandleKeys, HandleKind};
pub use jwk::{JwkError, PublicJwk};
pub use jws::{Jws, JwsError, JwsHeader, Unverified, Verified};
pub use jwt::{ClaimError, Claims, UnverifiedClaims};
pub use key_set::{KeySet, KeySetError};
pub use row_id::RowId;
pub use seal_key::SealKey;
pub use sealed::{FactsToSeal, SealError, SealKeys, SealedFacts};
pub use secret::{Secret, constant_time_eq, sha256};
pub use signing_key::{JwtType, SignError, SigningKey};
pub use timestamp::Timestamp;
