//! Consents: the scope a user once approved for a client.

use jeton_protocol::client::ClientId;
use jeton_protocol::consent::Consent;
use jeton_protocol::tenant::TenantId;
use jeton_protocol::user::UserId;

use crate::audit::{self, Occasion};
use crate::error::StoreError;
use crate::sql::{Tx, record, values};
use crate::{Page, Store};

impl Store {
    pub async fn consent(
        &self,
        tenant: &TenantId,
        user: UserId,
        client: &ClientId,
    ) -> Result<Option<Consent>, StoreError> {
        let (tenant, client) = (tenant.clone(), client.clone());
        self.read(move |tx| {
            let row = tx.one(
                "SELECT record FROM consents WHERE tenant_id = $1 AND user_id = $2 AND client_id = $3 \
                 AND EXISTS (SELECT 1 FROM clients c WHERE c.tenant_id = consents.tenant_id \
                 AND c.id = consents.client_id AND c.cut_at <= consents.given_at)",
                values![tenant.as_str(), user, client.as_str()],
            )?;
            row.map(|row| row.record(0)).transpose()
        })
        .await
    }

    /// What the user consented to, by client id.
    pub async fn consents_of_user(
        &self,
        tenant: &TenantId,
        user: UserId,
        page: Page<ClientId>,
    ) -> Result<Vec<(ClientId, Consent)>, StoreError> {
        let tenant = tenant.clone();
        self.read(move |tx| {
            let after = page.after.as_ref().map_or("", ClientId::as_str);
            let rows = tx.all(
                "SELECT client_id, record FROM consents \
                 WHERE tenant_id = $1 AND user_id = $2 AND client_id > $3 ORDER BY client_id LIMIT $4",
                values![tenant.as_str(), user, after, page.limit],
            )?;
            let read = |row: &crate::Row| {
                let client = ClientId::parse(row.text(0)?);
                let client = client.ok_or_else(|| StoreError::damaged("a consent names no client"))?;
                Ok((client, row.record(1)?))
            };
            rows.iter().map(read).collect()
        })
        .await
    }

    /// Forgets the consent, so that the user is asked again. Grants made by it are revoked separately.
    pub async fn forget_consent(
        &self,
        tenant: &TenantId,
        user: UserId,
        client: &ClientId,
        occasion: Occasion,
    ) -> Result<(), StoreError> {
        let (tenant, client) = (tenant.clone(), client.clone());
        self.write(move |tx| {
            let count = tx.run(
                "DELETE FROM consents WHERE tenant_id = $1 AND user_id = $2 AND client_id = $3",
                values![tenant.as_str(), user, client.as_str()],
            )?;
            if count > 0 {
                audit::note(
                    tx,
                    &tenant,
                    "consent.forgotten",
                    &format!("{user} {client}"),
                    &occasion,
                )?;
            }
            Ok(())
        })
        .await
    }
}

pub(crate) fn remember(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    user: UserId,
    client: &ClientId,
    consent: &Consent,
) -> Result<(), StoreError> {
    tx.run(
        "INSERT INTO consents (tenant_id, user_id, client_id, record, given_at) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (tenant_id, user_id, client_id) DO UPDATE SET record = excluded.record, given_at = excluded.given_at",
        values![tenant.as_str(), user, client.as_str(), record(consent)?, consent.given_at],
    )
    .map(drop)
}
