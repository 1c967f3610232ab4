//! `jeton audit list`.

use jeton_store::Page;
use jeton_store::audit::{AuditRecord, AuditSearch};
use jeton_token::row_id::RowId;
use jeton_token::timestamp::Timestamp;
use serde_json::{Value as Json, json};

use crate::command::answer::{read_time, written};
use crate::command::desk::{Desk, PageOption, TenantOption};
use crate::command::{Answer, Failure};

/// Which records.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  jeton audit list --event user.password_set --since 2026-11-01
  jeton audit list --request 01a1f961-a67a-7e73-8f3d-94574daf4113 --json

The next page begins behind the last id of this one: --after ID")]
pub struct Options {
    /// Only this event, such as sign_in.failed
    #[arg(
        long,
        value_name = "EVENT",
        default_value = "",
        hide_default_value = true
    )]
    event: String,
    /// Only what this user (by sub), this client, or the operator did
    #[arg(
        long,
        value_name = "WHO",
        default_value = "",
        hide_default_value = true
    )]
    actor: String,
    /// Only what was done to this object, such as a client id or the sub of a user
    #[arg(long, value_name = "ID", default_value = "", hide_default_value = true)]
    object: String,
    /// Only what this request did; the id is in the log, and on the page of a fault
    #[arg(long, value_name = "ID")]
    request: Option<String>,
    /// Not before this time (UTC), such as 2026-11-20 or 2026-11-20T13:32:17Z
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Before this time (UTC)
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    #[command(flatten)]
    page: PageOption,
    #[command(flatten)]
    tenant: TenantOption,
}

pub(super) fn run(options: &Options, desk: &mut Desk) -> Result<Answer, Failure> {
    let search = search(options)?;
    let after = options.page.after.as_deref().map(|id| id_of("--after", id));
    let page = Page {
        after: after.transpose()?,
        limit: options.page.limit,
    };
    let tenant = options.tenant.find(desk)?;
    let records = desk.wait(desk.store.audit_records_like(&tenant, search, page))?;
    let columns = ["at", "event", "actor", "object", "result", "request", "id"];
    Ok(Answer::rows(&columns, records.iter().map(shown).collect()))
}

fn search(options: &Options) -> Result<AuditSearch, Failure> {
    let request = options.request.as_deref().map(|id| id_of("--request", id));
    Ok(AuditSearch {
        event: options.event.clone(),
        actor: options.actor.clone(),
        object: options.object.clone(),
        request: request
            .transpose()?
            .map_or(String::new(), |id| id.to_string()),
        since: time_of("--since", options.since.as_deref())?,
        until: time_of("--until", options.until.as_deref())?,
    })
}

fn id_of(option: &str, text: &str) -> Result<RowId, Failure> {
    text.parse()
        .map_err(|_| Failure::usage(format!("{option}: write an id as it was shown")))
}

fn time_of(option: &str, text: Option<&str>) -> Result<Option<Timestamp>, Failure> {
    let wrong = || {
        Failure::usage(format!(
            "{option}: write 2026-11-20 or 2026-11-20T13:32:17Z"
        ))
    };
    text.map(|text| read_time(text).ok_or_else(wrong))
        .transpose()
}

/// A record for people and programs: its details stand beside its own members.
fn shown(record: &AuditRecord) -> Json {
    let mut json = json!({
        "id": record.id.to_string(),
        "at": written(record.at),
        "event": record.event,
        "actor": if record.erased { "(erased)" } else { record.actor.as_str() },
        "object": if record.erased { "(erased)" } else { record.object.as_str() },
        "sequence": record.sequence,
    });
    if let Some(members) = json.as_object_mut() {
        members.extend(record.details.clone());
    }
    json
}
