//! `jeton user add`.

use jeton_protocol::user::User;
use jeton_store::{Changed, Inserted};
use serde_json::{Map, json};

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

/// What clients may learn of the user. (OIDC Core §5.1)
#[derive(Debug, clap::Args)]
struct Claims {
    /// The mail address
    #[arg(long, value_name = "ADDRESS")]
    email: Option<String>,
    /// The mail address is known to be the user's
    #[arg(long, requires = "email")]
    email_verified: bool,
    /// The full name
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// The given name
    #[arg(long, value_name = "NAME")]
    given_name: Option<String>,
    /// The family name
    #[arg(long, value_name = "NAME")]
    family_name: Option<String>,
    /// The language, such as fr-CA
    #[arg(long, value_name = "TAG")]
    locale: Option<String>,
}

/// Adds the user, then the password.
pub(super) fn run(options: Options, desk: &mut Desk) -> Result<Answer, Failure> {
    let tenant = options.tenant.find(desk)?;
    let name = username(&options.username).map_err(Failure::usage)?;
    let claims = options.claims.members(&options.username, desk)?;
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

impl Claims {
    /// The claims by name; absent rather than empty. (OIDC Core §5.3.2)
    fn members(self, typed: &str, desk: &Desk) -> Result<Map<String, serde_json::Value>, Failure> {
        let is_address = |text: &str| {
            let parts = text.split_once('@');
            parts.is_some_and(|(local, host)| !local.is_empty() && !host.is_empty())
                && !text.contains(char::is_whitespace)
        };
        if self.email.as_deref().is_some_and(|text| !is_address(text)) {
            return Err(Failure::usage(
                "--email: write an address, such as alice@example.org",
            ));
        }
        let mut claims = Map::new();
        if self.email.is_some() {
            claims.insert("email_verified".to_owned(), json!(self.email_verified));
        }
        let texts = [
            ("preferred_username", Some(typed.trim().to_owned())),
            ("email", self.email),
            ("name", self.name),
            ("given_name", self.given_name),
            ("family_name", self.family_name),
            ("locale", self.locale),
        ];
        for (claim, text) in texts {
            if let Some(text) = text.filter(|text| !text.is_empty()) {
                claims.insert(claim.to_owned(), json!(text));
            }
        }
        claims.insert("updated_at".to_owned(), json!(desk.ambient.now.seconds()));
        Ok(claims)
    }
}
