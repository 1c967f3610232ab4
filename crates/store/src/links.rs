//! Links that are sent or shown to a person and work once: setting a first password, resetting one, inviting an operator.
//! The link itself is a handle; the row knows whether it was used (SEC-300).

use jeton_protocol::tenant::TenantId;
use jeton_token::row_id::RowId;
use jeton_token::timestamp::Timestamp;
use serde_json::{Map, Value as Json};

use crate::Store;
use crate::audit::{self, Occasion};
use crate::error::StoreError;
use crate::sql::{Tx, record, values};

#[derive(Clone, Debug, PartialEq)]
pub struct Link {
    pub id: RowId,
    /// What it may be used for; a link for one purpose is unknown to every other.
    pub purpose: String,
    pub expires_at: Timestamp,
    pub facts: Map<String, Json>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum LinkUse {
    Used(Link),
    /// Used before, expired, for another purpose, or never made.
    Gone,
}

impl Store {
    pub async fn make_link(
        &self,
        tenant: &TenantId,
        link: Link,
        occasion: Occasion,
    ) -> Result<(), StoreError> {
        let tenant = tenant.clone();
        self.write(move |tx| {
            tx.run(
                "INSERT INTO links (tenant_id, id, purpose, expires_at, record) VALUES ($1, $2, $3, $4, $5)",
                values![tenant.as_str(), link.id, link.purpose.as_str(), link.expires_at, record(&link.facts)?],
            )?;
            audit::note(tx, &tenant, "link.made", &link.id.to_string(), &occasion)
        })
        .await
    }

    /// What the link is for, without using it: for the page that asks before it acts.
    pub async fn link(
        &self,
        tenant: &TenantId,
        id: RowId,
        now: Timestamp,
    ) -> Result<Option<Link>, StoreError> {
        let tenant = tenant.clone();
        self.read(move |tx| {
            let row = tx.one(
                "SELECT purpose, expires_at, record FROM links \
                 WHERE tenant_id = $1 AND id = $2 AND used_at IS NULL AND expires_at > $3",
                values![tenant.as_str(), id, now],
            )?;
            let Some(row) = row else { return Ok(None) };
            let purpose = row.text(0)?.to_owned();
            Ok(Some(Link {
                id,
                purpose,
                expires_at: row.time(1)?,
                facts: row.record(2)?,
            }))
        })
        .await
    }

    /// Uses the link: exactly one caller gets it.
    pub async fn use_link(
        &self,
        tenant: &TenantId,
        id: RowId,
        purpose: &'static str,
        occasion: Occasion,
    ) -> Result<LinkUse, StoreError> {
        let tenant = tenant.clone();
        self.write(move |tx| {
            let used = spend(tx, &tenant, (id, purpose), occasion.now)?;
            if used != LinkUse::Gone {
                audit::note(tx, &tenant, "link.used", &id.to_string(), &occasion)?;
            }
            Ok(used)
        })
        .await
    }
}

/// Leaves the audit record to the verb that says what the link was spent on.
pub(crate) fn spend(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    (id, purpose): (RowId, &'static str),
    now: Timestamp,
) -> Result<LinkUse, StoreError> {
    let row = tx.one(
        "UPDATE links SET used_at = $4 WHERE tenant_id = $1 AND id = $2 AND purpose = $3 \
         AND used_at IS NULL AND expires_at > $4 RETURNING expires_at, record",
        values![tenant.as_str(), id, purpose, now],
    )?;
    let Some(row) = row else {
        return Ok(LinkUse::Gone);
    };
    let (expires_at, facts) = (row.time(0)?, row.record(1)?);
    Ok(LinkUse::Used(Link {
        id,
        purpose: purpose.to_owned(),
        expires_at,
        facts,
    }))
}
