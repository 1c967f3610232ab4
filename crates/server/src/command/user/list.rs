//! `jeton user list` and `jeton user show`.

use jeton_protocol::user::UserId;
use jeton_store::Page;

use super::{find_seen, shown, shown_seen};
use crate::command::desk::{Desk, PageOption, TenantOption};
use crate::command::{Answer, Failure};

/// Which users.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  jeton user list --limit 20 --json")]
pub struct ListOptions {
    #[command(flatten)]
    page: PageOption,
    #[command(flatten)]
    tenant: TenantOption,
}

/// Which user.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  jeton user show alice")]
pub struct ShowOptions {
    /// The name the user signs in with
    username: String,
    #[command(flatten)]
    tenant: TenantOption,
}

/// Users in the order they were made.
pub(super) fn list(options: &ListOptions, desk: &mut Desk) -> Result<Answer, Failure> {
    let tenant = options.tenant.find(desk)?;
    let parse = |id: &String| {
        id.parse::<UserId>()
            .map_err(|_| Failure::usage("--after: write a sub"))
    };
    let after = options.page.after.as_ref().map(parse).transpose()?;
    let page = Page {
        after,
        limit: options.page.limit,
    };
    let users = desk.wait(desk.store.users(&tenant, page))?;
    let columns = [
        "sub",
        "username",
        "email",
        "admin",
        "disabled",
        "created_at",
    ];
    Ok(Answer::rows(&columns, users.iter().map(shown).collect()))
}

/// One user, everything but the password.
pub(super) fn show(options: &ShowOptions, desk: &mut Desk) -> Result<Answer, Failure> {
    let tenant = options.tenant.find(desk)?;
    find_seen(&tenant, &options.username, desk).map(|seen| Answer::members(shown_seen(&seen)))
}
