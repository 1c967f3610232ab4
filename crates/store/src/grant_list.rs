//! Looking at grants, one or many. Nothing is decided here, and nothing is changed.

use jeton_protocol::client::ClientId;
use jeton_protocol::grant::GrantId;
use jeton_protocol::tenant::TenantId;
use jeton_protocol::user::UserId;
use jeton_token::row_id::RowId;

use crate::error::StoreError;
use crate::grants::{self, StoredGrant};
use crate::sql::values;
use crate::{Page, Store};

/// Whose grants; all of the tenant when neither is named.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GrantsOf {
    pub user: Option<UserId>,
    pub client: Option<ClientId>,
}

/// What one look found.
#[derive(Clone, Debug, PartialEq)]
pub struct GrantsFound {
    pub grants: Vec<StoredGrant>,
    /// Behind which id to look on; `None` once the last grant was looked at.
    pub next: Option<GrantId>,
}

/// How many rows one look passes: no index leads from a user or a client to grants, and a look must not take long.
const LOOK: u32 = 5000;

impl Store {
    /// The grant, whatever became of it.
    pub async fn grant(
        &self,
        tenant: &TenantId,
        id: GrantId,
    ) -> Result<Option<StoredGrant>, StoreError> {
        let tenant = tenant.clone();
        self.read(move |tx| grants::find(tx, &tenant, id)).await
    }

    /// Some of the grants behind `page.after`, in the order they were made. There may be more even if none was found.
    pub async fn grants(
        &self,
        tenant: &TenantId,
        of: GrantsOf,
        page: Page<GrantId>,
    ) -> Result<GrantsFound, StoreError> {
        let tenant = tenant.clone();
        self.read(move |tx| {
            let after = page.after.unwrap_or(RowId::from_bytes([0; 16]));
            let end = tx.one(
                "SELECT id FROM grants WHERE tenant_id = $1 AND id > $2 ORDER BY id LIMIT 1 OFFSET $3",
                values![tenant.as_str(), after, LOOK],
            )?;
            let end = end.map(|row| row.id(0)).transpose()?;
            let rows = tx.all(
                "SELECT g.record, g.created_at, g.code_expires_at, g.redeemed_at, g.generation, g.rotated_at, \
                 g.refresh_expires_at, g.revoked_at, s.ended_at, u.id, u.disabled_at, u.cut_at, c.cut_at, \
                 c.disabled_at FROM grants g \
                 LEFT JOIN users u ON u.tenant_id = g.tenant_id AND u.id = g.user_id \
                 LEFT JOIN clients c ON c.tenant_id = g.tenant_id AND c.id = g.client_id \
                 LEFT JOIN sessions s ON s.tenant_id = g.tenant_id AND s.id = g.session_id \
                 WHERE g.tenant_id = $1 AND g.id > $2 AND g.id <= $3 AND (g.user_id = $4 OR $4 IS NULL) \
                 AND (g.client_id = $5 OR $5 IS NULL) ORDER BY g.id LIMIT $6",
                values![
                    tenant.as_str(),
                    after,
                    end.unwrap_or(RowId::from_bytes([0xff; 16])),
                    of.user,
                    of.client.as_ref().map(ClientId::as_str),
                    page.limit
                ],
            )?;
            let found: Vec<StoredGrant> =
                rows.iter().map(StoredGrant::read).collect::<Result<_, _>>()?;
            let is_full = found.len() >= page.limit as usize;
            let last = found.last().map(|stored| stored.grant.id);
            Ok(GrantsFound {
                next: if is_full { last } else { end },
                grants: found,
            })
        })
        .await
    }
}
