//! Connections: accepted within limits, read within limits, ended in peace (SEC-360, SEC-361, SEC-368, SEC-444).

use super::pace::{Answered, Asked, Overdue, Pace, Paced, Patience};
use super::reply::{self, Reply};
use super::tls::Tls;
use crate::app::{App, Settings};
use crate::dispatch::{self, Incoming};
use crate::throttle::network;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming as Body;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use papaya::HashMap;
use std::convert::Infallible;
use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

/// An HTTP/2 connection is told to go after this, whatever it does or does not do; its client opens another.
const LONGEST_HTTP2: Duration = Duration::from_secs(120);
const MOST_HEADERS: usize = 100;
/// All connections of a listener together; one more is closed at once (SEC-361).
const MOST_CONNECTIONS: usize = 16_384;
/// Descriptors that are no connections': databases, certificates, logs.
const OTHER_FILES: usize = 128;
const HEADER_BYTES: usize = 32 * 1024;
/// Streams of an HTTP/2 connection at once, and how many of them may be sending a body.
const MOST_STREAMS: u32 = 100;
const MOST_BODIES: usize = 16;
/// Streams that were taken back before anybody looked at them, and those that ended by the peer's own mistakes.
const MOST_RESETS: usize = 20;
const MOST_MISTAKES: usize = 100;
/// What a peer may send ahead: of a stream, and of all streams of a connection.
const STREAM_WINDOW: u32 = 64 * 1024;
const CONNECTION_WINDOW: u32 = 256 * 1024;
/// How long a connection that was told to go has to say goodbye.
const GOODBYE: Duration = Duration::from_secs(2);
/// How long requests that are being answered may take after the stop was asked for.
const GRACE: Duration = Duration::from_secs(20);

/// One listening socket and what it is for.
pub struct Listening {
    pub socket: TcpListener,
    pub tls: Option<Arc<Tls>>,
    pub management: bool,
    pub patience: Patience,
}

/// Serves until `stop` changes, then lets running requests finish.
pub async fn serve(app: Arc<App>, listening: Listening, mut stop: watch::Receiver<bool>) {
    let per_address: Arc<HashMap<IpAddr, usize>> = Arc::new(HashMap::new());
    let mut connections = JoinSet::new();
    let most = connections_within(&fs::read_to_string("/proc/self/limits").unwrap_or_default());
    if most < MOST_CONNECTIONS {
        tracing::info!(
            event = "connections.bounded",
            most,
            "the limit of open files allows no more"
        );
    }
    loop {
        let accepted = tokio::select! {
            accepted = listening.socket.accept() => accepted,
            _ = stop.changed() => break,
        };
        let (stream, peer) = match accepted {
            // An IPv4 caller of a dual-stack socket is that IPv4 address.
            Ok((stream, peer)) => (
                stream,
                SocketAddr::new(peer.ip().to_canonical(), peer.port()),
            ),
            Err(error) => {
                // Out of file descriptors, most likely: waiting is the only thing that helps (SEC-327).
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        while connections.try_join_next().is_some() {}
        if connections.len() >= most {
            continue;
        }
        let Some(place) = Place::take(&app.settings, &per_address, peer.ip()) else {
            continue;
        };
        let connection = Connection {
            app: Arc::clone(&app),
            peer,
            management: listening.management,
            stop: stop.clone(),
            pace: Pace::new(listening.patience, app.settings.body_limit),
            patience: listening.patience,
            _place: place,
        };
        connections.spawn(connection.run(stream, listening.tls.clone()));
    }
    let finish = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(GRACE, finish).await.is_err() {
        tracing::warn!("some requests were still running when the process had to stop");
    }
}

/// How many connections leave enough descriptors for everything else, so that strangers cannot keep the database from opening
/// a file (SEC-327): `limits` is what Linux tells of a process.
pub fn connections_within(limits: &str) -> usize {
    let open = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))
        .and_then(|numbers| numbers.split_whitespace().next())
        .and_then(|soft| soft.parse::<usize>().ok());
    open.map_or(MOST_CONNECTIONS, |open| {
        let left = open.saturating_sub(OTHER_FILES).max(open / 2);
        left.min(MOST_CONNECTIONS)
    })
}

/// One of the connections an address may hold (SEC-444); given back on drop.
struct Place {
    counts: Arc<HashMap<IpAddr, usize>>,
    address: Option<IpAddr>,
}

impl Place {
    fn take(
        settings: &Settings,
        counts: &Arc<HashMap<IpAddr, usize>>,
        address: IpAddr,
    ) -> Option<Self> {
        let counts = Arc::clone(counts);
        if address.is_loopback()
            || settings
                .trusted_proxies
                .iter()
                .any(|proxy| proxy.contains(&address))
        {
            return Some(Self {
                counts,
                address: None,
            });
        }
        let address = network(address);
        let held = *counts.pin().update_or_insert(address, |held| held + 1, 1);
        let place = Self {
            counts,
            address: Some(address),
        };
        (held <= settings.per_ip_connections).then_some(place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Some(address) = self.address else { return };
        let counts = self.counts.pin();
        counts.update(address, |held| held.saturating_sub(1));
        let _ = counts.remove_if(&address, |_, held| *held == 0);
    }
}

type Answering = Pin<Box<dyn Future<Output = Result<Response<Answered>, Infallible>> + Send>>;

struct Connection {
    app: Arc<App>,
    peer: SocketAddr,
    management: bool,
    stop: watch::Receiver<bool>,
    pace: Arc<Pace>,
    patience: Patience,
    _place: Place,
}

impl Connection {
    async fn run(self, stream: TcpStream, tls: Option<Arc<Tls>>) {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY");
        }
        let stream = Paced::new(stream, Arc::clone(&self.pace));
        let Some(tls) = tls else {
            return self.http1(stream).await;
        };
        match tokio::time::timeout(self.patience.handshake, tls.accept(stream)).await {
            Ok(Ok(stream)) if stream.get_ref().1.alpn_protocol() == Some(b"h2") => {
                self.http2(stream).await
            }
            Ok(Ok(stream)) => self.http1(stream).await,
            Ok(Err(error)) => tracing::debug!(peer = %self.peer, %error, "TLS handshake"),
            Err(_) => tracing::debug!(peer = %self.peer, "TLS handshake took too long"),
        }
    }

    async fn http1(mut self, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) {
        self.pace.start(true);
        let service = self.service();
        let mut builder = hyper::server::conn::http1::Builder::new();
        builder
            .timer(TokioTimer::new())
            // Only the pace knows waiting for a request from waiting for its headers.
            .header_read_timeout(None)
            .max_buf_size(HEADER_BYTES)
            .max_headers(MOST_HEADERS);
        let connection = builder.serve_connection(TokioIo::new(stream), service_fn(service));
        tokio::pin!(connection);
        tokio::select! {
            ended = connection.as_mut() => return note(self.peer, ended),
            _ = self.stop.changed() => connection.as_mut().graceful_shutdown(),
            overdue = self.pace.overdue() => return note_overdue(self.peer, overdue),
        }
        tokio::select! {
            ended = connection => note(self.peer, ended),
            overdue = self.pace.overdue() => note_overdue(self.peer, overdue),
        }
    }

    async fn http2(mut self, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) {
        self.pace.start(false);
        let service = self.service();
        let mut builder = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
        builder
            .timer(TokioTimer::new())
            .max_concurrent_streams(MOST_STREAMS)
            .max_pending_accept_reset_streams(MOST_RESETS)
            .max_local_error_reset_streams(MOST_MISTAKES)
            .max_header_list_size(32 * 1024)
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .keep_alive_interval(Duration::from_secs(30));
        let connection = builder.serve_connection(TokioIo::new(stream), service_fn(service));
        tokio::pin!(connection);
        let within = tokio::select! {
            ended = connection.as_mut() => return note(self.peer, ended),
            _ = self.stop.changed() => GRACE,
            () = tokio::time::sleep(LONGEST_HTTP2) => GRACE,
            overdue = self.pace.overdue() => {
                note_overdue(self.peer, overdue);
                if overdue == Overdue::NoRequest {
                    return;
                }
                GOODBYE
            }
        };
        connection.as_mut().graceful_shutdown();
        match tokio::time::timeout(within, connection).await {
            Ok(ended) => note(self.peer, ended),
            Err(_) => {
                tracing::debug!(peer = %self.peer, "an HTTP/2 connection did not end in time")
            }
        }
    }

    fn service(&self) -> impl Fn(Request<Body>) -> Answering + Clone + use<> {
        let (app, peer, management) = (Arc::clone(&self.app), self.peer.ip(), self.management);
        let pace = Arc::clone(&self.pace);
        let bodies = Arc::new(Bodies {
            turns: Semaphore::new(MOST_BODIES),
            limit: self.app.settings.body_limit,
            within: self.patience.body,
        });
        move |request| {
            let (app, bodies) = (Arc::clone(&app), Arc::clone(&bodies));
            let mut asked = pace.begin();
            Box::pin(async move {
                let (parts, body) = request.into_parts();
                let reply = match receive(&parts, body, (&bodies, &mut asked)).await {
                    Ok(body) => {
                        let incoming = Incoming {
                            parts,
                            body,
                            peer,
                            management,
                        };
                        answer(app, incoming).await
                    }
                    Err(refused) => refused,
                };
                Ok(asked.answered(reply))
            })
        }
    }
}

/// Answers. A panic ends this request, not the process (SEC-445).
async fn answer(app: Arc<App>, incoming: Incoming) -> Reply {
    let head = incoming.parts.method == http::Method::HEAD;
    let mut reply = match CatchPanic(Box::pin(dispatch::answer(&app, incoming))).await {
        Some(reply) => reply,
        None => reply::empty(StatusCode::INTERNAL_SERVER_ERROR),
    };
    if app.settings.issuer.is_https() {
        let two_years = http::HeaderValue::from_static("max-age=63072000; includeSubDomains");
        reply
            .headers_mut()
            .insert(header::STRICT_TRANSPORT_SECURITY, two_years);
    }
    if head {
        *reply.body_mut() = Full::new(Bytes::new());
    }
    reply
}

fn refuse_unseen(parts: &http::request::Parts) -> Option<Reply> {
    if parts.uri.path().len() + parts.uri.query().map_or(0, str::len) > 16 * 1024 {
        return Some(reply::empty(StatusCode::URI_TOO_LONG));
    }
    // HTTP/1.1 has been counted while it was read; HTTP/2 was only weighed.
    if parts.headers.len() > MOST_HEADERS {
        return Some(reply::empty(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE));
    }
    // Nothing that expands is read (SEC-080).
    parts
        .headers
        .contains_key(header::CONTENT_ENCODING)
        .then(|| reply::empty(StatusCode::UNSUPPORTED_MEDIA_TYPE))
}

/// How bodies of a connection are read: few at once, so that what one peer can fill is little.
struct Bodies {
    turns: Semaphore,
    limit: usize,
    within: Duration,
}

/// Reads the body of a request that nothing is wrong with so far.
async fn receive(
    parts: &http::request::Parts,
    body: Body,
    (bodies, asked): (&Bodies, &mut Asked),
) -> Result<Bytes, Reply> {
    use hyper::body::Body as _;
    if let Some(refused) = refuse_unseen(parts) {
        return Err(refused);
    }
    if body.is_end_stream() {
        return Ok(Bytes::new());
    }
    let collected = async {
        let _turn = bodies.turns.acquire().await;
        Limited::new(body, bodies.limit).collect().await
    };
    let status = match tokio::time::timeout(bodies.within, collected).await {
        Ok(Ok(collected)) => return Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => {
            StatusCode::PAYLOAD_TOO_LARGE
        }
        Ok(Err(_)) => {
            asked.break_off();
            StatusCode::BAD_REQUEST
        }
        Err(_) => StatusCode::REQUEST_TIMEOUT,
    };
    Err(reply::empty(status))
}

/// Polls a future and turns a panic inside it into `None`.
struct CatchPanic<F>(Pin<Box<F>>);

impl<F: Future> Future for CatchPanic<F> {
    type Output = Option<F::Output>;

    fn poll(
        mut self: Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Self::Output> {
        let polled = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            self.0.as_mut().poll(context)
        }));
        match polled {
            Ok(polled) => polled.map(Some),
            Err(_) => {
                tracing::error!(
                    event = "panic",
                    "a request ended in a panic; the process lives on"
                );
                std::task::Poll::Ready(None)
            }
        }
    }
}

fn note(peer: SocketAddr, ended: Result<(), hyper::Error>) {
    if let Err(error) = ended {
        tracing::debug!(%peer, %error, "a connection ended");
    }
}

fn note_overdue(peer: SocketAddr, overdue: Overdue) {
    tracing::debug!(%peer, why = overdue.name(), "a connection was ended");
}

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The address to count: the peer's, or behind a declared proxy the last hop that is no proxy of ours (SEC-191).
pub fn client_address(headers: &HeaderMap, peer: IpAddr, settings: &Settings) -> IpAddr {
    let trusted = |address: &IpAddr| {
        settings
            .trusted_proxies
            .iter()
            .any(|proxy| proxy.contains(address))
    };
    if !trusted(&peer) {
        return peer;
    }
    // From the right: what stands left of the first hop that is not ours was written by that hop.
    let mut nearest = peer;
    for value in headers.get_all(FORWARDED_FOR).iter().rev() {
        let Ok(text) = value.to_str() else {
            return nearest;
        };
        for hop in text.rsplit(',') {
            let Some(hop) = hop_address(hop.trim()) else {
                return nearest;
            };
            if !trusted(&hop) {
                return hop;
            }
            nearest = hop;
        }
    }
    nearest
}

/// An address, with or without a port.
fn hop_address(text: &str) -> Option<IpAddr> {
    let bare = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'))
        .unwrap_or(text);
    let address = bare
        .parse::<IpAddr>()
        .or_else(|_| text.parse::<SocketAddr>().map(|socket| socket.ip()));
    address.ok().map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::CatchPanic;

    // SEC-445: so that the connection answers 500, and the process lives on
    #[tokio::test]
    async fn a_panic_ends_its_request_alone() {
        let panics = async { panic!("a mistake of ours") };
        assert_eq!(CatchPanic::<_>(Box::pin(async { 1 })).await, Some(1));
        let caught: Option<()> = CatchPanic(Box::pin(panics)).await;
        assert_eq!(caught, None);
    }
}
