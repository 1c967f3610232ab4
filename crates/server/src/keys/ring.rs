//! Opening keys: from the rows of a tenant to what signs, seals and verifies at one instant.

use super::{Kek, KeyError, Opened};
use jeton_protocol::issue::KeyRing;
use jeton_protocol::tenant::TenantId;
use jeton_store::keys::{KeyPurpose, StoredKey};
use jeton_token::algorithm::SignatureAlgorithm;
use jeton_token::handle::{HandleKey, HandleKeys};
use jeton_token::jwk::PublicJwk;
use jeton_token::key_set::KeySet;
use jeton_token::seal_key::SealKey;
use jeton_token::sealed::SealKeys;
use jeton_token::secret::Secret;
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
    let signing = signing_keys(&alive, now, &open)?;
    let published = published_keys(&alive, now)?;
    let handles = secret_keys(&alive, KeyPurpose::Handle, now, |row| {
        HandleKey::new(row.number, &open(row)?)
            .map_err(|error| KeyError::Stored(row.id, error.to_string()))
    })?;
    let seals = secret_keys(&alive, KeyPurpose::Seal, now, |row| {
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
            signing,
            published,
        },
        changes_at,
    })
}

/// For each algorithm the key that became active last.
fn signing_keys(
    rows: &[&StoredKey],
    now: Timestamp,
    open: &impl Fn(&StoredKey) -> Result<Secret, KeyError>,
) -> Result<Vec<SigningKey>, KeyError> {
    let active = |row: &&&StoredKey| {
        row.purpose == KeyPurpose::Signing
            && row.active_at.is_some_and(|at| at <= now)
            && is_unretired(row, now)
    };
    let mut newest: Vec<&StoredKey> = Vec::new();
    for row in rows.iter().filter(active) {
        match newest
            .iter_mut()
            .find(|known| known.algorithm == row.algorithm)
        {
            Some(known) if known.active_at < row.active_at => *known = row,
            Some(_) => {}
            None => newest.push(row),
        }
    }
    newest
        .into_iter()
        .map(|row| {
            let broken = |error: String| KeyError::Stored(row.id, error);
            let algorithm = SignatureAlgorithm::parse(&row.algorithm);
            let algorithm =
                algorithm.ok_or_else(|| broken(format!("unknown algorithm {}", row.algorithm)))?;
            SigningKey::from_pkcs8(algorithm, None, open(row)?.expose())
                .map_err(|error| broken(error.to_string()))
        })
        .collect()
}

fn is_unretired(row: &StoredKey, now: Timestamp) -> bool {
    row.retired_at.is_none_or(|at| now < at)
}

fn published_keys(rows: &[&StoredKey], now: Timestamp) -> Result<KeySet, KeyError> {
    let mut keys = Vec::new();
    for row in rows
        .iter()
        .filter(|row| row.published_at.is_some_and(|at| at <= now))
    {
        let Some(text) = &row.public_key else {
            continue;
        };
        let broken = |error: String| KeyError::Stored(row.id, error);
        let members = jeton_token::json::parse_object(text.as_bytes(), 64 * 1024);
        let members = members.map_err(|error| broken(error.to_string()))?;
        keys.push(PublicJwk::parse(&members).map_err(|error| broken(error.to_string()))?);
    }
    Ok(KeySet::new(keys))
}

/// The active key of a purpose, and the others that still open what they made.
fn secret_keys<K>(
    rows: &[&StoredKey],
    purpose: KeyPurpose,
    now: Timestamp,
    open: impl Fn(&StoredKey) -> Result<K, KeyError>,
) -> Result<(K, Vec<K>), KeyError> {
    let of_purpose: Vec<_> = rows.iter().filter(|row| row.purpose == purpose).collect();
    let active = of_purpose
        .iter()
        .filter(|row| row.active_at.is_some_and(|at| at <= now));
    let current = active.max_by_key(|row| row.active_at);
    let current =
        current.ok_or_else(|| KeyError::New(format!("no active {} key", purpose.name())))?;
    let older = of_purpose.iter().filter(|row| row.id != current.id);
    Ok((
        open(current)?,
        older.map(|row| open(row)).collect::<Result<_, _>>()?,
    ))
}
