//! Two spellings of one address become one. (RFC 3986 §6.2.2, §6.2.3)

use jeton_token::target_uri::normalized;
use proptest::prelude::*;

// P-215
#[test]
fn equivalent_spellings_have_one_normal_form() {
    for (spelling, normal) in [
        ("https://Example.ORG", "https://example.org/"),
        ("HTTP://example.org:80/a", "http://example.org/a"),
        ("http://example.org:443/a", "http://example.org:443/a"),
        ("https://example.org:0443/", "https://example.org/"),
        ("https://example.org:08443/", "https://example.org:8443/"),
        ("https://example.org:00/", "https://example.org:0/"),
        ("https://[2001:DB8::1]:443/a", "https://[2001:db8::1]/a"),
        (
            "https://example.org/a/./b/../c?q#f",
            "https://example.org/a/c",
        ),
        ("https://example.org/a/b/..", "https://example.org/a/"),
        ("https://example.org/../../a", "https://example.org/a"),
        ("https://example.org/a/x:/..", "https://example.org/a/"),
        (
            "https://example.org/%7eu/%2f%c3%a9",
            "https://example.org/~u/%2F%C3%A9",
        ),
        ("https://example.org/%2e%2e/a", "https://example.org/a"),
        ("https://example.org?a/b", "https://example.org/"),
    ] {
        assert_eq!(normalized(spelling).as_deref(), Some(normal), "{spelling}");
    }
}

// P-214
#[test]
fn what_is_no_address_of_a_request_has_none() {
    for text in [
        "",
        "https",
        "https:/a",
        "https://",
        "https:///a",
        "ftp://example.org/",
        "https://u@example.org/",
        "https://ex%61mple.org/",
        "https://example.org:a/",
        "https://[::1/",
        "https://[::1]x/",
        "https://example.org/%",
        "https://example.org/%4",
        "https://example.org/%zz",
        "https://example.org/a b",
        "https://example.org/é",
        "https://example.org/\\a",
    ] {
        assert_eq!(normalized(text), None, "{text}");
    }
}

proptest! {
    #[test]
    fn a_normal_form_is_its_own(text in "https?://[a-zA-Z0-9.:%\\[\\]-]{0,12}[/.a-z%A-F0-9?#]{0,20}") {
        if let Some(normal) = normalized(&text) {
            prop_assert_eq!(normalized(&normal), Some(normal.clone()));
        }
    }
}
