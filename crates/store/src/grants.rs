//! Grants: approval makes one with its code pending, redemption spends the code. Refreshing is in `refresh.rs`,
//! taking back in `revocation.rs`.

use jeton_protocol::authorize::pushed::PushedRequestId;
use jeton_protocol::consent::Consent;
use jeton_protocol::cut::{Cut, CutTarget};
use jeton_protocol::grant::{Grant, GrantId, GrantState, PendingGrant};
use jeton_protocol::interaction::InteractionId;
use jeton_protocol::tenant::TenantId;
use jeton_token::timestamp::Timestamp;

use crate::audit::{self, Occasion};
use crate::error::StoreError;
use crate::sql::{Row, Tx, record, values};
use crate::{Page, Store, consents, pushed_requests, revocation};

/// Everything the end of an authorization request makes true at once.
#[derive(Clone, Debug, PartialEq)]
pub struct Approval {
    /// The interaction this ends; none when nobody had to be asked, so that none was stored.
    pub interaction: Option<InteractionId>,
    /// The pushed request this answers.
    pub pushed: Option<PushedRequestId>,
    /// The version of the interaction the decision was made on.
    pub version: u32,
    pub grant: Grant,
    pub code_expires_at: Timestamp,
    /// To be remembered; `None` when nothing new was consented to.
    pub consent: Option<Consent>,
    pub occasion: Occasion,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Approved {
    Approved,
    /// The interaction was answered, has expired or moved on since it was read, or the session has ended. Nothing was
    /// changed.
    AlreadyClosed,
    /// The pushed request was answered already. The interaction that came too late is closed, and nothing else changed.
    PushedRequestUsed,
}

/// A code about to be spent.
#[derive(Clone, Debug, PartialEq)]
pub struct Redemption {
    pub grant: GrantId,
    /// The idle end of the first refresh token, of generation 1; `None` when none is given.
    pub refresh_expires_at: Option<Timestamp>,
    /// The grant with the key its refresh tokens are bound to from now on; `None` leaves it as it is.
    pub bound: Option<Grant>,
    pub occasion: Occasion,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Redeemed {
    /// This call spent the code.
    Issued,
    /// The code had been spent. The grant and all tokens of it are revoked now (RFC 6749 §4.1.2).
    Replayed,
    /// Never made, expired, revoked, or its user, client or session no longer stands.
    Gone,
}

impl Store {
    /// Closes the interaction, spends the pushed request and stores the grant with its code pending, the consent and the trace, or does nothing.
    pub async fn approve(
        &self,
        tenant: &TenantId,
        approval: Approval,
    ) -> Result<Approved, StoreError> {
        let tenant = tenant.clone();
        self.write(move |tx| approve(tx, &tenant, &approval)).await
    }

    /// The grant of a code, with everything its standing depends on. A spent or revoked one is found too.
    pub async fn pending_grant(
        &self,
        tenant: &TenantId,
        id: GrantId,
    ) -> Result<Option<PendingGrant>, StoreError> {
        let tenant = tenant.clone();
        self.read(move |tx| Ok(find(tx, &tenant, id)?.and_then(StoredGrant::into_pending)))
            .await
    }

    /// Grants in the order of their making, from behind `page.after`, each with its end.
    pub async fn grant_ends(
        &self,
        tenant: &TenantId,
        page: Page<GrantId>,
    ) -> Result<Vec<(GrantId, Timestamp)>, StoreError> {
        let tenant = tenant.clone();
        self.read(move |tx| {
            let after = page.after.unwrap_or(GrantId::from_bytes([0; 16]));
            let rows = tx.all(
                "SELECT id, expires_at FROM grants WHERE tenant_id = $1 AND id > $2 ORDER BY id LIMIT $3",
                values![tenant.as_str(), after, page.limit],
            )?;
            rows.iter()
                .map(|row| Ok((row.id(0)?, row.time(1)?)))
                .collect()
        })
        .await
    }

    /// Spends the code. Of any number of tries one is `Issued`; the next one takes everything back.
    pub async fn redeem_code(
        &self,
        tenant: &TenantId,
        redemption: Redemption,
    ) -> Result<Redeemed, StoreError> {
        let cut = self.cut_of(CutTarget::Grant(redemption.grant), redemption.occasion.now);
        let keep_until = redemption
            .refresh_expires_at
            .map_or(cut.expires_at, |end| end.max(cut.expires_at));
        let owner = tenant.clone();
        self.write_cutting(tenant, move |tx| {
            redeem(tx, &owner, &redemption, keep_until, &cut)
        })
        .await
    }
}

pub(crate) fn approve(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    approval: &Approval,
) -> Result<Approved, StoreError> {
    let (grant, now) = (&approval.grant, approval.occasion.now);
    // The session is locked by the look at it, so that a sign-out comes before this approval or after it.
    let live = tx.run(
        "UPDATE sessions SET last_seen_at = CASE WHEN last_seen_at < $4 THEN $4 ELSE last_seen_at END \
         WHERE tenant_id = $1 AND id = $2 AND user_id = $3 AND ended_at IS NULL",
        values![tenant.as_str(), grant.session, grant.user, now],
    )?;
    if live == 0 {
        return Ok(Approved::AlreadyClosed);
    }
    if let Some(interaction) = approval.interaction {
        let closed = tx.run(
            "UPDATE interactions SET closed_at = $4 WHERE tenant_id = $1 AND id = $2 AND version = $3 \
             AND closed_at IS NULL AND expires_at > $4",
            values![tenant.as_str(), interaction, approval.version, now],
        )?;
        if closed == 0 {
            return Ok(Approved::AlreadyClosed);
        }
    }
    if let Some(pushed) = approval.pushed
        && !pushed_requests::spend(tx, tenant, pushed, now)?
    {
        return Ok(Approved::PushedRequestUsed);
    }
    tx.run(
        "INSERT INTO grants (tenant_id, id, client_id, user_id, session_id, offline, created_at, code_expires_at, \
         generation, expires_at, keep_until, record) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, $9, $8, $10)",
        values![
            tenant.as_str(),
            grant.id,
            grant.client.as_str(),
            grant.user,
            grant.session,
            i64::from(grant.offline),
            grant.created_at,
            approval.code_expires_at,
            grant.expires_at,
            record(grant)?
        ],
    )?;
    if let Some(consent) = &approval.consent {
        consents::remember(tx, tenant, grant.user, &grant.client, consent)?;
    }
    let facts = serde_json::Map::from_iter([
        ("client".to_owned(), grant.client.as_str().into()),
        ("scope".to_owned(), grant.scope.to_string().into()),
        ("consented".to_owned(), approval.consent.is_some().into()),
    ]);
    let id = grant.id.to_string();
    audit::note_facts(
        tx,
        tenant,
        ("grant.approved", &id),
        facts,
        &approval.occasion,
    )?;
    Ok(Approved::Approved)
}

/// The condition is the whole gate once more: what was true when the grant was read may not be any longer.
fn redeem(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    redemption: &Redemption,
    keep_until: Timestamp,
    cut: &Cut,
) -> Result<(Redeemed, Vec<Cut>), StoreError> {
    let now = redemption.occasion.now;
    let generation = i64::from(redemption.refresh_expires_at.is_some());
    let bound = redemption.bound.as_ref().map(record).transpose()?;
    let spent = tx.run(
        "UPDATE grants SET redeemed_at = $3, generation = $4, refresh_expires_at = $5, keep_until = $6, \
         record = COALESCE($7, record) \
         WHERE tenant_id = $1 AND id = $2 AND redeemed_at IS NULL AND revoked_at IS NULL \
         AND code_expires_at > $3 AND expires_at > $3 \
         AND EXISTS (SELECT 1 FROM clients c WHERE c.tenant_id = grants.tenant_id AND c.id = grants.client_id \
         AND c.disabled_at IS NULL AND c.cut_at <= grants.created_at) \
         AND (user_id IS NULL OR EXISTS (SELECT 1 FROM users u WHERE u.tenant_id = grants.tenant_id \
         AND u.id = grants.user_id AND u.disabled_at IS NULL AND u.cut_at <= grants.created_at)) \
         AND (offline = 1 OR NOT EXISTS (SELECT 1 FROM sessions s WHERE s.tenant_id = grants.tenant_id \
         AND s.id = grants.session_id AND s.ended_at IS NOT NULL))",
        values![
            tenant.as_str(),
            redemption.grant,
            now,
            generation,
            redemption.refresh_expires_at,
            keep_until,
            bound
        ],
    )?;
    if spent == 1 {
        return Ok((Redeemed::Issued, Vec::new()));
    }
    match find(tx, tenant, redemption.grant)? {
        Some(found) if found.redeemed_at.is_some() => {
            let cuts = revocation::revoke(tx, tenant, "code.replayed", cut, &redemption.occasion)?;
            Ok((Redeemed::Replayed, cuts))
        }
        Some(_) | None => Ok((Redeemed::Gone, Vec::new())),
    }
}

/// A grant row with the rows its standing depends on, as one statement found them.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredGrant {
    pub grant: Grant,
    pub state: GrantState,
    pub code_expires_at: Option<Timestamp>,
    pub redeemed_at: Option<Timestamp>,
    pub generation: u32,
    pub rotated_at: Option<Timestamp>,
    pub refresh_expires_at: Option<Timestamp>,
}

pub(crate) fn find(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    id: GrantId,
) -> Result<Option<StoredGrant>, StoreError> {
    let row = tx.one(
        "SELECT g.record, g.created_at, g.code_expires_at, g.redeemed_at, g.generation, g.rotated_at, \
         g.refresh_expires_at, g.revoked_at, s.ended_at, u.id, u.disabled_at, u.cut_at, c.cut_at, c.disabled_at \
         FROM grants g \
         LEFT JOIN users u ON u.tenant_id = g.tenant_id AND u.id = g.user_id \
         LEFT JOIN clients c ON c.tenant_id = g.tenant_id AND c.id = g.client_id \
         LEFT JOIN sessions s ON s.tenant_id = g.tenant_id AND s.id = g.session_id \
         WHERE g.tenant_id = $1 AND g.id = $2",
        values![tenant.as_str(), id],
    )?;
    row.as_ref().map(StoredGrant::read).transpose()
}

impl StoredGrant {
    pub(crate) fn read(row: &Row) -> Result<Self, StoreError> {
        let created_at = row.time(1)?;
        let cut = |at: Option<Timestamp>| at.filter(|at| *at > created_at);
        // A client that is gone takes its grants with it, like one that was cut when the grant was made.
        let by_client = match row.maybe_time(12)? {
            Some(at) => row.maybe_time(13)?.or(cut(Some(at))),
            None => Some(created_at),
        };
        let revoked_at = row
            .maybe_time(7)?
            .or(cut(row.maybe_time(11)?))
            .or(by_client);
        Ok(Self {
            grant: row.record(0)?,
            state: GrantState {
                revoked_at,
                user_disabled_at: row.maybe_time(10)?,
                user_gone: row.maybe_id(9)?.is_none(),
                session_ended_at: row.maybe_time(8)?,
            },
            code_expires_at: row.maybe_time(2)?,
            redeemed_at: row.maybe_time(3)?,
            generation: row.count(4)?,
            rotated_at: row.maybe_time(5)?,
            refresh_expires_at: row.maybe_time(6)?,
        })
    }

    fn into_pending(self) -> Option<PendingGrant> {
        let code_expires_at = self.code_expires_at?;
        let (grant, state, redeemed_at) = (self.grant, self.state, self.redeemed_at);
        Some(PendingGrant {
            grant,
            state,
            code_expires_at,
            redeemed_at,
        })
    }

    /// Whether tokens may come of it at all.
    pub fn stands(&self, now: Timestamp) -> bool {
        self.state.revoked_at.is_none()
            && self.state.user_disabled_at.is_none()
            && !self.state.user_gone
            && (self.grant.offline || self.state.session_ended_at.is_none())
            && self.grant.expires_at > now
    }
}
