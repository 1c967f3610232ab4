//! Which requested URIs a registered one stands for: itself, and a free port on loopback (§4.1.3, RFC 8252 §7.3).

use jeton_protocol::client::ApplicationType::{Native, Web};
use jeton_protocol::redirect_uri::RedirectUri;

fn uri(text: &str) -> RedirectUri {
    RedirectUri::parse(text, Native).unwrap()
}

/// Every text that differs in one byte at one place: another byte, one more, one less.
fn mutations(text: &str) -> Vec<String> {
    let mut all = Vec::new();
    for at in 0..=text.len() {
        for byte in 0_u8..=0x7f {
            let c = char::from(byte);
            if at < text.len() && text.as_bytes()[at] != byte {
                all.push(format!("{}{c}{}", &text[..at], &text[at + 1..]));
            }
            all.push(format!("{}{c}{}", &text[..at], &text[at..]));
        }
        if at < text.len() {
            all.push(format!("{}{}", &text[..at], &text[at + 1..]));
        }
    }
    all
}

#[test]
fn no_single_changed_byte_is_accepted() {
    // SEC-003, P-61…64, S13
    for registered in [
        "https://app.example/cb?tenant=a&b=c",
        "https://app.example:8443/cb",
        "https://app.example",
        "com.example.app:/cb",
        "http://localhost:3000/cb",
    ] {
        let uri = uri(registered);
        for application in [Web, Native] {
            assert!(uri.admits(registered, application));
            for mutated in mutations(registered) {
                assert!(
                    mutated == registered || !uri.admits(&mutated, application),
                    "{mutated:?}"
                );
            }
        }
    }
}

#[test]
fn of_a_loopback_uri_only_the_port_may_vary() {
    // SEC-003, SEC-103
    for registered in [
        "http://127.0.0.1:8080/cb?x=1",
        "http://[::1]:8080/cb",
        "http://127.0.0.1/cb",
    ] {
        let uri = uri(registered);
        let (before, after) = match registered.rsplit_once(":8080") {
            Some(parts) => parts,
            None => registered.split_at(registered.len() - "/cb".len()),
        };
        for mutated in mutations(registered) {
            assert!(
                !uri.admits(&mutated, Web) || mutated == registered,
                "{mutated:?}"
            );
            let port = mutated
                .strip_prefix(before)
                .and_then(|rest| rest.strip_suffix(after));
            let differs_in_port = port.is_some_and(|port| {
                port.is_empty()
                    || port.strip_prefix(':').is_some_and(|digits| {
                        digits.bytes().all(|b| b.is_ascii_digit())
                            && !digits.starts_with('0')
                            && digits.parse::<u16>().is_ok()
                    })
            });
            assert_eq!(uri.admits(&mutated, Native), differs_in_port, "{mutated:?}");
        }
    }
}

#[test]
fn any_port_of_the_same_literal_is_a_native_clients() {
    // S12, SEC-103, RFC 8252 §7.3
    for (registered, asked) in [
        ("http://127.0.0.1/cb", "http://127.0.0.1:51004/cb"),
        ("http://127.0.0.1:1/cb", "http://127.0.0.1:65535/cb"),
        ("http://127.0.0.1:1/cb", "http://127.0.0.1/cb"),
        ("http://[::1]/cb?a=b", "http://[::1]:9/cb?a=b"),
        ("http://127.0.0.1", "http://127.0.0.1:7"),
    ] {
        assert!(uri(registered).admits(asked, Native), "{asked}");
        assert!(!uri(registered).admits(asked, Web), "{asked}");
    }
}

#[test]
fn no_other_spelling_of_loopback_is_admitted() {
    // SEC-103
    let registered = uri("http://127.0.0.1:8080/cb");
    for other in [
        "http://localhost:8080/cb",
        "http://[::1]:8080/cb",
        "http://127.1:8080/cb",
        "http://0x7f.1:8080/cb",
        "http://2130706433:8080/cb",
        "http://[::ffff:127.0.0.1]:8080/cb",
        "http://127.0.0.1.evil.example:8080/cb",
        "http://127.0.0.1:8080@evil.example/cb",
        "http://127.0.0.1@evil.example:8080/cb",
        "http://127.0.0.1:8080evil.example/cb",
        "http://127.0.0.1:08080/cb",
        "http://127.0.0.1:00080/cb",
        "http://127.0.0.1:0/cb",
        "http://127.0.0.1:65536/cb",
        "http://127.0.0.1:+80/cb",
        "http://127.0.0.1: 80/cb",
        "http://127.0.0.1:/cb",
        "http://127.0.0.1:80:80/cb",
        "http://127.0.0.1:80#/cb",
        "http://127.0.0.1:80\\/cb",
        "http://127.0.0.1:\u{0661}/cb",
        "https://127.0.0.1:8080/cb",
        "HTTP://127.0.0.1:8080/cb",
        "http://127.0.0.1:8081/CB",
        "http://127.0.0.1:8081/cb/",
        "http://127.0.0.1:8081/cb?",
        "http://127.0.0.1:8081",
    ] {
        assert!(!registered.admits(other, Native), "{other}");
    }
}

#[test]
fn localhost_has_no_free_port() {
    // SEC-103
    let registered = uri("http://localhost:3000/cb");
    for other in [
        "http://localhost:3001/cb",
        "http://localhost/cb",
        "http://127.0.0.1:3000/cb",
    ] {
        assert!(!registered.admits(other, Native), "{other}");
    }
}

#[test]
fn the_list_of_parser_differentials_is_refused() {
    // SEC-001, SEC-002, SEC-100, SEC-101, SEC-102
    let registered = uri("https://a.example/cb");
    for other in [
        "https://a.example@evil.example/cb",
        "https://a.example@evil.example@a.example/cb",
        "https://a.example\\@evil.example/cb",
        "https://evil.example#@a.example/cb",
        "https://a.example/cb#",
        "https://a.example/cb%23",
        "https://a.example/cb?",
        "https://a.example/cb;",
        "https://a.example//cb",
        "https://a.example/./cb",
        "https://a.example/cb/..%2f",
        "https://a.example/cb/%252e%252e/",
        "https://a.example/cb/..;/x",
        "https://a.example/%63b",
        "https://a.example:443/cb",
        "https://a.example./cb",
        "https://A.example/cb",
        "HTTPS://a.example/cb",
        "https://a\u{3002}example/cb",
        "https://\u{ff41}.example/cb",
        "https://a.example/cb%00",
        "https://a.example/cb\0",
        "https://a.example/cb\r\n",
        "https://a.example\t/cb",
        "https:a.example/cb",
        "//a.example/cb",
        "https://a.example/cb.evil",
        "https://a.exampleXcb",
        "",
    ] {
        assert!(!registered.admits(other, Native), "{other}");
        assert!(!registered.admits(other, Web), "{other}");
    }
}
