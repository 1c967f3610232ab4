//! Interactions: one authorization request each, on its way through sign-in and consent. Every step repeats the version it
//! saw, so that no step can be taken twice or out of order (SEC-R05).

use jeton_protocol::authorize::pushed::PushedRequestId;
use jeton_protocol::interaction::{Interaction, InteractionId};
use jeton_protocol::tenant::TenantId;
use jeton_token::timestamp::Timestamp;

use crate::error::StoreError;
use crate::sql::{Row, Tx, record, values};
use crate::{Store, pushed_requests};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stepped {
    /// The interaction is at this version now.
    Stepped(u32),
    /// Closed, expired, or somebody else was faster.
    Stale,
}

/// What making room did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trimmed {
    pub deleted: u64,
    /// Whether a tenant still has more than it may.
    pub more: bool,
}

/// How many rows one verb deletes, and how many verbs one call does.
const BATCH: u32 = 500;
const BATCHES: u32 = 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closed {
    Closed,
    AlreadyClosed,
    /// The pushed request was answered already; the interaction is closed all the same.
    PushedRequestUsed,
}

impl Store {
    pub async fn open_interaction(
        &self,
        tenant: &TenantId,
        interaction: Interaction,
    ) -> Result<(), StoreError> {
        let tenant = tenant.clone();
        self.write(move |tx| {
            let signed_in = interaction.progress.signed_in.as_ref().map(|signed_in| signed_in.session);
            tx.run(
                "INSERT INTO interactions (tenant_id, id, browser, session_id, version, expires_at, record) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7)",
                values![
                    tenant.as_str(),
                    interaction.id,
                    &interaction.browser,
                    signed_in,
                    interaction.progress.version,
                    interaction.expires_at,
                    record(&interaction)?
                ],
            )
            .map(drop)
        })
        .await
    }

    /// A closed or expired one is found too: what to say about it is not decided here.
    pub async fn interaction(
        &self,
        tenant: &TenantId,
        id: InteractionId,
    ) -> Result<Option<Interaction>, StoreError> {
        let tenant = tenant.clone();
        self.read(move |tx| {
            let row = tx.one(
                "SELECT record, version, closed_at, browser FROM interactions WHERE tenant_id = $1 AND id = $2",
                values![tenant.as_str(), id],
            )?;
            let Some(row) = row else { return Ok(None) };
            let mut interaction: Interaction = row.record(0)?;
            interaction.progress.version = row.count(1)?;
            interaction.closed_at = row.maybe_time(2)?;
            interaction.browser = row.digest(3)?;
            Ok(Some(interaction))
        })
        .await
    }

    /// Stores the interaction as it is handed in, if it is still at the version it carries, and moves that on by one. The
    /// browser it belongs to and its end never change.
    pub async fn step_interaction(
        &self,
        tenant: &TenantId,
        interaction: Interaction,
        now: Timestamp,
    ) -> Result<Stepped, StoreError> {
        let tenant = tenant.clone();
        self.write(move |tx| {
            let seen = interaction.progress.version;
            let signed_in = interaction.progress.signed_in.as_ref().map(|signed_in| signed_in.session);
            let count = tx.run(
                "UPDATE interactions SET version = version + 1, session_id = $5, record = $6 \
                 WHERE tenant_id = $1 AND id = $2 AND version = $3 AND closed_at IS NULL AND expires_at > $4",
                values![tenant.as_str(), interaction.id, seen, now, signed_in, record(&interaction)?],
            )?;
            Ok(if count == 1 { Stepped::Stepped(seen.saturating_add(1)) } else { Stepped::Stale })
        })
        .await
    }

    /// Closes it without a grant, as a refusal does, and spends the pushed request it came from. Only one answer ever leaves
    /// for one request. An interaction that was never stored is none.
    pub async fn close_interaction(
        &self,
        tenant: &TenantId,
        id: Option<InteractionId>,
        pushed: Option<PushedRequestId>,
        now: Timestamp,
    ) -> Result<Closed, StoreError> {
        let tenant = tenant.clone();
        self.write(move |tx| {
            if let Some(id) = id {
                let count = tx.run(
                    "UPDATE interactions SET closed_at = $3 WHERE tenant_id = $1 AND id = $2 AND closed_at IS NULL",
                    values![tenant.as_str(), id, now],
                )?;
                if count == 0 {
                    return Ok(Closed::AlreadyClosed);
                }
            }
            match pushed {
                Some(pushed) if !pushed_requests::spend(tx, &tenant, pushed, now)? => {
                    Ok(Closed::PushedRequestUsed)
                }
                Some(_) | None => Ok(Closed::Closed),
            }
        })
        .await
    }

    /// Makes room where a tenant has more than `most` interactions: the oldest go in which nobody has signed in, and when
    /// there are none of those, the oldest. See decision 0016.
    pub async fn trim_interactions(&self, most: u32) -> Result<Trimmed, StoreError> {
        self.trim(most, crowded, make_room).await
    }

    /// Makes room in each tenant of which `crowded` tells that it has more than `most` rows.
    pub(crate) async fn trim(
        &self,
        most: u32,
        crowded: fn(&mut Tx<'_>, u32) -> Result<Vec<Row>, StoreError>,
        make_room: fn(&mut Tx<'_>, &str, u32) -> Result<u64, StoreError>,
    ) -> Result<Trimmed, StoreError> {
        let crowded = self
            .read(move |tx| {
                let rows = crowded(tx, most)?;
                let count =
                    |row: &Row| Ok((row.text(0)?.to_owned(), row.count(1)?.saturating_sub(most)));
                rows.iter()
                    .map(count)
                    .collect::<Result<Vec<_>, StoreError>>()
            })
            .await?;
        let mut trimmed = Trimmed {
            deleted: 0,
            more: false,
        };
        let mut turns = BATCHES;
        for (tenant, mut excess) in crowded {
            while excess > 0 && turns > 0 {
                turns -= 1;
                let (tenant, count) = (tenant.clone(), excess.min(BATCH));
                trimmed.deleted += self.write(move |tx| make_room(tx, &tenant, count)).await?;
                excess -= count;
            }
            trimmed.more |= excess > 0;
        }
        Ok(trimmed)
    }
}

fn crowded(tx: &mut Tx<'_>, most: u32) -> Result<Vec<Row>, StoreError> {
    tx.all(
        "SELECT tenant_id, COUNT(*) FROM interactions GROUP BY tenant_id HAVING COUNT(*) > $1 \
         ORDER BY tenant_id",
        values![most],
    )
}

fn make_room(tx: &mut Tx<'_>, tenant: &str, count: u32) -> Result<u64, StoreError> {
    let begun = tx.run(
        "DELETE FROM interactions WHERE (tenant_id, id) IN (SELECT tenant_id, id FROM interactions \
         WHERE tenant_id = $1 AND session_id IS NULL ORDER BY id LIMIT $2)",
        values![tenant, count],
    )?;
    let rest = u64::from(count).saturating_sub(begun);
    if rest == 0 {
        return Ok(begun);
    }
    let others = tx.run(
        "DELETE FROM interactions WHERE (tenant_id, id) IN (SELECT tenant_id, id FROM interactions \
         WHERE tenant_id = $1 ORDER BY id LIMIT $2)",
        values![tenant, u32::try_from(rest).unwrap_or(count)],
    )?;
    Ok(begun + others)
}
