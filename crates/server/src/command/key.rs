//! `jeton key`: lists, rotates and retires the keys of a tenant.

use std::time::Duration;

use clap::Subcommand;
use jeton_protocol::tenant::TenantId;
use jeton_store::keys::StoredKey;
use jeton_token::algorithm::SignatureAlgorithm;
use jeton_token::jwk::PublicJwk;
use jeton_token::row_id::RowId;
use jeton_token::timestamp::Timestamp;
use serde_json::{Value as Json, json};

use super::answer::written;
use super::desk::{Desk, TenantOption, changed};
use super::{Answer, Failure};
use crate::config::Sources;
use crate::keys;

/// What to do with keys.
#[derive(Debug, Subcommand)]
pub enum KeyCommand {
    /// Lists keys and the stations of their lives; never a secret part
    #[command(after_help = "Example:\n  jeton key list")]
    List(ListOptions),
    /// Makes the next signing keys, published now and used after keys.rotation.lead
    Rotate(RotateOptions),
    /// Stops using, publishing and accepting a key at once: for a key that was stolen
    Retire(RetireOptions),
}

/// Whose keys.
#[derive(Debug, clap::Args)]
pub struct ListOptions {
    #[command(flatten)]
    tenant: TenantOption,
}

/// Which keys to make, and from when they sign.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  jeton key rotate
  jeton key rotate --algorithm ES256 --now

The keys before go on until the new ones sign, and are accepted until their last token expires.")]
pub struct RotateOptions {
    /// An algorithm, such as ES256; may be repeated. Not given: every one in use
    #[arg(long, value_name = "ALGORITHM")]
    algorithm: Vec<String>,
    /// Signs with the new keys at once; resource servers that keep old key sets refuse tokens until
    /// they look again
    #[arg(long)]
    now: bool,
    #[command(flatten)]
    tenant: TenantOption,
}

/// Which key.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  jeton key retire 01997b0e-5c5e-7c3a-a1d4-2f8f3a9c1b77

Every token made with the key is refused from now on. Make the next key first: jeton key rotate --now")]
pub struct RetireOptions {
    /// Its id, as `jeton key list` shows it
    id: String,
    #[command(flatten)]
    tenant: TenantOption,
}

/// Opens the database and does it.
pub(super) fn run(command: KeyCommand, sources: &Sources) -> Result<Answer, Failure> {
    let mut desk = Desk::open(sources)?;
    match command {
        KeyCommand::List(options) => list(&options, &mut desk),
        KeyCommand::Rotate(options) => rotate(&options, &mut desk),
        KeyCommand::Retire(options) => retire(&options, &mut desk),
    }
}

const COLUMNS: [&str; 7] = [
    "id",
    "purpose",
    "algorithm",
    "state",
    "active_at",
    "retired_at",
    "expires_at",
];

fn list(options: &ListOptions, desk: &mut Desk) -> Result<Answer, Failure> {
    let tenant = options.tenant.find(desk)?;
    let keys = desk.wait(desk.store.keys(&tenant))?;
    let shown = keys
        .iter()
        .map(|key| shown(key, desk.ambient.now))
        .collect();
    Ok(Answer::rows(&COLUMNS, shown))
}

fn rotate(options: &RotateOptions, desk: &mut Desk) -> Result<Answer, Failure> {
    let tenant = options.tenant.find(desk)?;
    let algorithms = algorithms(&options.algorithm, &tenant, desk)?;
    let kek = desk.kek()?;
    let lead = if options.now {
        Duration::ZERO
    } else {
        desk.config.rotation.lead
    };
    let (store, now) = (desk.store.clone(), desk.ambient.now);
    let mut made = Vec::new();
    for algorithm in algorithms {
        let plan = (algorithm, lead);
        let rotated = keys::rotate(&store, &kek, &tenant, plan, &mut desk.ambient);
        let key = desk.runtime.block_on(rotated).map_err(Failure::refused)?;
        made.push(shown(&key, now));
    }
    Ok(Answer::rows(&COLUMNS, made))
}

/// The algorithms asked for, else those of every signing key in use.
fn algorithms(
    named: &[String],
    tenant: &TenantId,
    desk: &Desk,
) -> Result<Vec<SignatureAlgorithm>, Failure> {
    if named.is_empty() {
        let keys = desk.wait(desk.store.keys(tenant))?;
        let in_use = |algorithm: &SignatureAlgorithm| {
            keys.iter()
                .any(|key| key.algorithm == algorithm.name() && key.retired_at.is_none())
        };
        let found: Vec<_> = keys::SIGNING_ALGORITHMS
            .into_iter()
            .filter(in_use)
            .collect();
        let told = "there are no keys yet; they are made when the server starts";
        return if found.is_empty() {
            Err(Failure::refused(told))
        } else {
            Ok(found)
        };
    }
    let names = keys::SIGNING_ALGORITHMS
        .map(SignatureAlgorithm::name)
        .join(", ");
    let parse = |name: &String| {
        let found = keys::SIGNING_ALGORITHMS
            .into_iter()
            .find(|it| it.name() == name);
        found.ok_or_else(|| Failure::usage(format!("--algorithm {name}: write one of {names}")))
    };
    named.iter().map(parse).collect()
}

fn retire(options: &RetireOptions, desk: &mut Desk) -> Result<Answer, Failure> {
    let tenant = options.tenant.find(desk)?;
    let id: RowId = options.id.parse().map_err(Failure::usage)?;
    let keys = desk.wait(desk.store.keys(&tenant))?;
    let key = keys.iter().find(|key| key.id == id);
    let key = key.ok_or_else(|| Failure::refused(format!("there is no key called {id}")))?;
    let now = desk.ambient.now;
    let replaces = |other: &&StoredKey| {
        let alike = other.purpose == key.purpose && other.algorithm == key.algorithm;
        other.id != key.id && alike && state(other, now) == "active"
    };
    if !keys.iter().any(|other| replaces(&other)) {
        let told = "it is the only one of its kind in use; make the next one first: jeton key \
                    rotate --now";
        return Err(Failure::refused(told));
    }
    let end = Some(now);
    let retired = StoredKey {
        retired_at: end,
        expires_at: end,
        ..key.clone()
    };
    let occasion = desk.occasion();
    let outcome = desk.wait(desk.store.schedule_key(&tenant, retired, occasion))?;
    changed(outcome, "key", &options.id)?;
    let json = json!({"id": options.id, "outcome": "retired"});
    Ok(Answer::done(
        format!("retired key {id}; every token made with it is refused"),
        json,
    ))
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
