//! `jeton user`: adds, lists and changes users.

mod add;
mod change;
mod claims;
mod edit;
mod list;
mod name;
mod password;

pub(in crate::command) use name::username;

use clap::Subcommand;
use jeton_protocol::tenant::TenantId;
use jeton_protocol::user::User;
use jeton_store::Seen;
use serde_json::{Value as Json, json};

use super::answer::{instant, written};
use super::desk::Desk;
use super::{Answer, Failure};
use crate::config::Sources;

/// What to do with users.
#[derive(Debug, Subcommand)]
pub enum UserCommand {
    /// Adds a user with a password
    Add(add::Options),
    /// Lists users in the order they were made
    List(list::ListOptions),
    /// Shows everything known of a user except the password
    Show(list::ShowOptions),
    /// Changes names, e-mail, claims and rights of a user
    Change(Box<edit::Options>),
    /// Locks a user out and ends every session and grant; `enable` undoes the former
    #[command(after_help = "Example:\n  jeton user disable alice")]
    Disable(change::Options),
    /// Lets a disabled user in again
    #[command(after_help = "Example:\n  jeton user enable alice")]
    Enable(change::Options),
    /// Sets a new password and ends every session and grant of the user
    Password(password::Options),
    /// Removes a user for good, with every session, grant and consent
    #[command(after_help = "Example:\n  jeton user delete alice --yes")]
    Delete(change::DeleteOptions),
}

/// Opens the database and does it.
pub(super) fn run(command: UserCommand, sources: &Sources) -> Result<Answer, Failure> {
    let mut desk = Desk::open(sources)?;
    match command {
        UserCommand::Add(options) => add::run(options, &mut desk),
        UserCommand::List(options) => list::list(&options, &mut desk),
        UserCommand::Show(options) => list::show(&options, &mut desk),
        UserCommand::Change(options) => edit::run(*options, &mut desk),
        UserCommand::Disable(options) => change::disable(&options, &mut desk),
        UserCommand::Enable(options) => change::enable(&options, &mut desk),
        UserCommand::Password(options) => password::run(&options, &mut desk),
        UserCommand::Delete(options) => change::delete(&options, &mut desk),
    }
}

/// A user for people and programs, under the names of claims; never a credential.
fn shown(user: &User) -> Json {
    let mut json = json!({
        "sub": user.subject(),
        "username": user.username,
        "admin": user.admin,
        "disabled": user.disabled_at.is_some(),
        "created_at": written(user.created_at),
    });
    if let Some(members) = json.as_object_mut() {
        members.extend(user.claims.clone());
    }
    json
}

/// As [`shown`], with when the user was last changed.
fn shown_seen(seen: &Seen<User>) -> Json {
    let mut json = shown(&seen.record);
    json["changed_at"] = instant(seen.changed_at);
    json
}

/// The user called `name`, or a refusal that says there is none.
pub(in crate::command) fn find(
    tenant: &TenantId,
    name: &str,
    desk: &Desk,
) -> Result<User, Failure> {
    find_seen(tenant, name, desk).map(|seen| seen.record)
}

/// As [`find`], to be shown or changed.
fn find_seen(tenant: &TenantId, name: &str, desk: &Desk) -> Result<Seen<User>, Failure> {
    let name = username(name).map_err(Failure::usage)?;
    let found = desk.wait(desk.store.seen_user(tenant, &name))?;
    found.ok_or_else(|| Failure::refused(format!("there is no user called {name}")))
}
