//! Slowing down who guesses. Failures of clients are counted here, in memory and bounded; failures of users in the store,
//! because those must survive a restart (SEC-127, SEC-308, SEC-465).

mod buckets;

use crate::http::exchange::Exchange;
use jeton_protocol::client_auth::AuthenticatedClient;
use jeton_protocol::device::WaitingDevice;
use jeton_store::throttle::Rate;
use jeton_token::timestamp::Timestamp;
use std::fmt;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

pub use buckets::Buckets;

/// How often somebody may try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rates {
    /// Failed sign-ins of an account.
    pub account: Rate,
    /// Failed sign-ins from an address or its network.
    pub address: Rate,
    /// Failed authentications of a client from an address.
    pub client_failures: Rate,
    /// Token requests of a client, of a public one from an address; `None` is as many as it likes.
    pub token: Option<Rate>,
    /// Introspections of a client; `None` is as many as it likes.
    pub introspection: Option<Rate>,
    /// Pushed requests of a client, of a public one from an address, each a row until somebody sweeps it; `None` is as many as
    /// it likes.
    pub pushed: Option<Rate>,
}

const QUARTER: Duration = Duration::from_secs(15 * 60);

impl Rates {
    /// From counts: the first two a quarter of an hour, the third a minute, the last two a second, 0 for no limit. Pushed
    /// requests have their default.
    pub fn new([account, address, client_failures, token, introspection]: [u32; 5]) -> Self {
        Self {
            account: rate(account, QUARTER),
            address: rate(address, QUARTER),
            client_failures: rate(client_failures, Duration::from_secs(60)),
            token: a_second(token),
            introspection: a_second(introspection),
            pushed: a_second(20),
        }
    }

    /// With another count of pushed requests in a second, 0 for no limit.
    pub fn pushed(self, count: u32) -> Self {
        Self {
            pushed: a_second(count),
            ..self
        }
    }
}

impl Default for Rates {
    fn default() -> Self {
        Self::new([5, 50, 10, 50, 500])
    }
}

fn a_second(count: u32) -> Option<Rate> {
    (count > 0).then(|| rate(count, Duration::from_secs(1)))
}

fn rate(burst: u32, per: Duration) -> Rate {
    let burst = burst.max(1);
    Rate {
        burst,
        per_charge: per / burst,
    }
}

/// Sign-ins begun from one address: each is a row until somebody sweeps it.
const INTERACTIONS: Rate = Rate {
    burst: 300,
    per_charge: Duration::from_millis(100),
};

/// Devices that a client starts at one address (SEC-465).
const DEVICES: Rate = Rate {
    burst: 10,
    per_charge: Duration::from_secs(6),
};

/// A device that waits exactly its interval is not blamed for the network.
const LEEWAY: Duration = Duration::from_secs(1);

/// The counters of this process. What is kept is bounded, and what a stranger sends makes nobody's count smaller: see
/// [`Buckets`].
pub struct Throttle {
    rates: Rates,
    client_failures: Buckets,
    token: Buckets,
    introspection: Buckets,
    pushed: Buckets,
    interactions: Buckets,
    devices: Buckets,
    polls: Buckets,
    begun: AtomicU64,
}

impl fmt::Debug for Throttle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Throttle").finish_non_exhaustive()
    }
}

/// A limit that was reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reached {
    /// The limit's name: that of its key in the configuration, where it has one.
    pub limit: &'static str,
    /// Whose limit it is, for the operator.
    pub of: String,
    /// When to come back, in seconds.
    pub seconds: u64,
}

impl Throttle {
    pub fn new(rates: Rates) -> Self {
        Self {
            rates,
            client_failures: Buckets::new(8192),
            token: Buckets::new(1024),
            introspection: Buckets::new(1024),
            pushed: Buckets::new(1024),
            interactions: Buckets::new(4096),
            devices: Buckets::new(4096),
            polls: Buckets::new(8192),
            begun: AtomicU64::new(0),
        }
    }

    pub fn rates(&self) -> &Rates {
        &self.rates
    }

    /// Whether this client at this address has to wait.
    pub fn client_is_throttled(
        &self,
        exchange: &Exchange,
        client: &str,
        now: Timestamp,
    ) -> Option<Reached> {
        let address = network(exchange.address).to_string();
        let key = [exchange.tenant.id().as_str(), client, &address];
        let rate = self.rates.client_failures;
        let seconds = self.client_failures.wait(&key, rate, now)?;
        Some(Reached {
            limit: "client_failures",
            of: format!("client {client} at {address}"),
            seconds,
        })
    }

    pub fn note_client_failure(&self, exchange: &Exchange, client: &str, now: Timestamp) {
        let address = network(exchange.address).to_string();
        let key = [exchange.tenant.id().as_str(), client, &address];
        let rate = self.rates.client_failures;
        self.client_failures.charge(&key, rate, now);
    }

    /// Counts one request of `what`, or says how long to wait when it is one too many. Anybody can name a public client, so
    /// what is done in its name is counted for each address: a stranger holds up nobody else.
    pub fn admit(
        &self,
        exchange: &Exchange,
        what: Charged,
        caller: &AuthenticatedClient,
        now: Timestamp,
    ) -> Option<Reached> {
        let (buckets, rate, limit) = match what {
            Charged::Token => (&self.token, self.rates.token?, "token_requests_per_client"),
            Charged::Introspection => (
                &self.introspection,
                self.rates.introspection?,
                "introspections_per_client",
            ),
            Charged::PushedRequest => (
                &self.pushed,
                self.rates.pushed?,
                "pushed_requests_per_client",
            ),
        };
        let (tenant, client) = (exchange.tenant.id().as_str(), caller.client().id.as_str());
        let (seconds, of) = if caller.is_public() {
            let address = network(exchange.address).to_string();
            let seconds = buckets.admit(&[tenant, client, &address], rate, now)?;
            (seconds, format!("client {client} at {address}"))
        } else {
            let seconds = buckets.admit(&[tenant, client], rate, now)?;
            (seconds, format!("client {client}"))
        };
        Some(Reached { limit, of, seconds })
    }

    /// Counts one sign-in begun from an address, or says how long to wait when it is one too many.
    pub fn admit_interaction(&self, exchange: &Exchange, now: Timestamp) -> Option<Reached> {
        let address = network(exchange.address).to_string();
        let key = [exchange.tenant.id().as_str(), &address];
        let Some(seconds) = self.interactions.admit(&key, INTERACTIONS, now) else {
            self.begun.fetch_add(1, Ordering::Relaxed);
            return None;
        };
        Some(Reached {
            limit: "sign_ins_begun_per_address",
            of: address,
            seconds,
        })
    }

    /// Counts one device that a client starts at one address, or says how long to wait when it is one too many.
    pub fn admit_device(
        &self,
        exchange: &Exchange,
        client: &str,
        now: Timestamp,
    ) -> Option<Reached> {
        let address = network(exchange.address).to_string();
        let key = [exchange.tenant.id().as_str(), client, &address];
        let seconds = self.devices.admit(&key, DEVICES, now)?;
        Some(Reached {
            limit: "devices_started_per_address",
            of: format!("client {client} at {address}"),
            seconds,
        })
    }

    /// Notes a poll of a device, and whether the one before it is too short a time ago. Each node knows only the polls it has
    /// answered itself, so that no poll has to be written down.
    pub fn polls_too_soon(
        &self,
        exchange: &Exchange,
        waiting: &WaitingDevice,
        now: Timestamp,
    ) -> bool {
        let id = waiting.device.id.to_string();
        let key = [exchange.tenant.id().as_str(), &id];
        let one_in = |interval: Duration| Rate {
            burst: 1,
            per_charge: interval.saturating_sub(LEEWAY),
        };
        let too_soon = self
            .polls
            .wait(&key, one_in(waiting.interval), now)
            .is_some();
        let interval = if too_soon {
            waiting.slowed()
        } else {
            waiting.interval
        };
        self.polls.charge(&key, one_in(interval), now);
        too_soon
    }

    /// Counts one pushed request, which is a row as a sign-in is.
    pub fn note_pushed(&self) {
        self.begun.fetch_add(1, Ordering::Relaxed);
    }

    /// Whether at least `count` sign-ins were begun and requests pushed here since this last said yes.
    pub fn has_begun(&self, count: u64) -> bool {
        let due = self.begun.load(Ordering::Relaxed) >= count;
        if due {
            self.begun.store(0, Ordering::Relaxed);
        }
        due
    }
}

/// What a client is counted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Charged {
    Token,
    Introspection,
    PushedRequest,
}

/// The address itself, or the /64 that one IPv6 subscriber owns.
pub fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => IpAddr::V4(v4),
            None => IpAddr::V6((u128::from(v6) & !u128::from(u64::MAX)).into()),
        },
    }
}
