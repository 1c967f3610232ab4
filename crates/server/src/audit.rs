//! The upkeep of the audit trail: what was committed is linked every second, where the chain stands is signed every minute,
//! what is too old or names a deleted user goes. Of several nodes the one with the lease does it.

use crate::ambient::Ambient;
use crate::app::App;
use crate::keys::{self, Kek, KeyError};
use jeton_protocol::tenant::TenantId;
use jeton_store::audit_checkpoints::Retention;
use jeton_store::leases::Leased;
use jeton_store::{Store, StoreError};
use jeton_token::row_id::RowId;
use jeton_token::timestamp::Timestamp;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Interval, MissedTickBehavior};

const LINK: Duration = Duration::from_secs(1);
const SIGN: Duration = Duration::from_secs(60);
const FORGET: Duration = Duration::from_secs(60 * 60);
const LEASE: Duration = Duration::from_secs(90);

/// Of checkpoints older than this, the last one of each day stays.
const EVERY_CHECKPOINT: Duration = Duration::from_secs(2 * 24 * 60 * 60);

/// Goes on for as long as the server does. A step that fails is logged and tried again in its turn.
pub async fn keep_up(app: Arc<App>) {
    let mut ambient = app.ambient();
    let holder = RowId::new(ambient.now, &mut ambient.entropy).to_string();
    ambient.end();
    let (mut linking, mut signing, mut forgetting) = (every(LINK), every(SIGN), every(FORGET));
    loop {
        let (what, done) = tokio::select! {
            _ = linking.tick() => ("linked", link(&app, &holder).await),
            _ = signing.tick() => ("signed", sign(&app, &holder).await),
            _ = forgetting.tick() => ("swept", forget(&app, &holder).await),
        };
        if let Err(error) = done {
            tracing::error!(event = "fault", %error, "the audit trail could not be {what}");
        }
    }
}

/// Links and signs what is left, when the server stops. Tried twice: what the recurring job was writing when it was stopped
/// may come in between, such as the first key.
pub async fn settle(app: &App) {
    let mut ambient = app.ambient();
    let mut settled = link_and_sign(app, &mut ambient).await;
    if settled.is_err() {
        settled = link_and_sign(app, &mut ambient).await;
    }
    if let Err(error) = settled {
        tracing::warn!(event = "fault", %error, "the audit trail could not be signed before the end");
    }
    ambient.end();
}

async fn link_and_sign(app: &App, ambient: &mut Ambient) -> Result<(), KeyError> {
    link_all(&app.store, ambient).await?;
    sign_all(&app.store, &app.kek, ambient).await
}

fn every(period: Duration) -> Interval {
    let mut interval = tokio::time::interval(period);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval
}

async fn link(app: &App, holder: &str) -> Result<(), KeyError> {
    if app.store.unlinked_audit_tenants().await?.is_empty() || !leads(app, holder).await? {
        return Ok(());
    }
    let mut ambient = app.ambient();
    let linked = link_all(&app.store, &mut ambient).await;
    ambient.end();
    Ok(linked?)
}

async fn sign(app: &App, holder: &str) -> Result<(), KeyError> {
    if app.store.unsigned_audit_tenants("").await?.is_empty() || !leads(app, holder).await? {
        return Ok(());
    }
    let mut ambient = app.ambient();
    let signed = sign_all(&app.store, &app.kek, &mut ambient).await;
    ambient.end();
    erase_all(&app.store, app.clock.now()).await?;
    signed
}

async fn forget(app: &App, holder: &str) -> Result<(), KeyError> {
    if !leads(app, holder).await? {
        return Ok(());
    }
    let now = app.clock.now();
    Ok(forget_all(&app.store, app.settings.audit_keep, now).await?)
}

async fn leads(app: &App, holder: &str) -> Result<bool, StoreError> {
    let now = app.clock.now();
    let leased = app
        .store
        .take_lease("audit", holder, now.plus(LEASE), now)
        .await?;
    Ok(leased == Leased::Taken)
}

/// Links everything that is committed now, a bounded batch at a time.
pub async fn link_all(store: &Store, ambient: &mut Ambient) -> Result<(), StoreError> {
    for tenant in store.unlinked_audit_tenants().await? {
        while store.link_audit(&tenant, ambient.entropy.bytes()).await? {}
    }
    Ok(())
}

/// Signs where each chain stands that has moved since it was last signed.
pub async fn sign_all(store: &Store, kek: &Kek, ambient: &mut Ambient) -> Result<(), KeyError> {
    let mut after = String::new();
    let mut failed = Ok(());
    loop {
        let tenants = store.unsigned_audit_tenants(&after).await?;
        let Some(last) = tenants.last() else {
            return failed;
        };
        last.as_str().clone_into(&mut after);
        for tenant in &tenants {
            // A damaged key of one tenant is no reason to leave the others unsigned (SEC-352).
            if let Err(error) = sign_one(store, kek, tenant, ambient).await {
                tracing::error!(event = "fault", %tenant, %error, "the audit trail of a tenant could not be signed");
                failed = Err(error);
            }
        }
    }
}

/// Signs where the chain of one tenant stands.
pub async fn sign_one(
    store: &Store,
    kek: &Kek,
    tenant: &TenantId,
    ambient: &mut Ambient,
) -> Result<(), KeyError> {
    let key = keys::audit_signer(store, kek, tenant, ambient).await?;
    Ok(store.sign_audit(tenant, &key, ambient.now).await?)
}

/// Takes deleted users out of the trail, as far as it is linked.
pub async fn erase_all(store: &Store, now: Timestamp) -> Result<(), StoreError> {
    for erasure in store.audit_erasures().await? {
        let mut next = Some(erasure);
        while let Some(erasure) = next {
            next = store.erase_audit(erasure, now).await?;
        }
    }
    Ok(())
}

/// Forgets what is older than `keep`.
pub async fn forget_all(
    store: &Store,
    keep: Option<Duration>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let retention = Retention {
        records_before: keep.map(|keep| now.minus(keep)),
        checkpoints_before: now.minus(EVERY_CHECKPOINT),
    };
    let mut after = String::new();
    loop {
        let tenants = store.audited_tenants(&after).await?;
        let Some(last) = tenants.last() else {
            return Ok(());
        };
        last.as_str().clone_into(&mut after);
        for tenant in &tenants {
            while store.forget_audit(tenant, retention).await? {}
        }
    }
}
