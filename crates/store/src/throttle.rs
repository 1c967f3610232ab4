//! Counters that slow guessing down, shared by all nodes and durable (SEC-308, SEC-465).
//!
//! A bucket is one instant: when it will be as good as unused. Each charge moves it on; a charge that would move it too far
//! ahead of now must wait. (The generic cell rate algorithm.)

use std::time::Duration;

use jeton_protocol::tenant::TenantId;
use jeton_token::timestamp::Timestamp;

use crate::Store;
use crate::error::StoreError;
use crate::sql::{Tx, values};

/// `burst` charges at once, and one more for every `per_charge` that passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    pub burst: u32,
    pub per_charge: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Throttled {
    Admitted,
    Wait(Duration),
}

/// A bucket and how fast it empties.
pub type Bucket = (String, Rate);

impl Store {
    /// Charges the bucket, or says how long to wait. What has to wait is not charged.
    pub async fn charge(
        &self,
        tenant: &TenantId,
        bucket: &str,
        rate: Rate,
        now: Timestamp,
    ) -> Result<Throttled, StoreError> {
        let (tenant, bucket) = (tenant.clone(), bucket.to_owned());
        self.write(move |tx| Ok(charge(tx, &tenant, (&bucket, rate), now)?.0))
            .await
    }

    /// Charges both buckets, or neither and says which one to wait for: the first (`false`) or the second.
    pub async fn charge_both(
        &self,
        tenant: &TenantId,
        (first, second): (Bucket, Bucket),
        now: Timestamp,
    ) -> Result<(Throttled, bool), StoreError> {
        let tenant = tenant.clone();
        self.write(move |tx| {
            let (charged, before) = charge(tx, &tenant, (&first.0, first.1), now)?;
            if charged != Throttled::Admitted {
                return Ok((charged, false));
            }
            let (charged, _) = charge(tx, &tenant, (&second.0, second.1), now)?;
            if charged != Throttled::Admitted {
                put_back(tx, &tenant, &first.0, before)?;
            }
            Ok((charged, true))
        })
        .await
    }

    /// What [`Store::charge`] would say, without charging.
    pub async fn throttled(
        &self,
        tenant: &TenantId,
        bucket: &str,
        rate: Rate,
        now: Timestamp,
    ) -> Result<Throttled, StoreError> {
        let (tenant, bucket) = (tenant.clone(), bucket.to_owned());
        self.read(move |tx| Ok(next(full_at(tx, &tenant, &bucket)?, rate, now).1))
            .await
    }

    /// Takes one charge back, as a right code does: it forgives itself, and no guess before it.
    pub async fn refund(
        &self,
        tenant: &TenantId,
        bucket: &str,
        rate: Rate,
    ) -> Result<(), StoreError> {
        let (tenant, bucket) = (tenant.clone(), bucket.to_owned());
        self.write(move |tx| {
            tx.run(
                "UPDATE throttle SET full_at = full_at - $3 WHERE tenant_id = $1 AND bucket = $2",
                values![tenant.as_str(), bucket.as_str(), millis(rate.per_charge)],
            )
            .map(drop)
        })
        .await
    }

    /// Takes a right password out of both counts: empties the bucket `whole`, and gives `one` back what a charge made
    /// `since` has left in it by `now`. Never more, so that right passwords cannot make room for wrong ones.
    pub async fn forgive(
        &self,
        tenant: &TenantId,
        (whole, one): (String, Bucket),
        (since, now): (Timestamp, Timestamp),
    ) -> Result<(), StoreError> {
        let tenant = tenant.clone();
        let left = one.1.per_charge.saturating_sub(now.since(since));
        self.write(move |tx| {
            tx.run(
                "UPDATE throttle SET full_at = full_at - $3 WHERE tenant_id = $1 AND bucket = $2",
                values![tenant.as_str(), one.0.as_str(), millis(left)],
            )?;
            tx.run(
                "DELETE FROM throttle WHERE tenant_id = $1 AND bucket = $2",
                values![tenant.as_str(), whole.as_str()],
            )
            .map(drop)
        })
        .await
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// Charges a bucket, and says what was in it before.
fn charge(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    (bucket, rate): (&str, Rate),
    now: Timestamp,
) -> Result<(Throttled, Option<Timestamp>), StoreError> {
    const TRIES: u32 = 100;
    for _ in 0..TRIES {
        let seen = full_at(tx, tenant, bucket)?;
        let (moved, verdict) = next(seen, rate, now);
        if verdict != Throttled::Admitted {
            return Ok((verdict, seen));
        }
        let count = match seen {
            None => tx.run(
                "INSERT INTO throttle (tenant_id, bucket, full_at) VALUES ($1, $2, $3) \
                 ON CONFLICT (tenant_id, bucket) DO NOTHING",
                values![tenant.as_str(), bucket, moved],
            )?,
            Some(seen) => tx.run(
                "UPDATE throttle SET full_at = $3 WHERE tenant_id = $1 AND bucket = $2 AND full_at = $4",
                values![tenant.as_str(), bucket, moved, seen],
            )?,
        };
        if count == 1 {
            return Ok((Throttled::Admitted, seen));
        }
    }
    Err(StoreError::Busy)
}

/// Undoes a charge of this transaction, which holds the row since then.
fn put_back(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    bucket: &str,
    before: Option<Timestamp>,
) -> Result<(), StoreError> {
    match before {
        Some(before) => tx.run(
            "UPDATE throttle SET full_at = $3 WHERE tenant_id = $1 AND bucket = $2",
            values![tenant.as_str(), bucket, before],
        ),
        None => tx.run(
            "DELETE FROM throttle WHERE tenant_id = $1 AND bucket = $2",
            values![tenant.as_str(), bucket],
        ),
    }
    .map(drop)
}

fn full_at(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    bucket: &str,
) -> Result<Option<Timestamp>, StoreError> {
    let row = tx.one(
        "SELECT full_at FROM throttle WHERE tenant_id = $1 AND bucket = $2",
        values![tenant.as_str(), bucket],
    )?;
    row.map(|row| row.time(0)).transpose()
}

fn next(seen: Option<Timestamp>, rate: Rate, now: Timestamp) -> (Timestamp, Throttled) {
    let start = seen.map_or(now, |seen| seen.max(now));
    let moved = start.plus(rate.per_charge);
    let latest = now.plus(rate.per_charge.saturating_mul(rate.burst));
    let verdict = if moved > latest {
        Throttled::Wait(moved.since(latest))
    } else {
        Throttled::Admitted
    };
    (moved, verdict)
}
