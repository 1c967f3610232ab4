//! `jeton user disable`, `enable` and `delete`.

use serde_json::json;

use super::find;
use crate::command::confirm::Confirmation;
use crate::command::desk::{Desk, TenantOption, changed};
use crate::command::{Answer, Failure};

/// Which user.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// The name the user signs in with
    username: String,
    #[command(flatten)]
    tenant: TenantOption,
}

/// Which user, and whether that is meant.
#[derive(Debug, clap::Args)]
pub struct DeleteOptions {
    /// The name the user signs in with
    username: String,
    #[command(flatten)]
    confirmation: Confirmation,
    #[command(flatten)]
    tenant: TenantOption,
}

/// Locks the user out and ends what they have.
pub(super) fn disable(options: &Options, desk: &mut Desk) -> Result<Answer, Failure> {
    let tenant = options.tenant.find(desk)?;
    let (user, occasion) = (find(&tenant, &options.username, desk)?, desk.occasion());
    let outcome = desk.wait(desk.store.disable_user(&tenant, user.id, occasion))?;
    changed(outcome, "enabled user", &user.username)?;
    Ok(answer(&user.username, "disabled"))
}

/// Lets the user in again; what they had stays dead.
pub(super) fn enable(options: &Options, desk: &mut Desk) -> Result<Answer, Failure> {
    let tenant = options.tenant.find(desk)?;
    let (user, occasion) = (find(&tenant, &options.username, desk)?, desk.occasion());
    let outcome = desk.wait(desk.store.enable_user(&tenant, user.id, occasion))?;
    changed(outcome, "disabled user", &user.username)?;
    Ok(answer(&user.username, "enabled"))
}

/// Removes the user and ends what they have.
pub(super) fn delete(options: &DeleteOptions, desk: &mut Desk) -> Result<Answer, Failure> {
    let tenant = options.tenant.find(desk)?;
    let (user, occasion) = (find(&tenant, &options.username, desk)?, desk.occasion());
    let question = format!("delete user {}", user.username);
    options.confirmation.ask(&question)?;
    let outcome = desk.wait(desk.store.delete_user(&tenant, user.id, occasion))?;
    changed(outcome, "user", &user.username)?;
    Ok(answer(&user.username, "deleted"))
}

fn answer(username: &str, done: &str) -> Answer {
    let json = json!({"username": username, "outcome": done});
    Answer::done(format!("{done} user {username}"), json)
}
