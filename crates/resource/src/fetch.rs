//! The way out, which is the caller's: this crate brings no HTTP client. What is fetched is judged by others.

use bytes::Bytes;
use http::{Request, Response, StatusCode, Uri};
use jeton_token::key_set::KeySetError;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use thiserror::Error;

type Answer = Result<Response<Bytes>, String>;
type Fetching = Pin<Box<dyn Future<Output = Answer> + Send>>;

/// How to send a request to the issuer: your HTTP client, as an async function.
///
/// It should verify certificates, give up after a few seconds, follow no redirect, and read no more than 256 KiB.
///
/// ```
/// use bytes::Bytes;
/// use http::{Request, Response};
/// use jeton_resource::Fetch;
///
/// let nowhere = Fetch::new(|_: Request<Bytes>| async {
///     Err::<Response<Bytes>, _>("no network here")
/// });
/// # let _ = nowhere;
/// ```
#[derive(Clone)]
pub struct Fetch(Arc<dyn Fn(Request<Bytes>) -> Fetching + Send + Sync>);

/// Why the issuer could not be asked, or its answer not be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Unavailable {
    #[error("the request failed: {0}")]
    Fetch(String),
    #[error("answered with status {0}")]
    Status(u16),
    #[error("the metadata is not a JSON object with issuer and jwks_uri")]
    Metadata,
    #[error("the metadata is of another issuer")]
    OtherIssuer,
    #[error("{0}")]
    Address(#[from] BadAddress),
    #[error("{0}")]
    Keys(KeySetError),
    #[error("the key set has no key that could verify a token")]
    NoKeys,
    #[error("the introspection answer is not a JSON object with active")]
    Introspection,
    #[error("there is no room to remember another DPoP proof")]
    NoRoom,
}

#[derive(Copy, Clone, Debug, PartialEq, Eq, Error)]
#[error("not an https URL without query and fragment; http is for localhost only")]
pub struct BadAddress;

impl Fetch {
    pub fn new<F, A, E>(fetch: F) -> Self
    where
        F: Fn(Request<Bytes>) -> A + Send + Sync + 'static,
        A: Future<Output = Result<Response<Bytes>, E>> + Send + 'static,
        E: fmt::Display,
    {
        Self(Arc::new(move |request| {
            let answer = fetch(request);
            Box::pin(async move { answer.await.map_err(|error| error.to_string()) })
        }))
    }

    /// The body of a 200.
    pub(crate) async fn send(
        &self,
        request: Request<Bytes>,
    ) -> Result<Response<Bytes>, Unavailable> {
        let response = (self.0)(request).await.map_err(Unavailable::Fetch)?;
        match response.status() {
            StatusCode::OK => Ok(response),
            other => Err(Unavailable::Status(other.as_u16())),
        }
    }
}

impl fmt::Debug for Fetch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fetch(..)")
    }
}

/// An address that secrets and keys may travel to and from.
pub(crate) fn secure(text: &str) -> Result<Uri, BadAddress> {
    let uri: Uri = text.parse().map_err(|_| BadAddress)?;
    let host = uri.host().ok_or(BadAddress)?;
    let secure = match uri.scheme_str() {
        Some("https") => true,
        Some("http") => ["localhost", "127.0.0.1", "[::1]"].contains(&host),
        Some(_) | None => false,
    };
    let plain = !text.contains(['?', '#', '@']);
    if secure && plain {
        Ok(uri)
    } else {
        Err(BadAddress)
    }
}
