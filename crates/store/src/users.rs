//! Users: made, changed, disabled, removed. A name is stored as the protocol made its spellings equal (SEC-044).

use jeton_protocol::cut::CutTarget;
use jeton_protocol::tenant::TenantId;
use jeton_protocol::user::{User, UserId};

use crate::audit::{self, Occasion};
use crate::audit_erase;
use crate::error::StoreError;
use crate::revocation::cut_user;
use crate::sql::{Row, record, values};
use crate::versions::{self, Versioned};
use crate::{Changed, Inserted, Page, Replaced, Seen, Store, cuts};

impl Store {
    /// Makes a user; `Taken` when the name or the id is in use.
    pub async fn insert_user(
        &self,
        tenant: &TenantId,
        user: User,
        occasion: Occasion,
    ) -> Result<Inserted, StoreError> {
        let tenant = tenant.clone();
        self.write(move |tx| {
            let count = tx.run(
                "INSERT INTO users (tenant_id, id, username, record, changed_at, disabled_at, cut_at) \
                 VALUES ($1, $2, $3, $4, $5, $6, 0) ON CONFLICT DO NOTHING",
                values![
                    tenant.as_str(),
                    user.id,
                    user.username.as_str(),
                    record(&user)?,
                    occasion.now,
                    user.disabled_at
                ],
            )?;
            if count == 0 {
                return Ok(Inserted::Taken);
            }
            audit::note(tx, &tenant, "user.made", &user.id.to_string(), &occasion)?;
            Ok(Inserted::Inserted)
        })
        .await
    }

    /// Replaces the record of a user; whether they are disabled stays as it is. `Taken` when another has the name.
    pub async fn replace_user(
        &self,
        tenant: &TenantId,
        user: User,
        occasion: Occasion,
    ) -> Result<Changed, StoreError> {
        let tenant = tenant.clone();
        self.write(move |tx| {
            // Written to be locked: nobody changes it between this look and the change.
            let old = tx.one(
                "UPDATE users SET changed_at = changed_at WHERE tenant_id = $1 AND id = $2 RETURNING record",
                values![tenant.as_str(), user.id],
            )?;
            let Some(old) = old else {
                return Ok(Changed::NotFound);
            };
            let count = tx.run(
                "UPDATE users SET username = $3, record = $4, \
                 changed_at = CASE WHEN changed_at < $5 THEN $5 ELSE changed_at + 1 END \
                 WHERE tenant_id = $1 AND id = $2 \
                 AND NOT EXISTS (SELECT 1 FROM users o WHERE o.tenant_id = $1 AND o.username = $3 AND o.id <> $2)",
                values![tenant.as_str(), user.id, user.username.as_str(), record(&user)?, occasion.now],
            )?;
            if count == 0 {
                return Ok(Changed::Taken);
            }
            let facts = audit::changes(&old.record::<User>(0)?, &user)?;
            let id = user.id.to_string();
            audit::note_facts(tx, &tenant, ("user.changed", &id), facts, &occasion)?;
            versions::bump(tx, Versioned::Users)?;
            Ok(Changed::Changed)
        })
        .await
    }

    /// Replaces the record of a user whom nobody changed since it was read; whether they are disabled stays as it is.
    pub async fn change_user(
        &self,
        tenant: &TenantId,
        seen: Seen<User>,
        occasion: Occasion,
    ) -> Result<Replaced, StoreError> {
        let tenant = tenant.clone();
        self.write(move |tx| {
            let user = &seen.record;
            let old = tx.one(
                "SELECT record, changed_at FROM users WHERE tenant_id = $1 AND id = $2",
                values![tenant.as_str(), user.id],
            )?;
            let Some(old) = old else {
                return Ok(Replaced::NotFound);
            };
            if old.time(1)? != seen.changed_at {
                return Ok(Replaced::Stale);
            }
            let count = tx.run(
                "UPDATE users SET username = $3, record = $4, \
                 changed_at = CASE WHEN changed_at < $5 THEN $5 ELSE changed_at + 1 END \
                 WHERE tenant_id = $1 AND id = $2 AND changed_at = $6 \
                 AND NOT EXISTS (SELECT 1 FROM users o WHERE o.tenant_id = $1 AND o.username = $3 AND o.id <> $2)",
                values![
                    tenant.as_str(),
                    user.id,
                    user.username.as_str(),
                    record(user)?,
                    occasion.now,
                    seen.changed_at
                ],
            )?;
            if count == 0 {
                let there = tx.one(
                    "SELECT changed_at FROM users WHERE tenant_id = $1 AND id = $2",
                    values![tenant.as_str(), user.id],
                )?;
                return Ok(match there {
                    None => Replaced::NotFound,
                    Some(row) if row.time(0)? != seen.changed_at => Replaced::Stale,
                    Some(_) => Replaced::Taken,
                });
            }
            let facts = audit::changes(&old.record::<User>(0)?, user)?;
            let id = user.id.to_string();
            audit::note_facts(tx, &tenant, ("user.changed", &id), facts, &occasion)?;
            versions::bump(tx, Versioned::Users)?;
            Ok(Replaced::Replaced)
        })
        .await
    }

    /// A user by name, to be changed.
    pub async fn seen_user(
        &self,
        tenant: &TenantId,
        username: &str,
    ) -> Result<Option<Seen<User>>, StoreError> {
        let (tenant, username) = (tenant.clone(), username.to_owned());
        self.read(move |tx| {
            let row = tx.one(
                "SELECT record, disabled_at, changed_at FROM users WHERE tenant_id = $1 AND username = $2",
                values![tenant.as_str(), username.as_str()],
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

    pub async fn user(&self, tenant: &TenantId, id: UserId) -> Result<Option<User>, StoreError> {
        let tenant = tenant.clone();
        self.read(move |tx| {
            let row = tx.one(
                "SELECT record, disabled_at FROM users WHERE tenant_id = $1 AND id = $2",
                values![tenant.as_str(), id],
            )?;
            row.as_ref().map(read).transpose()
        })
        .await
    }

    pub async fn user_by_name(
        &self,
        tenant: &TenantId,
        username: &str,
    ) -> Result<Option<User>, StoreError> {
        let (tenant, username) = (tenant.clone(), username.to_owned());
        self.read(move |tx| {
            let row = tx.one(
                "SELECT record, disabled_at FROM users WHERE tenant_id = $1 AND username = $2",
                values![tenant.as_str(), username.as_str()],
            )?;
            row.as_ref().map(read).transpose()
        })
        .await
    }

    /// Users in the order they were made, from behind `page.after`.
    pub async fn users(
        &self,
        tenant: &TenantId,
        page: Page<UserId>,
    ) -> Result<Vec<User>, StoreError> {
        let tenant = tenant.clone();
        self.read(move |tx| {
            let after = page.after.unwrap_or(UserId::from_bytes([0; 16]));
            let rows = tx.all(
                "SELECT record, disabled_at FROM users WHERE tenant_id = $1 AND id > $2 ORDER BY id LIMIT $3",
                values![tenant.as_str(), after, page.limit],
            )?;
            rows.iter().map(read).collect()
        })
        .await
    }

    /// Disables the user and kills every session and grant they have (SEC-307).
    pub async fn disable_user(
        &self,
        tenant: &TenantId,
        id: UserId,
        occasion: Occasion,
    ) -> Result<Changed, StoreError> {
        let cut = self.disabling_cut(CutTarget::User(id), occasion.now);
        let owner = tenant.clone();
        self.write_cutting(tenant, move |tx| {
            let count = tx.run(
                "UPDATE users SET disabled_at = $3, \
                 changed_at = CASE WHEN changed_at < $3 THEN $3 ELSE changed_at + 1 END \
                 WHERE tenant_id = $1 AND id = $2 AND disabled_at IS NULL",
                values![owner.as_str(), id, occasion.now],
            )?;
            if count == 0 {
                return Ok((Changed::NotFound, Vec::new()));
            }
            audit::note(tx, &owner, "user.disabled", &id.to_string(), &occasion)?;
            cut_user(tx, &owner, id, &occasion)?;
            Ok((
                Changed::Changed,
                cuts::write(tx, &owner, vec![cut.clone()])?,
            ))
        })
        .await
    }

    /// Lets the user in again. What they had before stays dead.
    pub async fn enable_user(
        &self,
        tenant: &TenantId,
        id: UserId,
        occasion: Occasion,
    ) -> Result<Changed, StoreError> {
        let tenant = tenant.clone();
        self.write(move |tx| {
            let count = tx.run(
                "UPDATE users SET disabled_at = NULL, \
                 changed_at = CASE WHEN changed_at < $3 THEN $3 ELSE changed_at + 1 END \
                 WHERE tenant_id = $1 AND id = $2 AND disabled_at IS NOT NULL",
                values![tenant.as_str(), id, occasion.now],
            )?;
            if count == 0 {
                return Ok(Changed::NotFound);
            }
            audit::note(tx, &tenant, "user.enabled", &id.to_string(), &occasion)?;
            versions::bump(tx, Versioned::Users)?;
            Ok(Changed::Changed)
        })
        .await
    }

    /// Removes the user with credentials and consents, and kills every session and grant they had. What names them in the
    /// audit trail goes soon after (SEC-434).
    pub async fn delete_user(
        &self,
        tenant: &TenantId,
        id: UserId,
        occasion: Occasion,
    ) -> Result<Changed, StoreError> {
        let cut = self.final_cut(CutTarget::User(id), occasion.now);
        let owner = tenant.clone();
        self.write_cutting(tenant, move |tx| {
            let deleted = tx.one(
                "DELETE FROM users WHERE tenant_id = $1 AND id = $2 RETURNING username",
                values![owner.as_str(), id],
            )?;
            let Some(deleted) = deleted else {
                return Ok((Changed::NotFound, Vec::new()));
            };
            audit_erase::ask(tx, &owner, (id, deleted.text(0)?), occasion.now)?;
            tx.run(
                "DELETE FROM consents WHERE tenant_id = $1 AND user_id = $2",
                values![owner.as_str(), id],
            )?;
            audit::note(tx, &owner, "user.deleted", &id.to_string(), &occasion)?;
            versions::bump(tx, Versioned::Users)?;
            Ok((
                Changed::Changed,
                cuts::write(tx, &owner, vec![cut.clone()])?,
            ))
        })
        .await
    }
}

fn read(row: &Row) -> Result<User, StoreError> {
    let mut user: User = row.record(0)?;
    user.disabled_at = row.maybe_time(1)?;
    Ok(user)
}
