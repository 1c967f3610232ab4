//! `jeton user add`.

use jeton_protocol::user::User;
use jeton_store::{Changed, Inserted};
use serde_json::{Map, json};

use super::claims::Claims;
use super::password::{self, PasswordSource};
use super::{shown, username};
use crate::command::desk::{Desk, TenantOption};
use crate::command::{Answer, Failure};

/// The user to add.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  jeton user add alice --admin
  jeton user add bob --email bob@example.org --email-verified --password-file /run/secrets/bob

The password is asked for at the terminal, or read as the first line of standard input or of
--password-file. It is never taken from the command line, where other users could see it.")]
pub struct Options {
    /// The name to sign in with; spelling (case, accents, width) makes no second user
    username: String,
    #[command(flatten)]
    claims: Claims,
    /// May administer this server
    #[arg(long)]
    admin: bool,
    #[command(flatten)]
    password: PasswordSource,
    #[command(flatten)]
    tenant: TenantOption,
}

/// Adds the user, then the password.
pub(super) fn run(options: Options, desk: &mut Desk) -> Result<Answer, Failure> {
    let tenant = options.tenant.find(desk)?;
    let name = username(&options.username).map_err(Failure::usage)?;
    let mut claims = Map::new();
    claims.insert(
        "preferred_username".to_owned(),
        json!(options.username.trim()),
    );
    options.claims.put(&mut claims, desk.ambient.now)?;
    let hash = password::hash(&options.password, desk)?;
    let user = User {
        id: desk.id(),
        username: name,
        claims,
        admin: options.admin,
        created_at: desk.ambient.now,
        disabled_at: None,
    };
    let occasion = desk.occasion();
    match desk.wait(desk.store.insert_user(&tenant, user.clone(), occasion))? {
        Inserted::Inserted => {}
        Inserted::Taken => {
            let name = &user.username;
            return Err(Failure::refused(format!(
                "a user called {name} exists already"
            )));
        }
    }
    let occasion = desk.occasion();
    match desk.wait(desk.store.set_password(&tenant, user.id, hash, occasion))? {
        Changed::Changed => Ok(Answer::members(shown(&user))),
        Changed::NotFound | Changed::Taken => Err(Failure::refused(
            "the user was removed before the password was set",
        )),
    }
}
