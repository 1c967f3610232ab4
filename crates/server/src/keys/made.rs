//! Making keys: the first ones of a tenant, and the next ones in time.

use super::{Kek, KeyError, SIGNING_ALGORITHMS};
use crate::ambient::Ambient;
use crate::app::App;
use jeton_protocol::tenant::TenantId;
use jeton_store::Store;
use jeton_store::keys::{KeyPurpose, StoredKey};
use jeton_store::leases::Leased;
use jeton_store::seal::{self, Place};
use jeton_token::algorithm::SignatureAlgorithm;
use jeton_token::row_id::RowId;
use jeton_token::secret::Secret;
use jeton_token::signing_key::SigningKey;
use std::time::Duration;

/// Makes the first keys of a tenant; of several processes that start at once, one does.
pub(super) async fn make_first(
    store: &Store,
    kek: &Kek,
    tenant: &TenantId,
    ambient: &mut Ambient,
) -> Result<(), KeyError> {
    let mut keys = Vec::new();
    for (number, algorithm) in (1..).zip(SIGNING_ALGORITHMS) {
        keys.push(new_signing(kek, tenant, algorithm, number, ambient)?);
    }
    for purpose in [KeyPurpose::Handle, KeyPurpose::Seal] {
        keys.push(new_secret(kek, tenant, purpose, 1, ambient)?);
    }
    store
        .insert_first_keys(tenant, keys, ambient.occasion("first start", String::new()))
        .await?;
    Ok(())
}

/// Adds the next key of `algorithm`: published now, used after `lead`; the one before it goes when its last token has.
pub async fn rotate(
    store: &Store,
    kek: &Kek,
    tenant: &TenantId,
    (algorithm, lead): (SignatureAlgorithm, Duration),
    ambient: &mut Ambient,
) -> Result<StoredKey, KeyError> {
    let rows = store.keys(tenant).await?;
    let of_algorithm =
        |row: &&StoredKey| row.purpose == KeyPurpose::Signing && row.algorithm == algorithm.name();
    let number = rows
        .iter()
        .filter(|row| row.purpose == KeyPurpose::Signing)
        .map(|row| row.number)
        .max();
    let mut next = new_signing(
        kek,
        tenant,
        algorithm,
        number.unwrap_or(0).saturating_add(1),
        ambient,
    )?;
    let active_at = ambient.now.plus(lead);
    next.active_at = Some(active_at);
    store
        .insert_key(
            tenant,
            next.clone(),
            ambient.occasion("operator", String::new()),
        )
        .await?;
    for row in rows
        .iter()
        .filter(of_algorithm)
        .filter(|row| row.retired_at.is_none_or(|at| at > active_at))
    {
        let retired = StoredKey {
            retired_at: Some(active_at),
            expires_at: Some(active_at.plus(LONGEST_TOKEN).plus(MARGIN)),
            ..row.clone()
        };
        store
            .schedule_key(tenant, retired, ambient.occasion("operator", String::new()))
            .await?;
    }
    Ok(next)
}

/// Makes the next key of every algorithm whose newest one has nearly signed for `period`; of several nodes one does.
pub async fn rotate_due(
    app: &App,
    tenant: &TenantId,
    (period, lead): (Duration, Duration),
) -> Result<(), KeyError> {
    let mut ambient = app.ambient();
    let now = ambient.now;
    let rows = app.store.keys(tenant).await?;
    let is_due = |algorithm: &SignatureAlgorithm| {
        let of_algorithm = rows.iter().filter(|row| row.algorithm == algorithm.name());
        let newest = of_algorithm.filter_map(|row| row.active_at).max();
        newest.is_some_and(|active_at| now.plus(lead) >= active_at.plus(period))
    };
    let due: Vec<_> = SIGNING_ALGORITHMS.into_iter().filter(is_due).collect();
    if !due.is_empty() && hold_lease(app, &mut ambient).await? {
        for algorithm in due {
            let plan = (algorithm, lead);
            rotate(&app.store, &app.kek, tenant, plan, &mut ambient).await?;
            tracing::info!(event = "key.rotated", tenant = %tenant, algorithm = algorithm.name());
        }
    }
    ambient.end();
    Ok(())
}

/// The ceiling of all token lifetimes.
const LONGEST_TOKEN: Duration = Duration::from_secs(24 * 60 * 60);

/// Only one node rotates; the others see its key before the lease ends.
async fn hold_lease(app: &App, ambient: &mut Ambient) -> Result<bool, KeyError> {
    let holder = RowId::new(ambient.now, &mut ambient.entropy).to_string();
    let until = ambient.now.plus(Duration::from_secs(60));
    Ok(app
        .store
        .take_lease("key rotation", &holder, until, ambient.now)
        .await?
        == Leased::Taken)
}

/// Clocks differ, and a token may be minted in the very moment its key retires.
const MARGIN: Duration = Duration::from_secs(120);

fn new_signing(
    kek: &Kek,
    tenant: &TenantId,
    algorithm: SignatureAlgorithm,
    number: u16,
    ambient: &mut Ambient,
) -> Result<StoredKey, KeyError> {
    let new = |error: &dyn std::fmt::Display| KeyError::New(error.to_string());
    let key = SigningKey::generate(algorithm, None).map_err(|error| new(&error))?;
    let pkcs8 = key.to_pkcs8().map_err(|error| new(&error))?;
    let mut row = stored(kek, tenant, (KeyPurpose::Signing, number), &pkcs8, ambient)?;
    algorithm.name().clone_into(&mut row.algorithm);
    row.public_key = Some(serde_json::Value::Object(key.public_jwk().to_json()).to_string());
    Ok(row)
}

fn new_secret(
    kek: &Kek,
    tenant: &TenantId,
    purpose: KeyPurpose,
    number: u16,
    ambient: &mut Ambient,
) -> Result<StoredKey, KeyError> {
    let secret = Secret::random(&mut ambient.entropy);
    stored(kek, tenant, (purpose, number), &secret, ambient)
}

pub(super) fn stored(
    kek: &Kek,
    tenant: &TenantId,
    (purpose, number): (KeyPurpose, u16),
    secret: &Secret,
    ambient: &mut Ambient,
) -> Result<StoredKey, KeyError> {
    let id = RowId::new(ambient.now, &mut ambient.entropy);
    let row = id.to_string();
    let place = Place {
        tenant,
        table: "keys",
        row: &row,
        purpose: purpose.name(),
    };
    let sealed = seal::seal(&kek.0, place, secret, &mut ambient.entropy);
    Ok(StoredKey {
        id,
        purpose,
        number,
        algorithm: purpose.name().to_owned(),
        sealed: sealed.map_err(|error| KeyError::New(error.to_string()))?,
        public_key: None,
        created_at: ambient.now,
        published_at: Some(ambient.now),
        active_at: Some(ambient.now),
        retired_at: None,
        expires_at: None,
    })
}
