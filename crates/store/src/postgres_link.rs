//! How a connection to PostgreSQL is made and set: primary only, durable commits, limits on waiting (SEC-425).

use std::time::Duration;

use postgres::config::{SslMode, TargetSessionAttrs};
use postgres::{Client, Config, NoTls};

use crate::error::StoreError;
use crate::postgres::describe;

/// What is needed to connect again at any time.
#[derive(Clone)]
pub(crate) struct Link(Config);

impl Link {
    pub(crate) fn parse(url: &str) -> Result<Self, StoreError> {
        let mut config: Config = url.parse().map_err(|error: postgres::Error| {
            StoreError::Refused(format!("the PostgreSQL address cannot be read: {}", describe(&error)))
        })?;
        if config.get_ssl_mode() == SslMode::Require {
            return Err(StoreError::Refused(
                "the PostgreSQL address asks for TLS (sslmode=require), which this version cannot do yet".into(),
            ));
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
        Ok(Self(config))
    }

    pub(crate) fn connect(&self) -> Result<Client, StoreError> {
        let failed = |error: postgres::Error| StoreError::Failed(describe(&error));
        let mut client = self.0.connect(NoTls).map_err(failed)?;
        let row = client.query_one("SHOW synchronous_commit", &[]).map_err(failed)?;
        let level: String = row.try_get(0).map_err(failed)?;
        // A stronger level the operator chose (remote_apply, say) is kept.
        if matches!(level.as_str(), "off" | "local") {
            client.batch_execute("SET synchronous_commit = on").map_err(failed)?;
        }
        client.batch_execute(SETTINGS).map_err(failed)?;
        Ok(client)
    }
}

/// Reads run outside of a transaction, so the session is read-only until a verb asks for more.
const SETTINGS: &str = "SET default_transaction_read_only = on; \
    SET statement_timeout = '10s'; SET lock_timeout = '5s'; \
    SET idle_in_transaction_session_timeout = '15s'";
