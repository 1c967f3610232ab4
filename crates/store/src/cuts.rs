//! Cuts: everything under a target that was issued before an instant is dead. Written here, asked through [`CutIndex`].

use std::time::Duration;

use jeton_protocol::client::ClientId;
use jeton_protocol::cut::{Cut, CutTarget};
use jeton_protocol::tenant::TenantId;
use jeton_token::row_id::RowId;
use jeton_token::timestamp::Timestamp;

use crate::Store;
use crate::audit::{self, Occasion};
use crate::cut_index::{CutIndex, Lineage};
use crate::error::StoreError;
use crate::sql::{Row, Tx, Value, values};
use crate::versions::{self, Versioned};

/// How old the view of the cuts may be before the database is asked (design §1).
const OLDEST_VIEW: Duration = Duration::from_secs(1);

/// A cut outlives the longest access token by this much, for nodes whose clocks differ and tokens minted in that moment.
const MARGIN: Duration = Duration::from_secs(60);

/// How long a request may be on its way that read before a change and mints after it.
const IN_FLIGHT: Duration = Duration::from_secs(1);

/// How many cuts one look takes.
const LOOK: u32 = 1000;

impl Store {
    /// Cuts `target` at `occasion.now`. Durable, and known to this process, once it answers (SEC-301).
    pub async fn cut(
        &self,
        tenant: &TenantId,
        target: CutTarget,
        occasion: Occasion,
    ) -> Result<(), StoreError> {
        let cut = self.cut_of(target, occasion.now);
        let owner = tenant.clone();
        self.write_cutting(tenant, move |tx| {
            audit::note(tx, &owner, "cut", &object(&cut.target), &occasion)?;
            Ok(((), write(tx, &owner, vec![cut.clone()])?))
        })
        .await
    }

    /// Whether a cut covers a token or grant. Asks the database first when the view is older than a second; an error
    /// must deny (SEC-R08).
    pub async fn is_cut(&self, lineage: &Lineage<'_>, now: Timestamp) -> Result<bool, StoreError> {
        if self.cut_index().fresh_at() < now.minus(OLDEST_VIEW) {
            self.refresh_cuts(now).await?;
        }
        Ok(self.cut_index().is_cut(lineage))
    }

    /// Looks for cuts made elsewhere. Called a few times a second, so that [`Store::is_cut`] need not wait.
    pub async fn refresh_cuts(&self, now: Timestamp) -> Result<(), StoreError> {
        let index = self.cut_index();
        let _alone = index.refreshing().await;
        if index.fresh_at() >= now {
            return Ok(());
        }
        loop {
            let seen = index.seen();
            let rows = self.read(move |tx| since(tx, seen)).await?;
            let more = rows.len() == LOOK as usize;
            for (tenant, cut, recorded) in rows {
                index.note(tenant.as_str(), &cut);
                index.saw(recorded);
            }
            if !more {
                break;
            }
        }
        index.freshened(now);
        Ok(())
    }

    /// Runs a verb that may cut, and makes its cuts known here as soon as they are durable.
    pub(crate) async fn write_cutting<T: Send + 'static>(
        &self,
        tenant: &TenantId,
        verb: impl Fn(&mut Tx<'_>) -> Result<(T, Vec<Cut>), StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (outcome, cuts) = self.write(verb).await?;
        for cut in &cuts {
            self.cut_index().note(tenant.as_str(), cut);
        }
        Ok(outcome)
    }

    /// The cut that `target` needs now. What can never come back is dead for good, even what is being minted this moment;
    /// what can is dead up to and including this millisecond.
    pub(crate) fn cut_of(&self, target: CutTarget, now: Timestamp) -> Cut {
        let expires_at = now.plus(self.longest_access_token()).plus(MARGIN);
        let at = match target {
            CutTarget::Token(_) | CutTarget::Grant(_) | CutTarget::Session(_) => expires_at,
            CutTarget::User(_) | CutTarget::Client(_) | CutTarget::Tenant => after(now),
        };
        Cut {
            target,
            at,
            expires_at,
        }
    }

    /// The cut that disables `target`: nothing new can come of it for now, so what is being minted from what was read
    /// before the change is covered too.
    pub(crate) fn disabling_cut(&self, target: CutTarget, now: Timestamp) -> Cut {
        Cut {
            at: now.plus(IN_FLIGHT),
            ..self.cut_of(target, now)
        }
    }

    /// The cut for what never comes back.
    pub(crate) fn final_cut(&self, target: CutTarget, now: Timestamp) -> Cut {
        let cut = self.cut_of(target, now);
        Cut {
            at: cut.expires_at,
            ..cut
        }
    }
}

/// The first instant that does not belong to the millisecond of a change.
pub(crate) fn after(now: Timestamp) -> Timestamp {
    now.plus(Duration::from_millis(1))
}

/// Writes the cuts of a verb, as its last act. Each has a count of its own, so that a look can stop between any two.
pub(crate) fn write(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    cuts: Vec<Cut>,
) -> Result<Vec<Cut>, StoreError> {
    for cut in &cuts {
        let recorded = versions::bump(tx, Versioned::Cuts)?;
        let (kind, target) = columns(&cut.target);
        tx.run(
            "INSERT INTO cuts (tenant_id, kind, target, cut_at, expires_at, recorded) VALUES ($1, $2, $3, $4, $5, $6) \
             ON CONFLICT (tenant_id, kind, target) DO UPDATE SET \
             cut_at = CASE WHEN cuts.cut_at > excluded.cut_at THEN cuts.cut_at ELSE excluded.cut_at END, \
             expires_at = CASE WHEN cuts.expires_at > excluded.expires_at THEN cuts.expires_at ELSE excluded.expires_at END, \
             recorded = excluded.recorded",
            values![tenant.as_str(), kind, target, cut.at, cut.expires_at, recorded],
        )?;
    }
    Ok(cuts)
}

fn since(tx: &mut Tx<'_>, recorded: i64) -> Result<Vec<(String, Cut, i64)>, StoreError> {
    let rows = tx.all(
        "SELECT tenant_id, kind, target, cut_at, expires_at, recorded FROM cuts \
         WHERE recorded > $1 ORDER BY recorded LIMIT $2",
        values![recorded, LOOK],
    )?;
    rows.iter().map(read).collect()
}

fn read(row: &Row) -> Result<(String, Cut, i64), StoreError> {
    let target = match row.text(1)? {
        "token" => CutTarget::Token(row.id(2)?),
        "grant" => CutTarget::Grant(row.id(2)?),
        "session" => CutTarget::Session(row.id(2)?),
        "user" => CutTarget::User(row.id(2)?),
        "client" => {
            let id = std::str::from_utf8(row.bytes(2)?)
                .ok()
                .and_then(ClientId::parse);
            CutTarget::Client(id.ok_or_else(|| StoreError::damaged("a cut names no client"))?)
        }
        "tenant" => CutTarget::Tenant,
        other => return Err(StoreError::damaged(format!("a cut of kind {other}"))),
    };
    let cut = Cut {
        target,
        at: row.time(3)?,
        expires_at: row.time(4)?,
    };
    Ok((row.text(0)?.to_owned(), cut, row.int(5)?))
}

fn columns(target: &CutTarget) -> (&'static str, Value<'_>) {
    let of = |id: &RowId| Value::from(*id);
    match target {
        CutTarget::Token(id) => ("token", of(id)),
        CutTarget::Grant(id) => ("grant", of(id)),
        CutTarget::Session(id) => ("session", of(id)),
        CutTarget::User(id) => ("user", of(id)),
        CutTarget::Client(id) => ("client", Value::from(id.as_str().as_bytes())),
        CutTarget::Tenant => ("tenant", Value::from(&[][..])),
    }
}

fn object(target: &CutTarget) -> String {
    match target {
        CutTarget::Token(id) => format!("token {id}"),
        CutTarget::Grant(id) => format!("grant {id}"),
        CutTarget::Session(id) => format!("session {id}"),
        CutTarget::User(id) => format!("user {id}"),
        CutTarget::Client(id) => format!("client {id}"),
        CutTarget::Tenant => "tenant".to_owned(),
    }
}

impl Store {
    fn cut_index(&self) -> &CutIndex {
        &self.0.cuts
    }
}
