//! Documents of others, kept for as long as they may be: fetched once for everybody who waits, bounded in number, and never
//! replaced by a failure (SEC-225, SEC-226).

use super::{Door, Fetched, OutboundError, Wanted};
use jeton_protocol::tenant::TenantId;
use jeton_token::timestamp::Timestamp;
use std::collections::HashMap;
use std::fmt;
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// How documents of one kind are fetched, read and kept.
pub struct Kind<T> {
    pub purpose: &'static str,
    pub types: &'static [&'static str],
    pub limit: usize,
    /// A document that cannot be read is a failure, told in words for the operator.
    pub read: fn(&Fetched) -> Result<T, String>,
    /// How long a document is taken for true without asking again, and what its sender may make of it.
    pub fresh: Duration,
    pub fresh_within: RangeInclusive<Duration>,
    /// How old a document may get while its sender does not answer.
    pub oldest: Duration,
    /// How many are kept, half of them for one tenant at most.
    pub most: usize,
}

/// How often a document that is there is asked for again because somebody misses something in it (SEC-226, P-198).
const BETWEEN_FETCHES: Duration = Duration::from_secs(60);
/// How often one is asked for that never came.
const BETWEEN_FAILURES: Duration = Duration::from_secs(10);

/// The documents of one kind, by tenant and URL: no tenant, and no name inside a document, reaches another's.
pub struct Remote<T: 'static> {
    kind: &'static Kind<T>,
    entries: Mutex<Entries<T>>,
}

type Entries<T> = HashMap<(TenantId, String), Held<T>>;

struct Held<T> {
    entry: Arc<Entry<T>>,
    used_at: Timestamp,
}

struct Entry<T>(Mutex<State<T>>);

struct State<T> {
    document: Option<Document<T>>,
    tried_at: Option<Timestamp>,
    failure: Option<OutboundError>,
    /// Ends when the fetch under way does.
    flight: Option<watch::Receiver<()>>,
}

struct Document<T> {
    value: Arc<T>,
    fetched_at: Timestamp,
    fresh_until: Timestamp,
}

impl<T> fmt::Debug for Remote<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Remote")
            .field("purpose", &self.kind.purpose)
            .finish_non_exhaustive()
    }
}

/// What a document is looked for with.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    pub tenant: &'a TenantId,
    pub url: &'a str,
}

impl<T: Send + Sync + 'static> Remote<T> {
    pub fn new(kind: &'static Kind<T>) -> Self {
        Self {
            kind,
            entries: Mutex::default(),
        }
    }

    /// The document, fetched if it is not here or no longer fresh.
    pub async fn find(
        &self,
        door: &Arc<Door>,
        place: Place<'_>,
        now: Timestamp,
    ) -> Result<Arc<T>, OutboundError> {
        let entry = self.entry(place, now).ok_or(OutboundError::TooMany)?;
        let flight = {
            let mut state = entry.state();
            match state.fresh(now) {
                Some(value) => return Ok(value),
                None => self.fetch((&entry, &mut state), door, place, now),
            }
        };
        landed(flight).await;
        entry.state().known(self.kind, now)
    }

    /// A document other than `seen`, in which something is missing: fetched again unless that was done a short while ago.
    pub async fn newer(
        &self,
        door: &Arc<Door>,
        place: Place<'_>,
        (seen, now): (&Arc<T>, Timestamp),
    ) -> Option<Arc<T>> {
        let other = |state: &State<T>| {
            let value = state.known(self.kind, now).ok()?;
            (!Arc::ptr_eq(&value, seen)).then_some(value)
        };
        let entry = self.entry(place, now)?;
        let flight = {
            let mut state = entry.state();
            if let Some(value) = other(&state) {
                return Some(value);
            }
            self.fetch((&entry, &mut state), door, place, now)
        };
        landed(flight).await;
        let state = entry.state();
        other(&state)
    }

    /// The document if it is here. What is not is fetched for the next who asks; nobody waits.
    pub fn at_hand(&self, door: &Arc<Door>, place: Place<'_>, now: Timestamp) -> Option<Arc<T>> {
        let entry = self.entry(place, now)?;
        let mut state = entry.state();
        if let Some(value) = state.fresh(now) {
            return Some(value);
        }
        drop(self.fetch((&entry, &mut state), door, place, now));
        state.known(self.kind, now).ok()
    }

    /// `None` when there are too many, and none of them can be forgotten yet.
    fn entry(&self, place: Place<'_>, now: Timestamp) -> Option<Arc<Entry<T>>> {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (place.tenant.clone(), place.url.to_owned());
        if let Some(held) = entries.get_mut(&key) {
            held.used_at = now;
            return Some(Arc::clone(&held.entry));
        }
        let of_tenant = |tenant: &TenantId| tenant == place.tenant;
        let own = entries.keys().filter(|(tenant, _)| of_tenant(tenant));
        let has_room = if own.count() >= self.kind.most / 2 {
            make_room(&mut entries, of_tenant, now)
        } else {
            entries.len() < self.kind.most || make_room(&mut entries, |_| true, now)
        };
        if !has_room {
            return None;
        }
        let entry = Arc::new(Entry(Mutex::new(State {
            document: None,
            tried_at: None,
            failure: None,
            flight: None,
        })));
        let held = Held {
            entry: Arc::clone(&entry),
            used_at: now,
        };
        entries.insert(key, held);
        Some(entry)
    }

    /// Joins the fetch under way, or begins one if it is time for it. It goes on when the one who began it goes away.
    fn fetch(
        &self,
        (entry, state): (&Arc<Entry<T>>, &mut State<T>),
        door: &Arc<Door>,
        place: Place<'_>,
        now: Timestamp,
    ) -> Option<watch::Receiver<()>> {
        if let Some(flight) = state.under_way() {
            return Some(flight.clone());
        }
        if !state.is_time(self.kind, now) {
            return None;
        }
        state.tried_at = Some(now);
        let (landing, flight) = watch::channel(());
        state.flight = Some(flight.clone());
        let (kind, url) = (self.kind, place.url.to_owned());
        let (door, entry) = (Arc::clone(door), Arc::clone(entry));
        tokio::spawn(async move {
            let fetched = fetch(kind, &door, &url).await;
            entry.state().take(kind, fetched, now);
            drop(landing);
        });
        Some(flight)
    }
}

async fn landed(flight: Option<watch::Receiver<()>>) {
    if let Some(mut flight) = flight {
        // An error says that the sender is gone, which is what landing means.
        drop(flight.changed().await);
    }
}

async fn fetch<T>(
    kind: &Kind<T>,
    door: &Door,
    url: &str,
) -> Result<(T, Option<Duration>), OutboundError> {
    let wanted = Wanted {
        purpose: kind.purpose,
        url,
        types: kind.types,
        limit: kind.limit,
    };
    let read = |fetched: Fetched| Ok(((kind.read)(&fetched)?, fetched.max_age));
    door.fetch(wanted, read).await
}

impl<T> Entry<T> {
    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> State<T> {
    fn fresh(&self, now: Timestamp) -> Option<Arc<T>> {
        let document = self.document.as_ref()?;
        (now < document.fresh_until).then(|| Arc::clone(&document.value))
    }

    /// What there is, fresh or not, as long as it is not too old.
    fn known(&self, kind: &Kind<T>, now: Timestamp) -> Result<Arc<T>, OutboundError> {
        match &self.document {
            Some(document) if now.since(document.fetched_at) <= kind.oldest => {
                Ok(Arc::clone(&document.value))
            }
            Some(_) | None => Err(self.failure.clone().unwrap_or(OutboundError::TooSlow)),
        }
    }

    fn under_way(&self) -> Option<&watch::Receiver<()>> {
        self.flight.as_ref().filter(|it| it.has_changed().is_ok())
    }

    /// Whether nothing is lost with it but the document: an entry that was just made is about to be tried.
    fn is_at_rest(&self, now: Timestamp) -> bool {
        let rested = |tried_at| now.since(tried_at) >= BETWEEN_FETCHES;
        self.tried_at.is_some_and(rested) && self.under_way().is_none()
    }

    fn is_time(&self, kind: &Kind<T>, now: Timestamp) -> bool {
        let pause = if self.known(kind, now).is_ok() {
            BETWEEN_FETCHES
        } else {
            BETWEEN_FAILURES
        };
        self.tried_at
            .is_none_or(|tried_at| now.since(tried_at) >= pause)
    }

    fn take(
        &mut self,
        kind: &Kind<T>,
        fetched: Result<(T, Option<Duration>), OutboundError>,
        now: Timestamp,
    ) {
        match fetched {
            Ok((value, max_age)) => {
                let (least, most) = (*kind.fresh_within.start(), *kind.fresh_within.end());
                let fresh = max_age.unwrap_or(kind.fresh).clamp(least, most);
                self.document = Some(Document {
                    value: Arc::new(value),
                    fetched_at: now,
                    fresh_until: now.plus(fresh),
                });
                self.failure = None;
            }
            Err(error) => self.failure = Some(error),
        }
    }
}

/// Makes room among the entries that `may` go: those that were used last stay, and those that were tried a short while ago or
/// are on their way, or each request for one of too many would be a fetch (SEC-226). Whether there is room now.
fn make_room<T>(entries: &mut Entries<T>, may: impl Fn(&TenantId) -> bool, now: Timestamp) -> bool {
    let goes = |(tenant, _): &(TenantId, String), held: &Held<T>| {
        may(tenant) && held.entry.state().is_at_rest(now)
    };
    let at_rest = entries.iter().filter(|(key, held)| goes(key, held));
    let mut times: Vec<Timestamp> = at_rest.map(|(_, held)| held.used_at).collect();
    times.sort_unstable();
    let mut rest = times.len().div_ceil(2);
    let Some(newest) = rest.checked_sub(1).and_then(|at| times.get(at)).copied() else {
        return false;
    };
    entries.retain(|key, held| {
        let stays = rest == 0 || held.used_at > newest || !goes(key, held);
        rest -= usize::from(!stays);
        stays
    });
    true
}
