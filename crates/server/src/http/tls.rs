//! TLS by rustls: 1.3 and 1.2 with AEAD suites, certificates from PEM files that are read again when they change (SEC-421).

use arc_swap::ArcSwap;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{ServerConfig, crypto};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;
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
    current: ArcSwap<(CertifiedKey, Option<SystemTime>)>,
    /// When the files that could not be used were written: each change is complained of once.
    refused: Mutex<Option<SystemTime>>,
}

impl Tls {
    pub fn open(chain: &Path, key: &Path) -> Result<Self, TlsError> {
        let loaded = load(chain, key)?;
        let certificate = Arc::new(Certificate {
            chain: chain.to_owned(),
            key: key.to_owned(),
            current: ArcSwap::from_pointee((loaded, changed_at(chain, key))),
            refused: Mutex::new(None),
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

    /// Reads the files again if they changed. A broken pair is reported and the old one stays (SEC-369).
    pub fn refresh(&self) {
        let certificate = &self.certificate;
        let changed = changed_at(&certificate.chain, &certificate.key);
        if changed == certificate.current.load().1 {
            return;
        }
        match load(&certificate.chain, &certificate.key) {
            Ok(loaded) => {
                certificate.current.store(Arc::new((loaded, changed)));
                tracing::info!(event = "certificate.reloaded", chain = %certificate.chain.display());
            }
            Err(error) => {
                let mut refused = certificate
                    .refused
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner);
                if *refused != changed || changed.is_none() {
                    tracing::error!(event = "certificate.broken", %error, "the certificate in use stays");
                    *refused = changed;
                }
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

/// When the younger of the two files was written.
fn changed_at(chain: &Path, key: &Path) -> Option<SystemTime> {
    let written = |path: &Path| {
        fs::metadata(path)
            .and_then(|metadata| metadata.modified())
            .ok()
    };
    written(chain).max(written(key))
}
