//! Tenants: an issuer each. Found by id or by the issuer's address; never loaded all at once.

use jeton_protocol::cut::CutTarget;
use jeton_protocol::tenant::{Tenant, TenantId};
use jeton_token::timestamp::Timestamp;

use crate::audit::{self, Occasion};
use crate::error::StoreError;
use crate::sql::{Row, record, values};
use crate::versions::{self, Versioned};
use crate::{Changed, Inserted, Page, Store, cuts};

/// A tenant as stored.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredTenant {
    pub tenant: Tenant,
    pub disabled_at: Option<Timestamp>,
}

impl Store {
    /// Makes a tenant; `Taken` when the id or the issuer is in use.
    pub async fn insert_tenant(
        &self,
        tenant: Tenant,
        occasion: Occasion,
    ) -> Result<Inserted, StoreError> {
        self.write(move |tx| {
            let count = tx.run(
                "INSERT INTO tenants (id, issuer, record, changed_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
                values![tenant.id.as_str(), tenant.issuer.as_str(), record(&tenant)?, occasion.now],
            )?;
            if count == 0 {
                return Ok(Inserted::Taken);
            }
            audit::note(tx, &tenant.id, "tenant.made", tenant.id.as_str(), &occasion)?;
            versions::bump(tx, Versioned::Tenants)?;
            Ok(Inserted::Inserted)
        })
        .await
    }

    /// Replaces name, issuer and policy. `Taken` when another tenant has the issuer.
    pub async fn replace_tenant(
        &self,
        tenant: Tenant,
        occasion: Occasion,
    ) -> Result<Changed, StoreError> {
        self.write(move |tx| {
            // Written to be locked: nobody changes it between this look and the change.
            let old = tx.one(
                "UPDATE tenants SET changed_at = changed_at WHERE id = $1 RETURNING record",
                values![tenant.id.as_str()],
            )?;
            let Some(old) = old else {
                return Ok(Changed::NotFound);
            };
            let count = tx.run(
                "UPDATE tenants SET issuer = $2, record = $3, changed_at = $4 WHERE id = $1 \
                 AND NOT EXISTS (SELECT 1 FROM tenants o WHERE o.issuer = $2 AND o.id <> $1)",
                values![
                    tenant.id.as_str(),
                    tenant.issuer.as_str(),
                    record(&tenant)?,
                    occasion.now
                ],
            )?;
            if count == 0 {
                return Ok(Changed::Taken);
            }
            let facts = audit::changes(&old.record::<Tenant>(0)?, &tenant)?;
            let what = ("tenant.changed", tenant.id.as_str());
            audit::note_facts(tx, &tenant.id, what, facts, &occasion)?;
            versions::bump(tx, Versioned::Tenants)?;
            Ok(Changed::Changed)
        })
        .await
    }

    pub async fn tenant(&self, id: &TenantId) -> Result<Option<StoredTenant>, StoreError> {
        let id = id.clone();
        self.read(move |tx| {
            let row = tx.one(
                "SELECT record, disabled_at FROM tenants WHERE id = $1",
                values![id.as_str()],
            )?;
            row.as_ref().map(read).transpose()
        })
        .await
    }

    pub async fn tenant_by_issuer(&self, issuer: &str) -> Result<Option<StoredTenant>, StoreError> {
        let issuer = issuer.to_owned();
        self.read(move |tx| {
            let row = tx.one(
                "SELECT record, disabled_at FROM tenants WHERE issuer = $1",
                values![issuer.as_str()],
            )?;
            row.as_ref().map(read).transpose()
        })
        .await
    }

    /// Tenants by id, from behind `page.after`.
    pub async fn tenants(&self, page: Page<TenantId>) -> Result<Vec<StoredTenant>, StoreError> {
        self.read(move |tx| {
            let after = page.after.as_ref().map_or("", TenantId::as_str);
            let rows = tx.all(
                "SELECT record, disabled_at FROM tenants WHERE id > $1 ORDER BY id LIMIT $2",
                values![after, page.limit],
            )?;
            rows.iter().map(read).collect()
        })
        .await
    }

    /// Disables the tenant and kills every token of it (SEC-307).
    pub async fn disable_tenant(
        &self,
        id: &TenantId,
        occasion: Occasion,
    ) -> Result<Changed, StoreError> {
        let cut = self.disabling_cut(CutTarget::Tenant, occasion.now);
        let owner = id.clone();
        self.write_cutting(id, move |tx| {
            let count = tx.run(
                "UPDATE tenants SET disabled_at = $2, changed_at = $2 WHERE id = $1 AND disabled_at IS NULL",
                values![owner.as_str(), occasion.now],
            )?;
            if count == 0 {
                return Ok((Changed::NotFound, Vec::new()));
            }
            audit::note(tx, &owner, "tenant.disabled", owner.as_str(), &occasion)?;
            versions::bump(tx, Versioned::Tenants)?;
            Ok((Changed::Changed, cuts::write(tx, &owner, vec![cut.clone()])?))
        })
        .await
    }

    pub async fn enable_tenant(
        &self,
        id: &TenantId,
        occasion: Occasion,
    ) -> Result<Changed, StoreError> {
        let id = id.clone();
        self.write(move |tx| {
            let count = tx.run(
                "UPDATE tenants SET disabled_at = NULL, changed_at = $2 WHERE id = $1 AND disabled_at IS NOT NULL",
                values![id.as_str(), occasion.now],
            )?;
            if count == 0 {
                return Ok(Changed::NotFound);
            }
            audit::note(tx, &id, "tenant.enabled", id.as_str(), &occasion)?;
            versions::bump(tx, Versioned::Tenants)?;
            Ok(Changed::Changed)
        })
        .await
    }
}

fn read(row: &Row) -> Result<StoredTenant, StoreError> {
    Ok(StoredTenant {
        tenant: row.record(0)?,
        disabled_at: row.maybe_time(1)?,
    })
}
