//! `jeton client`: adds, lists and changes clients.

mod add;
mod change;
mod edit;
mod list;
mod members;
mod registration;
mod secret;
mod setters;

pub(in crate::command) use list::parse;

use clap::Subcommand;
use jeton_protocol::client::Client;
use jeton_store::Seen;
use serde_json::{Map, Value as Json, json};

use super::answer::instant;
use super::desk::{Desk, changed};
use super::{Answer, Failure};
use crate::config::{Sources, duration_text};

/// What to do with clients.
#[derive(Debug, Subcommand)]
pub enum ClientCommand {
    /// Adds a client and prints its secret, once
    Add(Box<add::Options>),
    /// Lists clients
    List(list::ListOptions),
    /// Shows everything known of a client except its secret
    Show(list::ShowOptions),
    /// Changes a client, by options or by the edited output of show
    Change(Box<edit::Options>),
    /// Refuses a client from now on, with every token it has; `enable` undoes the former
    #[command(after_help = "Example:\n  jeton client disable photos")]
    Disable(change::Options),
    /// Serves a disabled client again
    #[command(after_help = "Example:\n  jeton client enable photos")]
    Enable(change::Options),
    /// Removes a client for good, with every grant it has
    #[command(after_help = "Example:\n  jeton client delete photos --yes")]
    Delete(change::DeleteOptions),
    /// Makes a new secret and prints it, once; the old one stops working
    Secret(secret::Options),
}

/// Opens the database and does it.
pub(super) fn run(command: ClientCommand, sources: &Sources) -> Result<Answer, Failure> {
    let mut desk = Desk::open(sources)?;
    match command {
        ClientCommand::Add(options) => add::run(*options, &mut desk),
        ClientCommand::Change(options) => edit::run(*options, &mut desk),
        ClientCommand::List(options) => list::list(&options, &mut desk),
        ClientCommand::Show(options) => list::show(&options, &mut desk),
        ClientCommand::Disable(options) => change::disable(&options, &mut desk),
        ClientCommand::Enable(options) => change::enable(&options, &mut desk),
        ClientCommand::Delete(options) => change::delete(&options, &mut desk),
        ClientCommand::Secret(options) => secret::run(&options, &mut desk),
    }
}

/// A client as RFC 7591 §3.2.1 shows it, with whether it is disabled; never its secret.
fn shown(client: &Client) -> Json {
    let mut members = match serde_json::to_value(client) {
        Ok(Json::Object(members)) => members,
        Ok(_) | Err(_) => Map::new(),
    };
    members.remove("secret");
    members.insert(
        "client_id_issued_at".to_owned(),
        json!(client.created_at.seconds()),
    );
    members.insert("disabled".to_owned(), json!(client.disabled_at.is_some()));
    if let Some(lifetime) = client.access_token_lifetime {
        let text = json!(duration_text(lifetime));
        members.insert("access_token_lifetime".to_owned(), text);
    }
    members.retain(|_, value| *value != json!([]));
    Json::Object(members)
}

/// As [`shown`], with what `client change --file` needs to notice that somebody else was faster. (SEC-244)
fn shown_seen(seen: &Seen<Client>) -> Json {
    let mut json = shown(&seen.record);
    json["changed_at"] = instant(seen.changed_at);
    json
}
