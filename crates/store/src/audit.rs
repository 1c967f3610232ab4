//! The audit trail: one record for each change that matters, written in the transaction that makes the change (SEC-310).
//! How records are chained is in `audit_chain.rs`, how a chain is proven in `audit_verify.rs`.

use jeton_protocol::tenant::TenantId;
use jeton_token::base64url;
use jeton_token::row_id::RowId;
use jeton_token::secret::sha256;
use jeton_token::timestamp::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value as Json};

use crate::error::StoreError;
use crate::sql::{Row, Tx, record, values};
use crate::{Page, Store};

/// When, by whom and in which request a change is made: what a verb needs to leave its trace.
#[derive(Clone, Debug, PartialEq)]
pub struct Occasion {
    pub now: Timestamp,
    /// The id of the audit record to write.
    pub trace: RowId,
    /// A user id, a client id, or a word such as `operator`.
    pub actor: String,
    /// The id of the request, as the log has it; empty when there was none.
    pub request: String,
}

/// One line of the trail.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditRecord {
    pub id: RowId,
    pub at: Timestamp,
    pub event: String,
    pub actor: String,
    pub object: String,
    /// `result` and, where there are such, `request`, `on_behalf_of` and what changed.
    pub details: Map<String, Json>,
    /// Its place in the chain; none yet for a moment after it was written.
    pub sequence: Option<i64>,
    /// Whether actor, object and details were taken out of it because they named a deleted user.
    pub erased: bool,
}

/// Which records are looked for. What is empty or absent admits all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditSearch {
    pub event: String,
    pub actor: String,
    pub object: String,
    pub request: String,
    /// Not before.
    pub since: Option<Timestamp>,
    /// Before.
    pub until: Option<Timestamp>,
}

impl Store {
    /// Records something that changed nothing in the store, such as a refused sign-in.
    pub async fn audit(
        &self,
        tenant: &TenantId,
        event: &'static str,
        object: &str,
        occasion: Occasion,
    ) -> Result<(), StoreError> {
        let (tenant, object) = (tenant.clone(), object.to_owned());
        self.write(move |tx| note(tx, &tenant, event, &object, &occasion))
            .await
    }

    /// The trail from the newest record backwards; `page.after` is the oldest one already seen.
    pub async fn audit_records(
        &self,
        tenant: &TenantId,
        page: Page<RowId>,
    ) -> Result<Vec<AuditRecord>, StoreError> {
        self.audit_records_like(tenant, AuditSearch::default(), page)
            .await
    }

    /// As [`Store::audit_records`], but only what fits the search.
    pub async fn audit_records_like(
        &self,
        tenant: &TenantId,
        search: AuditSearch,
        page: Page<RowId>,
    ) -> Result<Vec<AuditRecord>, StoreError> {
        let tenant = tenant.clone();
        let until = search.until.map_or([0xff; 16], first_id_of);
        let before = page
            .after
            .unwrap_or(RowId::from_bytes([0xff; 16]))
            .min(RowId::from_bytes(until));
        let since = RowId::from_bytes(search.since.map_or([0; 16], first_id_of));
        self.read(move |tx| {
            let rows = tx.all(
                "SELECT id, at, event, actor, object, record, sequence, erased FROM audit \
                 WHERE tenant_id = $1 AND id < $2 AND id >= $3 AND ($4 = '' OR event = $4) AND ($5 = '' OR actor = $5) \
                 AND ($6 = '' OR object = $6) AND ($7 = '' OR record LIKE '%\"request\":\"' || $7 || '\"%') \
                 ORDER BY id DESC LIMIT $8",
                values![
                    tenant.as_str(),
                    before,
                    since,
                    search.event.as_str(),
                    search.actor.as_str(),
                    search.object.as_str(),
                    search.request.as_str(),
                    page.limit
                ],
            )?;
            rows.iter().map(read).collect()
        })
        .await
    }
}

fn read(row: &Row) -> Result<AuditRecord, StoreError> {
    let erased = row.maybe_bytes(7)?.is_some();
    Ok(AuditRecord {
        id: row.id(0)?,
        at: row.time(1)?,
        event: row.text(2)?.to_owned(),
        actor: row.text(3)?.to_owned(),
        object: row.text(4)?.to_owned(),
        details: if erased { Map::new() } else { row.record(5)? },
        sequence: row.maybe_int(6)?,
        erased,
    })
}

/// The smallest id a record of this millisecond can have: ids begin with their time.
fn first_id_of(time: Timestamp) -> [u8; 16] {
    let millis = u128::try_from(time.millis()).unwrap_or(0);
    (millis << 80).to_be_bytes()
}

/// How trail and counters name an account that was typed, whether or not there is such a user.
pub fn account(username: &str) -> String {
    format!(
        "account:{}",
        base64url::encode(&sha256(username.as_bytes()))
    )
}

/// Writes the one record of a change.
pub(crate) fn note(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    event: &str,
    object: &str,
    occasion: &Occasion,
) -> Result<(), StoreError> {
    note_facts(tx, tenant, (event, object), Map::new(), occasion)
}

/// As [`note`], with facts of the change beside it: never a secret, nor a claim of a person.
pub(crate) fn note_facts(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    (event, object): (&str, &str),
    mut facts: Map<String, Json>,
    occasion: &Occasion,
) -> Result<(), StoreError> {
    facts.insert("result".into(), result_of(event).into());
    if !occasion.request.is_empty() {
        facts.insert("request".into(), Json::String(occasion.request.clone()));
    }
    tx.run(
        "INSERT INTO audit (tenant_id, id, at, event, actor, object, record) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        values![
            tenant.as_str(),
            occasion.trace,
            occasion.now,
            event,
            occasion.actor.as_str(),
            object,
            record(&facts)?
        ],
    )
    .map(drop)
}

/// What came of what the actor asked for.
fn result_of(event: &str) -> &'static str {
    match event {
        "sign_in.failed" | "code.replayed" | "refresh_token.reused" => "refused",
        _ => "done",
    }
}

/// Members whose old and new values may be read by whoever reads the trail. Of every other one only the name is noted.
const SHOWN: [&str; 19] = [
    "access_token_format",
    "access_token_lifetime",
    "admin",
    "allowed_origins",
    "application_type",
    "audience",
    "default_audience",
    "first_party",
    "grant_types",
    "id_token_signed_response_alg",
    "introspects",
    "issuer",
    "lifetimes",
    "post_logout_redirect_uris",
    "redirect_uris",
    "refresh_token_rotation",
    "scope",
    "token_endpoint_auth_method",
    "token_format",
];

/// Which members of a record a change touches, with old and new values where those may be shown.
pub(crate) fn changes<T: Serialize>(old: &T, new: &T) -> Result<Map<String, Json>, StoreError> {
    let members = |value: &T| match serde_json::to_value(value).map_err(StoreError::failed)? {
        Json::Object(members) => Ok(members),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Array(_) => {
            Err(StoreError::failed("a record is an object"))
        }
    };
    let mut found = Map::new();
    compare("", (&members(old)?, &members(new)?), &mut found);
    Ok(Map::from_iter([(
        "changes".to_owned(),
        Json::Object(found),
    )]))
}

/// Objects are compared member by member, one level deep.
fn compare(
    above: &str,
    (old, new): (&Map<String, Json>, &Map<String, Json>),
    found: &mut Map<String, Json>,
) {
    let added = new.keys().filter(|name| !old.contains_key(*name));
    for name in old.keys().chain(added) {
        let (before, after) = (old.get(name), new.get(name));
        if before == after {
            continue;
        }
        let inner = before
            .and_then(Json::as_object)
            .zip(after.and_then(Json::as_object));
        if let (Some(inner), "", false) = (inner, above, SHOWN.contains(&name.as_str())) {
            compare(&format!("{name}."), inner, found);
            continue;
        }
        let shown = |value: Option<&Json>| value.cloned().unwrap_or(Json::Null);
        let change = if SHOWN.contains(&name.as_str()) {
            serde_json::json!({ "old": shown(before), "new": shown(after) })
        } else {
            Json::Null
        };
        found.insert(format!("{above}{name}"), change);
    }
}
