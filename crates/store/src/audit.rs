//! The audit trail: one record for each change that matters, written in the transaction that makes the change (SEC-310).

use jeton_protocol::tenant::TenantId;
use jeton_token::row_id::RowId;
use jeton_token::timestamp::Timestamp;
use serde_json::{Map, Value as Json};

use crate::error::StoreError;
use crate::sql::{Tx, record, values};
use crate::{Page, Store};

/// When, by whom and in which request a change is made: what a verb needs to leave its trace.
#[derive(Clone, Debug, PartialEq)]
pub struct Occasion {
    pub now: Timestamp,
    /// The id of the audit record to write.
    pub trace: RowId,
    /// A user id, a client id, or a word such as `operator`.
    pub actor: String,
    /// The id of the request, as the log has it; empty when there was none.
    pub request: String,
}

/// One line of the trail.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditRecord {
    pub id: RowId,
    pub at: Timestamp,
    pub event: String,
    pub actor: String,
    pub object: String,
    pub details: Map<String, Json>,
}

impl Store {
    /// Records something that changed nothing in the store, such as a refused sign-in.
    pub async fn audit(
        &self,
        tenant: &TenantId,
        event: &'static str,
        object: &str,
        occasion: Occasion,
    ) -> Result<(), StoreError> {
        let (tenant, object) = (tenant.clone(), object.to_owned());
        self.write(move |tx| note(tx, &tenant, event, &object, &occasion))
            .await
    }

    /// The trail from the newest record backwards; `page.after` is the oldest one already seen.
    pub async fn audit_records(
        &self,
        tenant: &TenantId,
        page: Page<RowId>,
    ) -> Result<Vec<AuditRecord>, StoreError> {
        let tenant = tenant.clone();
        self.read(move |tx| {
            let before = page.after.unwrap_or(RowId::from_bytes([0xff; 16]));
            let rows = tx.all(
                "SELECT id, at, event, actor, object, record FROM audit \
                 WHERE tenant_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3",
                values![tenant.as_str(), before, page.limit],
            )?;
            let read = |row: &crate::Row| {
                Ok(AuditRecord {
                    id: row.id(0)?,
                    at: row.time(1)?,
                    event: row.text(2)?.to_owned(),
                    actor: row.text(3)?.to_owned(),
                    object: row.text(4)?.to_owned(),
                    details: row.record(5)?,
                })
            };
            rows.iter().map(read).collect()
        })
        .await
    }
}

/// Writes the one record of a change.
pub(crate) fn note(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    event: &str,
    object: &str,
    occasion: &Occasion,
) -> Result<(), StoreError> {
    let mut details = Map::new();
    if !occasion.request.is_empty() {
        details.insert("request".into(), Json::String(occasion.request.clone()));
    }
    tx.run(
        "INSERT INTO audit (tenant_id, id, at, event, actor, object, record) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        values![
            tenant.as_str(),
            occasion.trace,
            occasion.now,
            event,
            occasion.actor.as_str(),
            object,
            record(&details)?
        ],
    )
    .map(drop)
}
