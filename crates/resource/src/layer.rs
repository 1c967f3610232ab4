//! The checks as a tower layer. The clock is read here, by a function that is handed in; nothing is decided here.

use http::header::HeaderValue;
use http::{Request, Response};
use jeton_token::timestamp::Timestamp;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tower_layer::Layer;
use tower_service::Service;

use crate::access::Requirement;
use crate::challenge::{self, DPOP_NONCE};
use crate::server::ResourceServer;

/// Lets through who may, with an [`Access`](crate::Access) in the extensions of the request, and answers everybody else.
///
/// It belongs around routes, not inside a router that cuts off the front of the path: a DPoP proof names the whole address.
/// A layer that answers CORS preflights goes outside of it, for these carry no token.
#[derive(Clone, Debug)]
pub struct Protect {
    server: Arc<ResourceServer>,
    requirement: Arc<Requirement>,
    now: fn() -> Timestamp,
}

/// A service behind [`Protect`].
#[derive(Clone, Debug)]
pub struct Protected<S> {
    inner: S,
    by: Protect,
}

impl Protect {
    pub fn new(server: Arc<ResourceServer>, now: fn() -> Timestamp) -> Self {
        Self {
            server,
            requirement: Arc::default(),
            now,
        }
    }

    /// The same for routes that need more than a token.
    #[must_use]
    pub fn requiring(&self, requirement: Requirement) -> Self {
        Self {
            requirement: Arc::new(requirement),
            ..self.clone()
        }
    }
}

impl<S> Layer<S> for Protect {
    type Service = Protected<S>;

    fn layer(&self, inner: S) -> Protected<S> {
        Protected {
            inner,
            by: self.clone(),
        }
    }
}

type Answering<R, E> = Pin<Box<dyn Future<Output = Result<Response<R>, E>> + Send>>;

impl<S, B, R> Service<Request<B>> for Protected<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    B: Send + 'static,
    R: Default,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = Answering<R, S::Error>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        // The one that is ready is used, and a fresh one stays.
        let fresh = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, fresh);
        let by = self.by.clone();
        Box::pin(async move {
            let now = (by.now)();
            let (mut parts, body) = request.into_parts();
            let mut response = match by.server.admit(&parts, &by.requirement, now).await {
                Ok(access) => {
                    parts.extensions.insert(access);
                    inner.call(Request::from_parts(parts, body)).await?
                }
                Err(refused) => challenge::answer(&refused, &by.requirement),
            };
            let nonce = by.server.next_nonce(now);
            if let Some(Ok(nonce)) = nonce.map(HeaderValue::try_from) {
                response.headers_mut().insert(DPOP_NONCE, nonce);
            }
            Ok(response)
        })
    }
}
