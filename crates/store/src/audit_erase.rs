//! Taking a deleted user out of the trail (SEC-434): what names them goes, the hash of it stays, and the chain holds. Event
//! and time of a record stay too, and so does the record that says who deleted whom.

use std::time::Duration;

use jeton_protocol::tenant::TenantId;
use jeton_protocol::user::UserId;
use jeton_token::timestamp::Timestamp;

use crate::Store;
use crate::audit;
use crate::audit_chain::{self, Link, head};
use crate::error::StoreError;
use crate::sql::{Tx, values};

/// How many records one step reads.
const BATCH: u32 = 500;

/// How long after a deletion records that name the user are still looked for.
const TAIL: Duration = Duration::from_secs(60 * 60);

/// A user who is to be taken out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Erasure {
    pub tenant: TenantId,
    user: UserId,
    account: String,
    asked_at: Timestamp,
    done_to: i64,
}

impl Store {
    /// Some of the erasures that are to be gone on with.
    pub async fn audit_erasures(&self) -> Result<Vec<Erasure>, StoreError> {
        self.read(|tx| {
            let rows = tx.all(
                "SELECT tenant_id, user_id, account, asked_at, done_to FROM audit_erasures ORDER BY asked_at LIMIT 100",
                &[],
            )?;
            let read = |row: &crate::Row| {
                Ok(Erasure {
                    tenant: audit_chain::tenant(row, 0)?,
                    user: row.id(1)?,
                    account: row.text(2)?.to_owned(),
                    asked_at: row.time(3)?,
                    done_to: row.int(4)?,
                })
            };
            rows.iter().map(read).collect()
        })
        .await
    }

    /// Does one bounded step of an erasure; tells how it stands when another step at once would find more.
    pub async fn erase_audit(
        &self,
        erasure: Erasure,
        now: Timestamp,
    ) -> Result<Option<Erasure>, StoreError> {
        let links = self
            .audit_links(&erasure.tenant, erasure.done_to, BATCH)
            .await?;
        self.write(move |tx| step(tx, &erasure, &links, now)).await
    }
}

/// Written in the transaction that deletes the user.
pub(crate) fn ask(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    (user, username): (UserId, &str),
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.run(
        "INSERT INTO audit_erasures (tenant_id, user_id, account, asked_at, done_to) VALUES ($1, $2, $3, $4, 0) \
         ON CONFLICT (tenant_id, user_id) DO UPDATE SET asked_at = excluded.asked_at, done_to = 0",
        values![tenant.as_str(), user, audit::account(username), now],
    )
    .map(drop)
}

fn step(
    tx: &mut Tx<'_>,
    erasure: &Erasure,
    links: &[Link],
    now: Timestamp,
) -> Result<Option<Erasure>, StoreError> {
    let tenant = erasure.tenant.as_str();
    let user = erasure.user.to_string();
    let names = |text: &str| text.contains(&user) || text.contains(&erasure.account);
    for link in links {
        let named = names(&link.actor) || names(&link.object) || names(&link.record);
        if named && link.erased.is_none() && link.event != "user.deleted" {
            tx.run(
                "UPDATE audit SET actor = '', object = '', record = '', salt = NULL, erased = $3 \
                 WHERE tenant_id = $1 AND id = $2",
                values![tenant, link.id, &link.body()],
            )?;
        }
    }
    let done_to = links.last().map_or(erasure.done_to, |link| link.sequence);
    let all_linked = head(tx, &erasure.tenant)?.is_none_or(|head| head.sequence <= done_to);
    if all_linked && now.since(erasure.asked_at) > TAIL {
        tx.run(
            "DELETE FROM audit_erasures WHERE tenant_id = $1 AND user_id = $2",
            values![tenant, erasure.user],
        )?;
        return Ok(None);
    }
    tx.run(
        "UPDATE audit_erasures SET done_to = $3 WHERE tenant_id = $1 AND user_id = $2",
        values![tenant, erasure.user, done_to],
    )?;
    let more = links.len() == BATCH as usize;
    Ok(more.then(|| Erasure {
        done_to,
        ..erasure.clone()
    }))
}
