//! TLS by rustls: 1.3 and 1.2 with AEAD suites, certificates from PEM files that are read again when they change (SEC-421).

use arc_swap::ArcSwap;
use jeton_token::timestamp::Timestamp;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{ServerConfig, crypto};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

#[derive(Debug, Error)]
pub enum TlsError {
    #[error("{0}: {1}")]
    File(PathBuf, String),
    #[error("the key does not fit the certificate: {0}")]
    Pair(rustls::Error),
    #[error(transparent)]
    Configuration(#[from] rustls::Error),
}

pub struct Tls {
    acceptor: TlsAcceptor,
    certificate: Arc<Certificate>,
}

#[derive(Debug)]
struct Certificate {
    chain: PathBuf,
    key: PathBuf,
    current: ArcSwap<(CertifiedKey, Written)>,
    /// A change that cannot be used yet.
    waiting: Mutex<Option<Waiting>>,
}

/// When certificate and key were written.
type Written = [Option<SystemTime>; 2];

#[derive(Debug)]
struct Waiting {
    written: Written,
    since: Timestamp,
    told: bool,
}

/// How long a pair may not fit: a renewal writes one file before the other.
const GRACE: Duration = Duration::from_secs(5);

impl Tls {
    pub fn open(chain: &Path, key: &Path) -> Result<Self, TlsError> {
        let loaded = load(chain, key)?;
        let certificate = Arc::new(Certificate {
            chain: chain.to_owned(),
            key: key.to_owned(),
            current: ArcSwap::from_pointee((loaded, changed_at(chain, key))),
            waiting: Mutex::new(None),
        });
        let provider = Arc::new(crypto::aws_lc_rs::default_provider());
        let resolver: Arc<dyn ResolvesServerCert> = Arc::<Certificate>::clone(&certificate);
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])?
            .with_no_client_auth()
            .with_cert_resolver(resolver);
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        config.max_early_data_size = 0;
        Ok(Self {
            acceptor: TlsAcceptor::from(Arc::new(config)),
            certificate,
        })
    }

    pub async fn accept<S>(&self, stream: S) -> io::Result<TlsStream<S>>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        self.acceptor.accept(stream).await
    }

    /// Reads the files again if they changed. A pair that does not fit yet is tried again; what came of the change is
    /// reported once, and a pair that stays broken leaves the old one in use (SEC-369).
    pub fn refresh(&self, now: Timestamp) {
        let certificate = &self.certificate;
        let written = changed_at(&certificate.chain, &certificate.key);
        if written == certificate.current.load().1 {
            return;
        }
        let mut waiting = certificate
            .waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        match load(&certificate.chain, &certificate.key) {
            Ok(loaded) => {
                certificate.current.store(Arc::new((loaded, written)));
                *waiting = None;
                tracing::info!(event = "certificate.reloaded", chain = %certificate.chain.display());
            }
            Err(error) => {
                let change = waiting.take().filter(|change| change.written == written);
                let mut change = change.unwrap_or(Waiting {
                    written,
                    since: now,
                    told: false,
                });
                if !change.told && now.since(change.since) >= GRACE {
                    tracing::error!(event = "certificate.broken", %error, "the certificate in use stays");
                    change.told = true;
                }
                *waiting = Some(change);
            }
        }
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::new(self.current.load().0.clone()))
    }
}

fn load(chain: &Path, key: &Path) -> Result<CertifiedKey, TlsError> {
    let problem = |path: &Path, error: &dyn std::fmt::Display| {
        TlsError::File(path.to_owned(), error.to_string())
    };
    let certificates = CertificateDer::pem_file_iter(chain)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| problem(chain, &error))?;
    if certificates.is_empty() {
        return Err(problem(chain, &"no certificate in it"));
    }
    let private = PrivateKeyDer::from_pem_file(key).map_err(|error| problem(key, &error))?;
    let provider = crypto::aws_lc_rs::default_provider();
    let loaded = CertifiedKey::from_der(certificates, private, &provider)?;
    loaded.keys_match().map_err(TlsError::Pair)?;
    Ok(loaded)
}

fn changed_at(chain: &Path, key: &Path) -> Written {
    let written = |path: &Path| {
        fs::metadata(path)
            .and_then(|metadata| metadata.modified())
            .ok()
    };
    [written(chain), written(key)]
}
