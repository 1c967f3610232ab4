//! Opening keys: from the rows of a tenant to what signs, seals and verifies at one instant.
//!
//! A damaged key takes no other one down: it is reported and left out, and the next best of its line does its work (SEC-352).

use super::{Kek, KeyError, Line, Opened};
use jeton_protocol::issue::KeyRing;
use jeton_protocol::tenant::TenantId;
use jeton_store::keys::StoredKey;
use jeton_token::handle::{HandleKey, HandleKeys};
use jeton_token::jwk::PublicJwk;
use jeton_token::key_set::KeySet;
use jeton_token::seal_key::SealKey;
use jeton_token::sealed::SealKeys;
use jeton_token::signing_key::SigningKey;
use jeton_token::timestamp::Timestamp;

/// Opens every key that is alive at `now`.
pub(super) fn ring(
    kek: &Kek,
    tenant: &TenantId,
    rows: &[StoredKey],
    now: Timestamp,
) -> Result<Opened, KeyError> {
    let alive: Vec<&StoredKey> = rows
        .iter()
        .filter(|row| row.expires_at.is_none_or(|end| now < end))
        .collect();
    let open = |row: &StoredKey| kek.open_key(tenant, row);
    let handles = secret_keys(tenant, &alive, (Line::Handles, now), |row| {
        HandleKey::new(row.number, &open(row)?)
            .map_err(|error| KeyError::Stored(row.id, error.to_string()))
    })?;
    let seals = secret_keys(tenant, &alive, (Line::Seals, now), |row| {
        SealKey::new(row.number, &open(row)?)
            .map_err(|error| KeyError::Stored(row.id, error.to_string()))
    })?;
    let new = |error: jeton_token::handle::KeyError| KeyError::New(error.to_string());
    let instants = rows.iter().flat_map(|row| {
        [
            row.published_at,
            row.active_at,
            row.retired_at,
            row.expires_at,
        ]
    });
    let changes_at = instants.flatten().filter(|at| *at > now).min();
    Ok(Opened {
        ring: KeyRing {
            tenant: tenant.clone(),
            handles: HandleKeys::new(handles.0, handles.1).map_err(new)?,
            seals: SealKeys::new(seals.0, seals.1).map_err(new)?,
            signing: signing_keys(kek, tenant, &alive, now),
            published: published_keys(tenant, &alive, now),
        },
        known: alive.iter().map(|row| row.id).collect(),
        changes_at,
    })
}

/// For each algorithm the key that became active last.
fn signing_keys(
    kek: &Kek,
    tenant: &TenantId,
    rows: &[&StoredKey],
    now: Timestamp,
) -> Vec<SigningKey> {
    let mut active: Vec<&StoredKey> = rows
        .iter()
        .copied()
        .filter(|row| matches!(Line::of(row), Some(Line::Signing(_))) && is_in_use(row, now))
        .collect();
    active.sort_by_key(|row| std::cmp::Reverse(row.active_at));
    let mut keys: Vec<SigningKey> = Vec::new();
    for row in active {
        let Some(Line::Signing(algorithm)) = Line::of(row) else {
            continue;
        };
        if keys.iter().any(|known| known.algorithm() == algorithm) {
            continue;
        }
        let opened = kek.open_key(tenant, row).and_then(|secret| {
            SigningKey::from_pkcs8(algorithm, None, secret.expose())
                .map_err(|error| KeyError::Stored(row.id, error.to_string()))
        });
        keys.extend(sound(tenant, opened));
    }
    keys
}

fn is_in_use(row: &StoredKey, now: Timestamp) -> bool {
    row.active_at.is_some_and(|at| at <= now) && row.retired_at.is_none_or(|at| now < at)
}

fn published_keys(tenant: &TenantId, rows: &[&StoredKey], now: Timestamp) -> KeySet {
    let published = rows
        .iter()
        .filter(|row| row.published_at.is_some_and(|at| at <= now));
    let keys = published.filter_map(|row| {
        let text = row.public_key.as_ref()?;
        let broken = |error: String| KeyError::Stored(row.id, error);
        let members = jeton_token::json::parse_object(text.as_bytes(), 64 * 1024)
            .map_err(|error| broken(error.to_string()));
        let key = members.and_then(|members| {
            PublicJwk::parse(&members).map_err(|error| broken(error.to_string()))
        });
        sound(tenant, key)
    });
    KeySet::new(keys.collect())
}

/// The key of a line that is in use, and the others that open what they made: older ones, and those that other nodes may use
/// already.
fn secret_keys<K>(
    tenant: &TenantId,
    rows: &[&StoredKey],
    (line, now): (Line, Timestamp),
    open: impl Fn(&StoredKey) -> Result<K, KeyError>,
) -> Result<(K, Vec<K>), KeyError> {
    let of_line = rows.iter().filter(|row| Line::of(row) == Some(line));
    let mut keys: Vec<(&StoredKey, K)> = of_line
        .filter_map(|row| Some((*row, sound(tenant, open(row))?)))
        .collect();
    let rank = |row: &StoredKey| {
        let is_active = row.active_at.is_some_and(|at| at <= now);
        (is_in_use(row, now), is_active, row.active_at)
    };
    let best = (0..keys.len()).max_by_key(|at| keys.get(*at).map(|(row, _)| rank(row)));
    let best = best.ok_or_else(|| KeyError::New(format!("no {line} key can be opened")))?;
    let (_, current) = keys.swap_remove(best);
    Ok((current, keys.into_iter().map(|(_, key)| key).collect()))
}

/// The key, unless it is damaged: that is reported.
fn sound<K>(tenant: &TenantId, opened: Result<K, KeyError>) -> Option<K> {
    match opened {
        Ok(key) => Some(key),
        Err(error) => {
            tracing::error!(event = "key.damaged", tenant = %tenant, %error, "the other keys go on; restore the row from a backup, or revoke the key");
            None
        }
    }
}
