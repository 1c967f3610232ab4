//! The server that is measured: where it is, what it calls its endpoints, who may use it.

use super::browser::Cookies;
use super::fixture::{BenchClient, BenchFixture};
use super::operation::Operation;
use super::request;
use super::response::Connection;
use super::trouble::Trouble;
use serde_json::{Map, Value};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::time::timeout;
use url::Url;

/// Longer than any answer may take.
pub const PATIENCE: Duration = Duration::from_secs(30);

pub struct Target {
    issuer: Url,
    pid: Option<u32>,
    fixture: BenchFixture,
    endpoints: Option<Endpoints>,
    address: Option<SocketAddr>,
    /// Of the signed-in user, once somebody needed one.
    pub session: Option<Cookies>,
}

/// From the discovery document.
#[derive(Clone, Debug)]
pub struct Endpoints {
    pub authorize: Url,
    pub token: Url,
    pub introspect: Url,
    pub revoke: Url,
    pub userinfo: Url,
    pub jwks: Url,
}

impl Endpoints {
    fn parse(document: &[u8]) -> Result<Self, Trouble> {
        let document: Map<String, Value> =
            serde_json::from_slice(document).map_err(|error| Trouble::new(error.to_string()))?;
        let url = |name: &str| {
            let text = document.get(name).and_then(Value::as_str);
            let text = text.ok_or_else(|| Trouble::new(format!("it has no {name}")))?;
            Url::parse(text).map_err(|error| Trouble::new(format!("{name}: {error}")))
        };
        Ok(Self {
            authorize: url("authorization_endpoint")?,
            token: url("token_endpoint")?,
            introspect: url("introspection_endpoint")?,
            revoke: url("revocation_endpoint")?,
            userinfo: url("userinfo_endpoint")?,
            jwks: url("jwks_uri")?,
        })
    }
}

impl Target {
    pub fn new(issuer: Url, pid: Option<u32>, fixture: BenchFixture) -> Self {
        Self {
            issuer,
            pid,
            fixture,
            endpoints: None,
            address: None,
            session: None,
        }
    }

    /// Finds the server's address and endpoints.
    pub async fn discovered(mut self) -> Result<Self, Trouble> {
        self.address = Some(address(&self.issuer)?);
        let request = request::get(&self.discovery(), &[]);
        let doing = "the discovery document";
        let mut connection = self.connection().await?;
        let response = timeout(PATIENCE, connection.exchange(&request))
            .await
            .map_err(|_| Trouble::new("no answer").during(doing))??;
        if response.status != 200 {
            return Err(Trouble::new(response.summary()).during(doing));
        }
        let endpoints = Endpoints::parse(response.body);
        self.endpoints = Some(endpoints.map_err(|trouble| trouble.during(doing))?);
        Ok(self)
    }

    pub async fn connection(&self) -> Result<Connection, Trouble> {
        let address = self.address.ok_or_else(|| Trouble::new("no address"))?;
        Connection::open(address)
            .await
            .map_err(|error| Trouble::new(format!("{address}: {error}")))
    }

    pub fn address(&self) -> Option<SocketAddr> {
        self.address
    }

    pub fn pid(&self) -> Option<u32> {
        self.pid
    }

    pub fn fixture(&self) -> &BenchFixture {
        &self.fixture
    }

    pub fn endpoints(&self) -> Result<&Endpoints, Trouble> {
        self.endpoints
            .as_ref()
            .ok_or_else(|| Trouble::new("no discovery document"))
    }

    pub fn discovery(&self) -> Url {
        discovery(&self.issuer)
    }

    pub fn client(&self, operation: Operation) -> Result<&BenchClient, Trouble> {
        self.fixture
            .client(operation)
            .ok_or_else(|| Trouble::new(format!("no client for {}", operation.name())))
    }
}

/// The discovery document of an issuer (OpenID Connect Discovery §4).
pub fn discovery(issuer: &Url) -> Url {
    let mut url = issuer.clone();
    let path = format!(
        "{}/.well-known/openid-configuration",
        issuer.path().trim_end_matches('/')
    );
    url.set_path(&path);
    url
}

/// The address of a plain HTTP issuer; TLS would be measured instead of the server.
pub fn address(issuer: &Url) -> Result<SocketAddr, Trouble> {
    if issuer.scheme() != "http" {
        return Err(Trouble::new("only http:// issuers can be measured"));
    }
    issuer
        .socket_addrs(|| None)
        .map_err(|error| Trouble::new(format!("{issuer}: {error}")))?
        .first()
        .copied()
        .ok_or_else(|| Trouble::new(format!("{issuer} has no address")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_discovery_document_is_below_the_issuer() {
        for (issuer, document) in [
            ("http://h:1", "http://h:1/.well-known/openid-configuration"),
            ("http://h/t/", "http://h/t/.well-known/openid-configuration"),
        ] {
            assert_eq!(discovery(&Url::parse(issuer).unwrap()).as_str(), document);
        }
    }

    #[test]
    fn https_is_refused() {
        assert!(address(&Url::parse("https://127.0.0.1").unwrap()).is_err());
        let plain = address(&Url::parse("http://127.0.0.1").unwrap()).unwrap();
        assert_eq!(plain.port(), 80);
    }
}
