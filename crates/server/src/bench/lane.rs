//! One connection under load: it sends the next request as soon as the last one is answered.

use super::fixture::BenchClient;
use super::histogram::Histogram;
use super::operation::Operation;
use super::process::{self, CpuTime};
use super::request;
use super::response::Connection;
use super::target::PATIENCE;
use super::trouble::Trouble;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;
use tokio::time::timeout;
use url::Url;

/// Connections in a row that may fail before a lane gives up.
const MOST_FAILURES: u32 = 3;

/// Where a lane takes its requests from.
pub enum Feed {
    /// The same request again and again.
    Same(Vec<u8>),
    /// Requests that can be sent once, shared by all lanes.
    Queue(Arc<Queue>),
    /// A refresh token that each answer replaces.
    Chain(Chain),
}

pub struct Queue {
    requests: Vec<Vec<u8>>,
    next: AtomicUsize,
}

/// The refreshing of one grant.
pub struct Chain {
    client: BenchClient,
    token_endpoint: Url,
    request: Vec<u8>,
}

pub struct Lane {
    connection: Connection,
    address: SocketAddr,
    feed: Feed,
}

/// What came of a number of requests.
pub struct Tally {
    pub requests: u64,
    pub errors: u64,
    pub first_error: Option<String>,
    pub latencies: Histogram,
}

/// What came of a stretch of time on all lanes together.
pub struct Stretch {
    pub tally: Tally,
    pub elapsed: Duration,
    pub cpu: Option<Duration>,
    pub resident: Option<u64>,
}

/// Drives all lanes for `time`, or until their queue is empty.
pub async fn drive(
    lanes: Vec<Lane>,
    operation: Operation,
    time: Duration,
    pid: Option<u32>,
) -> Result<(Vec<Lane>, Stretch), Trouble> {
    let mut running = JoinSet::new();
    let cpu_before = pid.and_then(CpuTime::of);
    let begun = Instant::now();
    let stop = begun + time;
    for lane in lanes {
        running.spawn(lane.run(operation.expected(), stop));
    }
    let mut tally = Tally::new();
    let mut lanes = Vec::new();
    let all = async {
        while let Some(ended) = running.join_next().await {
            let (lane, of_lane) = ended.map_err(|error| Trouble::new(error.to_string()))?;
            tally.merge(of_lane);
            lanes.push(lane);
        }
        Ok::<(), Trouble>(())
    };
    timeout(time + PATIENCE, all)
        .await
        .map_err(|_| Trouble::new("the server stopped answering").during(&operation.name()))??;
    let elapsed = begun.elapsed();
    let cpu = pid
        .and_then(CpuTime::of)
        .zip(cpu_before)
        .map(|(after, before)| after.since(&before));
    let stretch = Stretch {
        tally,
        elapsed,
        cpu,
        resident: pid.and_then(process::resident_bytes),
    };
    Ok((lanes, stretch))
}

impl Lane {
    pub async fn open(address: SocketAddr, feed: Feed) -> Result<Self, Trouble> {
        Ok(Self {
            connection: Connection::open(address).await?,
            address,
            feed,
        })
    }

    async fn run(mut self, expected: &'static str, stop: Instant) -> (Self, Tally) {
        let mut tally = Tally::new();
        let mut failures = 0;
        let mut begun = Instant::now();
        while begun < stop && failures < MOST_FAILURES {
            let Some(request) = self.feed.next() else {
                break;
            };
            let must_reopen = match self.connection.exchange(request).await {
                Ok(response) => {
                    failures = 0;
                    if response.status == 200 && response.contains(expected) {
                        tally.answered(begun.elapsed());
                        if let Feed::Chain(chain) = &mut self.feed {
                            chain.continue_with(
                                response.member("refresh_token").unwrap_or_default(),
                            );
                        }
                    } else {
                        tally.failed(response.summary());
                    }
                    response.closes
                }
                Err(error) => {
                    failures += 1;
                    tally.failed(error.to_string());
                    true
                }
            };
            if must_reopen {
                match Connection::open(self.address).await {
                    Ok(connection) => self.connection = connection,
                    Err(error) => {
                        failures += 1;
                        tally.failed(error.to_string());
                    }
                }
            }
            begun = Instant::now();
        }
        (self, tally)
    }
}

impl Feed {
    fn next(&self) -> Option<&[u8]> {
        match self {
            Self::Same(request) => Some(request),
            Self::Queue(queue) => queue.next(),
            Self::Chain(chain) => Some(&chain.request),
        }
    }
}

impl Queue {
    pub fn new(requests: Vec<Vec<u8>>) -> Arc<Self> {
        Arc::new(Self {
            requests,
            next: AtomicUsize::new(0),
        })
    }

    pub fn next(&self) -> Option<&[u8]> {
        let index = self.next.fetch_add(1, Ordering::Relaxed);
        self.requests.get(index).map(Vec::as_slice)
    }
}

impl Chain {
    pub fn new(client: BenchClient, token_endpoint: Url, refresh_token: &str) -> Self {
        let mut chain = Self {
            client,
            token_endpoint,
            request: Vec::new(),
        };
        chain.continue_with(refresh_token);
        chain
    }

    /// The request of a token that no answer replaces.
    pub fn into_request(self) -> Vec<u8> {
        self.request
    }

    fn continue_with(&mut self, refresh_token: &str) {
        let fields = [
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh_token),
        ];
        self.request = request::post_as(&self.client, &self.token_endpoint, &fields);
    }
}

impl Tally {
    fn new() -> Self {
        Self {
            requests: 0,
            errors: 0,
            first_error: None,
            latencies: Histogram::new(),
        }
    }

    fn answered(&mut self, latency: Duration) {
        self.requests += 1;
        self.latencies
            .add(u64::try_from(latency.as_nanos()).unwrap_or(u64::MAX));
    }

    fn failed(&mut self, what: String) {
        self.errors += 1;
        self.first_error.get_or_insert(what);
    }

    fn merge(&mut self, other: Self) {
        self.requests += other.requests;
        self.errors += other.errors;
        self.first_error = self.first_error.take().or(other.first_error);
        self.latencies.merge(&other.latencies);
    }
}
