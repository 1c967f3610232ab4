//! `jeton audit`: shows the audit trail, proves that nobody changed it, and hands it out.

mod export;
mod list;
mod verify;

use clap::Subcommand;
use jeton_protocol::tenant::TenantId;
use jeton_token::jwk::PublicJwk;
use serde_json::json;

use super::desk::{Desk, TenantOption};
use super::{Answer, Failure};
use crate::audit;
use crate::config::Sources;
use crate::keys;

/// What to do with the audit trail.
#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// Lists records, the newest first
    List(list::Options),
    /// Proves that no record was edited, removed, moved or put in between
    Verify(verify::Options),
    /// Signs where the trail stands now; the server does it every minute
    Checkpoint(CheckpointOptions),
    /// Writes records and checkpoints as JSON lines, to be kept elsewhere
    Export(export::Options),
}

/// Whose trail.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  jeton audit checkpoint")]
pub struct CheckpointOptions {
    #[command(flatten)]
    tenant: TenantOption,
}

/// Opens the database and does it.
pub(super) fn run(command: AuditCommand, sources: &Sources) -> Result<Answer, Failure> {
    let mut desk = Desk::open(sources)?;
    match command {
        AuditCommand::List(options) => list::run(&options, &mut desk),
        AuditCommand::Verify(options) => verify::run(&options, &mut desk),
        AuditCommand::Checkpoint(options) => checkpoint(&options, &mut desk),
        AuditCommand::Export(options) => export::run(&options, &mut desk),
    }
}

fn checkpoint(options: &CheckpointOptions, desk: &mut Desk) -> Result<Answer, Failure> {
    let tenant = options.tenant.find(desk)?;
    let kek = desk.kek()?;
    // The key is made first, so that the record of its making is covered too.
    let signer = keys::audit_signer(&desk.store, &kek, &tenant, &mut desk.ambient);
    desk.runtime.block_on(signer).map_err(Failure::refused)?;
    loop {
        let seed = desk.ambient.entropy.bytes();
        if !desk.wait(desk.store.link_audit(&tenant, seed))? {
            break;
        }
    }
    let signed = audit::sign_one(&desk.store, &kek, &tenant, &mut desk.ambient);
    desk.runtime.block_on(signed).map_err(Failure::refused)?;
    let newest = newest_checkpoint(&tenant, desk)?;
    Ok(Answer::done(
        newest.clone(),
        json!({ "checkpoint": newest }),
    ))
}

fn newest_checkpoint(tenant: &TenantId, desk: &Desk) -> Result<String, Failure> {
    let newest = desk.wait(desk.store.newest_audit_checkpoint(tenant))?;
    newest
        .map(|checkpoint| checkpoint.jws)
        .ok_or_else(|| Failure::refused("there is no record to sign yet"))
}

/// The keys that prove the checkpoints of a tenant.
fn verifiers(tenant: &TenantId, desk: &mut Desk) -> Result<Vec<PublicJwk>, Failure> {
    let kek = desk.kek()?;
    let keys = keys::audit_verifiers(&desk.store, &kek, tenant, desk.ambient.now);
    desk.runtime.block_on(keys).map_err(Failure::refused)
}
