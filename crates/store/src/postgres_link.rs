//! How a connection to PostgreSQL is made and set: primary only, durable commits, limits on waiting (SEC-425).

use std::path::PathBuf;
use std::time::Duration;

use postgres::config::{Host, SslMode, TargetSessionAttrs};
use postgres::{Client, Config, NoTls};

use crate::error::StoreError;
use crate::postgres_tls::Tls;
use crate::postgres_tx::describe;

/// What is needed to connect again at any time.
#[derive(Clone)]
pub(crate) struct Link {
    config: Config,
    tls: Option<Tls>,
}

impl Link {
    /// Reads `postgresql://…`. With `sslmode=require` or stricter the connection is encrypted and the certificate checked;
    /// otherwise it is plain, never something in between.
    pub(crate) fn parse(url: &str) -> Result<Self, StoreError> {
        let (plain, ssl) = take_ssl(url)?;
        let mut config: Config = plain.parse().map_err(|error: postgres::Error| {
            StoreError::Refused(format!(
                "the PostgreSQL address cannot be read: {}",
                describe(&error)
            ))
        })?;
        if config.get_ssl_mode() == SslMode::Require && !ssl.required {
            return Err(StoreError::Refused(
                "sslmode in the PostgreSQL address cannot be read".into(),
            ));
        }
        let tls = if ssl.required {
            Some(Tls::new(ssl.authorities.as_deref())?)
        } else {
            None
        };
        config.ssl_mode(if ssl.required {
            SslMode::Require
        } else {
            SslMode::Disable
        });
        if tls.is_none() && config.get_hosts().iter().any(is_remote) {
            tracing::warn!(
                "the connection to PostgreSQL is not encrypted; add sslmode=require to its address"
            );
        }
        config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(Duration::from_secs(5));
        }
        if config.get_tcp_user_timeout().is_none() {
            config.tcp_user_timeout(Duration::from_secs(10));
        }
        if config.get_application_name().is_none() {
            config.application_name("jeton");
        }
        Ok(Self { config, tls })
    }

    pub(crate) fn connect(&self) -> Result<Client, StoreError> {
        let failed = |error: postgres::Error| StoreError::Failed(describe(&error));
        let mut client = match &self.tls {
            Some(tls) => self.config.connect(tls.clone()),
            None => self.config.connect(NoTls),
        }
        .map_err(failed)?;
        let row = client
            .query_one("SHOW synchronous_commit", &[])
            .map_err(failed)?;
        let level: String = row.try_get(0).map_err(failed)?;
        // A stronger level the operator chose (remote_apply, say) is kept.
        if matches!(level.as_str(), "off" | "local") {
            client
                .batch_execute("SET synchronous_commit = on")
                .map_err(failed)?;
        }
        client.batch_execute(SETTINGS).map_err(failed)?;
        Ok(client)
    }
}

/// Reads run outside of a transaction, so the session is read-only until a verb asks for more.
const SETTINGS: &str = "SET default_transaction_read_only = on; \
    SET statement_timeout = '10s'; SET lock_timeout = '5s'; \
    SET idle_in_transaction_session_timeout = '15s'";

fn is_remote(host: &Host) -> bool {
    match host {
        Host::Tcp(name) => {
            let address = name.parse::<std::net::IpAddr>();
            name != "localhost" && !address.is_ok_and(|address| address.is_loopback())
        }
        #[cfg(unix)]
        Host::Unix(_) => false,
    }
}

struct Ssl {
    required: bool,
    authorities: Option<PathBuf>,
}

/// Takes the TLS parameters out of the address: the driver knows fewer of them, and would not check certificates.
fn take_ssl(url: &str) -> Result<(String, Ssl), StoreError> {
    let mut ssl = Ssl {
        required: false,
        authorities: None,
    };
    if !url.starts_with("postgresql://") && !url.starts_with("postgres://") {
        return Err(StoreError::Refused(
            "a PostgreSQL address begins with postgresql://".into(),
        ));
    }
    let Some((address, query)) = url.split_once('?') else {
        return Ok((url.to_owned(), ssl));
    };
    let mut rest = Vec::new();
    for parameter in query.split('&') {
        match parameter.split_once('=') {
            Some(("sslmode", "disable" | "allow" | "prefer")) => {}
            Some(("sslmode", "require" | "verify-ca" | "verify-full")) => ssl.required = true,
            Some(("sslmode", _)) => {
                return Err(StoreError::Refused(
                    "sslmode in the PostgreSQL address must be disable, require or verify-full"
                        .into(),
                ));
            }
            Some(("sslrootcert", path)) => ssl.authorities = Some(PathBuf::from(decoded(path))),
            Some(("sslcert" | "sslkey", _)) => {
                return Err(StoreError::Refused(
                    "client certificates for PostgreSQL (sslcert, sslkey) are not supported".into(),
                ));
            }
            Some(_) | None => rest.push(parameter),
        }
    }
    Ok((format!("{address}?{}", rest.join("&")), ssl))
}

/// Undoes percent-encoding; what is not validly encoded stays as it is.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('%') {
        bytes.extend_from_slice(before.as_bytes());
        match after
            .get(..2)
            .and_then(|digits| u8::from_str_radix(digits, 16).ok())
        {
            Some(byte) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(b'%');
                rest = after;
            }
        }
    }
    bytes.extend_from_slice(rest.as_bytes());
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}
