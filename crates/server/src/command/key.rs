//! `jeton key`: lists, rotates and revokes the keys of a tenant, and seals all of them anew.

use std::time::Duration;

use clap::{Subcommand, ValueEnum};
use jeton_protocol::tenant::TenantId;
use jeton_store::keys::StoredKey;
use jeton_token::algorithm::SignatureAlgorithm;
use jeton_token::jwk::PublicJwk;
use jeton_token::timestamp::Timestamp;
use serde_json::{Value as Json, json};

use super::answer::written;
use super::desk::{Desk, TenantOption};
use super::{Answer, Failure};
use crate::config::Sources;
use crate::keys::{self, Kek, Line, Revoked};

/// What to do with keys.
#[derive(Debug, Subcommand)]
pub enum KeyCommand {
    /// Lists keys and the stations of their lives; never a secret part
    #[command(after_help = "Example:\n  jeton key list")]
    List(ListOptions),
    /// Makes the next keys, published now and used after keys.rotation.lead
    Rotate(RotateOptions),
    /// Stops using, publishing and accepting a key at once: for a key that was stolen
    Revoke(RevokeOptions),
    /// Encrypts every stored key and secret with keys.encryption_key_file, when that key changes
    #[command(after_help = "\
Example:
  jeton key rewrap

Before it, the old key's file goes to keys.encryption_key_previous_file, the new key's to
keys.encryption_key_file, and every server is restarted. They serve meanwhile. Interrupted, it goes
on when it is called again.")]
    Rewrap,
}

/// Whose keys.
#[derive(Debug, clap::Args)]
pub struct ListOptions {
    #[command(flatten)]
    tenant: TenantOption,
}

/// Which keys to make, and from when they are used.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  jeton key rotate
  jeton key rotate --purpose handles
  jeton key rotate --algorithm ES256 --now

The keys before go on until the new ones are used, and are accepted until the last thing they made
has expired.")]
pub struct RotateOptions {
    /// What the keys are for
    #[arg(long, value_name = "PURPOSE", default_value = "signing")]
    purpose: Purpose,
    /// An algorithm of signing keys, such as ES256; may be repeated. Not given: every one in use
    #[arg(long, value_name = "ALGORITHM")]
    algorithm: Vec<String>,
    /// Uses the new keys at once; resource servers that keep old key sets refuse tokens until they
    /// look again
    #[arg(long)]
    now: bool,
    #[command(flatten)]
    tenant: TenantOption,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Purpose {
    /// Signatures of ID tokens and JWT access tokens
    Signing,
    /// Codes, refresh tokens, cookies and links
    Handles,
    /// Opaque access tokens
    Seals,
}

/// Which key.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  jeton key revoke 01997b0e-5c5e-7c3a-a1d4-2f8f3a9c1b77 --yes

Every token made with the key is refused from now on: by this server within a second, by resource
servers when they look at the key set again, which is within five minutes. If the key was in use,
the next one is used at once. Of a key for handles that means that every refresh token and every
session it made ends.")]
pub struct RevokeOptions {
    /// Its id, or the kid of a signing key, as `jeton key list` shows them
    // A kid may begin with a hyphen: it is a thumbprint in base64url.
    #[arg(allow_hyphen_values = true)]
    key: String,
    /// Does it; without this nothing is done
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    tenant: TenantOption,
}

/// Opens the database and does it.
pub(super) fn run(command: KeyCommand, sources: &Sources) -> Result<Answer, Failure> {
    let mut desk = Desk::open(sources)?;
    match command {
        KeyCommand::List(options) => list(&options, &mut desk),
        KeyCommand::Rotate(options) => rotate(&options, &mut desk),
        KeyCommand::Revoke(options) => revoke(&options, &mut desk),
        KeyCommand::Rewrap => rewrap(&mut desk),
    }
}

const COLUMNS: [&str; 9] = [
    "id",
    "purpose",
    "number",
    "algorithm",
    "state",
    "published_at",
    "active_at",
    "retired_at",
    "expires_at",
];

fn list(options: &ListOptions, desk: &mut Desk) -> Result<Answer, Failure> {
    let tenant = options.tenant.find(desk)?;
    let keys = desk.wait(desk.store.keys(&tenant))?;
    // Without the key-encryption key there is a list all the same; it does not say what is damaged.
    let kek = if keys.is_empty() {
        None
    } else {
        desk.kek().ok()
    };
    let damaged = |key: &StoredKey| {
        let opened = kek.as_ref().map(|kek| kek.open_key(&tenant, key));
        opened.is_some_and(|opened| opened.is_err())
    };
    let shown = |key: &StoredKey| {
        let mut json = shown(key, desk.ambient.now);
        if damaged(key) {
            json["state"] = json!("damaged");
        }
        json
    };
    Ok(Answer::rows(&COLUMNS, keys.iter().map(shown).collect()))
}

fn rotate(options: &RotateOptions, desk: &mut Desk) -> Result<Answer, Failure> {
    let tenant = options.tenant.find(desk)?;
    let lines = lines(options, &tenant, desk)?;
    let kek = desk.kek()?;
    let lead = if options.now {
        Duration::ZERO
    } else {
        desk.config.rotation.lead
    };
    let (store, now) = (desk.store.clone(), desk.ambient.now);
    let mut made = Vec::new();
    for line in lines {
        let plan = (line, lead);
        let rotated = keys::rotate(&store, &kek, &tenant, plan, &mut desk.ambient);
        let key = desk.runtime.block_on(rotated).map_err(Failure::refused)?;
        made.push(shown(&key, now));
    }
    Ok(Answer::rows(&COLUMNS, made))
}

/// The lines asked for; of signing keys those of the algorithms named, else of every algorithm in use.
fn lines(options: &RotateOptions, tenant: &TenantId, desk: &Desk) -> Result<Vec<Line>, Failure> {
    let named = options.algorithm.iter().map(|name| algorithm(name));
    let named = named.collect::<Result<Vec<_>, _>>()?;
    let keys = desk.wait(desk.store.keys(tenant))?;
    let in_use = |line: &Line| {
        keys.iter()
            .any(|key| Line::of(key) == Some(*line) && key.retired_at.is_none())
    };
    let found: Vec<Line> = match options.purpose {
        Purpose::Handles => vec![Line::Handles],
        Purpose::Seals => vec![Line::Seals],
        Purpose::Signing if named.is_empty() => keys::SIGNING_ALGORITHMS
            .map(Line::Signing)
            .into_iter()
            .filter(in_use)
            .collect(),
        Purpose::Signing => named.iter().copied().map(Line::Signing).collect(),
    };
    if !named.is_empty() && options.purpose != Purpose::Signing {
        return Err(Failure::usage("--algorithm is for signing keys only"));
    }
    if keys.is_empty() {
        let told = "there are no keys yet; they are made when the server starts";
        return Err(Failure::refused(told));
    }
    Ok(found)
}

fn algorithm(name: &str) -> Result<SignatureAlgorithm, Failure> {
    let known = keys::SIGNING_ALGORITHMS;
    let names = known.map(SignatureAlgorithm::name).join(", ");
    known
        .into_iter()
        .find(|it| it.name() == name)
        .ok_or_else(|| Failure::usage(format!("--algorithm {name}: write one of {names}")))
}

fn revoke(options: &RevokeOptions, desk: &mut Desk) -> Result<Answer, Failure> {
    let tenant = options.tenant.find(desk)?;
    let name = &options.key;
    let keys = desk.wait(desk.store.keys(&tenant))?;
    let key = keys
        .iter()
        .find(|key| key.id.to_string() == *name || kid(key).as_ref() == Some(name));
    let key = key.ok_or_else(|| Failure::refused(format!("there is no key called {name}")))?;
    if !options.yes {
        let purpose = key.purpose.name();
        return Err(Failure::usage(format!(
            "everything made with this {purpose} key ends at once; say --yes to do it"
        )));
    }
    if state(key, desk.ambient.now) == "expired" {
        return Err(Failure::refused(format!("key {name} has expired already")));
    }
    let kek = desk.kek()?;
    let store = desk.store.clone();
    let revoked = keys::revoke(&store, &kek, &tenant, key, &mut desk.ambient);
    let revoked = desk.runtime.block_on(revoked).map_err(Failure::refused)?;
    let (next, told) = match revoked {
        Revoked::Gone => (None, String::new()),
        Revoked::Replaced(next) => (
            Some(next.to_string()),
            format!("; key {next} takes its place"),
        ),
    };
    Ok(Answer::done(
        format!("revoked key {name}; whatever was made with it is refused{told}"),
        json!({"id": key.id.to_string(), "outcome": "revoked", "replaced_by": next}),
    ))
}

fn rewrap(desk: &mut Desk) -> Result<Answer, Failure> {
    let kek: Kek = desk.kek()?;
    if !kek.has_previous() {
        let told = "keys.encryption_key_previous_file is not set: name the file of the old key there, \
                    and that of the new one in keys.encryption_key_file";
        return Err(Failure::refused(told));
    }
    let store = desk.store.clone();
    let work = keys::rewrap(&store, &kek, &mut desk.ambient.entropy);
    let done = desk.runtime.block_on(work).map_err(Failure::refused)?;
    let mut text = format!(
        "{} stored secrets encrypted anew; all that can be opened is under the key of {}",
        done.resealed,
        desk.config.encryption_key_file.display()
    );
    for damaged in &done.damaged {
        text.push_str(&format!("\nneither key opens: {damaged}"));
    }
    Ok(Answer {
        text,
        json: json!({"resealed": done.resealed, "damaged": done.damaged}),
        good: done.damaged.is_empty(),
    })
}

fn shown(key: &StoredKey, now: Timestamp) -> Json {
    let time = |at: Option<Timestamp>| at.map_or(Json::Null, written);
    json!({
        "id": key.id.to_string(),
        "purpose": key.purpose.name(),
        "number": key.number,
        "kid": kid(key),
        "algorithm": key.algorithm,
        "state": state(key, now),
        "created_at": written(key.created_at),
        "published_at": time(key.published_at),
        "active_at": time(key.active_at),
        "retired_at": time(key.retired_at),
        "expires_at": time(key.expires_at),
    })
}

/// The name of a signing key in the published key set. (RFC 7517 §4.5)
fn kid(key: &StoredKey) -> Option<String> {
    let members: Json = serde_json::from_str(key.public_key.as_deref()?).ok()?;
    PublicJwk::parse(members.as_object()?)
        .ok()?
        .kid()
        .map(str::to_owned)
}

/// Where a key stands in its life at `now`.
fn state(key: &StoredKey, now: Timestamp) -> &'static str {
    let passed = |at: Option<Timestamp>| at.is_some_and(|at| at <= now);
    if passed(key.expires_at) {
        "expired"
    } else if passed(key.retired_at) {
        "retired"
    } else if passed(key.active_at) {
        "active"
    } else if passed(key.published_at) {
        "published"
    } else {
        "made"
    }
}
