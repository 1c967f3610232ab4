//! Tenants in memory: found by host and path, with their keys opened and their clients parsed (design §2, SEC-R06).
//!
//! Nothing is loaded before it is asked for, and everything is bounded.

use crate::app::App;
use crate::http::denied::Fault;
use crate::kept::Kept;
use crate::keys::{self, Turn};
use arc_swap::{ArcSwap, ArcSwapOption};
use bytes::Bytes;
use jeton_protocol::client::{Client, ClientId};
use jeton_protocol::issue::KeyRing;
use jeton_protocol::metadata;
use jeton_protocol::tenant::{Tenant, TenantId};
use jeton_protocol::user::{User, UserId};
use jeton_store::versions::Versions;
use jeton_store::{Page, StoreError};
use jeton_token::handle::{Handle, HandleError, HandleKind};
use jeton_token::row_id::RowId;
use jeton_token::timestamp::Timestamp;
use papaya::HashMap;
use std::collections::HashSet;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// More tenants than this are not kept at once; nor more clients or users of one tenant.
const MOST_TENANTS: usize = 4096;
const MOST_CLIENTS: usize = 16_384;
const MOST_USERS: usize = 16_384;

/// How often unknown keys may make the keys of a tenant be read again.
const REREAD: Duration = Duration::from_secs(1);

pub struct Tenancy {
    /// By the issuer's authority and path, as a request names them.
    by_address: HashMap<String, Arc<TenantState>>,
    seen: Mutex<Versions>,
    /// Counts the changes of tenants and keys: what was opened before must not be kept after.
    emptied: AtomicU64,
}

impl fmt::Debug for Tenancy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tenancy")
            .field("tenants", &self.by_address.len())
            .finish()
    }
}

/// One tenant, ready to serve.
pub struct TenantState {
    pub tenant: Tenant,
    keys: ArcSwap<Keys>,
    /// When the keys were read last. Held while they are read, so that what is older never replaces what is newer.
    read_at: tokio::sync::Mutex<Timestamp>,
    clients: Kept<ClientId, Client>,
    users: Kept<UserId, User>,
    /// Every origin a client registered, read when the first script asks.
    origins: ArcSwapOption<HashSet<String>>,
    /// Counts the times `origins` was dropped: what was read before must not be kept after.
    origins_dropped: AtomicU64,
}

/// The open keys, and what is published of them, made once per change.
struct Keys {
    ring: Arc<KeyRing>,
    jwks: Bytes,
    metadata: Bytes,
    /// Every key that is accepted.
    known: Vec<RowId>,
    /// When a key becomes active or disappears next.
    changes_at: Option<Timestamp>,
}

impl fmt::Debug for TenantState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TenantState")
            .field("id", &self.tenant.id)
            .finish_non_exhaustive()
    }
}

impl Tenancy {
    pub fn new() -> Self {
        Self {
            by_address: HashMap::new(),
            seen: Mutex::new(Versions::default()),
            emptied: AtomicU64::new(0),
        }
    }

    /// The tenant whose issuer has this authority and path.
    pub async fn find(
        &self,
        app: &App,
        authority: &str,
        path: &str,
    ) -> Result<Option<Arc<TenantState>>, Fault> {
        let mut address = String::with_capacity(authority.len() + path.len());
        address.push_str(authority);
        address.push_str(path);
        if let Some(state) = self.by_address.pin().get(address.as_str()) {
            return Ok(Some(Arc::clone(state)));
        }
        let emptied = self.emptied.load(Ordering::Acquire);
        let Some(tenant) = self.load(app, &address).await? else {
            return Ok(None);
        };
        let state = Arc::new(TenantState::open(app, tenant).await?);
        if self.by_address.len() >= MOST_TENANTS {
            self.by_address.pin().clear();
        }
        self.by_address
            .pin()
            .insert(address.clone(), Arc::clone(&state));
        if self.emptied.load(Ordering::Acquire) != emptied {
            self.by_address.pin().remove(&address);
        }
        Ok(Some(state))
    }

    /// Makes the next keys of the tenants in memory where they are due. One that nobody asks for needs none.
    pub async fn rotate_keys(&self, app: &App, plan: (Duration, Duration)) {
        let states: Vec<_> = self.by_address.pin().values().cloned().collect();
        let mut ambient = app.ambient();
        let turn = Turn::new(&mut ambient);
        ambient.end();
        for state in states {
            if let Err(error) = keys::rotate_due(app, state.id(), &turn, plan).await {
                tracing::error!(tenant = %state.tenant.id, %error, "the next keys could not be made");
            }
        }
    }

    /// Whether some tenant that was asked for has this host name.
    pub fn knows_authority(&self, authority: &str) -> bool {
        self.by_address
            .pin()
            .values()
            .any(|state| state.tenant.issuer.authority() == authority)
    }

    async fn load(&self, app: &App, address: &str) -> Result<Option<Tenant>, StoreError> {
        for scheme in ["https://", "http://"] {
            let found = app
                .store
                .tenant_by_issuer(&format!("{scheme}{address}"))
                .await?;
            if let Some(found) = found.filter(|found| found.disabled_at.is_none()) {
                return Ok(Some(found.tenant));
            }
        }
        Ok(None)
    }

    /// Drops what another process has changed. Called a few times a second, and after changes made here.
    ///
    /// A change counts as seen once everything it asks for is done: keys that could not be opened are tried again.
    pub async fn refresh(&self, app: &App) -> Result<(), StoreError> {
        let found = app.store.versions().await?;
        let before = *self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if before.tenants != found.tenants || before.keys != found.keys {
            self.emptied.fetch_add(1, Ordering::AcqRel);
        }
        let mut done = found;
        if before.tenants != found.tenants {
            self.by_address.pin().clear();
        } else if !self.refresh_states(app, (before, found)).await {
            done.keys = before.keys;
        }
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = done;
        Ok(())
    }

    /// Whether every tenant in memory has the keys of now.
    async fn refresh_states(&self, app: &App, (before, found): (Versions, Versions)) -> bool {
        let now = app.clock.now();
        let states: Vec<_> = self.by_address.pin().values().cloned().collect();
        let mut complete = true;
        for state in states {
            if before.clients != found.clients {
                state.forget_clients();
            }
            if before.users != found.users {
                state.users.empty();
            }
            let due = state.keys.load().changes_at.is_some_and(|at| at <= now);
            if (due || before.keys != found.keys)
                && let Err(fault) = state.reopen_keys(app).await
            {
                tracing::error!(tenant = %state.tenant.id, %fault, "the keys could not be opened; the old ones stay until they can");
                complete = false;
            }
        }
        complete
    }
}

impl Default for Tenancy {
    fn default() -> Self {
        Self::new()
    }
}

impl TenantState {
    async fn open(app: &App, tenant: Tenant) -> Result<Self, Fault> {
        let read_at = app.clock.now();
        let keys = Keys::open(app, &tenant).await?;
        Ok(Self {
            tenant,
            keys: ArcSwap::from_pointee(keys),
            read_at: tokio::sync::Mutex::new(read_at),
            clients: Kept::new(MOST_CLIENTS),
            users: Kept::new(MOST_USERS),
            origins: ArcSwapOption::empty(),
            origins_dropped: AtomicU64::new(0),
        })
    }

    pub fn id(&self) -> &TenantId {
        &self.tenant.id
    }

    pub fn ring(&self) -> Arc<KeyRing> {
        Arc::clone(&self.keys.load().ring)
    }

    /// Opens a handle of this tenant. One made with a key that is not known may come from a node that has read the keys since
    /// this one did, so they are read again before it is refused.
    pub async fn open_handle(
        &self,
        app: &App,
        kind: HandleKind,
        text: &str,
    ) -> Result<Handle, HandleError> {
        let tenant = self.id().as_str();
        let opened = self.ring().handles.open(tenant, kind, text);
        if let Err(HandleError::UnknownKey(_)) = opened {
            return self.newer_ring(app).await.handles.open(tenant, kind, text);
        }
        opened
    }

    /// The keys, read again if that was not done in the last second: strangers can make any number of requests ask for it.
    pub async fn newer_ring(&self, app: &App) -> Arc<KeyRing> {
        let mut read_at = self.read_at.lock().await;
        let now = app.clock.now();
        if now >= read_at.plus(REREAD) {
            match Keys::open(app, &self.tenant).await {
                Ok(keys) => self.keys.store(Arc::new(keys)),
                Err(fault) => {
                    tracing::error!(tenant = %self.tenant.id, %fault, "the keys could not be read again");
                }
            }
            *read_at = now;
        }
        self.ring()
    }

    pub fn jwks(&self) -> Bytes {
        self.keys.load().jwks.clone()
    }

    pub fn metadata(&self) -> Bytes {
        self.keys.load().metadata.clone()
    }

    /// A client that is registered and enabled.
    pub async fn client(
        &self,
        app: &App,
        id: &ClientId,
    ) -> Result<Option<Arc<Client>>, StoreError> {
        self.clients
            .find(id, async {
                let found = app.store.client(self.id(), id).await?;
                Ok(found.filter(|client| client.disabled_at.is_none()))
            })
            .await
    }

    /// A user, disabled or not.
    pub async fn user(&self, app: &App, id: UserId) -> Result<Option<Arc<User>>, StoreError> {
        self.users.find(&id, app.store.user(self.id(), id)).await
    }

    fn forget_clients(&self) {
        self.clients.empty();
        self.origins_dropped.fetch_add(1, Ordering::AcqRel);
        self.origins.store(None);
    }

    /// Whether a client of this tenant registered the origin for its scripts.
    pub async fn allows_origin(&self, app: &App, origin: &str) -> Result<bool, StoreError> {
        if let Some(origins) = self.origins.load().as_ref() {
            return Ok(origins.contains(origin));
        }
        let dropped = self.origins_dropped.load(Ordering::Acquire);
        let mut origins = HashSet::new();
        let mut page = Page {
            after: None,
            limit: 500,
        };
        loop {
            let clients = app.store.clients(self.id(), page.clone()).await?;
            page.after = clients.last().map(|client| client.id.clone());
            let more = clients.len() == page.limit as usize;
            let enabled = clients
                .into_iter()
                .filter(|client| client.disabled_at.is_none());
            origins.extend(enabled.flat_map(|client| client.allowed_origins));
            if !more {
                break;
            }
        }
        let allowed = origins.contains(origin);
        if self.origins_dropped.load(Ordering::Acquire) == dropped {
            self.origins.store(Some(Arc::new(origins)));
        }
        Ok(allowed)
    }

    async fn reopen_keys(&self, app: &App) -> Result<(), Fault> {
        let mut read_at = self.read_at.lock().await;
        let now = app.clock.now();
        let keys = Keys::open(app, &self.tenant).await?;
        let before = self.keys.swap(Arc::new(keys));
        *read_at = now;
        drop(read_at);
        // A key that goes when it is time to go is no news.
        let in_time = before.changes_at.is_some_and(|at| at <= now);
        let after = self.keys.load();
        let gone = before.known.iter().filter(|id| !after.known.contains(id));
        for id in gone.filter(|_| !in_time) {
            tracing::warn!(event = "key.revoked", tenant = %self.tenant.id, key = %id, "whatever was made with this key is refused from now on");
        }
        Ok(())
    }
}

impl Keys {
    async fn open(app: &App, tenant: &Tenant) -> Result<Self, Fault> {
        let opened = keys::open(app, tenant).await?;
        let jwks = &opened.ring.published;
        let metadata = metadata::describe(tenant, &opened.ring);
        let bytes = |value: Result<Vec<u8>, serde_json::Error>| {
            value
                .map(Bytes::from)
                .map_err(|error| Fault::Keys(error.to_string()))
        };
        Ok(Self {
            jwks: bytes(serde_json::to_vec(jwks))?,
            metadata: bytes(serde_json::to_vec(&metadata))?,
            known: opened.known,
            changes_at: opened.changes_at,
            ring: Arc::new(opened.ring),
        })
    }
}
