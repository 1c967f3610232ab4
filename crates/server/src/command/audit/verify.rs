//! `jeton audit verify`.

use jeton_store::audit_verify::{Broken, Verified};
use serde_json::json;

use super::verifiers;
use crate::command::answer::written;
use crate::command::desk::{Desk, TenantOption};
use crate::command::{Answer, Failure};

/// Whose trail, and what was kept of it.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  jeton audit verify
  jeton audit verify --checkpoint eyJhbGciOiJFZERTQSJ9.e30.AA

Exits with 1 when the trail is broken. A checkpoint that was kept elsewhere also shows whether the whole
database is an older one.")]
pub struct Options {
    /// A checkpoint that was exported before; the trail must still contain it
    #[arg(long, value_name = "JWS")]
    checkpoint: Option<String>,
    #[command(flatten)]
    tenant: TenantOption,
}

pub(super) fn run(options: &Options, desk: &mut Desk) -> Result<Answer, Failure> {
    let tenant = options.tenant.find(desk)?;
    let keys = verifiers(&tenant, desk)?;
    let kept = options.checkpoint.as_deref();
    let verdict = desk.wait(desk.store.verify_audit(&tenant, &keys, kept))?;
    Ok(match verdict {
        Ok(verified) => good(&verified),
        Err(broken) => bad(broken),
    })
}

fn good(found: &Verified) -> Answer {
    Answer::members(json!({
        "verified": true,
        "first": found.first,
        "last": found.last,
        "signed_to": found.signed.map(|(sequence, _)| sequence),
        "signed_at": found.signed.map(|(_, at)| written(at)),
        "checkpoints": found.checkpoints,
        "erased": found.erased,
        "not_linked_yet": found.waiting,
    }))
}

fn bad(broken: Broken) -> Answer {
    let (kind, at, told) = match broken {
        Broken::Edited(at) => ("edited", at, format!("record {at} was edited")),
        Broken::Inserted(at) => ("inserted", at, format!("record {at} was put in")),
        Broken::Removed(at) => ("removed", at, format!("record {at} was removed")),
        Broken::Reordered(at) => (
            "reordered",
            at,
            format!("record {at} is not the one that stood there"),
        ),
        Broken::Truncated(at) => (
            "truncated",
            at,
            format!("the records from {at} on were removed"),
        ),
        Broken::Rewritten(at) => (
            "rewritten",
            at,
            format!("the records from {at} on are not those that were signed"),
        ),
        Broken::Forged(at) => (
            "forged",
            at,
            format!("the checkpoint at {at} was not signed by a key of this tenant"),
        ),
        Broken::CheckpointRemoved(at) => (
            "checkpoint_removed",
            at,
            format!("the checkpoint at {at} was removed"),
        ),
    };
    Answer {
        text: format!("BROKEN  {told}"),
        json: json!({ "verified": false, "broken": kind, "at": at }),
        good: false,
    }
}
