//! `jeton grant`: lists, shows and revokes what users allowed clients.

use clap::Subcommand;
use jeton_protocol::tenant::TenantId;
use jeton_store::Page;
use jeton_store::grant_list::GrantsOf;
use jeton_store::grants::StoredGrant;
use jeton_store::revocation::Revoked;
use jeton_token::timestamp::Timestamp;
use serde_json::{Value as Json, json};

use super::answer::written;
use super::desk::{Desk, PageOption, TenantOption, row_id};
use super::{Answer, Failure, client, user};
use crate::config::Sources;

/// What to do with grants.
#[derive(Debug, Subcommand)]
pub enum GrantCommand {
    /// Lists what users allowed clients, in the order it was allowed
    List(ListOptions),
    /// Shows everything known of a grant; there is no token to show
    Show(ShowOptions),
    /// Takes a grant back, with every token of it
    Revoke(RevokeOptions),
}

/// Whose grants.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  jeton grant list --user alice
  jeton grant list --client photos --limit 20 --json

Grants that have ended are listed until they are swept. In a database with millions of grants it
takes a while: it looks through those of the tenant, from the oldest.")]
pub struct ListOptions {
    /// Only those of this user, by the name the user signs in with
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// Only those of this client
    #[arg(long, value_name = "ID")]
    client: Option<String>,
    #[command(flatten)]
    page: PageOption,
    #[command(flatten)]
    tenant: TenantOption,
}

/// Which grant.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  jeton grant show 01997b0e-5c5e-7c3a-a1d4-2f8f3a9c1b77")]
pub struct ShowOptions {
    /// Its id, as `jeton grant list` shows it
    id: String,
    #[command(flatten)]
    tenant: TenantOption,
}

/// Which grant.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  jeton grant revoke 01997b0e-5c5e-7c3a-a1d4-2f8f3a9c1b77

A running server refuses every token of it within a second. A client may ask again, and gets
without a page what the user consented to; `jeton user disable` and `jeton client disable` end that.")]
pub struct RevokeOptions {
    /// Its id, as `jeton grant list` shows it
    id: String,
    #[command(flatten)]
    tenant: TenantOption,
}

/// Opens the database and does it.
pub(super) fn run(command: GrantCommand, sources: &Sources) -> Result<Answer, Failure> {
    let mut desk = Desk::open(sources)?;
    match command {
        GrantCommand::List(options) => list(&options, &mut desk),
        GrantCommand::Show(options) => show(&options, &mut desk),
        GrantCommand::Revoke(options) => revoke(&options, &mut desk),
    }
}

const COLUMNS: [&str; 6] = [
    "grant_id",
    "client_id",
    "sub",
    "state",
    "created_at",
    "scope",
];

fn list(options: &ListOptions, desk: &mut Desk) -> Result<Answer, Failure> {
    let tenant = options.tenant.find(desk)?;
    let user = options.user.as_deref();
    let user = user
        .map(|name| user::find(&tenant, name, desk))
        .transpose()?;
    let client = options.client.as_deref().map(client::parse).transpose()?;
    let of = GrantsOf {
        user: user.map(|user| user.id),
        client,
    };
    let found = look(&tenant, &of, &options.page, desk)?;
    let rows = found.iter().map(|grant| shown(grant, desk.ambient.now));
    Ok(Answer::rows(&COLUMNS, rows.collect()))
}

/// As many looks as it takes to fill the page, or to reach the end.
fn look(
    tenant: &TenantId,
    of: &GrantsOf,
    page: &PageOption,
    desk: &Desk,
) -> Result<Vec<StoredGrant>, Failure> {
    let after = page.after.as_deref();
    let mut after = after.map(|id| row_id(id, "grant")).transpose()?;
    let mut grants = Vec::new();
    loop {
        let missing = page
            .limit
            .saturating_sub(u32::try_from(grants.len()).unwrap_or(u32::MAX));
        let part = Page {
            after,
            limit: missing,
        };
        let found = desk.wait(desk.store.grants(tenant, of.clone(), part))?;
        grants.extend(found.grants);
        after = found.next;
        if after.is_none() || grants.len() >= page.limit as usize {
            return Ok(grants);
        }
    }
}

fn show(options: &ShowOptions, desk: &mut Desk) -> Result<Answer, Failure> {
    let tenant = options.tenant.find(desk)?;
    let id = row_id(&options.id, "grant")?;
    let found = desk.wait(desk.store.grant(&tenant, id))?;
    let grant = found.ok_or_else(|| Failure::refused(format!("there is no grant called {id}")))?;
    Ok(Answer::members(shown(&grant, desk.ambient.now)))
}

fn revoke(options: &RevokeOptions, desk: &mut Desk) -> Result<Answer, Failure> {
    let tenant = options.tenant.find(desk)?;
    let id = row_id(&options.id, "grant")?;
    let occasion = desk.occasion();
    match desk.wait(
        desk.store
            .revoke_grant(&tenant, id, "grant.revoked", occasion),
    )? {
        Revoked::Revoked => Ok(Answer::done(
            format!("revoked grant {id} and every token of it"),
            json!({"grant_id": id.to_string(), "outcome": "revoked"}),
        )),
        Revoked::AlreadyGone => Err(Failure::refused(format!(
            "there is no grant called {id} that is not revoked"
        ))),
    }
}

/// A grant for people and programs; what its code was bound to is nobody's business.
fn shown(stored: &StoredGrant, now: Timestamp) -> Json {
    let grant = &stored.grant;
    let time = |at: Option<Timestamp>| at.map_or(Json::Null, written);
    json!({
        "grant_id": grant.id.to_string(),
        "client_id": grant.client,
        "sub": grant.subject,
        "session_id": grant.session.to_string(),
        "state": state(stored, now),
        "scope": grant.scope,
        "audience": grant.audience,
        "offline": grant.offline,
        "auth_time": written(grant.auth_time),
        "amr": grant.amr,
        "acr": grant.acr,
        "created_at": written(grant.created_at),
        "redeemed_at": time(stored.redeemed_at),
        "refresh_expires_at": time(stored.refresh_expires_at),
        "expires_at": written(grant.expires_at),
        "revoked_at": time(stored.state.revoked_at),
    })
}

/// Whether tokens may still come of the grant, else why not.
fn state(stored: &StoredGrant, now: Timestamp) -> &'static str {
    let state = &stored.state;
    if state.user_gone {
        "user deleted"
    } else if state.user_disabled_at.is_some() {
        "user disabled"
    } else if state.revoked_at.is_some() {
        "revoked"
    } else if !stored.grant.offline && state.session_ended_at.is_some() {
        "session ended"
    } else if stored.grant.expires_at <= now {
        "expired"
    } else if stored.redeemed_at.is_some() {
        "live"
    } else if stored.code_expires_at.is_some_and(|at| at > now) {
        "code waits"
    } else {
        "code expired"
    }
}
