//! Trusted issuers: their tables, their key files, and what the rules of a preset must name.

use std::path::Path;

use jeton_protocol::client::ClientId;
use jeton_protocol::scope::Scope;
use jeton_protocol::trusted_issuer::{Condition, MappingRule, TrustedIssuer};
use jeton_protocol::trusted_preset::Preset;
use jeton_token::key_set::KeySet;

use super::gather::join;
use super::given::Given;
use super::problem::ConfigProblem;
use super::raw;
use super::source::Source;

/// Every trusted issuer that could be read; what is wrong with the others is among the problems.
pub(super) fn read(given: &mut Given) -> Vec<TrustedIssuer> {
    let mut found: Vec<TrustedIssuer> = Vec::new();
    for (parts, source) in given.tables.clone() {
        let [table, name] = parts.as_slice() else {
            continue;
        };
        if table != "trusted_issuers" || found.iter().any(|known| known.name == *name) {
            continue;
        }
        let path = join(&parts);
        let Some(read) = raw::TrustedIssuer::read(given, &format!("{path}.")) else {
            continue;
        };
        let preset = read.preset;
        match resolve(name, read) {
            Ok(issuer) if found.iter().any(|known| known.issuer == issuer.issuer) => {
                refuse(given, source, &path, "another table has the same issuer");
            }
            Ok(issuer) => {
                let rules = rules(given, (name, preset));
                found.push(TrustedIssuer { rules, ..issuer });
            }
            Err(wrong) => refuse(given, source, &path, &wrong),
        }
    }
    found
}

fn refuse(given: &mut Given, source: Source, path: &str, wrong: &str) {
    let told = format!("{path}: {wrong}");
    given.problems.push(ConfigProblem::new(source, told));
}

fn resolve(name: &str, read: raw::TrustedIssuer) -> Result<TrustedIssuer, String> {
    let issuer = read
        .issuer
        .ok_or("issuer is not set; write the value of iss")?;
    if ClientId::parse(&issuer).is_none() {
        return Err("issuer has 1 to 255 printable ASCII characters".to_owned());
    }
    Ok(TrustedIssuer {
        name: name.to_owned(),
        issuer,
        keys: keys(read.jwks_file.as_deref(), read.jwks_uri.as_deref())?,
        algorithms: read.algorithms,
        audiences: read.audiences,
        longest_life: read.longest_life,
        reusable: read
            .reusable
            .unwrap_or(read.preset.is_some_and(Preset::is_reusable)),
        rules: Vec::new(),
    })
}

/// Where the keys come from. Keys that are fetched have their place here, too.
fn keys(file: Option<&Path>, uri: Option<&str>) -> Result<KeySet, String> {
    if uri.is_some() {
        return Err(
            "jwks_uri is not supported yet; save the keys to a file and set jwks_file".to_owned(),
        );
    }
    let path = file.ok_or("jwks_file is not set; write the path of the issuer's JWK Set")?;
    let told = |error: &dyn std::fmt::Display| format!("jwks_file {}: {error}", path.display());
    let bytes = std::fs::read(path).map_err(|error| told(&error))?;
    let keys = KeySet::parse_foreign(&bytes).map_err(|error| told(&error))?;
    if keys.is_empty() {
        return Err(told(&"holds no key that can be used"));
    }
    Ok(keys)
}

fn rules(given: &mut Given, (issuer, preset): (&str, Option<Preset>)) -> Vec<MappingRule> {
    let mut found: Vec<MappingRule> = Vec::new();
    for (parts, source) in given.tables.clone() {
        let [table, of, rules, name] = parts.as_slice() else {
            continue;
        };
        let mine = table == "trusted_issuers" && of == issuer && rules == "rules";
        if !mine || found.iter().any(|known| known.name == *name) {
            continue;
        }
        let path = join(&parts);
        let Some(read) = raw::IssuerRule::read(given, &format!("{path}.")) else {
            continue;
        };
        match rule(name, read, preset) {
            Ok(rule) => found.push(rule),
            Err(wrong) => refuse(given, source, &path, &wrong),
        }
    }
    found.sort_by(|one, other| one.name.cmp(&other.name));
    found
}

fn rule(name: &str, read: raw::IssuerRule, preset: Option<Preset>) -> Result<MappingRule, String> {
    let parse = |text: &String| {
        Condition::parse(text).ok_or_else(|| format!("when has {text:?}; write \"claim=value\""))
    };
    let when: Vec<Condition> = read.when.iter().map(parse).collect::<Result<_, _>>()?;
    if when.is_empty() {
        return Err("when is empty; a rule without a condition would take every token".to_owned());
    }
    if let Some(preset) = preset {
        preset.judge(&when)?;
    }
    let client = read
        .client
        .ok_or("client is not set; write the id of a client")?;
    let client = ClientId::parse(&client);
    let scope = Scope::parse(&read.scope);
    Ok(MappingRule {
        name: name.to_owned(),
        when,
        client: client.ok_or("client is no client id")?,
        user: read
            .user
            .as_deref()
            .map(crate::login::username::username_key),
        scope: scope.map_err(|_| "scope has values that are no scope values")?,
    })
}
