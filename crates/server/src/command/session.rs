//! `jeton session`: lists and ends sessions.

use clap::Subcommand;
use jeton_protocol::session::Session;
use jeton_store::Page;
use jeton_store::sessions::SessionEnd;
use serde_json::{Value as Json, json};

use super::answer::written;
use super::desk::{Desk, PageOption, TenantOption, row_id};
use super::{Answer, Failure, user};
use crate::config::Sources;

/// What to do with sessions.
#[derive(Debug, Subcommand)]
pub enum SessionCommand {
    /// Lists the live sessions of a user, newest first
    List(ListOptions),
    /// Ends a session with the grants and tokens that depend on it
    End(EndOptions),
}

/// Whose sessions.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  jeton session list --user alice")]
pub struct ListOptions {
    /// The name the user signs in with
    #[arg(long, value_name = "NAME")]
    user: String,
    #[command(flatten)]
    page: PageOption,
    #[command(flatten)]
    tenant: TenantOption,
}

/// Which session.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  jeton session end 01997b0e-5c5e-7c3a-a1d4-2f8f3a9c1b77

A running server refuses the session, and every token that depends on it, within a second. Grants
with offline_access stay: `jeton grant list --user NAME` shows them.")]
pub struct EndOptions {
    /// Its id, as `jeton session list` shows it
    id: String,
    #[command(flatten)]
    tenant: TenantOption,
}

/// Opens the database and does it.
pub(super) fn run(command: SessionCommand, sources: &Sources) -> Result<Answer, Failure> {
    let mut desk = Desk::open(sources)?;
    match command {
        SessionCommand::List(options) => list(&options, &mut desk),
        SessionCommand::End(options) => end(&options, &mut desk),
    }
}

fn list(options: &ListOptions, desk: &mut Desk) -> Result<Answer, Failure> {
    let tenant = options.tenant.find(desk)?;
    let user = user::find(&tenant, &options.user, desk)?;
    let after = options.page.after.as_deref();
    let page = Page {
        after: after.map(|id| row_id(id, "session")).transpose()?,
        limit: options.page.limit,
    };
    let now = desk.ambient.now;
    let sessions = desk.wait(desk.store.sessions_of_user(&tenant, user.id, page, now))?;
    let rows = sessions.iter().map(|stored| shown(&stored.session));
    let columns = [
        "session_id",
        "auth_time",
        "last_seen_at",
        "expires_at",
        "amr",
    ];
    Ok(Answer::rows(&columns, rows.collect()))
}

fn end(options: &EndOptions, desk: &mut Desk) -> Result<Answer, Failure> {
    let tenant = options.tenant.find(desk)?;
    let id = row_id(&options.id, "session")?;
    let occasion = desk.occasion();
    match desk.wait(desk.store.end_session(&tenant, id, occasion))? {
        SessionEnd::Ended { clients } => Ok(Answer::done(
            format!("ended session {id}"),
            json!({"session_id": id.to_string(), "outcome": "ended", "clients": clients}),
        )),
        SessionEnd::AlreadyEnded => Err(Failure::refused(format!(
            "there is no live session called {id}"
        ))),
    }
}

fn shown(session: &Session) -> Json {
    json!({
        "session_id": session.id.to_string(),
        "sub": session.user.to_string(),
        "auth_time": written(session.auth_time),
        "amr": session.amr,
        "acr": session.acr,
        "created_at": written(session.created_at),
        "last_seen_at": written(session.last_seen_at),
        "expires_at": written(session.expires_at),
    })
}
