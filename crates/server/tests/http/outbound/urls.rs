//! Which URLs are fetched (SEC-224).

use super::fetch;
use crate::support::remote::{Remote, Shows, nowhere, told};
use jeton::outbound::{OutboundError, Settings, Target, fetchable};

fn judged(text: &str) -> Result<(), OutboundError> {
    Target::parse(text, &nowhere()).map(drop)
}

// SEC-224
#[test]
fn only_https_to_a_name_and_an_open_port_is_fetched() {
    for good in [
        "https://keys.example/jwks",
        "https://keys.example",
        "https://keys.example:443/jwks?a=b",
        "https://xn--bcher-kva.example/",
    ] {
        assert_eq!(judged(good), Ok(()), "{good}");
    }
    for bad in [
        "http://keys.example/jwks",
        "HTTP://keys.example/jwks",
        "ftp://keys.example/jwks",
        "file:///etc/passwd",
        "gopher://keys.example/",
        "data:application/json,{}",
        "javascript:alert(1)",
        "//keys.example/",
        "/jwks",
        "",
        "https://",
        "https:keys.example",
        "https:///keys.example",
        "https://keys.example:80/",
        "https://keys.example:8443/",
        "https://keys.example:22/",
        "https://keys.example:0/",
        "https://keys.example:65536/",
        "https://user@keys.example/",
        "https://user:password@keys.example/",
        "https://:@keys.example/",
        "https://@keys.example/",
        "https://keys.example@127.0.0.1/",
        "https://keys.example\\@127.0.0.1/",
        "https://keys.example/#fragment",
        "https://127.0.0.1/",
        "https://127.1/",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://0177.0.0.1/",
        "https://8.8.8.8/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[::ffff:7f00:1]/",
        "https://[2606:4700:4700::1111]/",
        "https://%31%32%37.0.0.1/",
        "https://１２７.0.0.1/",
        "https://keys.example /",
        " https://keys.example/",
        "https://keys.example/\n",
        "https://keys\t.example/",
        "https://keys.example/\r\nx: y",
    ] {
        assert!(matches!(judged(bad), Err(OutboundError::Url(_))), "{bad}");
    }
    let long = format!("https://keys.example/{}", "q".repeat(2048));
    assert!(judged(&long).is_err());
}

// SEC-224
#[test]
fn a_port_and_an_address_are_open_where_the_operator_names_them() {
    let settings = Settings {
        ports: vec![8443],
        allow: vec!["127.0.0.1:9444".to_owned(), "[::1]:9444".to_owned()],
        ..nowhere()
    };
    for (url, open) in [
        ("https://keys.example:8443/", true),
        ("https://keys.example:8444/", false),
        ("https://127.0.0.1:9444/", true),
        ("https://[::1]:9444/", true),
        ("https://127.0.0.1:8443/", false),
        ("https://127.0.0.2:9444/", false),
        ("http://127.0.0.1:9444/", false),
    ] {
        assert_eq!(Target::parse(url, &settings).is_ok(), open, "{url}");
    }
}

// SEC-224
#[test]
fn a_registration_takes_what_could_be_fetched_somewhere() {
    for good in [
        "https://keys.example:8443/jwks",
        "http://localhost:3000/jwks",
        "http://127.0.0.1/",
    ] {
        assert_eq!(fetchable(good), Ok(()), "{good}");
    }
    for bad in [
        "http://keys.example/",
        "javascript:alert(1)",
        "https://a@b/",
        "https://keys.example/#x",
    ] {
        assert!(fetchable(bad).is_err(), "{bad}");
    }
}

// SEC-224
#[tokio::test]
async fn without_tls_only_jeton_dev_goes_out_and_only_to_a_named_loopback_address() {
    let remote = Remote::showing(Shows::Nothing).await;
    remote.serves_document("/", "application/json", b"{}");
    let url = format!("http://keys.example:{}/", remote.port);
    let development = |address| Settings {
        plain_loopback: true,
        names: told(&[("keys.example", address)]),
        ..remote.settings()
    };
    assert!(fetch(development("127.0.0.1"), &url).await.is_ok());
    let elsewhere = fetch(development("10.0.0.1"), &url).await;
    assert!(
        matches!(elsewhere, Err(OutboundError::Url(_))),
        "{elsewhere:?}"
    );
    let unnamed = Settings {
        allow: Vec::new(),
        ..development("127.0.0.1")
    };
    assert!(matches!(
        fetch(unnamed, &url).await,
        Err(OutboundError::Url(_))
    ));
    let serving = fetch(remote.settings(), &url).await;
    assert!(matches!(serving, Err(OutboundError::Url(_))), "{serving:?}");
    assert_eq!(remote.asked(), 1);
}
