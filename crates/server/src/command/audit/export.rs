//! `jeton audit export`.

use jeton_store::audit_chain::Link;
use jeton_store::audit_checkpoints::Checkpoint;
use jeton_token::base64url;
use jeton_token::timestamp::Timestamp;
use serde_json::{Value as Json, json};

use super::verifiers;
use crate::command::answer::written;
use crate::command::desk::{Desk, TenantOption};
use crate::command::{Answer, Failure};

/// Which part of a trail.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  jeton audit export
  jeton audit export --after 10000 --limit 10000

Keys come first, then each record with the checkpoints of its place behind it. The next part begins
behind the last sequence of this one.")]
pub struct Options {
    /// Begins behind the record of this sequence
    #[arg(long, value_name = "SEQUENCE", default_value_t = 0)]
    after: i64,
    /// The most records to write
    #[arg(long, value_name = "COUNT", default_value_t = 10_000)]
    limit: u32,
    #[command(flatten)]
    tenant: TenantOption,
}

pub(super) fn run(options: &Options, desk: &mut Desk) -> Result<Answer, Failure> {
    let tenant = options.tenant.find(desk)?;
    let keys = verifiers(&tenant, desk)?;
    let links = desk.wait(
        desk.store
            .audit_links(&tenant, options.after, options.limit),
    )?;
    let last = links.last().map_or(options.after, |link| link.sequence);
    let checkpoints = checkpoints(&tenant, options.after + 1, last, desk)?;
    let mut lines: Vec<Json> = keys
        .iter()
        .map(|key| json!({ "key": key.to_json() }))
        .collect();
    let mut signed = checkpoints.into_iter().peekable();
    for link in &links {
        lines.push(record(link));
        while let Some(next) = signed.next_if(|next| next.sequence <= link.sequence) {
            lines.push(json!({ "sequence": next.sequence, "checkpoint": next.jws }));
        }
    }
    let text: Vec<String> = lines.iter().map(Json::to_string).collect();
    Ok(Answer::done(text.join("\n"), Json::Array(lines)))
}

/// The checkpoints of the places `from` to `to`.
fn checkpoints(
    tenant: &jeton_protocol::tenant::TenantId,
    from: i64,
    to: i64,
    desk: &Desk,
) -> Result<Vec<Checkpoint>, Failure> {
    let (mut from, mut found) = (from, Vec::new());
    loop {
        let page = desk.wait(desk.store.audit_checkpoints(tenant, from, 500))?;
        let last = page.last().map(|checkpoint| checkpoint.sequence);
        found.extend(
            page.into_iter()
                .filter(|checkpoint| checkpoint.sequence <= to),
        );
        match last {
            Some(last) if last < to => from = last + 1,
            Some(_) | None => return Ok(found),
        }
    }
}

/// Everything the hash covers, byte for byte: `record` is the text that was hashed.
fn record(link: &Link) -> Json {
    json!({
        "sequence": link.sequence,
        "id": link.id.to_string(),
        "at": written(Timestamp::from_millis(link.at)),
        "at_ms": link.at,
        "event": link.event,
        "actor": link.actor,
        "object": link.object,
        "record": link.record,
        "salt": base64url::encode(&link.salt),
        "body": base64url::encode(&link.body()),
        "erased": link.erased.is_some(),
        "hash": base64url::encode(&link.hash),
    })
}
