//! Checks access tokens at a resource server. It knows tokens, never the server that made them.
//!
//! [`Protect`] is a tower layer that lets requests through with an [`Access`] in their extensions and answers the others
//! with a challenge. Under it are plain functions, for whoever has no tower: [`ResourceServer::admit`] judges the head of a
//! request; [`Verifier::verify`] a JWT (RFC 9068); [`Introspector::introspect`] asks about any token (RFC 7662);
//! [`Proofs::prove_holder`] compares the sender with the key of the token (RFC 9449, RFC 8705); [`Requirement::check`] asks
//! for scope and for how the user signed in (RFC 9470); [`challenge::answer`] writes the refusal.
//!
//! It has no HTTP client, no clock, no log and no task of its own: the way out is a [`Fetch`], the time is an argument, and
//! a refusal carries its [`Refused`] in the extensions of the response.
//!
//! # A layer
//!
//! ```
//! use bytes::Bytes;
//! use http::{Request, Response, StatusCode};
//! use jeton_resource::{Access, Fetch, KeyCache, Protect, Requirement, ResourceServer, Timestamp, Verifier};
//! use std::{convert::Infallible, future::Ready, sync::Arc, task::{Context, Poll}};
//! use tower_layer::Layer;
//! use tower_service::Service;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // Your HTTP client stands here.
//! let fetch = Fetch::new(|_: Request<Bytes>| async { Err::<Response<Bytes>, _>("offline") });
//! let issuer = "https://login.example.org";
//! let server = ResourceServer::new(
//!     Verifier::new(issuer, "https://reports.example.org"),
//!     "https://reports.example.org",
//! )
//! .with_keys(KeyCache::new(issuer, fetch)?);
//! // The one place that reads a clock.
//! let protect = Protect::new(Arc::new(server), || Timestamp::from_seconds(1_800_000_000));
//!
//! #[derive(Clone)]
//! struct Reports;
//! impl Service<Request<()>> for Reports {
//!     type Response = Response<String>;
//!     type Error = Infallible;
//!     type Future = Ready<Result<Response<String>, Infallible>>;
//!     fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
//!         Poll::Ready(Ok(()))
//!     }
//!     fn call(&mut self, request: Request<()>) -> Self::Future {
//!         let access = request.extensions().get::<Access>();
//!         let who = access.map(|access| access.subject.clone()).unwrap_or_default();
//!         std::future::ready(Ok(Response::new(who)))
//!     }
//! }
//!
//! let mut reports = protect.requiring(Requirement::scope("reports:read")).layer(Reports);
//! let answer = reports.call(Request::get("/").body(())?).await?;
//! assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
//! assert_eq!(answer.headers()["www-authenticate"], "Bearer");
//! # Ok(())
//! # }
//! ```
//!
//! # A function
//!
//! ```
//! use jeton_resource::{KeySet, Rejected, Timestamp, Verifier};
//!
//! let verifier = Verifier::new("https://login.example.org", "https://reports.example.org");
//! let keys = KeySet::parse_foreign(br#"{"keys":[]}"#)?;
//! let now = Timestamp::from_seconds(1_800_000_000);
//! let refused = verifier.verify("not a token", &keys, now).unwrap_err();
//! assert!(matches!(refused, Rejected::Malformed(_)));
//! assert_eq!(refused.status(), 401);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)
)]

pub mod access;
pub mod challenge;
pub mod fetch;
pub mod introspect;
pub mod key_cache;
pub mod layer;
mod memory;
pub mod presented;
pub mod proofs;
pub mod rejected;
pub mod server;
pub mod verifier;

pub use access::{Access, Requirement};
pub use fetch::{BadAddress, Fetch, Unavailable};
pub use introspect::Introspector;
pub use key_cache::KeyCache;
pub use layer::{Protect, Protected};
pub use presented::{Presented, Scheme};
pub use proofs::{ClientCertificate, Proofs, Sent};
pub use rejected::{Code, Refused, Rejected};
pub use server::ResourceServer;
pub use verifier::Verifier;

pub use jeton_token::{Confirmation, KeySet, Secret, Timestamp};
