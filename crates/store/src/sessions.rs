//! Sessions: a browser signed in as one user. The cookie is a handle at a generation; a step-up moves the generation on.

use std::time::Duration;

use jeton_protocol::client::ClientId;
use jeton_protocol::cut::{Cut, CutTarget};
use jeton_protocol::session::{Session, SessionId};
use jeton_protocol::tenant::TenantId;
use jeton_protocol::user::UserId;
use jeton_token::timestamp::Timestamp;
use serde_json::{Map, Value as Json};

use crate::audit::{self, Occasion};
use crate::cuts;
use crate::error::StoreError;
use crate::sql::{Row, Tx, record, values};
use crate::{Page, Store};

/// How much later than recorded a session may have been seen.
const TOUCH: Duration = Duration::from_secs(60);

/// A session as stored, with what its cookie has to match.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredSession {
    /// `ended_at` is also set when the user was disabled, deleted or signed out everywhere.
    pub session: Session,
    pub generation: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Renewed {
    /// The session goes on under this generation; cookies of the one before are dead (SEC-040).
    Renewed(u32),
    /// Ended, expired, or renewed by somebody else meanwhile.
    Gone,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SessionEnd {
    /// Ended now, with the grants of these clients that were tied to it.
    Ended { clients: Vec<ClientId> },
    /// Ended before, or never opened.
    AlreadyEnded,
}

impl Store {
    /// Stores a new session at generation 0.
    pub async fn open_session(
        &self,
        tenant: &TenantId,
        session: Session,
        occasion: Occasion,
    ) -> Result<(), StoreError> {
        let tenant = tenant.clone();
        self.write(move |tx| insert(tx, &tenant, &session, &occasion))
            .await
    }

    pub async fn session(
        &self,
        tenant: &TenantId,
        id: SessionId,
    ) -> Result<Option<StoredSession>, StoreError> {
        let tenant = tenant.clone();
        self.read(move |tx| {
            let row = tx.one(
                "SELECT s.record, s.generation, s.last_seen_at, s.expires_at, s.ended_at, u.disabled_at, u.cut_at \
                 FROM sessions s LEFT JOIN users u ON u.tenant_id = s.tenant_id AND u.id = s.user_id \
                 WHERE s.tenant_id = $1 AND s.id = $2",
                values![tenant.as_str(), id],
            )?;
            row.as_ref().map(read).transpose()
        })
        .await
    }

    /// Notes that the session was used; at most one write a minute.
    pub async fn touch_session(
        &self,
        tenant: &TenantId,
        session: &Session,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        if now < session.last_seen_at.plus(TOUCH) {
            return Ok(());
        }
        let (tenant, id) = (tenant.clone(), session.id);
        self.write(move |tx| {
            tx.run(
                "UPDATE sessions SET last_seen_at = $3 WHERE tenant_id = $1 AND id = $2 AND ended_at IS NULL \
                 AND last_seen_at < $3",
                values![tenant.as_str(), id, now],
            )
            .map(drop)
        })
        .await
    }

    /// Stores what a new proof changed about the session and moves its generation on from `seen`.
    pub async fn renew_session(
        &self,
        tenant: &TenantId,
        session: Session,
        seen: u32,
        occasion: Occasion,
    ) -> Result<Renewed, StoreError> {
        let tenant = tenant.clone();
        self.write(move |tx| {
            let count = tx.run(
                "UPDATE sessions SET generation = generation + 1, last_seen_at = $5, record = $6 \
                 WHERE tenant_id = $1 AND id = $2 AND user_id = $3 AND generation = $4 AND ended_at IS NULL \
                 AND expires_at > $5",
                values![tenant.as_str(), session.id, session.user, seen, occasion.now, record(&session)?],
            )?;
            if count == 0 {
                return Ok(Renewed::Gone);
            }
            audit::note(tx, &tenant, "session.renewed", &session.id.to_string(), &occasion)?;
            Ok(Renewed::Renewed(seen.saturating_add(1)))
        })
        .await
    }

    /// Ends the session, the grants tied to it and every token of theirs, all at once.
    pub async fn end_session(
        &self,
        tenant: &TenantId,
        id: SessionId,
        occasion: Occasion,
    ) -> Result<SessionEnd, StoreError> {
        let cut = self.cut_of(CutTarget::Session(id), occasion.now);
        let owner = tenant.clone();
        self.write_cutting(tenant, move |tx| {
            let count = tx.run(
                "UPDATE sessions SET ended_at = $3 WHERE tenant_id = $1 AND id = $2 AND ended_at IS NULL",
                values![owner.as_str(), id, occasion.now],
            )?;
            if count == 0 {
                return Ok((SessionEnd::AlreadyEnded, Vec::new()));
            }
            let clients = end_grants(tx, &owner, id, occasion.now)?;
            audit::note(tx, &owner, "session.ended", &id.to_string(), &occasion)?;
            Ok((SessionEnd::Ended { clients }, cuts::write(tx, &owner, vec![cut.clone()])?))
        })
        .await
    }

    /// Ends all sessions of the user but `kept`, as "sign out everywhere else" does. Tells which.
    pub async fn end_sessions_of_user(
        &self,
        tenant: &TenantId,
        user: UserId,
        kept: Option<SessionId>,
        occasion: Occasion,
    ) -> Result<Vec<SessionId>, StoreError> {
        let owner = tenant.clone();
        let model = self.cut_of(CutTarget::Session(user), occasion.now);
        self.write_cutting(tenant, move |tx| {
            let rows = tx.all(
                "UPDATE sessions SET ended_at = $4 WHERE tenant_id = $1 AND user_id = $2 AND id <> $3 \
                 AND ended_at IS NULL AND expires_at > $4 RETURNING id",
                values![owner.as_str(), user, kept.unwrap_or(user), occasion.now],
            )?;
            let ended: Vec<SessionId> = rows.iter().map(|row| row.id(0)).collect::<Result<_, _>>()?;
            if ended.is_empty() {
                return Ok((ended, Vec::new()));
            }
            let mut cuts = Vec::with_capacity(ended.len());
            for id in &ended {
                end_grants(tx, &owner, *id, occasion.now)?;
                cuts.push(Cut { target: CutTarget::Session(*id), ..model.clone() });
            }
            audit::note(tx, &owner, "user.sessions_ended", &user.to_string(), &occasion)?;
            Ok((ended, cuts::write(tx, &owner, cuts)?))
        })
        .await
    }

    /// The live sessions of a user, newest first; `page.after` is the oldest one already seen.
    pub async fn sessions_of_user(
        &self,
        tenant: &TenantId,
        user: UserId,
        page: Page<SessionId>,
        now: Timestamp,
    ) -> Result<Vec<StoredSession>, StoreError> {
        let tenant = tenant.clone();
        self.read(move |tx| {
            let before = page.after.unwrap_or(SessionId::from_bytes([0xff; 16]));
            let rows = tx.all(
                "SELECT s.record, s.generation, s.last_seen_at, s.expires_at, s.ended_at, u.disabled_at, u.cut_at \
                 FROM sessions s LEFT JOIN users u ON u.tenant_id = s.tenant_id AND u.id = s.user_id \
                 WHERE s.tenant_id = $1 AND s.user_id = $2 AND s.ended_at IS NULL AND s.expires_at > $3 \
                 AND s.id < $4 ORDER BY s.id DESC LIMIT $5",
                values![tenant.as_str(), user, now, before, page.limit],
            )?;
            let mut found: Vec<StoredSession> = rows.iter().map(read).collect::<Result<_, _>>()?;
            found.retain(|stored| stored.session.ended_at.is_none());
            Ok(found)
        })
        .await
    }
}

/// A new session at generation 0.
pub(crate) fn insert(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    session: &Session,
    occasion: &Occasion,
) -> Result<(), StoreError> {
    tx.run(
        "INSERT INTO sessions (tenant_id, id, user_id, generation, last_seen_at, expires_at, record) \
         VALUES ($1, $2, $3, 0, $4, $5, $6)",
        values![
            tenant.as_str(),
            session.id,
            session.user,
            session.last_seen_at,
            session.expires_at,
            record(session)?
        ],
    )?;
    let methods = session.amr.iter().map(|method| method.as_str().into());
    let facts = Map::from_iter([("amr".to_owned(), Json::Array(methods.collect()))]);
    let what = ("session.opened", session.id.to_string());
    audit::note_facts(tx, tenant, (what.0, &what.1), facts, occasion)
}

fn end_grants(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    session: SessionId,
    now: Timestamp,
) -> Result<Vec<ClientId>, StoreError> {
    let rows = tx.all(
        "UPDATE grants SET revoked_at = $3 WHERE tenant_id = $1 AND session_id = $2 AND offline = 0 \
         AND revoked_at IS NULL RETURNING client_id",
        values![tenant.as_str(), session, now],
    )?;
    let mut clients = Vec::with_capacity(rows.len());
    for row in &rows {
        let client = ClientId::parse(row.text(0)?);
        clients.push(client.ok_or_else(|| StoreError::damaged("a grant names no client"))?);
    }
    clients.sort();
    clients.dedup();
    Ok(clients)
}

fn read(row: &Row) -> Result<StoredSession, StoreError> {
    let mut session: Session = row.record(0)?;
    session.last_seen_at = row.time(2)?;
    session.expires_at = row.time(3)?;
    let by_user = match row.maybe_time(6)? {
        Some(cut_at) => row
            .maybe_time(5)?
            .or((cut_at > session.created_at).then_some(cut_at)),
        None => Some(session.created_at),
    };
    session.ended_at = row.maybe_time(4)?.or(by_user);
    Ok(StoredSession {
        session,
        generation: row.count(1)?,
    })
}
