//! `client_secret_basic`: base64 of a form-encoded id, a colon and a form-encoded secret (§2.3.1, RFC 7617).

use crate::common::{NOW, client, id, issuer, params};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jeton_protocol::client::Client;
use jeton_protocol::client_auth::{self as rules, OpenedSecret, Presented, secret};
use jeton_protocol::params::Params;
use jeton_protocol::refusal::{ErrorCode, Refusal, Rule, Trail};
use jeton_token::secret::{Secret, sha256};
use std::sync::Arc;

fn header(credentials: impl AsRef<[u8]>) -> String {
    format!("Basic {}", STANDARD.encode(credentials))
}

fn read<'a>(header: &str, none: &'a Params<'a>) -> Result<Presented<'a>, Refusal> {
    Presented::read(Some(header), none, &mut Trail::off())
}

fn refused(header: &str) -> &'static Rule {
    read(header, &Params::default()).unwrap_err().rule
}

fn verify(credentials: &str, opened: &OpenedSecret<'_>) -> Result<(), Refusal> {
    let none = params("");
    let presented = read(&header(credentials), &none)?;
    let client = Client {
        id: presented.parsed_client_id()?,
        ..client()
    };
    rules::verify(
        &presented,
        Arc::new(client),
        opened,
        (&issuer(), NOW),
        &mut Trail::off(),
    )
    .map(|_| ())
}

#[test]
fn id_and_secret_are_form_decoded_after_base64() {
    // P-183, SEC-126, S28
    for (credentials, id, secret) in [
        ("app:s", "app", "s"),
        ("my+app:a+b", "my app", "a b"),
        ("a%3Ab:c%3Ad", "a:b", "c:d"),
        ("a%25:%2B%25%3A", "a%", "+%:"),
        ("a:c:d", "a", "c:d"),
        ("a:%C3%BC", "a", "ü"),
        ("%61pp:%c3%bc", "app", "ü"),
        ("a:", "a", ""),
    ] {
        let none = Params::default();
        let presented = read(&header(credentials), &none).unwrap();
        assert_eq!(presented.client_id(), id, "{credentials}");
        assert_eq!(presented.secret(), Some(secret.as_bytes()), "{credentials}");
    }
}

#[test]
fn the_scheme_is_read_in_any_case_and_no_other_is_taken() {
    let none = Params::default();
    for scheme in ["Basic", "basic", "BASIC"] {
        let header = format!("{scheme} {}", STANDARD.encode("app:s"));
        assert_eq!(read(&header, &none).unwrap().client_id(), "app");
    }
    for scheme in ["Bearer", "DPoP", "Digest", "Basi", "Basicx"] {
        let rule = refused(&format!("{scheme} {}", STANDARD.encode("app:s")));
        assert_eq!(*rule, rules::SCHEME_BASIC, "{scheme}");
        assert_eq!(rule.code, ErrorCode::InvalidClient);
    }
}

#[test]
fn a_malformed_header_is_refused_as_such() {
    // SEC-126
    for bad in [
        "Basic".to_owned(),
        String::new(),
        "Basic !!!!".to_owned(),
        "Basic YXBwOnM".to_owned(),
        format!("Basic {}x", STANDARD.encode("app:s")),
        header("no colon"),
        header(":no id"),
        header("app:%"),
        header("app:%zz"),
        header("app:100%"),
        header("app:%00"),
        header("app:%FF"),
        header(b"app:\xfc"),
        header(b"app:\0"),
    ] {
        let rule = refused(&bad);
        assert_eq!(*rule, rules::BASIC_WELL_FORMED, "{bad:?}");
        assert_eq!(rule.code, ErrorCode::InvalidClient);
    }
}

#[test]
fn the_decoded_secret_is_the_one_that_counts() {
    // SEC-126
    let secret = "p:%+ü";
    let digest = sha256(secret.as_bytes());
    assert!(verify("app:p%3A%25%2B%C3%BC", &OpenedSecret::Digest(&digest)).is_ok());
    let kept = || OpenedSecret::Plain(Secret::from_text(secret.to_owned()));
    assert!(verify("app:p%3A%25%2B%C3%BC", &kept()).is_ok());
}

#[test]
fn when_only_the_raw_secret_would_match_the_refusal_says_so_to_the_operator() {
    // S28
    let raw = "a+b%41";
    let digest = sha256(raw.as_bytes());
    let refusal = verify(&format!("app:{raw}"), &OpenedSecret::Digest(&digest)).unwrap_err();
    assert_eq!(*refusal.rule, secret::SECRET_ENCODED);
    assert_eq!(
        refusal.rule.told,
        secret::SECRET_MATCHES.told,
        "the caller is told nothing more"
    );
    assert_eq!(refusal.code(), ErrorCode::InvalidClient);
    assert!(!format!("{refusal:?}").contains(raw));
}

#[test]
fn when_neither_form_matches_the_secret_is_simply_wrong() {
    let digest = sha256(b"another");
    for sent in ["app:a+b%41", "app:plain", "app:"] {
        let refusal = verify(sent, &OpenedSecret::Digest(&digest)).unwrap_err();
        assert_eq!(*refusal.rule, secret::SECRET_MATCHES, "{sent}");
    }
}

#[test]
fn a_slow_hash_compared_by_the_shell_is_believed() {
    assert!(verify("app:x", &OpenedSecret::Compared(true)).is_ok());
    let refusal = verify("app:x%41", &OpenedSecret::Compared(false)).unwrap_err();
    assert_eq!(*refusal.rule, secret::SECRET_MATCHES);
}

#[test]
fn an_id_of_strange_but_legal_characters_is_read_exactly() {
    // SEC-126
    let none = Params::default();
    let presented = read(&header("%3A%25%2B+:s"), &none).unwrap();
    assert_eq!(presented.parsed_client_id().unwrap(), id(":%+ "));
    let presented = read(&header("%C3%BC:s"), &none).unwrap();
    assert_eq!(
        *presented.parsed_client_id().unwrap_err().rule,
        rules::CLIENT_EXISTS
    );
}
