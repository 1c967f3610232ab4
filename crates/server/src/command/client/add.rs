//! `jeton client add`.

use std::io::Read;
use std::path::PathBuf;

use jeton_protocol::client::Client;
use jeton_protocol::tenant::TenantId;
use jeton_store::Inserted;
use jeton_token::algorithm::SignatureAlgorithm;
use serde_json::json;

use super::registration::Registration;
use super::{secret, shown};
use crate::command::desk::{Desk, TenantOption};
use crate::command::{Answer, Failure};
use crate::keys;

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
    make_signing_keys(&client, &tenant, desk)?;
    let occasion = desk.occasion();
    match desk.wait(desk.store.insert_client(&tenant, client.clone(), occasion))? {
        Inserted::Inserted => Ok(answer(&client, secret.as_deref())),
        Inserted::Taken => Err(Failure::refused(format!(
            "a client called {} exists already",
            client.id
        ))),
    }
}

/// Keys of the algorithms that the client's tokens are signed with, published before it asks for any.
fn make_signing_keys(client: &Client, tenant: &TenantId, desk: &mut Desk) -> Result<(), Failure> {
    let asked = [
        client.id_token_signed_response_alg,
        client.access_token_signed_response_alg,
    ];
    let made_anyway = |algorithm: &SignatureAlgorithm| {
        keys::Line::FIRST.contains(&keys::Line::Signing(*algorithm))
    };
    for algorithm in asked.into_iter().flatten().filter(|it| !made_anyway(it)) {
        let kek = desk.kek()?;
        let store = desk.store.clone();
        let opened = keys::open_for(&store, &kek, tenant, (algorithm, &mut desk.ambient));
        desk.runtime.block_on(opened).map_err(Failure::refused)?;
    }
    Ok(())
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
