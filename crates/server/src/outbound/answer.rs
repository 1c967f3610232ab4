//! One request and its answer, read whole within its limits (SEC-223).

use super::{OutboundError, Target, Wanted};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Empty, LengthLimitError, Limited};
use hyper::body::{Body as _, Incoming};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    pub body: Bytes,
    /// One of the types that were asked for.
    pub content_type: &'static str,
    /// How long its sender says it stays true (RFC 9111 §5.2.2).
    pub max_age: Option<Duration>,
}

const LONGEST_HEAD: usize = 16 * 1024;

/// Asks over a connection of its own, which is closed afterwards.
pub(super) async fn ask<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    target: &Target,
    wanted: &Wanted<'_>,
) -> Result<Fetched, OutboundError> {
    let broken = |error: hyper::Error| OutboundError::Http(error.to_string());
    let (mut sender, connection) = http1::Builder::new()
        .max_buf_size(LONGEST_HEAD)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(broken)?;
    let talking = async {
        let response = sender.send_request(request(target, wanted)?).await;
        read(response.map_err(broken)?, wanted).await
    };
    // What breaks the connection reaches the one who talks over it.
    let driving = async {
        drop(connection.await);
        std::future::pending().await
    };
    tokio::select! {
        biased;
        fetched = talking => fetched,
        never = driving => never,
    }
}

fn request(target: &Target, wanted: &Wanted<'_>) -> Result<Request<Empty<Bytes>>, OutboundError> {
    Request::get(&target.path)
        .header(header::HOST, &target.host_header)
        .header(header::ACCEPT, wanted.types.join(", "))
        .header(header::ACCEPT_ENCODING, "identity")
        .header(header::USER_AGENT, "Jeton")
        .header(header::CONNECTION, "close")
        .body(Empty::new())
        .map_err(|_| OutboundError::Url("it cannot be asked for"))
}

async fn read(response: Response<Incoming>, wanted: &Wanted<'_>) -> Result<Fetched, OutboundError> {
    let (head, body) = response.into_parts();
    if head.status != StatusCode::OK {
        return Err(OutboundError::Status(head.status.as_u16()));
    }
    let text = |name: HeaderName| text(&head.headers, &name);
    let encoding = text(header::CONTENT_ENCODING);
    if !matches!(encoding.as_str(), "" | "identity") {
        return Err(OutboundError::Encoding(encoding));
    }
    let found = text(header::CONTENT_TYPE);
    let essence = found.split(';').next().unwrap_or_default().trim();
    let content_type = wanted.types.iter().find(|known| **known == essence);
    let Some(content_type) = content_type else {
        return Err(OutboundError::Type(found));
    };
    if body.size_hint().lower() > u64::try_from(wanted.limit).unwrap_or(u64::MAX) {
        return Err(OutboundError::TooLong(wanted.limit));
    }
    let body = Limited::new(body, wanted.limit).collect().await;
    let body = body.map_err(|error| {
        if error.is::<LengthLimitError>() {
            OutboundError::TooLong(wanted.limit)
        } else {
            OutboundError::Http(error.to_string())
        }
    })?;
    Ok(Fetched {
        body: body.to_bytes(),
        content_type,
        max_age: max_age(&text(header::CACHE_CONTROL)),
    })
}

/// All values of a header in lower case, shortened.
fn text(headers: &HeaderMap, name: &HeaderName) -> String {
    let values = headers.get_all(name).iter();
    let texts: Vec<&str> = values.map(|value| value.to_str().unwrap_or("?")).collect();
    let joined = texts.join(", ").to_ascii_lowercase();
    joined.chars().take(200).collect()
}

fn max_age(cache_control: &str) -> Option<Duration> {
    let mut directives = cache_control.split(',').map(str::trim);
    if directives
        .clone()
        .any(|it| it == "no-store" || it == "no-cache")
    {
        return Some(Duration::ZERO);
    }
    let seconds = directives.find_map(|it| it.strip_prefix("max-age="))?;
    seconds.parse().ok().map(Duration::from_secs)
}
