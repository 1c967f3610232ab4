//! `jeton client disable`, `enable` and `delete`.

use super::changed;
use super::list::parse;
use crate::command::confirm::Confirmation;
use crate::command::desk::{Desk, TenantOption};
use crate::command::{Answer, Failure};
use serde_json::json;

/// Which client.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Its id
    id: String,
    #[command(flatten)]
    tenant: TenantOption,
}

/// Which client, and whether that is meant.
#[derive(Debug, clap::Args)]
pub struct DeleteOptions {
    /// Its id
    id: String,
    #[command(flatten)]
    confirmation: Confirmation,
    #[command(flatten)]
    tenant: TenantOption,
}

/// Refuses the client and kills its tokens.
pub(super) fn disable(options: &Options, desk: &mut Desk) -> Result<Answer, Failure> {
    let (tenant, id) = (options.tenant.find(desk)?, parse(&options.id)?);
    let occasion = desk.occasion();
    let outcome = desk.wait(desk.store.disable_client(&tenant, &id, occasion))?;
    changed(outcome, "enabled client", id.as_str())?;
    Ok(answer(id.as_str(), "disabled"))
}

/// Serves the client again; what it had stays dead.
pub(super) fn enable(options: &Options, desk: &mut Desk) -> Result<Answer, Failure> {
    let (tenant, id) = (options.tenant.find(desk)?, parse(&options.id)?);
    let occasion = desk.occasion();
    let outcome = desk.wait(desk.store.enable_client(&tenant, &id, occasion))?;
    changed(outcome, "disabled client", id.as_str())?;
    Ok(answer(id.as_str(), "enabled"))
}

/// Removes the client and kills its tokens.
pub(super) fn delete(options: &DeleteOptions, desk: &mut Desk) -> Result<Answer, Failure> {
    let (tenant, id) = (options.tenant.find(desk)?, parse(&options.id)?);
    options.confirmation.ask(&format!("delete client {id}"))?;
    let occasion = desk.occasion();
    let outcome = desk.wait(desk.store.delete_client(&tenant, &id, occasion))?;
    changed(outcome, "client", id.as_str())?;
    Ok(answer(id.as_str(), "deleted"))
}

fn answer(id: &str, done: &str) -> Answer {
    Answer::done(
        format!("{done} client {id}"),
        json!({"client_id": id, "outcome": done}),
    )
}
