//! Starting and stopping: from a plan to an application, its listeners and its few recurring jobs.

use crate::ambient::{Ambient, Clock, Luck};
use crate::app::{App, Settings};
use crate::audit;
use crate::endpoints::health::Probe;
use crate::http::listener::{self, Listening};
use crate::http::tls::Tls;
use crate::keys::Kek;
use crate::logo::LOGO;
use crate::observe::Observe;
use crate::observe::metrics::Metrics;
use crate::outbound::Door;
use crate::outbound::remote::Remote;
use crate::pages::Pages;
use crate::passwords::{Cost, Passwords};
use crate::remote_keys::KEY_SET;
use crate::tenancy::Tenancy;
use crate::throttle::Throttle;
use jeton_protocol::tenant::Tenant;
use jeton_store::sweep::SweepCursor;
use jeton_store::{Store, StoreError};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use thiserror::Error;
use tokio::net::{TcpListener, TcpSocket};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

/// Why a server does not start.
#[derive(Debug, Error)]
pub enum StartError {
    #[error("database: {0}")]
    Store(#[from] StoreError),
    #[error("pages: {0}")]
    Pages(#[from] crate::pages::PageError),
    #[error("{0}: {1}")]
    Listen(SocketAddr, io::Error),
    #[error("the issuer {0} belongs to another tenant of this database")]
    IssuerTaken(String),
    #[error("keys: {0}")]
    Keys(String),
    /// The database was not opened; which one, without its password.
    #[error("database {0}: {1}")]
    Database(String, StoreError),
    #[error("TLS: {0}")]
    Tls(#[from] crate::http::tls::TlsError),
    #[error("{0} cannot be an issuer; write a URL such as http://localhost:9000")]
    Issuer(String),
    #[error("outbound.ca: {0}")]
    Outbound(String),
}

/// Everything an application is made of.
pub struct Plan {
    pub store: Store,
    pub kek: Kek,
    pub tenant: Tenant,
    pub settings: Settings,
    pub password_threads: usize,
    pub password_cost: Cost,
    pub clock: Clock,
    pub luck: Luck,
}

impl Plan {
    /// Makes the application, its default tenant as the plan says, and that tenant's keys.
    pub async fn build(self) -> Result<Arc<App>, StartError> {
        let mut ambient = Ambient::new(&self.clock, &self.luck);
        settle_tenant(&self.store, &self.tenant, &mut ambient).await?;
        let metrics = Metrics::new();
        let door = Door::new(self.settings.outbound.clone(), metrics.egress());
        let app = Arc::new(App {
            door: Arc::new(door.map_err(StartError::Outbound)?),
            remote_keys: Remote::new(&KEY_SET),
            logos: Remote::new(&LOGO),
            passwords: Passwords::start(
                self.password_threads,
                self.password_cost,
                &mut ambient.entropy,
            ),
            store: self.store,
            kek: self.kek,
            tenancy: Tenancy::new(),
            pages: Pages::new()?,
            throttle: Throttle::new(self.settings.rates),
            probe: Probe::default(),
            observe: Observe::new(self.settings.traces),
            metrics,
            clock: self.clock,
            luck: self.luck,
            settings: self.settings,
            ready: AtomicBool::new(true),
        });
        ambient.end();
        app.store.refresh_cuts(app.clock.now()).await?;
        let issuer = &app.settings.issuer;
        let found = app
            .tenancy
            .find(&app, issuer.authority(), issuer.path())
            .await;
        found.map_err(|fault| StartError::Keys(fault.to_string()))?;
        app.tenancy.refresh(&app).await?;
        Ok(app)
    }
}

/// Writes the configuration of the default tenant to the database, where the others are.
pub async fn settle_tenant(
    store: &Store,
    tenant: &Tenant,
    ambient: &mut Ambient,
) -> Result<(), StartError> {
    let occasion = ambient.occasion("configuration", String::new());
    let taken = || StartError::IssuerTaken(tenant.issuer.to_string());
    match store.tenant(&tenant.id).await? {
        None => match store.insert_tenant(tenant.clone(), occasion).await? {
            jeton_store::Inserted::Inserted => Ok(()),
            jeton_store::Inserted::Taken => Err(taken()),
        },
        Some(found) if found.tenant == *tenant => Ok(()),
        Some(_) => match store.replace_tenant(tenant.clone(), occasion).await? {
            jeton_store::Changed::Changed => Ok(()),
            jeton_store::Changed::NotFound | jeton_store::Changed::Taken => Err(taken()),
        },
    }
}

/// Binds an address with a backlog that survives a burst.
pub fn bind(address: SocketAddr) -> Result<TcpListener, StartError> {
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()
    } else {
        TcpSocket::new_v6()
    };
    socket
        .and_then(|socket| {
            socket.set_reuseaddr(true)?;
            socket.bind(address)?;
            socket.listen(1024)
        })
        .map_err(|error| StartError::Listen(address, error))
}

/// Serves on all listeners until the process is asked to stop, then lets running requests end (SEC-368).
pub async fn run(app: Arc<App>, listeners: Vec<Listening>) {
    // Listened for before anybody is answered: who has seen this server serve can stop it in order.
    let terminate = signal(SignalKind::terminate());
    let (stop, stopped) = watch::channel(false);
    let tls: Vec<Arc<Tls>> = listeners
        .iter()
        .filter_map(|listening| listening.tls.clone())
        .collect();
    let jobs = tokio::spawn(watched(Arc::clone(&app), tls));
    let serving: Vec<_> = listeners
        .into_iter()
        .map(|listening| {
            tokio::spawn(listener::serve(
                Arc::clone(&app),
                listening,
                stopped.clone(),
            ))
        })
        .collect();
    asked_to_stop(terminate).await;
    app.ready.store(false, Ordering::Release);
    tracing::info!(event = "stopping");
    if stop.send(true).is_ok() {
        for task in serving {
            if let Err(error) = task.await {
                tracing::error!(%error, "a listener ended badly");
            }
        }
    }
    jobs.abort();
    audit::settle(&app).await;
}

async fn asked_to_stop(terminate: io::Result<Signal>) {
    let terminate = async {
        match terminate {
            Ok(mut signal) => drop(signal.recv().await),
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        () = terminate => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}

/// Runs the recurring jobs, again if one of them panics (SEC-367).
async fn watched(app: Arc<App>, tls: Vec<Arc<Tls>>) {
    loop {
        let mut jobs = tokio::task::JoinSet::new();
        jobs.spawn(recurring(Arc::clone(&app), tls.clone()));
        jobs.spawn(rotating(Arc::clone(&app)));
        jobs.spawn(audit::keep_up(Arc::clone(&app)));
        if let Some(Err(error)) = jobs.join_next().await {
            tracing::error!(event = "panic", %error, "the recurring jobs ended and are started again");
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

const LOOK_AROUND: Duration = Duration::from_millis(300);
const ROTATION: Duration = Duration::from_secs(600);
const SWEEP: Duration = Duration::from_secs(60);
/// How long sweeping rests when there is more to look at, but nothing to delete.
const WALK: Duration = Duration::from_secs(1);
/// How many interactions and pushed requests a tenant may have, and how many may be begun here before somebody counts them
/// (decision 0016).
const MOST_INTERACTIONS: u32 = 100_000;
const MOST_PUSHED_REQUESTS: u32 = 100_000;
const COUNT_AFTER: u64 = 10_000;

/// Makes the next keys. Not in turn with looking around: the keys of many tenants may take longer than a change made elsewhere
/// may stay unseen (SEC-307).
async fn rotating(app: Arc<App>) {
    let mut rotation = tokio::time::interval(ROTATION);
    rotation.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        rotation.tick().await;
        if let Some(plan) = app.settings.rotation {
            app.tenancy.rotate_keys(&app, plan).await;
        }
    }
}

/// Learns what other processes changed, reads certificates that changed, and deletes what nothing can misuse any more.
async fn recurring(app: Arc<App>, tls: Vec<Arc<Tls>>) {
    let mut look = tokio::time::interval(LOOK_AROUND);
    look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut sweep = tokio::time::interval(SWEEP);
    sweep.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut room = tokio::time::interval(SWEEP);
    room.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut cursor = SweepCursor::default();
    loop {
        tokio::select! {
            _ = look.tick() => {
                if let Err(error) = app.tenancy.refresh(&app).await {
                    tracing::error!(event = "fault", %error, "changes made elsewhere could not be read");
                }
                if let Err(error) = app.store.refresh_cuts(app.clock.now()).await {
                    tracing::error!(event = "fault", %error, "revocations made elsewhere could not be read");
                }
                for tls in &tls {
                    tls.refresh(app.clock.now());
                }
                if app.throttle.has_begun(COUNT_AFTER) {
                    trim(&app).await;
                }
            }
            _ = room.tick() => trim(&app).await,
            _ = sweep.tick() => {
                if let Some(rest) = sweep_step(&app, &mut cursor).await {
                    sweep.reset_after(rest);
                }
            }
        }
    }
}

/// One step, and how long to rest before the next when there is more: as long as the step took while rows are deleted, so
/// that whoever waits for the store has half of it (SEC-358).
async fn sweep_step(app: &App, cursor: &mut SweepCursor) -> Option<Duration> {
    let began = tokio::time::Instant::now();
    match app.store.sweep(cursor.clone(), app.clock.now()).await {
        Ok(swept) => {
            *cursor = swept.cursor;
            let rest = if swept.deleted > 0 {
                began.elapsed()
            } else {
                WALK
            };
            swept.more.then_some(rest)
        }
        Err(error) => {
            tracing::error!(event = "fault", %error, "expired rows could not be swept");
            None
        }
    }
}

async fn trim(app: &App) {
    match app.store.trim_interactions(MOST_INTERACTIONS).await {
        Ok(trimmed) if trimmed.deleted > 0 => {
            tracing::warn!(
                event = "interactions.trimmed",
                deleted = trimmed.deleted,
                more = trimmed.more,
                "more sign-ins are begun than a tenant keeps"
            );
        }
        Ok(_) => {}
        Err(error) => {
            tracing::error!(event = "fault", %error, "interactions could not be counted");
        }
    }
    match app.store.trim_pushed_requests(MOST_PUSHED_REQUESTS).await {
        Ok(trimmed) if trimmed.deleted > 0 => {
            tracing::warn!(
                event = "pushed_requests.trimmed",
                deleted = trimmed.deleted,
                more = trimmed.more,
                "more requests are pushed than a tenant keeps"
            );
        }
        Ok(_) => {}
        Err(error) => {
            tracing::error!(event = "fault", %error, "pushed requests could not be counted");
        }
    }
}
