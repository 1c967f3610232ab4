//! Which clients and which user the load is made with.

use super::operation::Operation;
use super::trouble::Trouble;
use serde::Deserialize;
use std::path::Path;

/// The clients, the user and the redirect URI that the measured server knows.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BenchFixture {
    /// Gets opaque access tokens by client credentials; introspects and revokes its own.
    pub opaque: Option<BenchClient>,
    pub eddsa: Option<BenchClient>,
    pub es256: Option<BenchClient>,
    pub rs256: Option<BenchClient>,
    /// Confidential, code flow: ES256 access and ID tokens, refresh tokens that do not rotate.
    pub web: Option<BenchClient>,
    /// Public, code flow: opaque access tokens, refresh tokens that rotate.
    pub spa: Option<BenchClient>,
    #[serde(default)]
    pub username: String,
    #[serde(default)]
    pub password: String,
    /// Registered for `web` and `spa`; nobody has to listen there.
    pub redirect_uri: String,
    /// Asked for where no ID token is wanted: a scope both code flow clients may have, without `openid`.
    pub plain_scope: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BenchClient {
    pub id: String,
    /// Sent by `client_secret_basic`; a client without one is public.
    pub secret: Option<String>,
}

impl BenchFixture {
    /// What `jeton dev --seed bench` makes.
    pub fn of_dev() -> Self {
        let confidential = |id: &str| {
            Some(BenchClient {
                id: id.to_owned(),
                secret: Some(format!("{id}-secret")),
            })
        };
        Self {
            opaque: confidential("bench-opaque"),
            eddsa: confidential("bench-eddsa"),
            es256: confidential("bench-es256"),
            rs256: confidential("bench-rs256"),
            web: confidential("bench-web"),
            spa: Some(BenchClient {
                id: "bench-spa".to_owned(),
                secret: None,
            }),
            username: "alice".to_owned(),
            password: "alice".to_owned(),
            redirect_uri: "http://127.0.0.1/cb".to_owned(),
            plain_scope: "profile".to_owned(),
        }
    }

    pub fn read(file: &Path) -> Result<Self, Trouble> {
        let named = |error: String| Trouble::new(format!("fixture {}: {error}", file.display()));
        let text = std::fs::read_to_string(file).map_err(|error| named(error.to_string()))?;
        serde_json::from_str(&text).map_err(|error| named(error.to_string()))
    }

    /// The client an operation is measured with; discovery and keys need none.
    pub fn client(&self, operation: Operation) -> Option<&BenchClient> {
        match operation {
            Operation::Discovery | Operation::Jwks => None,
            Operation::ClientCredentialsOpaque
            | Operation::Introspection
            | Operation::Revocation => self.opaque.as_ref(),
            Operation::ClientCredentialsEddsa => self.eddsa.as_ref(),
            Operation::ClientCredentialsEs256 => self.es256.as_ref(),
            Operation::ClientCredentialsRs256 => self.rs256.as_ref(),
            Operation::Refresh | Operation::Code => self.web.as_ref(),
            Operation::RefreshRotating | Operation::Userinfo => self.spa.as_ref(),
        }
    }

    pub fn serves(&self, operation: Operation) -> bool {
        matches!(operation, Operation::Discovery | Operation::Jwks)
            || self.client(operation).is_some()
    }
}
