//! Credentials: what a user proves themselves with. For now a password, as a PHC string; hashing is not done here.

use jeton_protocol::cut::{Cut, CutTarget};
use jeton_protocol::session::Session;
use jeton_protocol::tenant::TenantId;
use jeton_protocol::user::UserId;
use jeton_token::row_id::RowId;
use serde::{Deserialize, Serialize};

use crate::audit::{self, Occasion};
use crate::error::StoreError;
use crate::links::{self, LinkUse};
use crate::revocation::cut_user;
use crate::sql::{Tx, record, values};
use crate::{Changed, Store, cuts, sessions};

const PASSWORD: &str = "password";

#[derive(Serialize, Deserialize)]
struct Password {
    phc: String,
}

/// What a link for a first password brings about.
#[derive(Clone, Debug, PartialEq)]
pub struct Welcome {
    pub link: RowId,
    pub purpose: &'static str,
    pub phc: String,
    pub occasion: Occasion,
    /// Begins after `occasion`, or the change of password would end it too.
    pub session: Session,
    pub opened: Occasion,
}

impl Store {
    /// The PHC string of the user's password, if they have one.
    pub async fn password(
        &self,
        tenant: &TenantId,
        user: UserId,
    ) -> Result<Option<String>, StoreError> {
        let tenant = tenant.clone();
        self.read(move |tx| {
            let row = tx.one(
                "SELECT record FROM credentials WHERE tenant_id = $1 AND user_id = $2 AND kind = $3",
                values![tenant.as_str(), user, PASSWORD],
            )?;
            row.map(|row| Ok(row.record::<Password>(0)?.phc)).transpose()
        })
        .await
    }

    /// Sets the password. When it replaces one, every session and grant of the user dies with it (SEC-162).
    pub async fn set_password(
        &self,
        tenant: &TenantId,
        user: UserId,
        phc: String,
        occasion: Occasion,
    ) -> Result<Changed, StoreError> {
        let cut = self.cut_of(CutTarget::User(user), occasion.now);
        let owner = tenant.clone();
        self.write_cutting(tenant, move |tx| {
            set(tx, &owner, (user, &phc), &cut, &occasion)
        })
        .await
    }

    /// Uses the link, sets the password it was made for and signs its user in: all of it or nothing, since a link that is
    /// used cannot be tried again (SEC-309).
    pub async fn set_password_by_link(
        &self,
        tenant: &TenantId,
        welcome: Welcome,
    ) -> Result<LinkUse, StoreError> {
        let (user, now) = (welcome.session.user, welcome.occasion.now);
        let cut = self.cut_of(CutTarget::User(user), now);
        let owner = tenant.clone();
        self.write_cutting(tenant, move |tx| {
            let used = links::spend(tx, &owner, (welcome.link, welcome.purpose), now)?;
            if used == LinkUse::Gone {
                return Ok((used, Vec::new()));
            }
            let (_, cuts) = set(tx, &owner, (user, &welcome.phc), &cut, &welcome.occasion)?;
            sessions::insert(tx, &owner, &welcome.session, &welcome.opened)?;
            Ok((used, cuts))
        })
        .await
    }

    /// Stores the same password under a stronger hash, unless it was changed since `old` was read. Ends nothing.
    pub async fn rehash_password(
        &self,
        tenant: &TenantId,
        user: UserId,
        old: String,
        new: String,
    ) -> Result<Changed, StoreError> {
        let tenant = tenant.clone();
        self.write(move |tx| {
            let count = tx.run(
                "UPDATE credentials SET record = $5 WHERE tenant_id = $1 AND user_id = $2 AND kind = $3 AND record = $4",
                values![
                    tenant.as_str(),
                    user,
                    PASSWORD,
                    record(&Password { phc: old.clone() })?,
                    record(&Password { phc: new.clone() })?
                ],
            )?;
            Ok(if count == 1 { Changed::Changed } else { Changed::NotFound })
        })
        .await
    }
}

fn set(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    (user, phc): (UserId, &str),
    cut: &Cut,
    occasion: &Occasion,
) -> Result<(Changed, Vec<Cut>), StoreError> {
    let there = tx.one(
        "SELECT id FROM users WHERE tenant_id = $1 AND id = $2",
        values![tenant.as_str(), user],
    )?;
    if there.is_none() {
        return Ok((Changed::NotFound, Vec::new()));
    }
    let replaced = update(tx, tenant, user, phc, occasion)?;
    if !replaced {
        tx.run(
            "INSERT INTO credentials (tenant_id, user_id, kind, record, changed_at) VALUES ($1, $2, $3, $4, $5)",
            values![
                tenant.as_str(),
                user,
                PASSWORD,
                record(&Password { phc: phc.to_owned() })?,
                occasion.now
            ],
        )?;
    }
    audit::note(tx, tenant, "user.password_set", &user.to_string(), occasion)?;
    if !replaced {
        return Ok((Changed::Changed, Vec::new()));
    }
    cut_user(tx, tenant, user, occasion)?;
    Ok((
        Changed::Changed,
        cuts::write(tx, tenant, vec![cut.clone()])?,
    ))
}

fn update(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    user: UserId,
    phc: &str,
    occasion: &Occasion,
) -> Result<bool, StoreError> {
    let count = tx.run(
        "UPDATE credentials SET record = $4, changed_at = $5 WHERE tenant_id = $1 AND user_id = $2 AND kind = $3",
        values![
            tenant.as_str(),
            user,
            PASSWORD,
            record(&Password { phc: phc.to_owned() })?,
            occasion.now
        ],
    )?;
    Ok(count == 1)
}
