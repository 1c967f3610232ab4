//! Counters that tell other processes what changed, so that each can keep parsed records in memory.

use crate::Store;
use crate::error::StoreError;
use crate::sql::{Tx, values};

/// What has a counter. The row of the counter is locked until the change is committed, so counting order is commit order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Versioned {
    Clients,
    Users,
    Keys,
    Tenants,
    Cuts,
}

impl Versioned {
    const fn name(self) -> &'static str {
        match self {
            Self::Clients => "clients",
            Self::Users => "users",
            Self::Keys => "keys",
            Self::Tenants => "tenants",
            Self::Cuts => "cuts",
        }
    }
}

/// All counters, as one look found them. Whatever is kept from a table is stale once its counter moved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Versions {
    pub clients: i64,
    pub users: i64,
    pub keys: i64,
    pub tenants: i64,
    pub cuts: i64,
}

impl Store {
    /// One small read; ask it at least once a second.
    pub async fn versions(&self) -> Result<Versions, StoreError> {
        self.read(|tx| {
            let mut found = Versions::default();
            for row in tx.all("SELECT name, version FROM versions", &[])? {
                let version = row.int(1)?;
                match row.text(0)? {
                    "clients" => found.clients = version,
                    "users" => found.users = version,
                    "keys" => found.keys = version,
                    "tenants" => found.tenants = version,
                    "cuts" => found.cuts = version,
                    _ => {}
                }
            }
            Ok(found)
        })
        .await
    }
}

/// Counts one change. Done last in a verb, so that the lock is short; [`Versioned::Cuts`] after all others.
pub(crate) fn bump(tx: &mut Tx<'_>, what: Versioned) -> Result<i64, StoreError> {
    tx.one(
        "UPDATE versions SET version = version + 1 WHERE name = $1 RETURNING version",
        values![what.name()],
    )?
    .ok_or_else(|| StoreError::damaged("a version counter is missing"))?
    .int(0)
}
