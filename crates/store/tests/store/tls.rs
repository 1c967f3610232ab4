//! TLS to PostgreSQL: checked or refused, never quietly absent (SEC-421, SEC-425).

use std::net::TcpListener;
use std::path::PathBuf;

use crate::support::cluster::{Server, as_somebody, private};
use crate::support::{Kind, Place, runtime, try_open};
use jeton_store::{Location, StoreError};

fn location(url: String) -> Location {
    Location::Postgres { url }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

struct Encrypted {
    _server: Server,
    port: u16,
    certificate: PathBuf,
}

impl Drop for Encrypted {
    fn drop(&mut self) {
        let folder = self.certificate.parent().unwrap();
        let _ = std::fs::remove_dir_all(folder);
    }
}

/// A server with a certificate for `localhost` that no public authority knows.
fn encrypted() -> Encrypted {
    const MAKE: &str = r#"
        set -e
        umask 077
        mkdir "$1"
        cd "$1"
        printf '[req]\ndistinguished_name=n\nprompt=no\nx509_extensions=e\n[n]\nCN=localhost\n' >conf
        printf '[e]\nbasicConstraints=critical,CA:FALSE\nsubjectAltName=DNS:localhost\n' >>conf
        openssl req -x509 -config conf -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 \
            -keyout key.pem -out certificate.pem 2>/dev/null
    "#;
    let folder = std::env::temp_dir().join(format!("jeton-tls-{}", std::process::id()));
    let made = as_somebody()
        .args(["sh", "-c", MAKE, "make"])
        .arg(&folder)
        .status()
        .unwrap();
    assert!(made.success(), "openssl is needed to make a certificate");
    let port = free_port();
    let settings = [
        "listen_addresses=127.0.0.1".to_owned(),
        format!("port={port}"),
        "ssl=on".to_owned(),
        format!("ssl_cert_file={}", folder.join("certificate.pem").display()),
        format!("ssl_key_file={}", folder.join("key.pem").display()),
    ];
    let settings: Vec<String> = settings
        .into_iter()
        .flat_map(|setting| ["-c".to_owned(), setting])
        .collect();
    let (server, _) = private("tls", &settings);
    Encrypted {
        _server: server,
        port,
        certificate: folder.join("certificate.pem"),
    }
}

#[test]
fn an_encrypted_connection_is_made_to_the_named_server_alone() {
    let server = encrypted();
    let (port, certificate) = (
        server.port,
        server.certificate.display().to_string().replace('/', "%2F"),
    );
    let right = format!(
        "postgresql://jeton@localhost:{port}/postgres?sslmode=verify-full&sslrootcert={certificate}"
    );
    let store = try_open(&location(right.clone())).unwrap();
    let used = runtime().block_on(store.read(|tx| {
        tx.one(
            "SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid() AND ssl",
            &[],
        )
    }));
    let used = used.unwrap().expect("an encrypted connection");
    assert!(used.text(0).unwrap().starts_with("TLSv1.3"));

    let other_name = right.replace("@localhost:", "@127.0.0.1:");
    let error = try_open(&location(other_name))
        .err()
        .expect("a certificate for another name");
    assert!(error.to_string().contains("certificate"), "{error}");

    let other_authority = format!("postgresql://jeton@localhost:{port}/postgres?sslmode=require");
    let error = try_open(&location(other_authority))
        .err()
        .expect("a certificate nobody vouches for");
    assert!(
        matches!(error, StoreError::Failed(_) | StoreError::Refused(_)),
        "{error}"
    );
}

#[test]
fn an_address_that_asks_for_tls_never_gets_a_plain_connection() {
    let place = Place::new(Kind::Postgres);
    let Location::Postgres { url: plain } = place.location() else {
        panic!("not an address")
    };
    drop(try_open(&location(plain.clone())).unwrap());
    for asked in [
        "sslmode=require",
        "sslmode=verify-full",
        "ssl%6Dode=require",
        "sslmode=Require",
        "sslcert=x",
    ] {
        let error = try_open(&location(format!("{plain}&{asked}"))).err();
        assert!(error.is_some(), "{asked}");
    }
    let words = "host=localhost user=jeton sslmode=require".to_owned();
    assert!(matches!(
        try_open(&location(words)),
        Err(StoreError::Refused(_))
    ));
}
