//! Somebody else's HTTPS server, on a loopback port under a certificate made for it, and the settings with which the server
//! under test reaches it.

use jeton::outbound::{Names, Settings};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::collections::HashMap;
use std::fmt::Write as _;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// The names the right certificate is for.
pub const HOST: &str = "keys.example";
pub const OTHER_HOST: &str = "logos.example";

/// Which certificate the server shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shows {
    Right,
    /// For another host, by the same authority.
    OtherHost,
    Expired,
    /// For the right host, by an authority nobody named.
    UnknownAuthority,
    /// None: it speaks HTTP without TLS.
    Nothing,
}

/// What the server writes after a request, byte for byte.
#[derive(Clone, Debug)]
pub enum Says {
    Bytes(Vec<u8>),
    /// These, and then silence with the connection open.
    Stalls(Vec<u8>),
    /// These, and then zeros for as long as somebody reads.
    NeverEnds(Vec<u8>),
}

#[derive(Clone)]
pub struct Remote {
    pub port: u16,
    pages: Arc<Mutex<HashMap<String, Says>>>,
    asked: Arc<AtomicUsize>,
    /// Connections, whatever came of them.
    met: Arc<AtomicUsize>,
    heads: Arc<Mutex<Vec<String>>>,
    pause: Arc<Mutex<Duration>>,
    busy: Arc<AtomicUsize>,
    peak: Arc<AtomicUsize>,
}

impl Remote {
    pub async fn start() -> Self {
        Self::showing(Shows::Right).await
    }

    pub async fn showing(shows: Shows) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let remote = Self {
            port: listener.local_addr().unwrap().port(),
            pages: Arc::default(),
            asked: Arc::default(),
            met: Arc::default(),
            heads: Arc::default(),
            pause: Arc::default(),
            busy: Arc::default(),
            peak: Arc::default(),
        };
        let acceptor = acceptor(shows);
        let own = remote.clone();
        tokio::spawn(async move {
            loop {
                let Ok((stream, _)) = listener.accept().await else {
                    return;
                };
                own.met.fetch_add(1, Ordering::SeqCst);
                let (own, acceptor) = (own.clone(), acceptor.clone());
                tokio::spawn(async move {
                    match acceptor {
                        None => own.answer(stream).await,
                        Some(acceptor) => {
                            if let Ok(stream) = acceptor.accept(stream).await {
                                own.answer(stream).await;
                            }
                        }
                    }
                });
            }
        });
        remote
    }

    async fn answer<S: AsyncRead + AsyncWrite + Unpin>(&self, mut stream: S) {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            match stream.read_u8().await {
                // The first byte of TLS, where nobody here speaks it.
                Ok(0x16) => return,
                Ok(byte) => head.push(byte),
                Err(_) => return,
            }
        }
        let head = String::from_utf8(head).unwrap();
        let path = head.split(' ').nth(1).unwrap().to_owned();
        self.asked.fetch_add(1, Ordering::SeqCst);
        self.heads.lock().unwrap().push(head);
        let busy = self.busy.fetch_add(1, Ordering::SeqCst) + 1;
        self.peak.fetch_max(busy, Ordering::SeqCst);
        let pause = *self.pause.lock().unwrap();
        if !pause.is_zero() {
            tokio::time::sleep(pause).await;
        }
        self.busy.fetch_sub(1, Ordering::SeqCst);
        let said = self.pages.lock().unwrap().get(&path).cloned();
        let said = said.unwrap_or(Says::Bytes(
            b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n".to_vec(),
        ));
        match said {
            Says::Bytes(bytes) => {
                let _ = stream.write_all(&bytes).await;
                let _ = stream.shutdown().await;
            }
            Says::Stalls(bytes) => {
                let _ = stream.write_all(&bytes).await;
                let _ = stream.flush().await;
                std::future::pending::<()>().await;
            }
            Says::NeverEnds(bytes) => {
                let _ = stream.write_all(&bytes).await;
                while stream.write_all(&[0; 4096]).await.is_ok() {}
            }
        }
    }

    pub fn serves(&self, path: &str, says: Says) {
        self.pages.lock().unwrap().insert(path.to_owned(), says);
    }

    /// A plain good answer.
    pub fn serves_document(&self, path: &str, content_type: &str, body: &[u8]) {
        self.serves(path, document(&[("content-type", content_type)], body));
    }

    pub fn serves_keys(&self, path: &str, keys: &serde_json::Value) {
        self.serves_document(path, "application/json", keys.to_string().as_bytes());
    }

    /// Nothing is here any more.
    pub fn forgets(&self, path: &str) {
        self.pages.lock().unwrap().remove(path);
    }

    /// Each answer is written this much later.
    pub fn pauses(&self, pause: Duration) {
        *self.pause.lock().unwrap() = pause;
    }

    pub fn url(&self, path: &str) -> String {
        format!("https://{HOST}:{}{path}", self.port)
    }

    /// How many requests have come.
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    pub fn met(&self) -> usize {
        self.met.load(Ordering::SeqCst)
    }

    /// How many requests were being answered at once.
    pub fn peak(&self) -> usize {
        self.peak.load(Ordering::SeqCst)
    }

    pub fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }

    /// Settings under which this server, and no other of the machine, may be fetched from.
    pub fn settings(&self) -> Settings {
        Settings {
            allow: vec![
                format!("{HOST}:{}", self.port),
                format!("{OTHER_HOST}:{}", self.port),
            ],
            authorities: vec![certificates().join("authority.pem")],
            names: told(&[(HOST, "127.0.0.1"), (OTHER_HOST, "127.0.0.1")]),
            ..nowhere()
        }
    }
}

/// An answer with status 200 and these headers.
pub fn document(headers: &[(&str, &str)], body: &[u8]) -> Says {
    let mut head = "HTTP/1.1 200 OK\r\n".to_owned();
    for (name, value) in headers {
        write!(head, "{name}: {value}\r\n").unwrap();
    }
    write!(head, "content-length: {}\r\n\r\n", body.len()).unwrap();
    Says::Bytes([head.as_bytes(), body].concat())
}

/// No name has an address, and no failure is held back.
pub fn nowhere() -> Settings {
    Settings {
        names: told(&[]),
        // Long enough for a busy machine; what never answers is tested with less.
        patience: Duration::from_secs(60),
        shortest_failure: Duration::ZERO,
        ..Settings::default()
    }
}

pub fn told(names: &[(&str, &str)]) -> Names {
    let known: Vec<(String, IpAddr)> = names
        .iter()
        .map(|(name, address)| ((*name).to_owned(), address.parse().unwrap()))
        .collect();
    Names::Told(Arc::new(move |asked| {
        let found = known.iter().filter(|(name, _)| name == asked);
        found.map(|(_, address)| *address).collect()
    }))
}

fn acceptor(shows: Shows) -> Option<TlsAcceptor> {
    let name = match shows {
        Shows::Right => "right",
        Shows::OtherHost => "other-host",
        Shows::Expired => "expired",
        Shows::UnknownAuthority => "unknown",
        Shows::Nothing => return None,
    };
    let of = |ending: &str| certificates().join(format!("{name}.{ending}"));
    let chain = CertificateDer::pem_file_iter(of("pem")).unwrap();
    let chain = chain.collect::<Result<Vec<_>, _>>().unwrap();
    let key = PrivateKeyDer::from_pem_file(of("key")).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    Some(TlsAcceptor::from(Arc::new(config)))
}

/// Two authorities and what they signed, made once a process.
pub fn certificates() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        const MAKE: &str = r#"
            set -e
            umask 077
            rm -rf "$1"
            mkdir "$1"
            cd "$1"
            authority() {
                openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -subj "/CN=$1" \
                    -addext basicConstraints=critical,CA:TRUE -keyout "$1.key" -out "$1.pem" 2>/dev/null
            }
            certificate() { # name, authority, days, host names
                openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$1" \
                    -keyout "$1.key" -out "$1.csr" 2>/dev/null
                printf 'basicConstraints=CA:FALSE\nsubjectAltName=%s\n' "$4" >"$1.ext"
                openssl x509 -req -in "$1.csr" -CA "$2.pem" -CAkey "$2.key" -CAcreateserial -days "$3" \
                    -extfile "$1.ext" -out "$1.pem" 2>/dev/null
            }
            authority authority
            authority stranger
            both=DNS:keys.example,DNS:logos.example
            certificate right authority 3650 "$both"
            certificate other-host authority 3650 DNS:elsewhere.example
            certificate expired authority -1 "$both"
            certificate unknown stranger 3650 "$both"
        "#;
        let folder = std::env::temp_dir().join(format!("jeton-remote-{}", std::process::id()));
        let made = Command::new("sh")
            .args(["-c", MAKE, "make"])
            .arg(&folder)
            .status()
            .unwrap();
        assert!(made.success(), "openssl is needed to make certificates");
        folder
    })
}
