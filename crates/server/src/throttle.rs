//! Slowing down who guesses. Failures of clients are counted here, in memory and bounded; failures of users in the store,
//! because those must survive a restart (SEC-127, SEC-308, SEC-465).

use crate::http::exchange::Exchange;
use jeton_protocol::device::WaitingDevice;
use jeton_store::throttle::Rate;
use jeton_token::secret::sha256;
use jeton_token::timestamp::Timestamp;
use papaya::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

/// How often somebody may try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rates {
    /// Failed sign-ins of an account.
    pub account: Rate,
    /// Sign-ins from an address or its network.
    pub address: Rate,
    /// Failed authentications of a client from an address.
    pub client_failures: Rate,
    /// Token requests of a client; `None` is as many as it likes.
    pub token: Option<Rate>,
    /// Introspections of a client; `None` is as many as it likes.
    pub introspection: Option<Rate>,
}

const QUARTER: Duration = Duration::from_secs(15 * 60);

impl Rates {
    /// From counts: the first two a quarter of an hour, the third a minute, the last two a second, 0 for no limit.
    pub fn new([account, address, client_failures, token, introspection]: [u32; 5]) -> Self {
        let a_second = |count: u32| (count > 0).then(|| rate(count, Duration::from_secs(1)));
        Self {
            account: rate(account, QUARTER),
            address: rate(address, QUARTER),
            client_failures: rate(client_failures, Duration::from_secs(60)),
            token: a_second(token),
            introspection: a_second(introspection),
        }
    }
}

impl Default for Rates {
    fn default() -> Self {
        Self::new([5, 50, 10, 50, 500])
    }
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

const MOST_BUCKETS: usize = 65_536;

/// When each bucket will be empty again, in microseconds (the generic cell rate algorithm).
pub struct Throttle {
    rates: Rates,
    buckets: HashMap<[u8; 16], i64>,
}

impl fmt::Debug for Throttle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Throttle")
            .field("buckets", &self.buckets.len())
            .finish()
    }
}

impl Throttle {
    pub fn new(rates: Rates) -> Self {
        Self {
            rates,
            buckets: HashMap::new(),
        }
    }

    pub fn rates(&self) -> &Rates {
        &self.rates
    }

    /// How many seconds this client at this address has to wait, if it has to.
    pub fn client_is_throttled(
        &self,
        exchange: &Exchange,
        client: &str,
        now: Timestamp,
    ) -> Option<u64> {
        if self.buckets.is_empty() {
            return None;
        }
        let full_at = *self.buckets.pin().get(&failures(exchange, client))?;
        wait(full_at, self.rates.client_failures, now)
    }

    pub fn note_client_failure(&self, exchange: &Exchange, client: &str, now: Timestamp) {
        self.charge(failures(exchange, client), self.rates.client_failures, now);
    }

    /// Counts one request of `what`; how many seconds to wait when it is one too many.
    pub fn admit(
        &self,
        exchange: &Exchange,
        what: Charged,
        client: &str,
        now: Timestamp,
    ) -> Option<u64> {
        let (rate, word) = match what {
            Charged::Token => (self.rates.token?, "token"),
            Charged::Introspection => (self.rates.introspection?, "introspection"),
        };
        let key = bucket(&[exchange.tenant.id().as_str(), word, client]);
        self.admit_to(key, rate, now)
    }

    /// Counts one sign-in begun from an address; how many seconds to wait when it is one too many.
    pub fn admit_interaction(&self, exchange: &Exchange, now: Timestamp) -> Option<u64> {
        let address = network(exchange.address).to_string();
        let key = bucket(&[exchange.tenant.id().as_str(), "interaction", &address]);
        self.admit_to(key, INTERACTIONS, now)
    }

    /// Counts one device that a client starts at one address; how many seconds to wait when it is one too many.
    pub fn admit_device(&self, exchange: &Exchange, client: &str, now: Timestamp) -> Option<u64> {
        let address = network(exchange.address).to_string();
        let key = bucket(&[exchange.tenant.id().as_str(), "device", client, &address]);
        self.admit_to(key, DEVICES, now)
    }

    /// Notes a poll of a device, and whether the one before it is too short a time ago. Each node knows only the polls it has
    /// answered itself, so that no poll has to be written down.
    pub fn polls_too_soon(
        &self,
        exchange: &Exchange,
        waiting: &WaitingDevice,
        now: Timestamp,
    ) -> bool {
        let tenant = exchange.tenant.id().as_str();
        let key = bucket(&[tenant, "poll", &waiting.device.id.to_string()]);
        let buckets = self.buckets.pin();
        let too_soon = buckets
            .get(&key)
            .is_some_and(|earliest| micros(now) < *earliest);
        let interval = if too_soon {
            waiting.slowed()
        } else {
            waiting.interval
        };
        if buckets.len() < MOST_BUCKETS || too_soon {
            buckets.insert(key, micros(now.plus(interval.saturating_sub(LEEWAY))));
        }
        too_soon
    }

    fn admit_to(&self, key: [u8; 16], rate: Rate, now: Timestamp) -> Option<u64> {
        let full_at = self.buckets.pin().get(&key).copied();
        if let Some(seconds) = full_at.and_then(|full_at| wait(full_at, rate, now)) {
            return Some(seconds);
        }
        self.charge(key, rate, now);
        None
    }

    fn charge(&self, key: [u8; 16], rate: Rate, now: Timestamp) {
        let now = micros(now);
        let buckets = self.buckets.pin();
        if buckets.len() >= MOST_BUCKETS {
            buckets.retain(|_, full_at| *full_at > now);
            if buckets.len() >= MOST_BUCKETS {
                return;
            }
        }
        let next = |full_at: &i64| (*full_at).max(now) + step(rate);
        buckets.update_or_insert(key, next, now + step(rate));
    }
}

/// What a client is counted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Charged {
    Token,
    Introspection,
}

fn wait(full_at: i64, rate: Rate, now: Timestamp) -> Option<u64> {
    let room = i64::from(rate.burst) * step(rate);
    let wait = full_at - micros(now) - room + step(rate);
    (wait > 0).then(|| u64::try_from(wait / 1_000_000 + 1).unwrap_or(1))
}

fn micros(now: Timestamp) -> i64 {
    now.millis().saturating_mul(1000)
}

fn step(rate: Rate) -> i64 {
    i64::try_from(rate.per_charge.as_micros()).unwrap_or(i64::MAX)
}

fn failures(exchange: &Exchange, client: &str) -> [u8; 16] {
    bucket(&[
        exchange.tenant.id().as_str(),
        "failures",
        client,
        &network(exchange.address).to_string(),
    ])
}

fn bucket(parts: &[&str]) -> [u8; 16] {
    let digest = sha256(parts.join("\0").as_bytes());
    let mut short = [0; 16];
    short.copy_from_slice(digest.split_at(16).0);
    short
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
