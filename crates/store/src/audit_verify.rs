//! Proving a chain (SEC-431): every record from the first one kept to the last, against its neighbours and against what was
//! signed. The first thing that does not fit is named.

use std::collections::BTreeMap;

use jeton_protocol::tenant::TenantId;
use jeton_token::base64url;
use jeton_token::jwk::PublicJwk;
use jeton_token::jws::Jws;
use jeton_token::signing_key::JwtType;
use jeton_token::timestamp::Timestamp;

use crate::Store;
use crate::audit_chain::{Head, Link, ORIGIN, head};
use crate::audit_checkpoints::{Checkpoint, Statement};
use crate::error::StoreError;
use crate::sql::values;

/// How many records are read at once.
const PAGE: u32 = 500;

/// A chain that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// The first record that is kept, and the last one that is linked.
    pub first: i64,
    pub last: i64,
    /// The last record a checkpoint covers, and when it was signed.
    pub signed: Option<(i64, Timestamp)>,
    pub checkpoints: usize,
    /// Records without their body, because a person was erased.
    pub erased: u64,
    /// Records that are not linked yet.
    pub waiting: i64,
}

/// The first thing wrong with a chain. A number is the place of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    /// This record is not what was linked.
    Edited(i64),
    /// This record was never linked.
    Inserted(i64),
    /// This record is missing, with later ones behind it.
    Removed(i64),
    /// This place has the record of another place.
    Reordered(i64),
    /// This record and all behind it are missing.
    Truncated(i64),
    /// The records from here to the checkpoint behind them follow from each other, but are not those that were signed.
    Rewritten(i64),
    /// The checkpoint of this place is not signed by a key of this tenant, or speaks of something else.
    Forged(i64),
    /// The checkpoint of this place was made, and is gone.
    CheckpointRemoved(i64),
}

/// What the checkpoints say, by the last place they cover.
type Signed = BTreeMap<i64, Statement>;

impl Store {
    /// Proves the chain of a tenant. `keys` are those that sign its checkpoints; `kept` is a checkpoint somebody kept
    /// elsewhere, which tells what nothing in a database can: that the whole database is not an old one.
    pub async fn verify_audit(
        &self,
        tenant: &TenantId,
        keys: &[PublicJwk],
        kept: Option<&str>,
    ) -> Result<Result<Verified, Broken>, StoreError> {
        loop {
            let before = self.head_of(tenant).await?;
            let verdict = self.verify_once(tenant, keys, kept).await?;
            let after = self.head_of(tenant).await?;
            // The beginning moved on meanwhile, so that what was missing may rightly be gone.
            let moved = before.as_ref().map(|head| head.signed_first)
                != after.as_ref().map(|head| head.signed_first);
            if verdict.is_ok() || !moved {
                return Ok(verdict);
            }
        }
    }

    async fn verify_once(
        &self,
        tenant: &TenantId,
        keys: &[PublicJwk],
        kept: Option<&str>,
    ) -> Result<Result<Verified, Broken>, StoreError> {
        let promised = self
            .head_of(tenant)
            .await?
            .map_or(0, |head| head.signed_sequence);
        let signed = match self.signed(tenant, keys, kept).await? {
            Ok(signed) => signed,
            Err(broken) => return Ok(Err(broken)),
        };
        let newest = signed.last_key_value();
        if promised > newest.map_or(0, |(sequence, _)| *sequence) {
            return Ok(Err(Broken::CheckpointRemoved(promised)));
        }
        let (last, waiting) = self.end_of(tenant).await?;
        let head = self.head_of(tenant).await?;
        let (first, before) = match newest {
            Some((_, statement)) => (statement.first, hash_of(&statement.before_first)),
            None => (1, ORIGIN),
        };
        let mut walk = Walk {
            tenant,
            signed: &signed,
            before: [ORIGIN, before],
            next: first,
            erased: 0,
        };
        if let Err(broken) = self.walk(&mut walk).await? {
            return Ok(Err(broken));
        }
        let end = head.map_or(0, |head| head.sequence);
        if last > end {
            return Ok(Err(Broken::Inserted(end + 1)));
        }
        if walk.next <= end.max(newest.map_or(0, |(sequence, _)| *sequence)) {
            return Ok(Err(Broken::Truncated(walk.next)));
        }
        Ok(Ok(Verified {
            first,
            last: walk.next - 1,
            signed: newest.map(|(sequence, said)| (*sequence, Timestamp::from_seconds(said.iat))),
            checkpoints: signed.len(),
            erased: walk.erased,
            waiting,
        }))
    }

    async fn walk(&self, walk: &mut Walk<'_>) -> Result<Result<(), Broken>, StoreError> {
        if let Err(broken) = walk.check_signed() {
            return Ok(Err(broken));
        }
        loop {
            let links = self.audit_links(walk.tenant, walk.next - 1, PAGE).await?;
            for link in &links {
                if let Err(found) = walk.step(link) {
                    let around = self.audit_links(walk.tenant, walk.next - 1, PAGE).await?;
                    return Ok(Err(walk.diagnose(&around, found)));
                }
            }
            if links.len() < PAGE as usize {
                return Ok(Ok(()));
            }
        }
    }

    /// Every checkpoint, proven.
    async fn signed(
        &self,
        tenant: &TenantId,
        keys: &[PublicJwk],
        kept: Option<&str>,
    ) -> Result<Result<Signed, Broken>, StoreError> {
        let mut found = Signed::new();
        let mut from = 0;
        loop {
            let page = self.audit_checkpoints(tenant, from, PAGE).await?;
            for checkpoint in &page {
                match said(tenant, keys, &checkpoint.jws) {
                    Some(statement) if statement.sequence == checkpoint.sequence => {
                        found.insert(checkpoint.sequence, statement);
                    }
                    Some(_) | None => return Ok(Err(Broken::Forged(checkpoint.sequence))),
                }
            }
            let Some(Checkpoint { sequence, .. }) =
                page.last().filter(|_| page.len() == PAGE as usize)
            else {
                break;
            };
            from = sequence + 1;
        }
        if let Some(jws) = kept {
            let Some(statement) = said(tenant, keys, jws) else {
                return Ok(Err(Broken::Forged(0)));
            };
            let stored = found.entry(statement.sequence).or_insert(statement.clone());
            if stored.hash != statement.hash {
                return Ok(Err(Broken::Rewritten(statement.sequence)));
            }
        }
        Ok(Ok(found))
    }

    async fn head_of(&self, tenant: &TenantId) -> Result<Option<Head>, StoreError> {
        let tenant = tenant.clone();
        self.read(move |tx| head(tx, &tenant)).await
    }

    /// The last place there is, and how many records have none.
    async fn end_of(&self, tenant: &TenantId) -> Result<(i64, i64), StoreError> {
        let tenant = tenant.clone();
        self.read(move |tx| {
            let last = tx.one(
                "SELECT MAX(sequence) FROM audit WHERE tenant_id = $1 AND sequence IS NOT NULL",
                values![tenant.as_str()],
            )?;
            let waiting = tx.one(
                "SELECT COUNT(*) FROM audit WHERE tenant_id = $1 AND sequence IS NULL",
                values![tenant.as_str()],
            )?;
            let last = last.map(|row| row.maybe_int(0)).transpose()?.flatten();
            let waiting = waiting.map(|row| row.int(0)).transpose()?;
            Ok((last.unwrap_or(0), waiting.unwrap_or(0)))
        })
        .await
    }
}

/// What a checkpoint says, if one of the keys signed it for this tenant.
fn said(tenant: &TenantId, keys: &[PublicJwk], jws: &str) -> Option<Statement> {
    let parsed = Jws::parse(jws).ok()?;
    if !parsed.header().typ_is(JwtType::AuditCheckpoint.typ()) {
        return None;
    }
    let verified = keys.iter().find_map(|key| parsed.verify(key).ok())?;
    let statement: Statement = serde_json::from_slice(verified.payload()).ok()?;
    (statement.tenant == tenant.as_str()).then_some(statement)
}

fn hash_of(text: &str) -> [u8; 32] {
    base64url::decode_array(text).unwrap_or(ORIGIN)
}

struct Walk<'a> {
    tenant: &'a TenantId,
    signed: &'a Signed,
    /// The hashes of the two records before the next one.
    before: [[u8; 32]; 2],
    next: i64,
    erased: u64,
}

impl Walk<'_> {
    fn step(&mut self, link: &Link) -> Result<(), Broken> {
        if link.sequence != self.next {
            return Err(Broken::Removed(self.next));
        }
        let follows = link.hash_after(self.tenant, &self.before[1], self.next) == link.hash;
        if !follows || !link.is_whole() {
            return Err(Broken::Edited(self.next));
        }
        self.before = [self.before[1], link.hash];
        self.next += 1;
        self.erased += u64::from(link.erased.is_some());
        self.check_signed()
    }

    /// Compares the last hash with the checkpoint of its place.
    fn check_signed(&self) -> Result<(), Broken> {
        match self.signed.get(&(self.next - 1)) {
            Some(statement) if hash_of(&statement.hash) != self.before[1] => {
                let unsigned = self.signed.range(..self.next - 1).next_back();
                Err(Broken::Rewritten(
                    unsigned.map_or(1, |(sequence, _)| sequence + 1),
                ))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// A better name for what was found, from the records at and behind the place.
    fn diagnose(&self, around: &[Link], found: Broken) -> Broken {
        let Broken::Edited(place) = found else {
            return found;
        };
        let fits = |link: &Link, before: &[u8; 32], place: i64, hash: &[u8; 32]| {
            link.hash_after(self.tenant, before, place) == *hash
        };
        let Some((here, behind)) = around.split_first() else {
            return found;
        };
        // The record here belongs to the place before it.
        if fits(here, &self.before[0], place - 1, &here.hash) {
            return Broken::Inserted(place - 1);
        }
        for (distance, link) in behind.iter().enumerate() {
            if fits(link, &self.before[1], place, &link.hash) {
                let swapped = distance > 0 || fits(here, &link.hash, place + 1, &here.hash);
                return if swapped {
                    Broken::Reordered(place)
                } else {
                    Broken::Inserted(place)
                };
            }
            if fits(link, &self.before[1], place, &here.hash) {
                return Broken::Reordered(place);
            }
        }
        found
    }
}
