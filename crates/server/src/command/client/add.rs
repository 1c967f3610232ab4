//! `jeton client add`.

use std::io::Read;
use std::path::{Path, PathBuf};

use jeton_protocol::client::{Client, ClientId, GrantType};
use jeton_protocol::scope::Scope;
use jeton_protocol::tenant::TenantId;
use jeton_store::Inserted;
use jeton_token::algorithm::SignatureAlgorithm;
use jeton_token::json::parse_object;
use serde_json::{Map, Value as Json, json};

use super::registration::Registration;
use super::{members, secret, shown};
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
  jeton client add --id photos --exchange-audience https://albums.example.org
  jeton client add --file registration.json --json

A file is a registration request with the member names of RFC 7591 and takes the place of all
options but --tenant; a member that Jeton does not know is refused. The secret is shown once: only
its digest is kept.")]
pub struct Options {
    /// Its id; made up when not given
    #[arg(long, value_name = "ID")]
    id: Option<String>,
    #[command(flatten)]
    registration: Registration,
    /// Reads a registration request (RFC 7591) instead of options; - is standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = ["id", "Registration"])]
    file: Option<PathBuf>,
    #[command(flatten)]
    tenant: TenantOption,
}

/// Adds the client and answers with its registration, the secret included.
pub(super) fn run(options: Options, desk: &mut Desk) -> Result<Answer, Failure> {
    let tenant = options.tenant.find(desk)?;
    let asked = match &options.file {
        Some(path) => from_file(path)?,
        None => {
            let mut asked = options.registration.members()?;
            asked.extend(options.id.map(|id| ("client_id".to_owned(), json!(id))));
            asked
        }
    };
    let mut client = client(&asked, desk)?;
    let secret = secret::give(&mut client, &tenant, desk)?;
    make_signing_keys(&client, &tenant, desk)?;
    let occasion = desk.occasion();
    match desk.wait(desk.store.insert_client(&tenant, client.clone(), occasion))? {
        Inserted::Inserted => Ok(answer(shown(&client), secret.as_deref())),
        Inserted::Taken => Err(Failure::refused(format!(
            "a client called {} exists already; jeton client change changes it",
            client.id
        ))),
    }
}

/// Keys of the algorithms that the client's tokens are signed with, published before it asks for any.
pub(super) fn make_signing_keys(
    client: &Client,
    tenant: &TenantId,
    desk: &mut Desk,
) -> Result<(), Failure> {
    let asked = [
        client.id_token_signed_response_alg,
        client.access_token_signed_response_alg,
        client.userinfo_signed_response_alg,
        client.authorization_signed_response_alg,
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

/// The client asked for, without its secret.
fn client(asked: &Map<String, Json>, desk: &mut Desk) -> Result<Client, Failure> {
    members::refuse_unknown(asked)?;
    if let Some(name) = members::READ_ONLY
        .iter()
        .find(|name| asked.contains_key(**name))
    {
        let told = "is made by Jeton; leave it out of the registration of a new client";
        return Err(Failure::usage(format!("{name} {told}")));
    }
    let told = "client_id: a client id has 1 to 255 printable ASCII characters";
    let id = match asked.get("client_id") {
        Some(id) => id.as_str().and_then(ClientId::parse),
        None => ClientId::parse(&desk.id().to_string()),
    };
    let mut client = Client::new(id.ok_or_else(|| Failure::usage(told))?, desk.ambient.now);
    client.grant_types = Vec::new();
    members::set(asked, &mut client)?;
    if is_unsaid(asked, "grant_types") {
        client.grant_types = grant_types(&client);
    }
    // Signing a user in without any scope value would be refused.
    if is_unsaid(asked, "scope") && members::signs_users_in(&client) {
        client.scope = Scope::parse("openid profile email").unwrap_or_default();
    }
    members::judge(asked, &client)?;
    Ok(client)
}

fn is_unsaid(asked: &Map<String, Json>, name: &str) -> bool {
    asked.get(name).is_none_or(Json::is_null)
}

/// What a client that named no grant type is for.
fn grant_types(client: &Client) -> Vec<GrantType> {
    let exchanges = client.token_exchange.is_some();
    if !client.redirect_uris.is_empty() {
        let mut both = vec![GrantType::AuthorizationCode, GrantType::RefreshToken];
        both.extend(exchanges.then_some(GrantType::TokenExchange));
        both
    } else if exchanges {
        vec![GrantType::ClientCredentials, GrantType::TokenExchange]
    } else if client.is_public() || !client.introspects.is_empty() {
        Vec::new()
    } else {
        vec![GrantType::ClientCredentials]
    }
}

/// The registration response: the client as shown, and a secret that was just made. (RFC 7591 §3.2.1)
pub(super) fn answer(mut json: Json, secret: Option<&str>) -> Answer {
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

const LONGEST_FILE: usize = 256 * 1024;

/// The members of a file, read strictly: one that is there twice would be honoured once.
pub(super) fn from_file(path: &Path) -> Result<Map<String, Json>, Failure> {
    let mut bytes = Vec::new();
    let read = if path.as_os_str() == "-" {
        std::io::stdin().read_to_end(&mut bytes).map(drop)
    } else {
        std::fs::read(path).map(|content| bytes = content)
    };
    read.map_err(|error| Failure::usage(format!("{}: {error}", path.display())))?;
    parse_object(&bytes, LONGEST_FILE).map_err(|error| {
        let name = path.display();
        Failure::usage(format!("{name} is no registration request: {error}"))
    })
}
