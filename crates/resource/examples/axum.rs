//! An API behind the layer, on axum. With `jeton dev` running:
//!
//! ```console
//! cargo run -p jeton-resource --example axum
//! TOKEN=$(curl -s -u demo-job:demo-job-secret http://localhost:9000/token -d grant_type=client_credentials | cut -d '"' -f 4)
//! curl -i http://127.0.0.1:9100/photos -H "Authorization: Bearer $TOKEN"
//! ```
//!
//! It answers for the audience of the demo clients. Their tokens are opaque, so it asks about them; JWTs it checks itself.
//! Its client speaks plain HTTP, which is enough for an issuer on this machine with a port; in production hand in one that speaks TLS.

use axum::routing::get;
use axum::{Extension, Router};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::rt::TokioIo;
use jeton_resource::{
    Access, Fetch, Introspector, KeyCache, Protect, Requirement, ResourceServer, Secret, Timestamp,
    Verifier,
};
use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::net::{TcpListener, TcpStream};

const ISSUER: &str = "http://localhost:9000";
/// What tokens for this API name, and what clients put before the path. The two are often the same.
const AUDIENCE: &str = "http://localhost:9000/demo/api";
const BASE_URL: &str = "http://127.0.0.1:9100";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let keys = KeyCache::new(ISSUER, Fetch::new(send))?;
    if let Err(problem) = keys.refresh(now()).await {
        eprintln!("no keys yet: {problem}");
    }
    let secret = Secret::from_text("demo-job-secret".to_owned());
    let endpoint = format!("{ISSUER}/introspect");
    let introspector = Introspector::new(&endpoint, ("demo-job", &secret), Fetch::new(send))?;
    let server = ResourceServer::new(Verifier::new(ISSUER, AUDIENCE), BASE_URL)
        .with_keys(keys)
        .with_introspection(introspector);
    let protect = Protect::new(Arc::new(server), now);
    let to_read = protect.requiring(Requirement::scope("photos:read"));
    let router = Router::new()
        .route("/photos", get(photos).layer(to_read))
        .route("/me", get(me).layer(protect));
    axum::serve(TcpListener::bind("127.0.0.1:9100").await?, router).await?;
    Ok(())
}

async fn photos(Extension(access): Extension<Access>) -> String {
    format!("photos for {}\n", access.client)
}

async fn me(Extension(access): Extension<Access>) -> String {
    format!("{}\n", access.subject)
}

/// The edge: here, and nowhere in the crate, somebody looks at the clock.
#[expect(clippy::disallowed_methods, reason = "an API reads its own clock")]
fn now() -> Timestamp {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

async fn send(request: Request<Bytes>) -> Result<Response<Bytes>, Box<dyn Error + Send + Sync>> {
    tokio::time::timeout(Duration::from_secs(5), exchange(request)).await?
}

async fn exchange(
    request: Request<Bytes>,
) -> Result<Response<Bytes>, Box<dyn Error + Send + Sync>> {
    let (mut parts, body) = request.into_parts();
    let authority = parts.uri.authority().ok_or("no host")?.to_string();
    parts.headers.insert("host", authority.parse()?);
    parts.uri = parts.uri.path().parse()?;
    let stream = TokioIo::new(TcpStream::connect(authority).await?);
    let (mut sender, connection) = hyper::client::conn::http1::handshake(stream).await?;
    tokio::spawn(connection);
    let request = Request::from_parts(parts, Full::new(body));
    let (parts, body) = sender.send_request(request).await?.into_parts();
    let body = Limited::new(body, 256 * 1024).collect().await?.to_bytes();
    Ok(Response::from_parts(parts, body))
}
