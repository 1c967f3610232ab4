//! Taking grants back: one, or all of a user or client. Durable before it is answered (SEC-301, SEC-302).

use jeton_protocol::client::ClientId;
use jeton_protocol::cut::{Cut, CutTarget};
use jeton_protocol::grant::GrantId;
use jeton_protocol::tenant::TenantId;
use jeton_protocol::user::UserId;

use crate::Store;
use crate::audit::{self, Occasion};
use crate::cuts;
use crate::error::StoreError;
use crate::sql::{Tx, values};
use crate::versions::{self, Versioned};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revoked {
    Revoked,
    /// Revoked before, or never made: nothing was left to do.
    AlreadyGone,
}

impl Store {
    /// Revokes the grant with all its tokens. `event` is the word for it in the audit trail.
    pub async fn revoke_grant(
        &self,
        tenant: &TenantId,
        grant: GrantId,
        event: &'static str,
        occasion: Occasion,
    ) -> Result<Revoked, StoreError> {
        let cut = self.cut_of(CutTarget::Grant(grant), occasion.now);
        let owner = tenant.clone();
        self.write_cutting(tenant, move |tx| {
            let cuts = revoke(tx, &owner, event, &cut, &occasion)?;
            Ok((
                if cuts.is_empty() {
                    Revoked::AlreadyGone
                } else {
                    Revoked::Revoked
                },
                cuts,
            ))
        })
        .await
    }

    /// Ends every grant and session the user has now. What they approve afterwards stands.
    pub async fn revoke_grants_of_user(
        &self,
        tenant: &TenantId,
        user: UserId,
        occasion: Occasion,
    ) -> Result<Revoked, StoreError> {
        let cut = self.cut_of(CutTarget::User(user), occasion.now);
        let owner = tenant.clone();
        self.write_cutting(tenant, move |tx| {
            if !cut_user(tx, &owner, user, &occasion)? {
                return Ok((Revoked::AlreadyGone, Vec::new()));
            }
            audit::note(
                tx,
                &owner,
                "user.grants_revoked",
                &user.to_string(),
                &occasion,
            )?;
            Ok((
                Revoked::Revoked,
                cuts::write(tx, &owner, vec![cut.clone()])?,
            ))
        })
        .await
    }

    /// Ends every grant the client has now.
    pub async fn revoke_grants_of_client(
        &self,
        tenant: &TenantId,
        client: &ClientId,
        occasion: Occasion,
    ) -> Result<Revoked, StoreError> {
        let cut = self.cut_of(CutTarget::Client(client.clone()), occasion.now);
        let (owner, client) = (tenant.clone(), client.clone());
        self.write_cutting(tenant, move |tx| {
            let count = tx.run(
                "UPDATE clients SET cut_at = $3 WHERE tenant_id = $1 AND id = $2 AND cut_at < $3",
                values![owner.as_str(), client.as_str(), cuts::after(occasion.now)],
            )?;
            if count == 0 {
                return Ok((Revoked::AlreadyGone, Vec::new()));
            }
            audit::note(
                tx,
                &owner,
                "client.grants_revoked",
                client.as_str(),
                &occasion,
            )?;
            versions::bump(tx, Versioned::Clients)?;
            Ok((
                Revoked::Revoked,
                cuts::write(tx, &owner, vec![cut.clone()])?,
            ))
        })
        .await
    }
}

/// Revokes the grant a cut is aimed at, unless it is revoked already; then the first revocation stands and is enough.
pub(crate) fn revoke(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    event: &str,
    cut: &Cut,
    occasion: &Occasion,
) -> Result<Vec<Cut>, StoreError> {
    let CutTarget::Grant(id) = &cut.target else {
        return Err(StoreError::failed("a grant is revoked by a cut on a grant"));
    };
    let revoked = tx.one(
        "UPDATE grants SET revoked_at = $3 WHERE tenant_id = $1 AND id = $2 AND revoked_at IS NULL \
         RETURNING client_id, user_id",
        values![tenant.as_str(), *id, occasion.now],
    )?;
    let Some(revoked) = revoked else {
        return Ok(Vec::new());
    };
    let mut facts = serde_json::Map::new();
    facts.insert("client".into(), revoked.text(0)?.into());
    if let Some(user) = revoked.maybe_id(1)? {
        facts.insert("on_behalf_of".into(), user.to_string().into());
    }
    audit::note_facts(tx, tenant, (event, &id.to_string()), facts, occasion)?;
    cuts::write(tx, tenant, vec![cut.clone()])
}

/// Kills what the user has now; tells whether there is such a user.
pub(crate) fn cut_user(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    user: UserId,
    occasion: &Occasion,
) -> Result<bool, StoreError> {
    let count = tx.run(
        "UPDATE users SET cut_at = CASE WHEN cut_at > $3 THEN cut_at ELSE $3 END WHERE tenant_id = $1 AND id = $2",
        values![tenant.as_str(), user, cuts::after(occasion.now)],
    )?;
    if count > 0 {
        versions::bump(tx, Versioned::Users)?;
    }
    Ok(count > 0)
}
