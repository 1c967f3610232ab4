//! Which redirection URIs are fit to be registered (§2.1, §4.1, RFC 6749 §3.1.2, RFC 8252 §7).

use jeton_protocol::client::ApplicationType::{self, Native, Web};
use jeton_protocol::redirect_uri::{
    RedirectUri, RedirectUriError as E, check_page, host_of, is_executable,
};

fn parse(text: &str) -> Result<RedirectUri, E> {
    RedirectUri::parse(text, Web)
}

fn refused(texts: &[&str], expected: E) {
    for application in [Web, Native] {
        for text in texts {
            assert_eq!(
                RedirectUri::parse(text, application),
                Err(expected),
                "{text:?} {application:?}"
            );
        }
    }
}

#[test]
fn ordinary_uris_are_kept_exactly_as_written() {
    for text in [
        "https://app.example/cb",
        "https://app.example",
        "https://app.example/",
        "https://app.example:8443/cb",
        "https://app.example/cb?tenant=a%2Fb&x",
        "https://app.example/cb?",
        "https://app.example/a..b/...",
        "https://app.example/.well-known/cb",
        "https://xn--bcher-kva.example/cb",
        "https://192.0.2.1/cb",
        "https://[2001:db8::1]:8443/cb",
        "http://127.0.0.1:8080/cb",
        "http://[::1]/cb",
        "http://localhost:3000/cb",
    ] {
        for application in [Web, Native] {
            let uri = RedirectUri::parse(text, application).unwrap();
            assert_eq!(uri.as_str(), text);
            assert_eq!(uri.to_string(), text);
        }
    }
}

#[test]
fn nothing_at_all_and_too_much_are_refused() {
    refused(&[""], E::Empty);
    let long = |length: usize| format!("https://app.example/{}", "x".repeat(length - 20));
    assert!(parse(&long(2048)).is_ok());
    assert_eq!(parse(&long(2049)), Err(E::TooLong));
}

#[test]
fn characters_that_parsers_read_differently_are_refused() {
    // SEC-001, SEC-101
    refused(
        &[
            "https://a.example\\@evil.example/",
            "https://a.example\\.evil.example/",
            "https://a.example/cb\\..\\x",
            "https://a.example/\t",
            "https://a.example/\r\nLocation:",
            "https://a.example/\0",
            " https://a.example/",
            "https://a.example/ ",
            "https://a.example/a b",
            "https://a\u{3002}example/",
            "https://\u{ff41}.example/",
            "https://b\u{fc}cher.example/",
            "https://a.example/\u{202e}",
            "https://a.example/\"",
            "https://a.example/<x>",
            "https://a.example/^",
            "https://a.example/`",
            "https://a.example/{x}",
            "https://a.example/|",
            "java\tscript:alert(1)",
            "\u{1}javascript:alert(1)",
        ],
        E::IllegalCharacter,
    );
}

#[test]
fn every_byte_outside_the_uri_characters_is_refused() {
    for byte in 0_u8..=0x7f {
        let text = format!("https://a.example/x{}y", char::from(byte));
        let legal = (0x21..=0x7e).contains(&byte) && !b"\\\"<>^`{|}".contains(&byte);
        match (legal, byte) {
            (true, b'#') => assert_eq!(parse(&text), Err(E::Fragment)),
            (true, b'*') => assert_eq!(parse(&text), Err(E::Wildcard)),
            (true, _) => assert!(parse(&text).is_ok(), "{text}"),
            (false, _) => assert_eq!(parse(&text), Err(E::IllegalCharacter), "{byte:#x}"),
        }
    }
}

#[test]
fn a_uri_is_absolute() {
    // P-274
    refused(
        &[
            "/cb",
            "app.example/cb",
            "//a.example/cb",
            "cb",
            "?x",
            "1http://a",
            "ht_tp://a",
            ":x",
            "+a://x",
        ],
        E::NoScheme,
    );
}

#[test]
fn there_is_no_fragment() {
    // P-275, SEC-102
    refused(
        &[
            "https://a.example/cb#",
            "https://a.example/cb#x",
            "https://a.example#@evil.example/",
            "com.example.app:/cb#x",
        ],
        E::Fragment,
    );
}

#[test]
fn there_is_no_user_information() {
    // SEC-001
    refused(
        &[
            "https://a.example@evil.example/",
            "https://a.example:443@evil.example/",
            "https://@a.example/",
            "https://a@b@c.example/",
            "https://a.example%40evil.example@x/",
            "http://127.0.0.1@evil.example/",
        ],
        E::UserInformation,
    );
}

#[test]
fn there_is_a_host_and_it_and_its_port_are_well_formed() {
    refused(
        &[
            "https:/cb",
            "https:cb",
            "https:",
            "https://",
            "https:///cb",
            "https://:443/cb",
            "https://?x",
            "https://a.example:/cb",
            "https://a.example:x/cb",
            "https://a.example:65536/cb",
            "https://a.example:-1/cb",
            "https://a.example:+1/cb",
            "https://a.example:80:80/cb",
            "https://a.example./cb",
            "https://.a.example/cb",
            "https://a..example/cb",
            "https://a%2eexample/cb",
            "https://a%00.example/cb",
            "https://a,b/cb",
            "https://[::1/cb",
            "https://[::1]x/cb",
            "https://[x]/cb",
            "https://[::1]:/cb",
            "https://::1/cb",
        ],
        E::NoHost,
    );
}

#[test]
fn no_segment_of_dots_passes_plain_or_encoded() {
    // SEC-002
    refused(
        &[
            "https://a.example/..",
            "https://a.example/.",
            "https://a.example/cb/../x",
            "https://a.example/cb/./x",
            "https://a.example/cb/..?x",
            "https://a.example/cb/%2e%2e/x",
            "https://a.example/cb/.%2E/x",
            "https://a.example/cb/%2e",
            "https://a.example/cb/..;/x",
            "https://a.example/cb/..;a=b/x",
            "https://a.example/cb/%2e%2e;/x",
            "https://a.example/cb/..%2f",
            "https://a.example/cb/..%2Fx",
            "https://a.example/cb/x%2f..",
            "https://a.example/cb/%252e%252e/",
            "https://a.example/cb/%252E%252e%252f",
            "https://a.example/cb/..%252fx",
            "https://a.example/cb/..%5cx",
            "https://a.example/cb/..%3b/x",
            "https://a.example/cb/%25252e%25252e/",
        ],
        E::DotSegment,
    );
}

#[test]
fn plain_http_is_for_loopback_only_and_loopback_has_three_names() {
    // S09, SEC-103, SEC-462, RFC 8252 §7.3
    refused(
        &[
            "http://app.example/cb",
            "http://127.0.0.2/cb",
            "http://127.1/cb",
            "http://0x7f.1/cb",
            "http://2130706433/cb",
            "http://0177.0.0.1/cb",
            "http://127.0.0.1.nip.io/cb",
            "http://localhost.evil.example/cb",
            "http://[::ffff:127.0.0.1]/cb",
            "http://[0:0:0:0:0:0:0:1]/cb",
            "http://0.0.0.0/cb",
            "http://[::]/cb",
        ],
        E::PlainHttp,
    );
}

#[test]
fn a_private_use_scheme_has_a_dot_and_a_native_client() {
    // SEC-104, RFC 8252 §7.1
    for good in [
        "com.example.app:/cb",
        "com.example.app://cb/x?y",
        "com.example-app.x1:/cb",
    ] {
        assert!(RedirectUri::parse(good, Native).is_ok(), "{good}");
        assert_eq!(
            RedirectUri::parse(good, Web),
            Err(E::PrivateScheme),
            "{good}"
        );
    }
    refused(
        &[
            "myapp:/cb",
            "myapp://cb",
            "urn:ietf:wg:oauth:2.0:oob",
            "mailto:a@b.example",
            "ftp://a.example/",
            "intent://x/",
            "chrome-extension://x/",
        ],
        E::PrivateScheme,
    );
}

#[test]
fn a_scheme_that_a_browser_executes_or_reads_is_refused_in_any_case() {
    // SEC-004
    let schemes = [
        "javascript",
        "data",
        "vbscript",
        "file",
        "about",
        "blob",
        "filesystem",
        "view-source",
        "ws",
        "wss",
    ];
    for scheme in schemes {
        let mixed: String = scheme
            .char_indices()
            .map(|(at, c)| {
                if at % 2 == 0 {
                    c.to_ascii_uppercase()
                } else {
                    c
                }
            })
            .collect();
        for spelling in [scheme.to_owned(), scheme.to_uppercase(), mixed] {
            let text = format!("{spelling}:alert(1)");
            refused(&[&text], E::ForbiddenScheme);
        }
    }
}

#[test]
fn scheme_and_host_are_lower_case_and_the_rest_is_free() {
    // SEC-101
    refused(
        &[
            "HTTPS://a.example/",
            "Https://a.example/",
            "https://A.example/",
            "https://a.EXAMPLE/",
            "https://[2001:DB8::1]/",
            "Com.example:/cb",
        ],
        E::UpperCase,
    );
    assert!(parse("https://a.example/CB?X=Y").is_ok());
}

#[test]
fn there_is_no_wildcard_anywhere() {
    // SEC-001, SEC-462, RFC 9700 §4.1.3
    refused(
        &[
            "https://*.a.example/",
            "https://*/cb",
            "https://a*.example/",
            "https://a.example/*",
            "https://a.example/cb?x=*",
        ],
        E::Wildcard,
    );
}

#[test]
fn each_reason_says_what_to_do_in_words_of_its_own() {
    let all = [
        E::Empty,
        E::TooLong,
        E::IllegalCharacter,
        E::NoScheme,
        E::Fragment,
        E::UserInformation,
        E::NoHost,
        E::DotSegment,
        E::PlainHttp,
        E::PrivateScheme,
        E::ForbiddenScheme,
        E::UpperCase,
        E::Wildcard,
        E::NoPage,
    ];
    let texts: std::collections::BTreeSet<String> = all.iter().map(E::to_string).collect();
    assert_eq!(texts.len(), all.len());
    assert!(texts.iter().all(|text| !text.ends_with('.')));
}

#[test]
fn a_person_sees_the_host_without_its_port() {
    for (uri, host) in [
        ("https://app.example:8443/cb?x", "app.example"),
        ("https://app.example", "app.example"),
        ("http://[::1]:80/cb", "[::1]"),
        ("http://[::1]/cb", "[::1]"),
        ("https://app.example?x=:1", "app.example"),
        ("com.example.app:/cb", ""),
    ] {
        assert_eq!(
            RedirectUri::parse(uri, ApplicationType::Native)
                .unwrap()
                .host(),
            host
        );
        assert_eq!(host_of(uri), host);
    }
}

#[test]
fn a_private_use_uri_never_shows_a_host_it_merely_mentions() {
    // SEC-156: what the person reads at consent must not be the attacker's choice.
    for uri in [
        "com.evil.app:https://bank.example/",
        "com.evil.app:/cb?https://bank.example/",
        "com.evil.app://bank.example/cb",
    ] {
        let registered = RedirectUri::parse(uri, Native).unwrap();
        assert_eq!(registered.host(), "", "{uri}");
    }
}

#[test]
fn a_private_use_uri_has_neither_user_information_nor_dot_segments() {
    // SEC-001, SEC-002: what a web URI may not have, the URI of an app may not either.
    for (uri, wrong) in [
        ("com.evil.app://x@bank.example/cb", E::UserInformation),
        ("com.example.app:/cb/../admin", E::DotSegment),
        ("com.example.app:/cb/%2e%2e/admin", E::DotSegment),
    ] {
        assert_eq!(RedirectUri::parse(uri, Native), Err(wrong), "{uri}");
    }
    assert!(RedirectUri::parse("com.example.app:/cb?to=a@b/../c", Native).is_ok());
}

#[test]
fn a_page_for_people_is_a_web_address_that_nothing_runs() {
    // SEC-004
    for (uri, wrong) in [
        ("javascript:alert(1)", E::ForbiddenScheme),
        ("JavaScript:alert(1)", E::ForbiddenScheme),
        ("java\nscript:alert(1)", E::IllegalCharacter),
        ("data:text/html,x", E::ForbiddenScheme),
        ("com.example.app:/about", E::NoPage),
        ("http://a.example/", E::PlainHttp),
        ("https://x@a.example/", E::UserInformation),
        ("https://", E::NoHost),
        ("about", E::NoScheme),
    ] {
        assert_eq!(check_page(uri), Err(wrong), "{uri:?}");
        let runs = matches!(wrong, E::ForbiddenScheme | E::IllegalCharacter);
        assert_eq!(is_executable(uri), runs, "{uri:?}");
    }
    assert!(check_page("https://a.example/terms?lang=fr#privacy").is_ok());
    for name in ["https://api.example", "urn:example:api", "api", " \tdata:x"] {
        assert_eq!(is_executable(name), name.contains("data"), "{name:?}");
    }
}
