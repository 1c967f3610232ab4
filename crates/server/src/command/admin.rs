//! `jeton admin`: lets an administrator in, from the host.

use super::desk::{Desk, TenantOption};
use super::user::username;
use super::{Answer, Failure};
use crate::config::Sources;
use crate::keys;
use crate::login::admin_link::{LIFETIME, PATH, PURPOSE, USER};
use clap::Subcommand;
use jeton_protocol::tenant::TenantId;
use jeton_protocol::user::User;
use jeton_store::Inserted;
use jeton_store::links::Link;
use jeton_token::handle::HandleKind;
use serde_json::{Map, json};

/// What to do for an administrator.
#[derive(Debug, Subcommand)]
pub enum AdminCommand {
    /// Prints a link that works once, for 15 minutes, to choose the password of an administrator
    Link(LinkOptions),
}

/// For whom.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  jeton admin link
  jeton admin link alice

The user is made if there is none of that name. Whoever opens the link chooses the password, and
every session of the user ends.")]
pub struct LinkOptions {
    /// The administrator's user name
    #[arg(default_value = "admin")]
    username: String,
    #[command(flatten)]
    tenant: TenantOption,
}

/// Opens the database and does it.
pub(super) fn run(command: AdminCommand, sources: &Sources) -> Result<Answer, Failure> {
    let mut desk = Desk::open(sources)?;
    match command {
        AdminCommand::Link(options) => link(&options, &mut desk),
    }
}

fn link(options: &LinkOptions, desk: &mut Desk) -> Result<Answer, Failure> {
    let tenant = options.tenant.find(desk)?;
    let name = username(&options.username).map_err(Failure::usage)?;
    let user = administrator(&tenant, name, desk)?;
    let found = desk.wait(desk.store.tenant(&tenant))?;
    let found = found
        .ok_or_else(|| Failure::refused(format!("there is no tenant called {tenant}")))?
        .tenant;
    let kek = desk.kek()?;
    let (store, id) = (desk.store.clone(), desk.id());
    let opened = keys::open_for(
        &store,
        &kek,
        &tenant,
        (found.policy.signing_algorithm, &mut desk.ambient),
    );
    let opened = desk.runtime.block_on(opened).map_err(Failure::refused)?;
    let text = opened
        .ring
        .handles
        .seal(tenant.as_str(), HandleKind::AdminLink, id, 0);
    let link = Link {
        id,
        purpose: PURPOSE.to_owned(),
        expires_at: desk.ambient.now.plus(LIFETIME),
        facts: Map::from_iter([(USER.to_owned(), json!(user.id))]),
    };
    let occasion = desk.occasion();
    desk.wait(desk.store.make_link(&tenant, link, occasion))?;
    let url = found.issuer.join(&format!("{PATH}?token={text}"));
    Ok(Answer::done(
        url.clone(),
        json!({ "url": url, "username": user.username, "expires_in": LIFETIME.as_secs() }),
    ))
}

/// The administrator of that name, made without a password if there is none.
fn administrator(tenant: &TenantId, name: String, desk: &mut Desk) -> Result<User, Failure> {
    if let Some(user) = desk.wait(desk.store.user_by_name(tenant, &name))? {
        if !user.admin {
            return Err(Failure::refused(format!(
                "{name} is not an administrator; see `jeton user add --help`"
            )));
        }
        return Ok(user);
    }
    let user = User {
        id: desk.id(),
        username: name,
        claims: Map::new(),
        admin: true,
        created_at: desk.ambient.now,
        disabled_at: None,
    };
    let occasion = desk.occasion();
    match desk.wait(desk.store.insert_user(tenant, user.clone(), occasion))? {
        Inserted::Inserted => Ok(user),
        Inserted::Taken => Err(Failure::refused(
            "somebody else just made this user; try again",
        )),
    }
}
