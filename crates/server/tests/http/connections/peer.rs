//! A peer that writes what it likes: TLS, and HTTP/2 frames by hand (RFC 9113 §4.1).

use crate::support::TestServer;
use jeton::http::listener::{Listening, serve};
use jeton::http::pace::Patience;
use jeton::http::tls::Tls;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Much longer than anything here may take, on a machine that has other things to do.
pub const LONG: Duration = Duration::from_secs(40);

pub const DATA: u8 = 0;
pub const HEADERS: u8 = 1;
pub const PRIORITY: u8 = 2;
pub const RST_STREAM: u8 = 3;
pub const SETTINGS: u8 = 4;
pub const PING: u8 = 6;
pub const GOAWAY: u8 = 7;
pub const WINDOW_UPDATE: u8 = 8;
pub const CONTINUATION: u8 = 9;

pub const ACK: u8 = 1;
pub const END_STREAM: u8 = 1;
pub const END_HEADERS: u8 = 4;

/// A server behind TLS. It stops when this goes.
pub struct Served {
    pub address: SocketAddr,
    _stop: watch::Sender<bool>,
}

pub async fn served(patience: Patience) -> Served {
    let server = TestServer::start().await;
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    let (stop, stopped) = watch::channel(false);
    let (chain, key) = certificate();
    let listening = Listening {
        socket,
        tls: Some(Arc::new(Tls::open(chain, key).unwrap())),
        management: false,
        patience,
    };
    tokio::spawn(serve(Arc::clone(&server.app), listening, stopped));
    Served {
        address,
        _stop: stop,
    }
}

/// A certificate for `id.example`, made once.
fn certificate() -> &'static (PathBuf, PathBuf) {
    static MADE: OnceLock<(PathBuf, PathBuf)> = OnceLock::new();
    MADE.get_or_init(|| {
        let folder = std::env::temp_dir().join(format!("jeton_tls_{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let (chain, key) = (folder.join("chain.pem"), folder.join("key.pem"));
        let made = Command::new("openssl")
            .args([
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:P-256",
                "-nodes",
            ])
            .args([
                "-days",
                "3650",
                "-subj",
                "/CN=id.example",
                "-addext",
                "subjectAltName=DNS:id.example",
            ])
            .args(["-addext", "basicConstraints=critical,CA:FALSE"])
            .arg("-keyout")
            .arg(&key)
            .arg("-out")
            .arg(&chain)
            .output()
            .unwrap();
        assert!(
            made.status.success(),
            "openssl is needed to make a certificate"
        );
        (chain, key)
    })
}

/// A connection that speaks TLS and, after it, whatever is written.
pub async fn connect(address: SocketAddr, alpn: &str) -> TlsStream<TcpStream> {
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_file(&certificate().0).unwrap())
        .unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![alpn.as_bytes().to_vec()];
    let stream = TcpStream::connect(address).await.unwrap();
    let name = "id.example".try_into().unwrap();
    TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await
        .unwrap()
}

/// A connection that has said hello with these settings.
pub async fn connect_http2(address: SocketAddr, settings: &[(u16, u32)]) -> TlsStream<TcpStream> {
    let mut stream = connect(address, "h2").await;
    let mut hello = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    let mut payload = Vec::new();
    for (name, value) in settings {
        payload.extend(name.to_be_bytes());
        payload.extend(value.to_be_bytes());
    }
    hello.extend(frame(SETTINGS, 0, 0, &payload));
    stream.write_all(&hello).await.unwrap();
    stream
}

pub fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut bytes = vec![length[1], length[2], length[3], kind, flags];
    bytes.extend(stream.to_be_bytes());
    bytes.extend(payload);
    bytes
}

/// The headers of a request, each literal and never indexed (RFC 7541 §6.2.2).
pub fn request(method: &str, path: &str) -> Vec<u8> {
    let mut block = vec![0x87];
    for (name, value) in [(2, method), (4, path), (1, "id.example")] {
        block.push(name);
        block.push(u8::try_from(value.len()).unwrap());
        block.extend(value.as_bytes());
    }
    block
}

pub fn get(stream: u32, path: &str) -> Vec<u8> {
    let block = request("GET", path);
    frame(HEADERS, END_HEADERS | END_STREAM, stream, &block)
}

/// The next whole frame: kind, flags, stream, payload. `None` when the connection has ended.
pub async fn next_frame(
    stream: &mut (impl tokio::io::AsyncRead + Unpin),
) -> Option<(u8, u8, u32, Vec<u8>)> {
    let mut head = [0; 9];
    stream.read_exact(&mut head).await.ok()?;
    let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
    let mut payload = vec![0; length as usize];
    stream.read_exact(&mut payload).await.ok()?;
    let number = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
    Some((head[3], head[4], number, payload))
}

/// Waits for the end of a connection, whatever comes before it.
#[track_caller]
pub fn until_the_end(
    mut stream: impl tokio::io::AsyncRead + Unpin,
) -> impl Future<Output = Vec<u8>> {
    let asked = std::panic::Location::caller();
    async move {
        let mut seen = Vec::new();
        let all = stream.read_to_end(&mut seen);
        if tokio::time::timeout(LONG, all).await.is_err() {
            panic!("{asked}: the connection is still open");
        }
        seen
    }
}

/// Asks for the keys over a connection of its own, as an honest client does, and has them.
pub async fn is_answered(address: SocketAddr) {
    let mut stream = connect(address, "http/1.1").await;
    let ask = b"GET /jwks HTTP/1.1\r\nHost: id.example\r\nConnection: close\r\n\r\n";
    stream.write_all(ask).await.unwrap();
    let answer = String::from_utf8(until_the_end(stream).await).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.contains("\"keys\""), "{answer}");
}
