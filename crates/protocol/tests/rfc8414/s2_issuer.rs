//! The issuer identifier: one spelling, compared as bytes (§2, SEC-193).

use jeton_protocol::tenant::{Issuer, TenantId};

#[test]
fn an_issuer_is_kept_as_written_and_taken_apart() {
    // P-2
    for (text, authority, path) in [
        ("https://id.example", "id.example", ""),
        ("https://id.example:8443", "id.example:8443", ""),
        ("https://id.example/tenant/a", "id.example", "/tenant/a"),
        ("https://id.example/a-b_c.d~e", "id.example", "/a-b_c.d~e"),
        ("http://localhost:8080", "localhost:8080", ""),
        ("http://[::1]:8080/t", "[::1]:8080", "/t"),
        ("https://192.0.2.1", "192.0.2.1", ""),
    ] {
        let issuer = Issuer::parse(text).unwrap();
        assert_eq!(issuer.as_str(), text);
        assert_eq!(issuer.to_string(), text);
        assert_eq!(issuer.authority(), authority, "{text}");
        assert_eq!(issuer.path(), path, "{text}");
        assert_eq!(issuer.join("/token"), format!("{text}/token"));
        assert_eq!(issuer.is_https(), text.starts_with("https"));
    }
}

#[test]
fn no_second_spelling_is_an_issuer() {
    // P-2, SEC-193
    for text in [
        "",
        "id.example",
        "//id.example",
        "https://",
        "https:///t",
        "https:id.example",
        "HTTPS://id.example",
        "https://ID.example",
        "https://id.example/",
        "https://id.example/t/",
        "https://id.example//t",
        "https://id.example/./t",
        "https://id.example/t/..",
        "https://id.example?x",
        "https://id.example/t?x=1",
        "https://id.example#x",
        "https://user@id.example",
        "https://id.example\\t",
        "https://id.example /",
        " https://id.example",
        "https://id.example\n",
        "https://id.example/%74",
        "https://b\u{fc}cher.example",
        "ftp://id.example",
        "javascript:alert(1)",
    ] {
        assert_eq!(Issuer::parse(text), None, "{text:?}");
    }
}

#[test]
fn an_authority_is_a_host_and_perhaps_a_port() {
    // RFC 3986 §3.2
    for text in [
        "https://host:abc",
        "https://:443",
        "https://host:",
        "https://host:65536",
        "https://a:1:2",
        "https://[::1",
        "https://::1",
        "https://[x]",
        "https://.",
        "https://a..b",
        "https://a.",
        "https://.a",
    ] {
        assert_eq!(Issuer::parse(text), None, "{text:?}");
    }
}

#[test]
fn a_tenant_id_is_short_lower_case_and_begins_with_a_letter() {
    for good in ["a", "default", "t-1", &"x".repeat(32)] {
        assert_eq!(TenantId::parse(good).unwrap().as_str(), good);
    }
    for bad in [
        "",
        "1a",
        "-a",
        "A",
        "a_b",
        "a.b",
        "a/b",
        "é",
        "a ",
        &"x".repeat(33),
    ] {
        assert_eq!(TenantId::parse(bad), None, "{bad:?}");
    }
    assert_eq!(
        TenantId::parse(TenantId::DEFAULT),
        Some(TenantId::default_tenant())
    );
}
