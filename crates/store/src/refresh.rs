//! Refreshing: the refresh token of a grant is a counter, and rotation is its next value (design §1). A refresh that does
//! not rotate writes nothing.

use std::time::Duration;

use jeton_protocol::cut::{Cut, CutTarget};
use jeton_protocol::grant::{Grant, GrantId, RefreshableGrant};
use jeton_protocol::tenant::TenantId;
use jeton_token::timestamp::Timestamp;

use crate::Store;
use crate::audit::Occasion;
use crate::error::StoreError;
use crate::grants;
use crate::revocation;
use crate::sql::{Tx, record, values};

/// A refresh token about to be replaced by its successor.
#[derive(Clone, Debug, PartialEq)]
pub struct Rotation {
    pub grant: GrantId,
    /// The generation of the token that was presented.
    pub presented: u32,
    /// How long the token before the newest still yields that same newest one.
    pub grace: Duration,
    /// The idle end of the successor.
    pub refresh_expires_at: Timestamp,
    /// The grant with the key its refresh tokens are bound to from now on; `None` leaves it as it is.
    pub bound: Option<Grant>,
    pub occasion: Occasion,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rotated {
    /// The presented token was the newest; this generation is now.
    Successor(u32),
    /// The presented token was replaced a moment ago; this is what replaced it (SEC-161).
    SameSuccessor(u32),
    /// The presented token was replaced long ago: somebody has a copy. The grant is revoked now (SEC-160).
    Reused,
    /// Expired, revoked, never given out, or its user, client or session no longer stands.
    Gone,
}

impl Store {
    /// The grant of a refresh token, with everything its standing depends on. A revoked one is found too.
    pub async fn refreshable_grant(
        &self,
        tenant: &TenantId,
        id: GrantId,
    ) -> Result<Option<RefreshableGrant>, StoreError> {
        let tenant = tenant.clone();
        self.read(move |tx| {
            Ok(
                grants::find(tx, &tenant, id)?.map(|found| RefreshableGrant {
                    grant: found.grant,
                    state: found.state,
                    generation: found.generation,
                    rotated_at: found.rotated_at,
                    refresh_expires_at: found.refresh_expires_at,
                }),
            )
        })
        .await
    }

    /// Replaces the presented token. However many present it at once, one successor exists afterwards (SEC-303).
    pub async fn rotate_refresh_token(
        &self,
        tenant: &TenantId,
        rotation: Rotation,
    ) -> Result<Rotated, StoreError> {
        let cut = self.cut_of(CutTarget::Grant(rotation.grant), rotation.occasion.now);
        let keep_until = rotation.refresh_expires_at.max(cut.expires_at);
        let owner = tenant.clone();
        self.write_cutting(tenant, move |tx| {
            rotate(tx, &owner, &rotation, keep_until, &cut)
        })
        .await
    }
}

fn rotate(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    rotation: &Rotation,
    keep_until: Timestamp,
    cut: &Cut,
) -> Result<(Rotated, Vec<Cut>), StoreError> {
    let now = rotation.occasion.now;
    let bound = rotation.bound.as_ref().map(record).transpose()?;
    let rotated = tx.run(
        "UPDATE grants SET generation = generation + 1, rotated_at = $4, refresh_expires_at = $5, keep_until = $6, \
         record = COALESCE($7, record) \
         WHERE tenant_id = $1 AND id = $2 AND generation = $3 AND generation > 0 AND revoked_at IS NULL \
         AND refresh_expires_at > $4 AND expires_at > $4 \
         AND EXISTS (SELECT 1 FROM clients c WHERE c.tenant_id = grants.tenant_id AND c.id = grants.client_id \
         AND c.disabled_at IS NULL AND c.cut_at <= grants.created_at) \
         AND (user_id IS NULL OR EXISTS (SELECT 1 FROM users u WHERE u.tenant_id = grants.tenant_id \
         AND u.id = grants.user_id AND u.disabled_at IS NULL AND u.cut_at <= grants.created_at)) \
         AND (offline = 1 OR NOT EXISTS (SELECT 1 FROM sessions s WHERE s.tenant_id = grants.tenant_id \
         AND s.id = grants.session_id AND s.ended_at IS NOT NULL))",
        values![
            tenant.as_str(),
            rotation.grant,
            rotation.presented,
            now,
            rotation.refresh_expires_at,
            keep_until,
            bound
        ],
    )?;
    if rotated == 1 {
        return Ok((
            Rotated::Successor(rotation.presented.saturating_add(1)),
            Vec::new(),
        ));
    }
    let found = grants::find(tx, tenant, rotation.grant)?;
    let Some(found) = found.filter(|found| found.stands(now)) else {
        return Ok((Rotated::Gone, Vec::new()));
    };
    if rotation.presented >= found.generation || rotation.presented == 0 {
        return Ok((Rotated::Gone, Vec::new()));
    }
    let just_replaced = rotation.presented.saturating_add(1) == found.generation
        && found
            .rotated_at
            .is_some_and(|at| now.since(at) < rotation.grace);
    if just_replaced && found.refresh_expires_at.is_some_and(|end| end > now) {
        return Ok((Rotated::SameSuccessor(found.generation), Vec::new()));
    }
    let cuts = revocation::revoke(tx, tenant, "refresh_token.reused", cut, &rotation.occasion)?;
    Ok((Rotated::Reused, cuts))
}
