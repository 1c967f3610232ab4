//! `jeton client list` and `jeton client show`.

use jeton_protocol::client::{Client, ClientId};
use jeton_protocol::tenant::TenantId;
use jeton_store::{Page, Seen};

use super::{shown, shown_seen};
use crate::command::desk::{Desk, PageOption, TenantOption};
use crate::command::{Answer, Failure};

/// Which clients.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  jeton client list --json")]
pub struct ListOptions {
    #[command(flatten)]
    page: PageOption,
    #[command(flatten)]
    tenant: TenantOption,
}

/// Which client.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  jeton client show photos --json")]
pub struct ShowOptions {
    /// Its id
    id: String,
    #[command(flatten)]
    tenant: TenantOption,
}

/// Clients by id.
pub(super) fn list(options: &ListOptions, desk: &mut Desk) -> Result<Answer, Failure> {
    let tenant = options.tenant.find(desk)?;
    let after = options.page.after.as_deref().map(parse).transpose()?;
    let page = Page {
        after,
        limit: options.page.limit,
    };
    let clients = desk.wait(desk.store.clients(&tenant, page))?;
    let columns = [
        "client_id",
        "client_name",
        "token_endpoint_auth_method",
        "grant_types",
        "disabled",
    ];
    Ok(Answer::rows(&columns, clients.iter().map(shown).collect()))
}

/// One client, everything but its secret.
pub(super) fn show(options: &ShowOptions, desk: &mut Desk) -> Result<Answer, Failure> {
    let tenant = options.tenant.find(desk)?;
    find_seen(&tenant, &options.id, desk).map(|seen| Answer::members(shown_seen(&seen)))
}

/// The client called `id`, to be changed, or a refusal that says there is none.
pub(super) fn find_seen(tenant: &TenantId, id: &str, desk: &Desk) -> Result<Seen<Client>, Failure> {
    let id = parse(id)?;
    let found = desk.wait(desk.store.seen_client(tenant, &id))?;
    found.ok_or_else(|| Failure::refused(format!("there is no client called {id}")))
}

pub(in crate::command) fn parse(id: &str) -> Result<ClientId, Failure> {
    let told = "a client id has 1 to 255 printable ASCII characters";
    ClientId::parse(id).ok_or_else(|| Failure::usage(told))
}
