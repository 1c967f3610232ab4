//! Clients: registered, replaced, disabled, removed.

use jeton_protocol::client::{Client, ClientId, KeptSecret};
use jeton_protocol::cut::CutTarget;
use jeton_protocol::tenant::TenantId;

use crate::audit::{self, Occasion};
use crate::error::StoreError;
use crate::keys::Resealed;
use crate::sql::{Row, record, values};
use crate::versions::{self, Versioned};
use crate::{Changed, Inserted, Page, Replaced, Seen, Store, cuts};

impl Store {
    /// Registers a client. An id that was in use before inherits nothing.
    pub async fn insert_client(
        &self,
        tenant: &TenantId,
        client: Client,
        occasion: Occasion,
    ) -> Result<Inserted, StoreError> {
        let tenant = tenant.clone();
        self.write(move |tx| {
            let count = tx.run(
                "INSERT INTO clients (tenant_id, id, record, changed_at, disabled_at, cut_at) \
                 VALUES ($1, $2, $3, $4, $5, $4) ON CONFLICT DO NOTHING",
                values![
                    tenant.as_str(),
                    client.id.as_str(),
                    record(&client)?,
                    occasion.now,
                    client.disabled_at
                ],
            )?;
            if count == 0 {
                return Ok(Inserted::Taken);
            }
            audit::note(
                tx,
                &tenant,
                "client.registered",
                client.id.as_str(),
                &occasion,
            )?;
            versions::bump(tx, Versioned::Clients)?;
            Ok(Inserted::Inserted)
        })
        .await
    }

    /// Replaces the record of a client; whether it is disabled stays as it is.
    pub async fn replace_client(
        &self,
        tenant: &TenantId,
        client: Client,
        occasion: Occasion,
    ) -> Result<Changed, StoreError> {
        let tenant = tenant.clone();
        self.write(move |tx| {
            // Written to be locked: nobody changes it between this look and the change.
            let old = tx.one(
                "UPDATE clients SET changed_at = changed_at WHERE tenant_id = $1 AND id = $2 RETURNING record",
                values![tenant.as_str(), client.id.as_str()],
            )?;
            let Some(old) = old else {
                return Ok(Changed::NotFound);
            };
            tx.run(
                "UPDATE clients SET record = $3, \
                 changed_at = CASE WHEN changed_at < $4 THEN $4 ELSE changed_at + 1 END WHERE tenant_id = $1 AND id = $2",
                values![
                    tenant.as_str(),
                    client.id.as_str(),
                    record(&client)?,
                    occasion.now
                ],
            )?;
            let facts = audit::changes(&old.record::<Client>(0)?, &client)?;
            let what = ("client.changed", client.id.as_str());
            audit::note_facts(tx, &tenant, what, facts, &occasion)?;
            versions::bump(tx, Versioned::Clients)?;
            Ok(Changed::Changed)
        })
        .await
    }

    /// Replaces sealed secrets, when the key-encryption key changes. A client whose secret is no longer what it was before
    /// keeps its own; how many were replaced is the answer.
    pub async fn reseal_client_secrets(
        &self,
        tenant: &TenantId,
        resealed: Vec<Resealed<ClientId, String>>,
    ) -> Result<u64, StoreError> {
        let tenant = tenant.clone();
        self.write(move |tx| {
            let mut count = 0;
            for one in &resealed {
                let found = tx.one(
                    "SELECT record FROM clients WHERE tenant_id = $1 AND id = $2",
                    values![tenant.as_str(), one.id.as_str()],
                )?;
                let Some(found) = found else { continue };
                let mut client: Client = found.record(0)?;
                if client.secret != Some(KeptSecret::Sealed(one.before.clone())) {
                    continue;
                }
                client.secret = Some(KeptSecret::Sealed(one.after.clone()));
                count += tx.run(
                    "UPDATE clients SET record = $3, changed_at = changed_at + 1 \
                     WHERE tenant_id = $1 AND id = $2 AND record = $4",
                    values![
                        tenant.as_str(),
                        one.id.as_str(),
                        record(&client)?,
                        found.text(0)?
                    ],
                )?;
            }
            versions::bump(tx, Versioned::Clients)?;
            Ok(count)
        })
        .await
    }

    /// Replaces the record of a client that nobody changed since it was read; whether it is disabled stays as it is.
    pub async fn change_client(
        &self,
        tenant: &TenantId,
        seen: Seen<Client>,
        occasion: Occasion,
    ) -> Result<Replaced, StoreError> {
        let tenant = tenant.clone();
        self.write(move |tx| {
            let id = seen.record.id.as_str();
            let old = tx.one(
                "SELECT record, changed_at FROM clients WHERE tenant_id = $1 AND id = $2",
                values![tenant.as_str(), id],
            )?;
            let Some(old) = old else {
                return Ok(Replaced::NotFound);
            };
            if old.time(1)? != seen.changed_at {
                return Ok(Replaced::Stale);
            }
            let count = tx.run(
                "UPDATE clients SET record = $3, \
                 changed_at = CASE WHEN changed_at < $4 THEN $4 ELSE changed_at + 1 END \
                 WHERE tenant_id = $1 AND id = $2 AND changed_at = $5",
                values![
                    tenant.as_str(),
                    id,
                    record(&seen.record)?,
                    occasion.now,
                    seen.changed_at
                ],
            )?;
            if count == 0 {
                return Ok(Replaced::Stale);
            }
            let facts = audit::changes(&old.record::<Client>(0)?, &seen.record)?;
            audit::note_facts(tx, &tenant, ("client.changed", id), facts, &occasion)?;
            versions::bump(tx, Versioned::Clients)?;
            Ok(Replaced::Replaced)
        })
        .await
    }

    /// A client, to be changed.
    pub async fn seen_client(
        &self,
        tenant: &TenantId,
        id: &ClientId,
    ) -> Result<Option<Seen<Client>>, StoreError> {
        let (tenant, id) = (tenant.clone(), id.clone());
        self.read(move |tx| {
            let row = tx.one(
                "SELECT record, disabled_at, changed_at FROM clients WHERE tenant_id = $1 AND id = $2",
                values![tenant.as_str(), id.as_str()],
            )?;
            let seen = |row: &Row| {
                Ok(Seen {
                    record: read(row)?,
                    changed_at: row.time(2)?,
                })
            };
            row.as_ref().map(seen).transpose()
        })
        .await
    }

    pub async fn client(
        &self,
        tenant: &TenantId,
        id: &ClientId,
    ) -> Result<Option<Client>, StoreError> {
        let (tenant, id) = (tenant.clone(), id.clone());
        self.read(move |tx| {
            let row = tx.one(
                "SELECT record, disabled_at FROM clients WHERE tenant_id = $1 AND id = $2",
                values![tenant.as_str(), id.as_str()],
            )?;
            row.as_ref().map(read).transpose()
        })
        .await
    }

    /// Clients by id, from behind `page.after`.
    pub async fn clients(
        &self,
        tenant: &TenantId,
        page: Page<ClientId>,
    ) -> Result<Vec<Client>, StoreError> {
        let tenant = tenant.clone();
        self.read(move |tx| {
            let after = page.after.as_ref().map_or("", ClientId::as_str);
            let rows = tx.all(
                "SELECT record, disabled_at FROM clients WHERE tenant_id = $1 AND id > $2 ORDER BY id LIMIT $3",
                values![tenant.as_str(), after, page.limit],
            )?;
            rows.iter().map(read).collect()
        })
        .await
    }

    /// Disables the client and kills all it has (SEC-307).
    pub async fn disable_client(
        &self,
        tenant: &TenantId,
        id: &ClientId,
        occasion: Occasion,
    ) -> Result<Changed, StoreError> {
        let cut = self.disabling_cut(CutTarget::Client(id.clone()), occasion.now);
        let (owner, id) = (tenant.clone(), id.clone());
        self.write_cutting(tenant, move |tx| {
            let count = tx.run(
                "UPDATE clients SET disabled_at = $3, cut_at = $4, \
                 changed_at = CASE WHEN changed_at < $3 THEN $3 ELSE changed_at + 1 END \
                 WHERE tenant_id = $1 AND id = $2 AND disabled_at IS NULL",
                values![
                    owner.as_str(),
                    id.as_str(),
                    occasion.now,
                    cuts::after(occasion.now)
                ],
            )?;
            if count == 0 {
                return Ok((Changed::NotFound, Vec::new()));
            }
            audit::note(tx, &owner, "client.disabled", id.as_str(), &occasion)?;
            versions::bump(tx, Versioned::Clients)?;
            Ok((
                Changed::Changed,
                cuts::write(tx, &owner, vec![cut.clone()])?,
            ))
        })
        .await
    }

    /// Lets the client work again. What it had before stays dead.
    pub async fn enable_client(
        &self,
        tenant: &TenantId,
        id: &ClientId,
        occasion: Occasion,
    ) -> Result<Changed, StoreError> {
        let (tenant, id) = (tenant.clone(), id.clone());
        self.write(move |tx| {
            let count = tx.run(
                "UPDATE clients SET disabled_at = NULL, \
                 changed_at = CASE WHEN changed_at < $3 THEN $3 ELSE changed_at + 1 END \
                 WHERE tenant_id = $1 AND id = $2 AND disabled_at IS NOT NULL",
                values![tenant.as_str(), id.as_str(), occasion.now],
            )?;
            if count == 0 {
                return Ok(Changed::NotFound);
            }
            audit::note(tx, &tenant, "client.enabled", id.as_str(), &occasion)?;
            versions::bump(tx, Versioned::Clients)?;
            Ok(Changed::Changed)
        })
        .await
    }

    /// Removes the client and kills all it has.
    pub async fn delete_client(
        &self,
        tenant: &TenantId,
        id: &ClientId,
        occasion: Occasion,
    ) -> Result<Changed, StoreError> {
        // Until every process has read of it, tokens are made of what they keep in memory: those are dead too.
        let cut = self.disabling_cut(CutTarget::Client(id.clone()), occasion.now);
        let (owner, id) = (tenant.clone(), id.clone());
        self.write_cutting(tenant, move |tx| {
            let count = tx.run(
                "DELETE FROM clients WHERE tenant_id = $1 AND id = $2",
                values![owner.as_str(), id.as_str()],
            )?;
            if count == 0 {
                return Ok((Changed::NotFound, Vec::new()));
            }
            audit::note(tx, &owner, "client.deleted", id.as_str(), &occasion)?;
            versions::bump(tx, Versioned::Clients)?;
            Ok((
                Changed::Changed,
                cuts::write(tx, &owner, vec![cut.clone()])?,
            ))
        })
        .await
    }
}

fn read(row: &Row) -> Result<Client, StoreError> {
    let mut client: Client = row.record(0)?;
    client.disabled_at = row.maybe_time(1)?;
    Ok(client)
}
