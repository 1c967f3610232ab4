//! `jeton user change`: a user as they shall be from now on.

use serde_json::json;

use super::claims::{Claims, claim_name};
use super::{find_seen, shown_seen, username};
use crate::command::desk::{Desk, TenantOption, replaced};
use crate::command::{Answer, Failure};

/// What to change.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  jeton user change alice --email alice@example.org --email-verified
  jeton user change alice --username alicia --family-name Martin
  jeton user change alice --claim phone_number=+33123456789 --remove locale
  jeton user change alice --admin=false

What is not named stays. Sessions and grants stay too: `jeton user password` and
`jeton user disable` end them.")]
pub struct Options {
    /// The name the user signs in with
    username: String,
    /// The name to sign in with from now on
    #[arg(long = "username", value_name = "NAME", id = "new_username")]
    new_username: Option<String>,
    #[command(flatten)]
    claims: Claims,
    /// Removes a claim; may be repeated
    #[arg(long, value_name = "CLAIM")]
    remove: Vec<String>,
    /// May administer this server, or with --admin=false no longer
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    admin: Option<bool>,
    #[command(flatten)]
    tenant: TenantOption,
}

/// Changes the user, unless somebody else did meanwhile. (SEC-244)
pub(super) fn run(options: Options, desk: &mut Desk) -> Result<Answer, Failure> {
    let named = options.new_username.is_some() || options.admin.is_some();
    if !named && options.remove.is_empty() && options.claims.is_empty() {
        let told = "there is nothing to change; see jeton user change --help";
        return Err(Failure::usage(told));
    }
    let tenant = options.tenant.find(desk)?;
    let mut seen = find_seen(&tenant, &options.username, desk)?;
    let user = &mut seen.record;
    if let Some(typed) = &options.new_username {
        user.username = username(typed).map_err(Failure::usage)?;
        let shown = json!(typed.trim());
        user.claims.insert("preferred_username".to_owned(), shown);
    }
    user.admin = options.admin.unwrap_or(user.admin);
    for name in &options.remove {
        user.claims.remove(claim_name(name)?);
        if name == "email" {
            user.claims.remove("email_verified");
        }
    }
    options.claims.put(&mut user.claims, desk.ambient.now)?;
    let name = user.username.clone();
    let occasion = desk.occasion();
    let outcome = desk.wait(desk.store.change_user(&tenant, seen, occasion))?;
    replaced(outcome, "user", &name)?;
    find_seen(&tenant, &name, desk).map(|seen| Answer::members(shown_seen(&seen)))
}
