//! `jeton tenant`: adds, lists and changes tenants, each an issuer of its own.

use clap::Subcommand;
use jeton_protocol::tenant::{Tenant, TenantId};
use jeton_store::tenants::StoredTenant;
use jeton_store::{Inserted, Page};
use serde_json::{Value as Json, json};

use super::desk::{Desk, PageOption, changed, parse_tenant};
use super::{Answer, Failure};
use crate::config::Sources;

/// What to do with tenants.
#[derive(Debug, Subcommand)]
pub enum TenantCommand {
    /// Adds a tenant: an issuer with its own users, clients and keys
    Add(AddOptions),
    /// Lists tenants
    #[command(after_help = "Example:\n  jeton tenant list --json")]
    List(PageOption),
    /// Refuses everything of a tenant from now on; `enable` undoes it, but not for old tokens
    #[command(after_help = "Example:\n  jeton tenant disable acme")]
    Disable(ChangeOptions),
    /// Serves a disabled tenant again
    #[command(after_help = "Example:\n  jeton tenant enable acme")]
    Enable(ChangeOptions),
}

/// The tenant to add.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  jeton tenant add acme --issuer https://acme.auth.example.org --name Acme
  jeton tenant add beta --issuer https://auth.example.org/beta

The tenant begins with the lifetimes, scopes and token settings of this configuration. Its issuer
must lead to this server: by host name, by path, or both.")]
pub struct AddOptions {
    /// A short id: a-z, 0-9 and -
    id: String,
    /// The public address of the tenant
    #[arg(long, value_name = "URL")]
    issuer: String,
    /// What users see; the issuer's host when not given
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
}

/// Which tenant.
#[derive(Debug, clap::Args)]
pub struct ChangeOptions {
    /// Its id
    id: String,
}

/// Opens the database and does it.
pub(super) fn run(command: TenantCommand, sources: &Sources) -> Result<Answer, Failure> {
    let mut desk = Desk::open(sources)?;
    match command {
        TenantCommand::Add(options) => add(options, &mut desk),
        TenantCommand::List(page) => list(&page, &desk),
        TenantCommand::Disable(options) => disable(&options, &mut desk),
        TenantCommand::Enable(options) => enable(&options, &mut desk),
    }
}

fn add(options: AddOptions, desk: &mut Desk) -> Result<Answer, Failure> {
    let issuer = desk
        .config
        .admits_issuer(&options.issuer)
        .map_err(|wrong| Failure::usage(format!("--issuer {wrong}")))?;
    let tenant = Tenant {
        id: parse_tenant(&options.id)?,
        issuer,
        name: options.name,
        policy: desk.config.policy.clone(),
    };
    let occasion = desk.occasion();
    match desk.wait(desk.store.insert_tenant(tenant.clone(), occasion))? {
        Inserted::Inserted => Ok(Answer::members(shown(&StoredTenant {
            tenant,
            disabled_at: None,
        }))),
        Inserted::Taken => Err(Failure::refused(
            "a tenant with this id or this issuer exists already",
        )),
    }
}

fn list(page: &PageOption, desk: &Desk) -> Result<Answer, Failure> {
    let after = page.after.as_deref().map(parse_tenant).transpose()?;
    let tenants = desk.wait(desk.store.tenants(Page {
        after,
        limit: page.limit,
    }))?;
    let columns = ["id", "issuer", "name", "disabled"];
    Ok(Answer::rows(&columns, tenants.iter().map(shown).collect()))
}

fn disable(options: &ChangeOptions, desk: &mut Desk) -> Result<Answer, Failure> {
    let id = parse_tenant(&options.id)?;
    let occasion = desk.occasion();
    let outcome = desk.wait(desk.store.disable_tenant(&id, occasion))?;
    changed(outcome, "enabled tenant", id.as_str())?;
    Ok(answer(&id, "disabled"))
}

fn enable(options: &ChangeOptions, desk: &mut Desk) -> Result<Answer, Failure> {
    let id = parse_tenant(&options.id)?;
    let occasion = desk.occasion();
    let outcome = desk.wait(desk.store.enable_tenant(&id, occasion))?;
    changed(outcome, "disabled tenant", id.as_str())?;
    Ok(answer(&id, "enabled"))
}

fn answer(id: &TenantId, done: &str) -> Answer {
    Answer::done(
        format!("{done} tenant {id}"),
        json!({"id": id, "outcome": done}),
    )
}

fn shown(stored: &StoredTenant) -> Json {
    let tenant = &stored.tenant;
    json!({
        "id": tenant.id,
        "issuer": tenant.issuer,
        "name": tenant.name,
        "disabled": stored.disabled_at.is_some(),
    })
}
