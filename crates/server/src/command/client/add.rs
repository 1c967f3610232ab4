//! `jeton client add`.

use std::io::Read;
use std::path::PathBuf;

use jeton_protocol::client::Client;
use jeton_store::Inserted;
use serde_json::json;

use super::registration::Registration;
use super::{secret, shown};
use crate::command::desk::{Desk, TenantOption};
use crate::command::{Answer, Failure};

/// The client to add.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  jeton client add --name Photos --redirect-uri https://photos.example.org/callback
  jeton client add --id spa --auth none --redirect-uri https://spa.example.org/
  jeton client add --id job --scope \"reports:write\" --audience https://reports.example.org
  jeton client add --id reports --introspects https://reports.example.org
  jeton client add --file registration.json --json

A file is a registration request with the member names of RFC 7591 and takes the place of all
options but --tenant. The secret is shown once: only its digest is kept.")]
pub struct Options {
    #[command(flatten)]
    registration: Registration,
    /// Reads a registration request (RFC 7591) instead of options; - is standard input
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    #[command(flatten)]
    tenant: TenantOption,
}

/// Adds the client and answers with its registration, the secret included.
pub(super) fn run(options: Options, desk: &mut Desk) -> Result<Answer, Failure> {
    let tenant = options.tenant.find(desk)?;
    let registration = match &options.file {
        Some(path) => Registration::from_json(&read(path)?)?,
        None => options.registration,
    };
    let id = desk.id().to_string();
    let mut client = registration.client(id, desk.ambient.now)?;
    let secret = secret::give(&mut client, &tenant, desk)?;
    let occasion = desk.occasion();
    match desk.wait(desk.store.insert_client(&tenant, client.clone(), occasion))? {
        Inserted::Inserted => Ok(answer(&client, secret.as_deref())),
        Inserted::Taken => Err(Failure::refused(format!(
            "a client called {} exists already",
            client.id
        ))),
    }
}

/// The registration response. (RFC 7591 §3.2.1)
pub(super) fn answer(client: &Client, secret: Option<&str>) -> Answer {
    let mut json = shown(client);
    if let Some(secret) = secret {
        json["client_secret"] = json!(secret);
        json["client_secret_expires_at"] = json!(0);
    }
    let mut answer = Answer::members(json);
    if secret.is_some() {
        answer
            .text
            .push_str("\n\nKeep client_secret now: it is not stored and cannot be shown again.");
    }
    answer
}

fn read(path: &PathBuf) -> Result<String, Failure> {
    let mut text = String::new();
    let read = if path.as_os_str() == "-" {
        std::io::stdin().read_to_string(&mut text).map(drop)
    } else {
        std::fs::read_to_string(path).map(|content| text = content)
    };
    read.map_err(|error| Failure::usage(format!("{}: {error}", path.display())))?;
    Ok(text)
}
