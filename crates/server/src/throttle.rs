//! Slowing down who guesses. Failures of clients are counted here, in memory and bounded; failures of users in the store,
//! because those must survive a restart (SEC-127, SEC-308, SEC-465).

use crate::http::exchange::Exchange;
use jeton_store::throttle::Rate;
use jeton_token::secret::sha256;
use jeton_token::timestamp::Timestamp;
use papaya::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

/// Ten failed authentications a minute for each client and address.
const CLIENT_FAILURES: Rate = Rate {
    burst: 10,
    per_charge: Duration::from_secs(6),
};
/// Five failed sign-ins a quarter of an hour for each account.
pub const ACCOUNT_FAILURES: Rate = Rate {
    burst: 5,
    per_charge: Duration::from_secs(180),
};
/// Fifty failed sign-ins a quarter of an hour for each address or its network.
pub const ADDRESS_FAILURES: Rate = Rate {
    burst: 50,
    per_charge: Duration::from_secs(18),
};

const MOST_BUCKETS: usize = 65_536;

/// When each bucket will be empty again (the generic cell rate algorithm).
pub struct Throttle {
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
    pub fn new() -> Self {
        Self {
            buckets: HashMap::new(),
        }
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
        let full_at = *self.buckets.pin().get(&bucket(exchange, client))?;
        let room = i64::from(CLIENT_FAILURES.burst) * step();
        let wait = full_at - now.millis() - room + step();
        (wait > 0).then(|| u64::try_from(wait / 1000 + 1).unwrap_or(1))
    }

    pub fn note_client_failure(&self, exchange: &Exchange, client: &str, now: Timestamp) {
        let buckets = self.buckets.pin();
        if buckets.len() >= MOST_BUCKETS {
            buckets.retain(|_, full_at| *full_at > now.millis());
            if buckets.len() >= MOST_BUCKETS {
                return;
            }
        }
        let next = |full_at: &i64| (*full_at).max(now.millis()) + step();
        buckets.update_or_insert(bucket(exchange, client), next, now.millis() + step());
    }
}

impl Default for Throttle {
    fn default() -> Self {
        Self::new()
    }
}

fn step() -> i64 {
    i64::try_from(CLIENT_FAILURES.per_charge.as_millis()).unwrap_or(i64::MAX)
}

fn bucket(exchange: &Exchange, client: &str) -> [u8; 16] {
    let address = network(exchange.address).to_string();
    let parts = [exchange.tenant.id().as_str(), "\0", client, "\0", &address].concat();
    let digest = sha256(parts.as_bytes());
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
