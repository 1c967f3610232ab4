//! Setting the members of a registration, each from its JSON; `null` is the default. An error is the end of a sentence that
//! starts with the member's name.

use std::time::Duration;

use jeton_protocol::client::{
    ApplicationType, AuthenticationMethod, Client, GrantType, Rotation, TokenExchange,
};
use jeton_protocol::redirect_uri::{self, RedirectUri};
use jeton_protocol::scope::Scope;
use jeton_protocol::tenant::TokenFormat;
use jeton_token::algorithm::SignatureAlgorithm;
use jeton_token::key_set::KeySet;
use serde_json::Value as Json;

use crate::config::duration;
use crate::outbound;

pub(super) fn put<T>(member: &mut T, value: Result<T, String>) -> Result<(), String> {
    *member = value?;
    Ok(())
}

pub(super) fn text(value: &Json) -> Result<Option<String>, String> {
    match value {
        Json::Null => Ok(None),
        Json::String(text) if text.is_empty() => Ok(None),
        Json::String(text) => Ok(Some(text.clone())),
        Json::Bool(_) | Json::Number(_) | Json::Array(_) | Json::Object(_) => {
            Err(format!("is {value}; write a text in quotes"))
        }
    }
}

pub(super) fn texts(value: &Json) -> Result<Vec<String>, String> {
    let told = || format!("is {value}; write a list of texts, such as [\"…\"]");
    match value {
        Json::Null => Ok(Vec::new()),
        Json::Array(members) => {
            let text = |member: &Json| member.as_str().map(str::to_owned).ok_or_else(told);
            members.iter().map(text).collect()
        }
        Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Object(_) => Err(told()),
    }
}

pub(super) fn truth(value: &Json) -> Result<bool, String> {
    match value {
        Json::Null => Ok(false),
        Json::Bool(truth) => Ok(*truth),
        Json::Number(_) | Json::String(_) | Json::Array(_) | Json::Object(_) => {
            Err(format!("is {value}; write true or false"))
        }
    }
}

/// The place of the value among those allowed; `None` when nothing was said.
pub(super) fn one_of(value: &Json, allowed: &[&str]) -> Result<Option<usize>, String> {
    let Some(found) = text(value)? else {
        return Ok(None);
    };
    let place = allowed.iter().position(|name| *name == found);
    let told = || format!("is {found:?}; allowed: {}", allowed.join(", "));
    place.map(Some).ok_or_else(told)
}

/// What a client may exchange tokens for; every member is one that is known.
pub(super) fn token_exchange(client: &mut Client, value: &Json) -> Result<(), String> {
    client.token_exchange = match value {
        Json::Null => None,
        Json::Object(members) => {
            let known = ["audiences", "may_impersonate", "subject_issuers"];
            if let Some(other) = members.keys().find(|name| !known.contains(&name.as_str())) {
                return Err(format!("has {other}; it has {}", known.join(", ")));
            }
            let member = |name| members.get(name).unwrap_or(&Json::Null);
            let audiences = identifiers(member("audiences"))?;
            if audiences.is_empty() {
                return Err("has no audiences; name at least one".to_owned());
            }
            Some(TokenExchange {
                audiences,
                may_impersonate: truth(member("may_impersonate"))?,
                subject_issuers: texts(member("subject_issuers"))?,
            })
        }
        Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Array(_) => {
            return Err(format!("is {value}; write an object with audiences"));
        }
    };
    Ok(())
}

pub(super) fn application(client: &mut Client, value: &Json) -> Result<(), String> {
    client.application_type = match one_of(value, &["web", "native"])? {
        Some(1) => ApplicationType::Native,
        Some(_) | None => ApplicationType::Web,
    };
    Ok(())
}

pub(super) fn authentication(client: &mut Client, value: &Json) -> Result<(), String> {
    let all = AuthenticationMethod::ALL;
    let place = one_of(value, &all.map(AuthenticationMethod::name))?;
    let method = place.and_then(|place| all.get(place).copied());
    client.authentication = method.unwrap_or(AuthenticationMethod::ClientSecretBasic);
    Ok(())
}

pub(super) fn algorithm(
    value: &Json,
    known: &[SignatureAlgorithm],
) -> Result<Option<SignatureAlgorithm>, String> {
    let names: Vec<_> = known.iter().map(|algorithm| algorithm.name()).collect();
    let place = one_of(value, &names)?;
    Ok(place.and_then(|place| known.get(place).copied()))
}

pub(super) fn keys(client: &mut Client, value: &Json) -> Result<(), String> {
    client.jwks = match value {
        Json::Null => None,
        Json::Object(set) => {
            Some(KeySet::from_object(set).map_err(|error| format!("is no key set: {error}"))?)
        }
        Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Array(_) => {
            return Err("is no key set; write an object with keys".to_owned());
        }
    };
    Ok(())
}

pub(super) fn uris(value: &Json, application: ApplicationType) -> Result<Vec<RedirectUri>, String> {
    let parse = |text: &String| {
        RedirectUri::parse(text, application).map_err(|error| format!("has {text:?}: {error}"))
    };
    texts(value)?.iter().map(parse).collect()
}

/// The address of a page people are shown. (SEC-004)
pub(super) fn page(value: &Json) -> Result<Option<String>, String> {
    let Some(text) = text(value)? else {
        return Ok(None);
    };
    match redirect_uri::check_page(&text) {
        Ok(()) => Ok(Some(text)),
        Err(error) => Err(format!("is {text:?}: {error}")),
    }
}

/// The address of a document this server fetches. Nobody has to answer there yet (Registration §2, P-281).
pub(super) fn fetched(value: &Json) -> Result<Option<String>, String> {
    let Some(text) = text(value)? else {
        return Ok(None);
    };
    match outbound::fetchable(&text) {
        Ok(()) => Ok(Some(text)),
        Err(error) => Err(format!("is {text:?}: {error}")),
    }
}

/// Names of resource servers: often addresses, but only ever compared. (SEC-004)
pub(super) fn identifiers(value: &Json) -> Result<Vec<String>, String> {
    let names = texts(value)?;
    match names.iter().find(|name| redirect_uri::is_executable(name)) {
        Some(name) => Err(format!(
            "has {name:?}: this scheme runs or reads something in the browser"
        )),
        None => Ok(names),
    }
}

/// Origins as browsers send them: scheme, host and port, nothing behind. (RFC 6454 §6.2)
pub(super) fn origins(value: &Json) -> Result<Vec<String>, String> {
    let texts = texts(value)?;
    for text in &texts {
        let origin = url::Url::parse(text).map(|url| url.origin().ascii_serialization());
        if origin.as_deref() != Ok(text.as_str()) || !text.starts_with("http") {
            let told = "an origin is scheme, host and port, such as https://app.example.org";
            return Err(format!("has {text:?}: {told}"));
        }
    }
    Ok(texts)
}

/// What people write for the device grant, whose real name is an URN.
const DEVICE_CODE: &str = "device_code";

pub(super) fn grant_types(client: &mut Client, value: &Json) -> Result<(), String> {
    let parse = |name: String| {
        let names = GrantType::ALL.map(GrantType::name).join(", ");
        let known = GrantType::parse(&name);
        known
            .or((name == DEVICE_CODE).then_some(GrantType::DeviceCode))
            .ok_or_else(|| format!("has {name:?}; allowed: {names}"))
    };
    client.grant_types = texts(value)?
        .into_iter()
        .map(parse)
        .collect::<Result<_, _>>()?;
    Ok(())
}

pub(super) fn response_types(_: &mut Client, value: &Json) -> Result<(), String> {
    match texts(value)?.iter().find(|name| *name != "code") {
        Some(other) => Err(format!("has {other:?}; allowed: code")),
        None => Ok(()),
    }
}

pub(super) fn scope(client: &mut Client, value: &Json) -> Result<(), String> {
    let written = text(value)?.unwrap_or_default();
    let told = "takes up to 64 values of printable ASCII, separated by spaces";
    client.scope = Scope::parse(&written).map_err(|_| told.to_owned())?;
    Ok(())
}

pub(super) fn token_format(client: &mut Client, value: &Json) -> Result<(), String> {
    let format = |place| [TokenFormat::Opaque, TokenFormat::Jwt].get(place).copied();
    client.access_token_format = one_of(value, &["opaque", "jwt"])?.and_then(format);
    Ok(())
}

pub(super) fn rotation(client: &mut Client, value: &Json) -> Result<(), String> {
    let rotation = |place| [Rotation::Each, Rotation::Never].get(place).copied();
    client.refresh_token_rotation = one_of(value, &["each", "never"])?.and_then(rotation);
    Ok(())
}

/// No longer than a revocation is remembered.
pub(super) fn lifetime(value: &Json) -> Result<Option<Duration>, String> {
    let Some(text) = text(value)? else {
        return Ok(None);
    };
    let found = duration(&text)?;
    let limits = Duration::from_secs(10)..=Duration::from_secs(24 * 60 * 60);
    if limits.contains(&found) {
        Ok(Some(found))
    } else {
        Err(format!("is {text:?}; write 10s to 24h"))
    }
}

pub(super) fn max_age(client: &mut Client, value: &Json) -> Result<(), String> {
    client.default_max_age = match value.as_u64() {
        Some(seconds) => Some(seconds),
        None if value.is_null() => None,
        None => return Err(format!("is {value}; write a number of seconds")),
    };
    Ok(())
}
