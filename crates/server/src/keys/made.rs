//! Making keys: the first ones of a tenant, the next ones in time, and the one that takes the place of a stolen one.

use super::line::{Line, MARGIN};
use super::{Kek, KeyError, MOST_PUBLISHED};
use crate::ambient::Ambient;
use crate::app::App;
use jeton_protocol::tenant::TenantId;
use jeton_store::keys::{Ends, KeyPurpose, Replacement, StoredKey};
use jeton_store::leases::Leased;
use jeton_store::{Changed, Inserted, Page, Store};
use jeton_token::algorithm::SignatureAlgorithm;
use jeton_token::row_id::RowId;
use jeton_token::secret::Secret;
use jeton_token::signing_key::SigningKey;
use jeton_token::timestamp::Timestamp;
use std::time::Duration;

/// Makes the first keys of a tenant, `also` among them; of several processes that start at once, one does.
pub(super) async fn make_first(
    store: &Store,
    kek: &Kek,
    tenant: &TenantId,
    also: Option<SignatureAlgorithm>,
    ambient: &mut Ambient,
) -> Result<(), KeyError> {
    let also = also.map(Line::Signing);
    let also = also.filter(|line| !Line::FIRST.contains(line));
    let mut keys: Vec<StoredKey> = Vec::new();
    for line in Line::FIRST.into_iter().chain(also) {
        let number = next_number(&keys, line);
        keys.push(new(kek, tenant, (line, number), ambient)?);
    }
    store
        .insert_first_keys(tenant, keys, ambient.occasion("first start", String::new()))
        .await?;
    Ok(())
}

/// Makes the first key of an algorithm, unless there is one. Every node publishes it before it signs (SEC-304); nobody
/// keeps a key set for such tokens yet, so a longer lead would gain nothing.
pub(super) async fn ensure(
    store: &Store,
    kek: &Kek,
    tenant: &TenantId,
    (algorithm, rows): (SignatureAlgorithm, &[StoredKey]),
    ambient: &mut Ambient,
) -> Result<bool, KeyError> {
    let line = Line::Signing(algorithm);
    let there = |row: &StoredKey| Line::of(row) == Some(line) && is_accepted(row, ambient.now);
    if rows.iter().any(there) {
        return Ok(false);
    }
    match rotate(store, kek, tenant, (line, FIRST_LEAD), ambient).await {
        // Another process made it.
        Ok(_) | Err(KeyError::Raced) => Ok(true),
        Err(error) => Err(error),
    }
}

/// Long enough for every node to have looked; see `start.rs:LOOK_AROUND`.
const FIRST_LEAD: Duration = Duration::from_secs(2);

/// Adds the next key of a line: published now, used after `lead`; the one before it goes when its last token has.
pub async fn rotate(
    store: &Store,
    kek: &Kek,
    tenant: &TenantId,
    (line, lead): (Line, Duration),
    ambient: &mut Ambient,
) -> Result<StoredKey, KeyError> {
    let rows = store.keys(tenant).await?;
    let published =
        |row: &&StoredKey| row.purpose == KeyPurpose::Signing && is_accepted(row, ambient.now);
    if line.purpose() == KeyPurpose::Signing
        && rows.iter().filter(published).count() >= MOST_PUBLISHED
    {
        return Err(KeyError::TooMany);
    }
    let mut next = new(kek, tenant, (line, next_number(&rows, line)), ambient)?;
    let active_at = ambient.now.plus(lead);
    next.active_at = Some(active_at);
    let ends = Ends {
        retired_at: active_at,
        expires_at: line.end(active_at),
    };
    let occasion = ambient.occasion("operator", String::new());
    match store
        .succeed_key(tenant, next.clone(), ends, occasion)
        .await?
    {
        Inserted::Inserted => Ok(next),
        Inserted::Taken => Err(KeyError::Raced),
    }
}

/// What became of a key that was revoked.
#[derive(Clone, Debug, PartialEq)]
pub enum Revoked {
    /// It is gone; keys of its line that are in use stay so.
    Gone,
    /// It is gone, and this one is in use in its place.
    Replaced(RowId),
}

/// Ends a key at once: what it made is refused from now on. If it was the one in use, the next one is, from now on too.
pub async fn revoke(
    store: &Store,
    kek: &Kek,
    tenant: &TenantId,
    key: &StoredKey,
    ambient: &mut Ambient,
) -> Result<Revoked, KeyError> {
    let rows = store.keys(tenant).await?;
    let line = Line::of(key);
    let others: Vec<&StoredKey> = rows
        .iter()
        .filter(|row| row.id != key.id && Line::of(row) == line && is_accepted(row, ambient.now))
        .filter(|row| row.retired_at.is_none_or(|at| ambient.now < at))
        .collect();
    let goes_on = others.iter().find(|row| row.retired_at.is_none());
    let in_use = others
        .iter()
        .any(|row| row.active_at.is_some_and(|at| at <= ambient.now));
    let replacement = match (line, goes_on, in_use) {
        (None, _, _) | (_, Some(_), true) => Replacement::None,
        (Some(_), Some(published), false) => Replacement::Published(published.id),
        (Some(line), None, in_use) => {
            let number = next_number(&rows, line);
            let mut next = new(kek, tenant, (line, number), ambient)?;
            // The one in use has been told when to retire; until then nothing is missing.
            next.active_at = next.active_at.max(key.active_at.filter(|_| in_use));
            Replacement::New(next)
        }
    };
    let revoked = match &replacement {
        Replacement::None => Revoked::Gone,
        Replacement::Published(id) => Revoked::Replaced(*id),
        Replacement::New(next) => Revoked::Replaced(next.id),
    };
    let occasion = ambient.occasion("operator", String::new());
    match store
        .revoke_key(tenant, key.id, replacement, occasion)
        .await?
    {
        Changed::Changed => Ok(revoked),
        Changed::NotFound | Changed::Taken => Err(KeyError::Raced),
    }
}

/// One node's turn to look after the keys of its tenants.
#[derive(Debug)]
pub struct Turn {
    holder: String,
}

impl Turn {
    pub fn new(ambient: &mut Ambient) -> Self {
        let holder = RowId::new(ambient.now, &mut ambient.entropy).to_string();
        Self { holder }
    }

    /// Only one node has the turn; the others see its keys before the lease ends.
    async fn hold(&self, app: &App, now: Timestamp) -> Result<bool, KeyError> {
        let until = now.plus(Duration::from_secs(60));
        let leased = app
            .store
            .take_lease("key rotation", &self.holder, until, now)
            .await?;
        Ok(leased == Leased::Taken)
    }
}

/// Makes the next key of every line whose newest one has nearly been used for `period`, and finds the ends of retired ones.
pub async fn rotate_due(
    app: &App,
    tenant: &TenantId,
    turn: &Turn,
    plan: (Duration, Duration),
) -> Result<(), KeyError> {
    let mut ambient = app.ambient();
    let done = turn_keys(app, tenant, turn, plan, &mut ambient).await;
    ambient.end();
    done
}

async fn turn_keys(
    app: &App,
    tenant: &TenantId,
    turn: &Turn,
    (period, lead): (Duration, Duration),
    ambient: &mut Ambient,
) -> Result<(), KeyError> {
    let now = ambient.now;
    let rows = app.store.keys(tenant).await?;
    if due(&rows, now, (period, lead)).is_empty() && endless(&rows, now).is_empty() {
        return Ok(());
    }
    if !turn.hold(app, now).await? {
        return Ok(());
    }
    // Read again: the node that had the turn before may have done it.
    let rows = app.store.keys(tenant).await?;
    for row in endless(&rows, now) {
        end_retired(app, tenant, row, ambient).await?;
    }
    for line in due(&rows, now, (period, lead)) {
        let next = match rotate(&app.store, &app.kek, tenant, (line, lead), ambient).await {
            Ok(next) => next,
            // Its turn comes when a published key has ended; the other lines do not wait for that.
            Err(KeyError::TooMany) => {
                tracing::warn!(event = "key.waiting", tenant = %tenant, algorithm = %line, "as many keys are published as may be");
                continue;
            }
            Err(error) => return Err(error),
        };
        tracing::info!(event = "key.rotated", tenant = %tenant, algorithm = %line, number = next.number);
    }
    Ok(())
}

/// Lines whose newest key ends its period before another one could be published for `lead`.
fn due(rows: &[StoredKey], now: Timestamp, (period, lead): (Duration, Duration)) -> Vec<Line> {
    let mut newest: Vec<(Line, Timestamp)> = Vec::new();
    for row in rows.iter().filter(|row| is_accepted(row, now)) {
        let (Some(line), Some(active_at)) = (Line::of(row), row.active_at) else {
            continue;
        };
        match newest.iter_mut().find(|(known, _)| *known == line) {
            Some((_, latest)) => *latest = active_at.max(*latest),
            None => newest.push((line, active_at)),
        }
    }
    newest
        .into_iter()
        .filter(|(_, active_at)| now.plus(lead) >= active_at.plus(period))
        .map(|(line, _)| line)
        .collect()
}

/// Handle keys that retired without an end.
fn endless(rows: &[StoredKey], now: Timestamp) -> Vec<&StoredKey> {
    let retired = |row: &&StoredKey| row.retired_at.is_some_and(|at| at.plus(MARGIN) <= now);
    rows.iter()
        .filter(retired)
        .filter(|row| row.purpose == KeyPurpose::Handle && row.expires_at.is_none())
        .collect()
}

/// Gives a retired handle key its end: when the last grant that existed while it was in use is over, whatever the lifetimes
/// were then or are now, and not before the last cookie.
async fn end_retired(
    app: &App,
    tenant: &TenantId,
    row: &StoredKey,
    ambient: &mut Ambient,
) -> Result<(), KeyError> {
    let Some(retired_at) = row.retired_at else {
        return Ok(());
    };
    let mut end = retired_at.plus(LONGEST_COOKIE);
    let mut page = Page {
        after: None,
        limit: 1000,
    };
    loop {
        let grants = app.store.grant_ends(tenant, page.clone()).await?;
        end = grants.iter().map(|(_, end)| *end).fold(end, Timestamp::max);
        page.after = grants
            .last()
            .map(|(id, _)| *id)
            .filter(|id| id.time() <= retired_at.plus(MARGIN));
        if page.after.is_none() {
            break;
        }
    }
    let ended = StoredKey {
        expires_at: Some(end.plus(MARGIN)),
        ..row.clone()
    };
    let occasion = ambient.occasion("key rotation", String::new());
    app.store.schedule_key(tenant, ended, occasion).await?;
    Ok(())
}

/// The ceiling of sessions, and how long a browser keeps a cookie.
const LONGEST_COOKIE: Duration = Duration::from_secs(366 * 24 * 60 * 60);

fn is_accepted(row: &StoredKey, now: Timestamp) -> bool {
    row.expires_at.is_none_or(|end| now < end)
}

/// Numbers are given once for a purpose.
pub(super) fn next_number(rows: &[StoredKey], line: Line) -> u16 {
    let of_purpose = rows.iter().filter(|row| row.purpose == line.purpose());
    let last = of_purpose.map(|row| row.number).max();
    last.unwrap_or(0).saturating_add(1)
}

/// A key of a line, used from now on unless its row is changed.
pub(super) fn new(
    kek: &Kek,
    tenant: &TenantId,
    (line, number): (Line, u16),
    ambient: &mut Ambient,
) -> Result<StoredKey, KeyError> {
    let (secret, public_key) = match line {
        Line::Signing(algorithm) => {
            let failed = |error: &dyn std::fmt::Display| KeyError::New(error.to_string());
            let key = SigningKey::generate(algorithm, None).map_err(|error| failed(&error))?;
            let public = serde_json::Value::Object(key.public_jwk().to_json());
            let pkcs8 = key.to_pkcs8().map_err(|error| failed(&error))?;
            (pkcs8, Some(public.to_string()))
        }
        Line::Audit => {
            let key = SigningKey::generate(super::audit::ALGORITHM, None);
            let pkcs8 = key.and_then(|key| key.to_pkcs8());
            (
                pkcs8.map_err(|error| KeyError::New(error.to_string()))?,
                None,
            )
        }
        Line::Handles | Line::Seals => (Secret::random(&mut ambient.entropy), None),
    };
    let id = RowId::new(ambient.now, &mut ambient.entropy);
    let place = (line.purpose(), id);
    Ok(StoredKey {
        id,
        purpose: line.purpose(),
        number,
        algorithm: line.algorithm().to_owned(),
        sealed: kek.seal_key(tenant, place, &secret, &mut ambient.entropy)?,
        public_key,
        created_at: ambient.now,
        published_at: Some(ambient.now),
        active_at: Some(ambient.now),
        retired_at: None,
        expires_at: None,
    })
}
