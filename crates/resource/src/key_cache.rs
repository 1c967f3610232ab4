//! The keys of one issuer, kept while they are good (RFC 8414, RFC 7517). A cache knows one issuer: a `kid` means nothing
//! without it.

use bytes::Bytes;
use http::header::CACHE_CONTROL;
use http::{HeaderMap, Request};
use jeton_token::json;
use jeton_token::jws::JwsHeader;
use jeton_token::key_set::KeySet;
use jeton_token::timestamp::Timestamp;
use serde_json::Value;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::fetch::{BadAddress, Fetch, Unavailable, secure};

/// How long keys are fresh: as `Cache-Control` says, within these bounds.
pub const FRESH: (Duration, Duration) = (Duration::from_secs(60), Duration::from_secs(12 * 3600));
/// How long they are fresh when the answer does not say.
pub const FRESH_BY_DEFAULT: Duration = Duration::from_secs(600);
/// How long keys are used past that, while the issuer cannot be reached.
pub const STALE: Duration = Duration::from_secs(3600);
/// How often a `kid` that nobody knows may have the issuer asked.
pub const UNKNOWN_KID: Duration = Duration::from_secs(60);
/// How soon after a failure the issuer is asked again.
pub const RETRY: Duration = Duration::from_secs(5);

const LONGEST_METADATA: usize = 64 * 1024;

/// Fetches keys when they are asked for, by one request at a time.
///
/// It starts no task. The request that finds three quarters of the keys' life gone fetches new ones and waits for them,
/// while others go on with what there is; call [`KeyCache::refresh`] at the start and from a timer, and none waits.
#[derive(Debug)]
pub struct KeyCache {
    issuer: String,
    fetch: Fetch,
    /// Whoever has it fetches.
    flight: tokio::sync::Mutex<()>,
    held: Mutex<Held>,
}

#[derive(Clone, Debug, Default)]
struct Held {
    keys: Option<Keys>,
    /// When somebody began for a `kid` that was not there, or ended for any reason.
    tried_at: Option<Timestamp>,
    problem: Option<Unavailable>,
}

#[derive(Clone, Debug)]
struct Keys {
    set: Arc<KeySet>,
    renew_at: Timestamp,
    until: Timestamp,
}

impl KeyCache {
    pub fn new(issuer: impl Into<String>, fetch: Fetch) -> Result<Self, BadAddress> {
        let issuer = issuer.into();
        secure(&issuer)?;
        Ok(Self {
            issuer,
            fetch,
            flight: tokio::sync::Mutex::new(()),
            held: Mutex::new(Held::default()),
        })
    }

    /// The keys to verify a token of this header with. That one of them fits is not promised: the issuer may have none.
    pub async fn keys_for(
        &self,
        header: &JwsHeader,
        now: Timestamp,
    ) -> Result<Arc<KeySet>, Unavailable> {
        let held = self.held().clone();
        let Some(set) = held.usable(now) else {
            return self.first(now).await;
        };
        if !fits(&set, header) {
            return Ok(self.newer(header, set, now).await);
        }
        if held.is_due(now)
            && !held.tried_within(RETRY, now)
            && let Ok(_flight) = self.flight.try_lock()
        {
            return Ok(self.fetch_all(now).await.unwrap_or(set));
        }
        Ok(set)
    }

    /// Fetches now, whatever there is. What there is stays when that fails.
    pub async fn refresh(&self, now: Timestamp) -> Result<Arc<KeySet>, Unavailable> {
        let _flight = self.flight.lock().await;
        self.fetch_all(now).await
    }

    /// All wait: there is nothing to go on with.
    async fn first(&self, now: Timestamp) -> Result<Arc<KeySet>, Unavailable> {
        let _flight = self.flight.lock().await;
        let held = self.held().clone();
        if let Some(set) = held.usable(now) {
            return Ok(set);
        }
        match held.problem.clone() {
            Some(problem) if held.tried_within(RETRY, now) => Err(problem),
            Some(_) | None => self.fetch_all(now).await,
        }
    }

    /// For a `kid` that is not in `set`. Strangers can send any, so the try counts from its beginning.
    async fn newer(&self, header: &JwsHeader, set: Arc<KeySet>, now: Timestamp) -> Arc<KeySet> {
        if self.held().tried_within(UNKNOWN_KID, now) {
            return set;
        }
        let _flight = self.flight.lock().await;
        let held = self.held().clone();
        let set = held.usable(now).unwrap_or(set);
        if fits(&set, header) || held.tried_within(UNKNOWN_KID, now) {
            return set;
        }
        self.held().tried_at = Some(now);
        self.fetch_all(now).await.unwrap_or(set)
    }

    async fn fetch_all(&self, now: Timestamp) -> Result<Arc<KeySet>, Unavailable> {
        let fetched = self.fetch_keys(now).await;
        let mut held = self.held();
        held.tried_at = Some(now);
        match fetched {
            Ok(keys) => {
                let set = Arc::clone(&keys.set);
                held.keys = Some(keys);
                held.problem = None;
                Ok(set)
            }
            Err(problem) => {
                held.problem = Some(problem.clone());
                Err(problem)
            }
        }
    }

    async fn fetch_keys(&self, now: Timestamp) -> Result<Keys, Unavailable> {
        let metadata = self.fetch.send(asked(&metadata_url(&self.issuer))?).await?;
        let metadata = json::parse_object(metadata.body(), LONGEST_METADATA)
            .map_err(|_| Unavailable::Metadata)?;
        let text = |name| metadata.get(name).and_then(Value::as_str);
        let issuer = text("issuer").ok_or(Unavailable::Metadata)?;
        if issuer != self.issuer {
            return Err(Unavailable::OtherIssuer);
        }
        let jwks_uri = text("jwks_uri").ok_or(Unavailable::Metadata)?;
        secure(jwks_uri)?;
        let answer = self.fetch.send(asked(jwks_uri)?).await?;
        let set = KeySet::parse_foreign(answer.body()).map_err(Unavailable::Keys)?;
        if set.is_empty() {
            return Err(Unavailable::NoKeys);
        }
        let fresh = fresh(answer.headers());
        Ok(Keys {
            set: Arc::new(set),
            renew_at: now.plus(fresh * 3 / 4),
            until: now.plus(fresh + STALE),
        })
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    fn usable(&self, now: Timestamp) -> Option<Arc<KeySet>> {
        let keys = self.keys.as_ref().filter(|keys| now < keys.until)?;
        Some(Arc::clone(&keys.set))
    }

    fn is_due(&self, now: Timestamp) -> bool {
        self.keys.as_ref().is_none_or(|keys| now >= keys.renew_at)
    }

    /// A clock that was set back must not keep us from asking.
    fn tried_within(&self, span: Duration, now: Timestamp) -> bool {
        self.tried_at
            .is_some_and(|at| at <= now && now.since(at) < span)
    }
}

fn fits(set: &KeySet, header: &JwsHeader) -> bool {
    set.candidates(header.kid.as_deref(), header.alg)
        .next()
        .is_some()
}

fn asked(url: &str) -> Result<Request<Bytes>, Unavailable> {
    Request::get(url)
        .header(http::header::ACCEPT, "application/json")
        .body(Bytes::new())
        .map_err(|_| BadAddress.into())
}

/// The well-known part stands between host and path. (RFC 8414 §3.1)
fn metadata_url(issuer: &str) -> String {
    let after_scheme = issuer.find("://").map_or(0, |at| at + 3);
    let rest = issuer.get(after_scheme..).unwrap_or_default();
    let end_of_host = after_scheme + rest.find('/').unwrap_or(rest.len());
    let (host, path) = issuer.split_at_checked(end_of_host).unwrap_or((issuer, ""));
    let path = path.trim_end_matches('/');
    format!("{host}/.well-known/oauth-authorization-server{path}")
}

fn fresh(headers: &HeaderMap) -> Duration {
    let values = headers.get_all(CACHE_CONTROL).iter();
    let directives = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|directive| directive.trim().to_ascii_lowercase());
    let mut said = None;
    for directive in directives {
        if directive == "no-store" || directive == "no-cache" {
            return FRESH.0;
        }
        if let Some(seconds) = directive.strip_prefix("max-age=") {
            said = seconds.parse().ok();
        }
    }
    said.map_or(FRESH_BY_DEFAULT, Duration::from_secs)
        .clamp(FRESH.0, FRESH.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    // RFC 8414 §3.1
    #[test]
    fn the_metadata_of_an_issuer_with_a_path_is_found_before_the_path() {
        for (issuer, url) in [
            (
                "https://a.example",
                "https://a.example/.well-known/oauth-authorization-server",
            ),
            (
                "https://a.example/",
                "https://a.example/.well-known/oauth-authorization-server",
            ),
            (
                "https://a.example:8443/t/one",
                "https://a.example:8443/.well-known/oauth-authorization-server/t/one",
            ),
        ] {
            assert_eq!(metadata_url(issuer), url);
        }
    }

    #[test]
    fn keys_are_fresh_for_as_long_as_they_say_within_bounds() {
        let of = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(CACHE_CONTROL, text.parse().unwrap());
            fresh(&headers).as_secs()
        };
        assert_eq!(of("public, Max-Age=900"), 900);
        assert_eq!(of("max-age=1"), 60);
        assert_eq!(of("max-age=99999999"), 43_200);
        assert_eq!(of("max-age=900, no-store"), 60);
        assert_eq!(of("max-age=soon"), 600);
        assert_eq!(fresh(&HeaderMap::new()), FRESH_BY_DEFAULT);
    }
}
