//! `client_secret_basic` and `client_secret_post` (RFC 6749 §2.3.1).

use super::{BASIC_WELL_FORMED, OpenedSecret, Presented, SCHEME_BASIC};
use crate::params::decode_credential;
use crate::refusal::{Noted, Refusal, Trail};
use crate::rules;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jeton_token::secret::{Secret, constant_time_eq, sha256};

rules! {
    SECRET_MATCHES = InvalidClient, "client_secret_wrong", "RFC 6749 §2.3.1", {
        promise: "The client secret is the client's",
        told: "Client authentication failed",
        fix: "Send the secret that registration returned; make a new one with `jeton client secret`"
    };
    SECRET_ENCODED = InvalidClient, "client_secret_not_form_encoded", "RFC 6749 §2.3.1", {
        promise: "The id and the secret in the Authorization header are form-encoded before base64",
        told: "Client authentication failed",
        fix: "The raw secret would match: percent-encode id and secret before base64, or ask the client library's makers to"
    };
}

pub(super) fn read_basic<'a>(header: &str) -> Result<Presented<'a>, Refusal> {
    let malformed =
        |found: &'static str| Refusal::new(&BASIC_WELL_FORMED, "Basic base64(id:secret)", found);
    let (scheme, encoded) = header
        .split_once(' ')
        .ok_or_else(|| malformed("no credentials"))?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return Err(Refusal::new(&SCHEME_BASIC, "Basic", "another scheme"));
    }
    let bytes = STANDARD
        .decode(encoded.trim())
        .map_err(|_| malformed("text that is not base64"))?;
    let text = String::from_utf8(bytes).map_err(|_| malformed("bytes that are not UTF-8"))?;
    let (id, secret) = text.split_once(':').ok_or_else(|| malformed("no colon"))?;
    let decoded = |text| {
        decode_credential(text).map_err(|_| malformed("an id or secret that is not form-encoded"))
    };
    let (decoded_id, decoded_secret) = (decoded(id)?.into_owned(), decoded(secret)?.into_owned());
    if decoded_id.is_empty() {
        return Err(malformed("an empty id"));
    }
    Ok(Presented::Basic {
        id: decoded_id,
        secret: Secret::from_text(decoded_secret),
        raw: (id.to_owned(), Secret::from_text(secret.to_owned())),
    })
}

/// As [`verify`]; when only the undecoded form would match, the refusal says so (S28).
pub(super) fn verify_basic(
    secret: &Secret,
    (_, raw): &(String, Secret),
    opened: &OpenedSecret<'_>,
    trail: &mut Trail,
) -> Result<(), Refusal> {
    let differs = raw.expose() != secret.expose();
    if differs && !matches(secret.expose(), opened) && matches(raw.expose(), opened) {
        return Err(Refusal::new(
            &SECRET_ENCODED,
            "a form-encoded secret",
            "the raw secret",
        ));
    }
    verify(secret.expose(), opened, trail)
}

pub(super) fn verify(
    secret: &[u8],
    opened: &OpenedSecret<'_>,
    trail: &mut Trail,
) -> Result<(), Refusal> {
    trail.require(
        &SECRET_MATCHES,
        !secret.is_empty() && matches(secret, opened),
        || {
            Noted::new(
                "the client's secret",
                if secret.is_empty() {
                    "an empty one"
                } else {
                    "another one"
                },
            )
        },
    )
}

fn matches(secret: &[u8], opened: &OpenedSecret<'_>) -> bool {
    match opened {
        OpenedSecret::None | OpenedSecret::Keys(_) | OpenedSecret::NoKeys(_) => false,
        OpenedSecret::Digest(digest) => constant_time_eq(&sha256(secret), digest.as_slice()),
        OpenedSecret::Compared(equal) => *equal,
        OpenedSecret::Plain(kept) => kept.matches(secret),
    }
}
