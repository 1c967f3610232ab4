//! Every rule there is: named once, explained, and told in legal characters (§5.2, §4.1.2.1).

use jeton_protocol::refusal::Rule;
use jeton_protocol::rules;
use std::collections::{BTreeMap, BTreeSet};

/// Names as they stand on the wire; a sentence may begin with one.
const NAMES: [&str; 12] = [
    "assertion",
    "aud",
    "claims",
    "code",
    "iss",
    "nonce",
    "prompt",
    "scope",
    "state",
    "token",
    "typ",
    "exp",
];

#[test]
fn there_are_rules_and_each_cause_names_only_one() {
    let mut seen = BTreeSet::new();
    for rule in rules::all() {
        assert!(seen.insert(rule.cause), "{} twice", rule.cause);
        assert!(
            rule.cause
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_'),
            "{}",
            rule.cause
        );
    }
    assert!(seen.len() >= 80, "{}", seen.len());
}

#[test]
fn each_names_the_section_that_asks_for_it() {
    for rule in rules::all() {
        assert!(
            rule.clause.contains('§') || rule.clause.contains("appendix"),
            "{rule:?}"
        );
    }
}

#[test]
fn promise_told_and_fix_are_sentences_of_one_shape() {
    for rule in rules::all() {
        for text in [rule.promise, rule.told, rule.fix] {
            assert!(
                !text.is_empty() && text.trim() == text,
                "{}: {text:?}",
                rule.cause
            );
            assert!(!text.ends_with('.'), "{}: {text:?}", rule.cause);
            let first = text.split([' ', ':', ',', '=']).next().unwrap();
            let begins = text.starts_with(|c: char| c.is_ascii_uppercase())
                || first.contains('_')
                || NAMES.contains(&first);
            assert!(begins, "{}: {text:?}", rule.cause);
        }
        assert!(
            rule.fix.starts_with(|c: char| c.is_ascii_uppercase()),
            "{}",
            rule.cause
        );
    }
}

#[test]
fn what_is_told_has_legal_characters_only() {
    // P-112, P-158
    for rule in rules::all() {
        assert!(
            rule.told
                .bytes()
                .all(|b| matches!(b, 0x20..=0x21 | 0x23..=0x5b | 0x5d..=0x7e)),
            "{}",
            rule.cause
        );
    }
}

/// Rules that sound alike to the caller on purpose: the difference is nobody's business, or is told by the endpoint.
const ALIKE: [&[&str]; 11] = [
    &[
        "client_assertion_signature",
        "client_authentication_method",
        "client_keys_unavailable",
        "client_not_found",
        "client_secret_not_form_encoded",
        "client_secret_wrong",
        "public_client_with_secret",
    ],
    &["code_of_another_client", "code_unknown"],
    &["device_code_of_another_client", "device_code_unknown"],
    &["refresh_token_of_another_client", "refresh_token_unknown"],
    &["bearer_missing", "bearer_scheme"],
    &["cut", "grant_revoked"],
    &["scope_malformed", "token_scope_malformed"],
    &["client_scope_wider", "scope_not_allowed"],
    &["id_token_hint_invalid", "logout_hint_invalid"],
    &[
        "assertion_alg",
        "assertion_audience",
        "assertion_claims",
        "assertion_issuer",
        "assertion_malformed",
        "assertion_replayed",
        "assertion_signature",
        "assertion_times",
        "assertion_typ",
        "assertion_unmapped",
    ],
    &[
        "exchange_assertion",
        "exchange_issuer",
        "exchange_token_expired",
        "exchange_token_revoked",
        "exchange_token_unknown",
    ],
];

#[test]
fn two_rules_sound_alike_only_where_they_are_meant_to() {
    let mut told: BTreeMap<(&str, &str), BTreeSet<&str>> = BTreeMap::new();
    for rule in rules::all() {
        told.entry((rule.code.name(), rule.told))
            .or_default()
            .insert(rule.cause);
    }
    for causes in told.values().filter(|causes| causes.len() > 1) {
        let meant = ALIKE.iter().any(|alike| {
            let alike: BTreeSet<&str> = alike.iter().copied().collect();
            *causes == alike
        });
        assert!(meant, "{causes:?}");
    }
}

#[test]
fn error_names_are_those_of_the_registry() {
    for rule in rules::all() {
        let name = rule.code.name();
        assert!(
            name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'),
            "{name}"
        );
    }
}

#[test]
fn a_refusal_names_cause_and_clause_but_not_what_was_found() {
    // SEC-252
    let rule: &'static Rule = rules::all().next().unwrap();
    let refusal = jeton_protocol::refusal::Refusal::new(rule, "wanted", "found");
    let text = refusal.to_string();
    assert!(text.contains(rule.cause) && text.contains(rule.clause));
    assert!(!text.contains("found"));
}
