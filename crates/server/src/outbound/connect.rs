//! From a name to a connection: all addresses are checked, one of them is connected to, and TLS is verified (SEC-221, SEC-227).

use super::turns::Turn;
use super::{Names, OutboundError, Target, special_range};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::OnceCell;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// More addresses than these of one name are not tried.
const MOST_TRIED: usize = 3;

/// The addresses of a target. One that is special spoils them all: a name that is also ours is not somebody else's.
pub(super) async fn resolve(
    target: &Target,
    names: &Names,
    turn: &Turn,
) -> Result<Vec<SocketAddr>, OutboundError> {
    let addresses = match target.literal {
        Some(address) => vec![address],
        None => look_up(target, names, turn).await?,
    };
    if addresses.is_empty() {
        return Err(OutboundError::Name("none".to_owned()));
    }
    for address in &addresses {
        check(target, *address)?;
    }
    let at_port = |address| SocketAddr::new(address, target.port);
    Ok(addresses.into_iter().map(at_port).collect())
}

fn check(target: &Target, address: IpAddr) -> Result<(), OutboundError> {
    if !target.is_https && !address.to_canonical().is_loopback() {
        return Err(OutboundError::Url("it is not https"));
    }
    match special_range(address) {
        Some(range) if !target.is_allowed => Err(OutboundError::Address { address, range }),
        Some(_) | None => Ok(()),
    }
}

/// A lookup cannot be called off, so it keeps its turn for as long as it takes.
async fn look_up(
    target: &Target,
    names: &Names,
    turn: &Turn,
) -> Result<Vec<IpAddr>, OutboundError> {
    match names {
        Names::Told(addresses) => Ok(addresses(&target.host)),
        Names::System => {
            let (host, port, turn) = (target.host.clone(), target.port, turn.clone());
            let looking = tokio::spawn(async move {
                let found = tokio::net::lookup_host((host, port)).await;
                drop(turn);
                found.map(|found| found.map(|address| address.ip()).collect())
            });
            let failed = |error: &dyn std::fmt::Display| OutboundError::Name(error.to_string());
            looking
                .await
                .map_err(|error| failed(&error))?
                .map_err(|error| failed(&error))
        }
    }
}

pub(super) async fn connect(
    target: &Target,
    addresses: &[SocketAddr],
    patience: Duration,
) -> Result<TcpStream, OutboundError> {
    let tried = addresses.len().clamp(1, MOST_TRIED);
    let each = patience / u32::try_from(tried).unwrap_or(1);
    let mut last = io::Error::from(io::ErrorKind::TimedOut);
    for address in addresses.iter().take(tried) {
        match tokio::time::timeout(each, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => last = error,
            Err(_) => last = io::ErrorKind::TimedOut.into(),
        }
    }
    Err(OutboundError::Connect(format!(
        "{}: {last}",
        target.authority
    )))
}

/// Which certificates are believed: the machine's authorities, and those the operator named. There is no way to believe all.
pub(super) struct Trust {
    named: Vec<CertificateDer<'static>>,
    /// Made when something first goes out, because reading the machine's authorities takes a while.
    connector: OnceCell<TlsConnector>,
}

impl Trust {
    pub(super) fn read(files: &[PathBuf]) -> Result<Self, String> {
        Ok(Self {
            named: read_authorities(files)?,
            connector: OnceCell::new(),
        })
    }

    /// Name, chain and times are checked, for the host of the URL.
    pub(super) async fn handshake(
        &self,
        target: &Target,
        stream: TcpStream,
    ) -> Result<TlsStream<TcpStream>, OutboundError> {
        let name = target.server_name()?;
        let connector = self.connector.get_or_try_init(|| self.prepare()).await?;
        connector
            .connect(name, stream)
            .await
            .map_err(|error| OutboundError::Tls(error.to_string()))
    }

    async fn prepare(&self) -> Result<TlsConnector, OutboundError> {
        let failed = |error: &dyn std::fmt::Display| OutboundError::Tls(error.to_string());
        let native = tokio::task::spawn_blocking(rustls_native_certs::load_native_certs)
            .await
            .map_err(|error| failed(&error))?;
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(native.certs);
        roots.add_parsable_certificates(self.named.iter().cloned());
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| failed(&error))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(TlsConnector::from(Arc::new(config)))
    }
}

/// The certificates of all files, each of which must hold some, and all of which must be usable.
pub fn read_authorities(files: &[PathBuf]) -> Result<Vec<CertificateDer<'static>>, String> {
    let mut authorities = Vec::new();
    let mut roots = RootCertStore::empty();
    for file in files {
        let refused = |error: &dyn std::fmt::Display| format!("{}: {error}", file.display());
        let before = authorities.len();
        for certificate in CertificateDer::pem_file_iter(file).map_err(|error| refused(&error))? {
            let certificate = certificate.map_err(|error| refused(&error))?;
            let added = roots.add(certificate.clone());
            added.map_err(|error| refused(&error))?;
            authorities.push(certificate);
        }
        if authorities.len() == before {
            return Err(refused(&"holds no certificate"));
        }
    }
    Ok(authorities)
}
