//! Interactions: one authorization request each, on its way through sign-in and consent. Every step repeats the version it
//! saw, so that no step can be taken twice or out of order (SEC-R05).

use jeton_protocol::authorize::pushed::PushedRequestId;
use jeton_protocol::interaction::{Interaction, InteractionId};
use jeton_protocol::tenant::TenantId;
use jeton_token::timestamp::Timestamp;

use crate::error::StoreError;
use crate::sql::{record, values};
use crate::{Store, pushed_requests};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stepped {
    /// The interaction is at this version now.
    Stepped(u32),
    /// Closed, expired, or somebody else was faster.
    Stale,
}

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
}
