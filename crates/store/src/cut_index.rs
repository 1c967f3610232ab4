//! The cuts as every request sees them: in memory, read without a lock.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jeton_protocol::cut::{Cut, CutTarget};
use jeton_token::row_id::RowId;
use jeton_token::timestamp::Timestamp;
use papaya::HashMap;

/// What a token or grant descends from. A token of an offline grant outlives its session and names none here.
#[derive(Clone, Copy, Debug)]
pub struct Lineage<'a> {
    pub tenant: &'a str,
    pub token: Option<RowId>,
    pub grant: Option<RowId>,
    pub session: Option<RowId>,
    pub user: Option<RowId>,
    pub client: &'a str,
    pub issued_at: Timestamp,
}

/// All cuts that can still concern anything, and how fresh that knowledge is.
pub(crate) struct CutIndex {
    tenants: HashMap<String, Arc<TenantCuts>>,
    /// The newest counter of cuts that was read from the database.
    seen: AtomicI64,
    /// Every cut committed before this instant is in here.
    fresh_at: AtomicI64,
    pruned_at: AtomicI64,
    refreshing: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct TenantCuts {
    whole: HashMap<(), Reach>,
    rows: HashMap<(Kind, RowId), Reach>,
    clients: HashMap<String, Reach>,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Token,
    Grant,
    Session,
    User,
}

#[derive(Clone, Copy)]
struct Reach {
    at: Timestamp,
    expires_at: Timestamp,
}

impl CutIndex {
    pub(crate) fn new() -> Self {
        Self {
            tenants: HashMap::new(),
            seen: AtomicI64::new(0),
            fresh_at: AtomicI64::new(i64::MIN),
            pruned_at: AtomicI64::new(i64::MIN),
            refreshing: tokio::sync::Mutex::new(()),
        }
    }

    pub(crate) fn is_cut(&self, lineage: &Lineage<'_>) -> bool {
        let tenants = self.tenants.pin();
        let Some(cuts) = tenants.get(lineage.tenant) else {
            return false;
        };
        let covers = |reach: &Reach| lineage.issued_at < reach.at;
        let rows = cuts.rows.pin();
        let row = |kind, id: Option<RowId>| {
            id.is_some_and(|id| rows.get(&(kind, id)).is_some_and(covers))
        };
        row(Kind::Token, lineage.token)
            || row(Kind::Grant, lineage.grant)
            || row(Kind::Session, lineage.session)
            || row(Kind::User, lineage.user)
            || cuts.clients.pin().get(lineage.client).is_some_and(covers)
            || cuts.whole.pin().get(&()).is_some_and(covers)
    }

    pub(crate) fn note(&self, tenant: &str, cut: &Cut) {
        let tenants = self.tenants.pin();
        let cuts = match tenants.get(tenant) {
            Some(cuts) => cuts,
            None => tenants.get_or_insert_with(tenant.to_owned(), Arc::default),
        };
        let new = Reach {
            at: cut.at,
            expires_at: cut.expires_at,
        };
        let later = |old: &Reach| Reach {
            at: old.at.max(new.at),
            expires_at: old.expires_at.max(new.expires_at),
        };
        let row = |kind, id: RowId| {
            cuts.rows.pin().update_or_insert((kind, id), later, new);
        };
        match &cut.target {
            CutTarget::Token(id) => row(Kind::Token, *id),
            CutTarget::Grant(id) => row(Kind::Grant, *id),
            CutTarget::Session(id) => row(Kind::Session, *id),
            CutTarget::User(id) => row(Kind::User, *id),
            CutTarget::Client(id) => {
                cuts.clients
                    .pin()
                    .update_or_insert(id.as_str().to_owned(), later, new);
            }
            CutTarget::Tenant => {
                cuts.whole.pin().update_or_insert((), later, new);
            }
        }
    }

    pub(crate) fn fresh_at(&self) -> Timestamp {
        Timestamp::from_millis(self.fresh_at.load(Ordering::Acquire))
    }

    /// Says that everything committed before `now` has been noted.
    pub(crate) fn freshened(&self, now: Timestamp) {
        const PAUSE: Duration = Duration::from_secs(60);
        self.fresh_at.fetch_max(now.millis(), Ordering::AcqRel);
        let due = Timestamp::from_millis(self.pruned_at.load(Ordering::Relaxed)).plus(PAUSE);
        if now >= due {
            self.pruned_at.store(now.millis(), Ordering::Relaxed);
            self.prune(now);
        }
    }

    pub(crate) fn seen(&self) -> i64 {
        self.seen.load(Ordering::Acquire)
    }

    pub(crate) fn saw(&self, recorded: i64) {
        self.seen.fetch_max(recorded, Ordering::AcqRel);
    }

    /// One refresh at a time: those who wait find the work done.
    pub(crate) async fn refreshing(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.refreshing.lock().await
    }

    fn prune(&self, now: Timestamp) {
        for cuts in self.tenants.pin().values() {
            cuts.rows.pin().retain(|_, reach| reach.expires_at > now);
            cuts.clients.pin().retain(|_, reach| reach.expires_at > now);
            cuts.whole.pin().retain(|(), reach| reach.expires_at > now);
        }
    }
}
