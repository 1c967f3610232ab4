//! `jeton client change`: a client as it shall be from now on.

use std::path::PathBuf;

use jeton_protocol::client::{AuthenticationMethod, Client, KeptSecret};
use jeton_protocol::tenant::TenantId;
use jeton_store::Seen;
use serde_json::{Map, Value as Json};

use super::registration::Registration;
use super::{add, list, members, secret, shown_seen};
use crate::command::desk::{Desk, TenantOption, replaced};
use crate::command::{Answer, Failure};

/// What to change.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  jeton client change photos --name \"Photo album\" --token-lifetime 15m
  jeton client change spa --redirect-uri https://a.example/ --redirect-uri https://b.example/
  jeton client change photos --clear logo_uri
  jeton client change photos --file photos.json

An option replaces the member it names; the others stay. For many changes, write what
`jeton client show photos --json` prints to a file, and edit it. The file is the whole client:
each member the client has must be in it, or be null to go back to its default. It is refused when
somebody changed the client after it was written. The secret is not in it and stays; a new one is
made, and printed once, when another --auth needs it. A running server follows within a second.")]
pub struct Options {
    /// Its id
    id: String,
    #[command(flatten)]
    registration: Registration,
    /// Sets a member back to its default, by its name of RFC 7591, such as logo_uri; may be repeated
    #[arg(long, value_name = "MEMBER")]
    clear: Vec<String>,
    /// Reads the whole client, as show --json prints it, instead of options; - is standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = ["clear", "Registration"])]
    file: Option<PathBuf>,
    #[command(flatten)]
    tenant: TenantOption,
}

/// Changes the client, unless somebody else did meanwhile. (SEC-R12, SEC-244)
pub(super) fn run(options: Options, desk: &mut Desk) -> Result<Answer, Failure> {
    let tenant = options.tenant.find(desk)?;
    let seen = list::find_seen(&tenant, &options.id, desk)?;
    let asked = match &options.file {
        Some(path) => edited(add::from_file(path)?, &seen)?,
        None => named(options.registration, &options.clear)?,
    };
    let mut client = seen.record.clone();
    members::set(&asked, &mut client)?;
    members::judge(&asked, &client)?;
    let secret = fit_secret(&mut client, &tenant, desk)?;
    add::make_signing_keys(&client, &tenant, desk)?;
    let id = client.id.to_string();
    let changed = Seen {
        record: client,
        changed_at: seen.changed_at,
    };
    let occasion = desk.occasion();
    let outcome = desk.wait(desk.store.change_client(&tenant, changed, occasion))?;
    replaced(outcome, "client", &id)?;
    let now = list::find_seen(&tenant, &id, desk)?;
    Ok(add::answer(shown_seen(&now), secret.as_deref()))
}

/// The members that options name.
fn named(registration: Registration, clear: &[String]) -> Result<Map<String, Json>, Failure> {
    let mut asked = registration.members()?;
    for name in clear {
        if asked.insert(name.clone(), Json::Null).is_some() {
            return Err(Failure::usage(format!("{name} is both set and cleared")));
        }
    }
    members::refuse_unknown(&asked)?;
    if let Some(name) = asked.keys().find(|name| is_fixed(name)) {
        return Err(Failure::usage(format!("{name} cannot be changed")));
    }
    if asked.is_empty() {
        return Err(Failure::usage(
            "there is nothing to change; see jeton client change --help",
        ));
    }
    Ok(asked)
}

fn is_fixed(name: &str) -> bool {
    name == "client_id" || members::READ_ONLY.contains(&name)
}

/// The members of a file that is the whole client: nothing is lost by leaving it out, and nothing by being late.
fn edited(mut file: Map<String, Json>, seen: &Seen<Client>) -> Result<Map<String, Json>, Failure> {
    members::refuse_unknown(&file)?;
    let Json::Object(current) = shown_seen(seen) else {
        return Err(Failure::refused("the client cannot be shown"));
    };
    let id = seen.record.id.as_str();
    let begin = format!("begin with jeton client show {id} --json");
    for name in ["client_id", "changed_at"] {
        if !file.contains_key(name) {
            return Err(Failure::usage(format!(
                "{name} is not in the file; {begin}"
            )));
        }
    }
    if file.get("client_id") == current.get("client_id")
        && file.get("changed_at") != current.get("changed_at")
    {
        return Err(Failure::refused(format!(
            "{id} was changed after the file was written; {begin}, and make the change again"
        )));
    }
    let differs = |name: &&String| is_fixed(name) && file.get(*name) != current.get(*name);
    if let Some(name) = file.keys().find(differs) {
        let now = current.get(name).cloned().unwrap_or_default();
        return Err(Failure::usage(format!(
            "{name} cannot be changed; it is {now}"
        )));
    }
    let lost: Vec<String> = current
        .keys()
        .filter(|name| !is_fixed(name) && !file.contains_key(*name))
        .map(|name| {
            format!(
                "{name} is not in the file; write it as it is, or null to go back to its default"
            )
        })
        .collect();
    if !lost.is_empty() {
        return Err(Failure::usage(lost.join("\n")));
    }
    file.retain(|name, _| !is_fixed(name));
    Ok(file)
}

/// Keeps the secret where the method still uses it, else makes the one it needs, or drops it.
fn fit_secret(
    client: &mut Client,
    tenant: &TenantId,
    desk: &mut Desk,
) -> Result<Option<String>, Failure> {
    use AuthenticationMethod as Method;
    let fits = match (client.authentication, &client.secret) {
        (
            Method::ClientSecretBasic | Method::ClientSecretPost,
            Some(KeptSecret::Digest(_) | KeptSecret::Hashed(_)),
        )
        | (Method::ClientSecretJwt, Some(KeptSecret::Sealed(_)))
        | (Method::None | Method::PrivateKeyJwt, None) => true,
        (Method::None | Method::PrivateKeyJwt, Some(_))
        | (Method::ClientSecretBasic | Method::ClientSecretPost | Method::ClientSecretJwt, _) => {
            false
        }
    };
    if fits {
        return Ok(None);
    }
    client.secret = None;
    secret::give(client, tenant, desk)
}
