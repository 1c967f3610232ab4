//! How slow, how idle and how greedy a connection may be, whatever it speaks (SEC-360, SEC-364). What a request may be is
//! not judged here.
//!
//! The stream counts what is read and notices a peer that does not read; every request is noted when it begins and when its
//! answer is gone. One task a connection asks [`Pace::overdue`] when it has been patient enough.

use super::reply::Reply;
use bytes::Bytes;
use http_body_util::Full;
use hyper::body::{Body, Frame, SizeHint};
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::Notify;
use tokio::time::{Instant, Sleep, sleep, sleep_until};

/// How long each part of a connection is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    pub handshake: Duration,
    /// From the handshake to the first whole request: an HTTP/2 preface is part of that.
    pub first_request: Duration,
    /// The headers of a further HTTP/1.1 request, from their first byte.
    pub headers: Duration,
    /// A whole body, once its headers are there.
    pub body: Duration,
    /// Between an answer and the next request.
    pub idle: Duration,
    /// From an answer being ready to the peer having let it all go.
    pub answer: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            handshake: Duration::from_secs(10),
            first_request: Duration::from_secs(10),
            headers: Duration::from_secs(10),
            body: Duration::from_secs(15),
            idle: Duration::from_secs(75),
            answer: Duration::from_secs(30),
        }
    }
}

/// What a connection may send before and beside requests: frames that ask for nothing are bounded by this.
const FREE_BYTES: u64 = 256 * 1024;
/// What each request may weigh beside its body: headers, frames and records around them.
const BYTES_A_REQUEST: u64 = 64 * 1024;
/// Requests a peer may take back, and go on doing so as long as they are not most of what it asks.
const MOST_TAKEN_BACK: u64 = 100;

/// Why a connection has to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overdue {
    /// It asked before, and asks no more.
    Idle,
    NoRequest,
    AnswerNotRead,
    TakesBack,
}

impl Overdue {
    pub fn name(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::NoRequest => "no request in time",
            Self::AnswerNotRead => "an answer was not read in time",
            Self::TakesBack => "most requests were taken back",
        }
    }
}

/// What is known of one connection.
#[derive(Debug)]
pub struct Pace {
    patience: Patience,
    body_limit: u64,
    state: Mutex<State>,
    hurry: Notify,
}

#[derive(Debug)]
struct State {
    quiet_since: Instant,
    /// When the first byte after a quiet time came; HTTP/1.1 only, where that is the beginning of a request.
    headers_since: Option<Instant>,
    speaks_http1: bool,
    begun: u64,
    taken_back: u64,
    read: u64,
    /// The requests that are not over, and since when their answer is ready.
    open: BTreeMap<u64, Option<Instant>>,
}

impl Pace {
    pub fn new(patience: Patience, body_limit: usize) -> Arc<Self> {
        Arc::new(Self {
            patience,
            body_limit: u64::try_from(body_limit).unwrap_or(u64::MAX),
            state: Mutex::new(State {
                quiet_since: Instant::now(),
                headers_since: None,
                speaks_http1: false,
                begun: 0,
                taken_back: 0,
                read: 0,
                open: BTreeMap::new(),
            }),
            hurry: Notify::new(),
        })
    }

    /// The handshake, if there was one, is over.
    pub fn start(&self, speaks_http1: bool) {
        let mut state = self.state();
        state.speaks_http1 = speaks_http1;
        state.quiet_since = Instant::now();
    }

    /// A request has been read as far as its headers.
    pub fn begin(self: &Arc<Self>) -> Asked {
        let mut state = self.state();
        let number = state.begun;
        state.begun += 1;
        state.headers_since = None;
        state.open.insert(number, None);
        Asked {
            pace: Arc::clone(self),
            number,
            done: false,
            broken: false,
        }
    }

    /// Waits until the connection has to end. No wait is shorter than the shortest patience, so nothing has to wake this up
    /// but the clock, and a peer that takes everything back.
    pub async fn overdue(&self) -> Overdue {
        let patience = &self.patience;
        let shortest = patience
            .first_request
            .min(patience.headers)
            .min(patience.idle)
            .min(patience.answer);
        loop {
            let now = Instant::now();
            let mut until = now + shortest;
            if let Some((at, why)) = self.deadline() {
                if at <= now {
                    return why;
                }
                until = until.min(at);
            }
            tokio::select! {
                () = sleep_until(until) => {}
                () = self.hurry.notified() => return Overdue::TakesBack,
            }
        }
    }

    fn deadline(&self) -> Option<(Instant, Overdue)> {
        let state = self.state();
        if state.open.is_empty() {
            return Some(if state.begun == 0 {
                let at = state.quiet_since + self.patience.first_request;
                (at, Overdue::NoRequest)
            } else if let Some(since) = state.headers_since {
                (since + self.patience.headers, Overdue::NoRequest)
            } else {
                (state.quiet_since + self.patience.idle, Overdue::Idle)
            });
        }
        let oldest = state.open.values().filter_map(|since| *since).min()?;
        Some((oldest + self.patience.answer, Overdue::AnswerNotRead))
    }

    /// Counts what was read; false when it is more than the requests so far can account for.
    fn admits(&self, bytes: usize) -> bool {
        let mut state = self.state();
        state.read += u64::try_from(bytes).unwrap_or(u64::MAX);
        if state.speaks_http1 && state.begun > 0 && state.open.is_empty() && bytes > 0 {
            state.headers_since.get_or_insert_with(Instant::now);
        }
        let each = BYTES_A_REQUEST.saturating_add(self.body_limit.saturating_mul(4));
        state.read <= FREE_BYTES.saturating_add(each.saturating_mul(state.begun))
    }

    fn end(&self, number: u64, done: bool) {
        let mut state = self.state();
        state.open.remove(&number);
        state.quiet_since = Instant::now();
        if !done {
            state.taken_back += 1;
            if state.taken_back > MOST_TAKEN_BACK && state.taken_back * 2 > state.begun {
                self.hurry.notify_one();
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request that is not over. It is over when this goes: with its answer, or because the peer took it back.
#[derive(Debug)]
pub struct Asked {
    pace: Arc<Pace>,
    number: u64,
    done: bool,
    broken: bool,
}

impl Asked {
    /// The peer did not finish its own request, so whatever is answered, it has taken it back.
    pub fn break_off(&mut self) {
        self.broken = true;
    }

    /// The answer as the connection sends it.
    pub fn answered(mut self, reply: Reply) -> http::Response<Answered> {
        let in_two = {
            let mut state = self.pace.state();
            if let Some(since) = state.open.get_mut(&self.number) {
                *since = Some(Instant::now());
            }
            !state.speaks_http1
        };
        self.done = reply.body().is_end_stream();
        reply.map(|whole| Answered {
            whole,
            rest: Bytes::new(),
            in_two,
            asked: self,
        })
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        self.pace.end(self.number, self.done && !self.broken);
    }
}

/// A body that is gone when the peer has made room for all of it.
#[derive(Debug)]
pub struct Answered {
    whole: Full<Bytes>,
    rest: Bytes,
    in_two: bool,
    asked: Asked,
}

/// A body up to this is one frame: nobody keeps much by not reading it.
const SMALL: usize = 4096;

impl Body for Answered {
    type Data = Bytes;
    type Error = Infallible;

    /// All but the last byte, then the last: HTTP/2 sends that only when the peer's window has taken what was before it, so
    /// a long body is not gone while a peer sits on it.
    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let this = &mut *self;
        if this.rest.is_empty() {
            let frame = ready!(Pin::new(&mut this.whole).poll_frame(context));
            let Some(Ok(Ok(bytes))) = frame.map(|frame| frame.map(Frame::into_data)) else {
                return Poll::Ready(None);
            };
            this.rest = bytes;
        }
        let length = match this.rest.len() {
            all if this.in_two && all > SMALL => all - 1,
            all => all,
        };
        let part = this.rest.split_to(length);
        this.asked.done = this.rest.is_empty();
        Poll::Ready(Some(Ok(Frame::data(part))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.whole.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let whole = self.whole.size_hint().exact().unwrap_or(0);
        let rest = u64::try_from(self.rest.len()).unwrap_or(0);
        SizeHint::with_exact(whole.saturating_add(rest))
    }
}

/// The bytes of a connection, below TLS: counted as they come, and given up when they do not go.
#[derive(Debug)]
pub struct Paced<S> {
    stream: S,
    pace: Arc<Pace>,
    /// Runs from when something could not be written until everything is.
    stuck: Option<Pin<Box<Sleep>>>,
}

impl<S> Paced<S> {
    pub fn new(stream: S, pace: Arc<Pace>) -> Self {
        Self {
            stream,
            pace,
            stuck: None,
        }
    }

    fn unless_stuck<T>(
        &mut self,
        polled: Poll<io::Result<T>>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<T>> {
        if polled.is_ready() {
            return polled;
        }
        let answer = self.pace.patience.answer;
        let stuck = self.stuck.get_or_insert_with(|| Box::pin(sleep(answer)));
        ready!(stuck.as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Paced<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        let admitted = self.pace.admits(buffer.filled().len() - before);
        Poll::Ready(if admitted {
            Ok(())
        } else {
            Err(io::Error::other("more was sent than requests need"))
        })
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Paced<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.unless_stuck(polled, context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write_vectored(context, parts);
        self.unless_stuck(polled, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    /// Whoever writes flushes when nothing of its own is left, so only then everything is written.
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_flush(context);
        if polled.is_ready() {
            self.stuck = None;
        }
        self.unless_stuck(polled, context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_shutdown(context);
        self.unless_stuck(polled, context)
    }
}
