//! The application: everything a request can reach, each field of one concrete type. And the way of a request through it.

use crate::ambient::{Ambient, Clock, Luck};
use crate::endpoints::health::Probe;
use crate::http::exchange::Exchange;
use crate::http::reply::{self, Reply};
use crate::http::routes::{Endpoint, ROUTES, Route};
use crate::keys::Kek;
use crate::logo::Logo;
use crate::observe::Observe;
use crate::observe::metrics::Metrics;
use crate::outbound::remote::Remote;
use crate::outbound::{self, Door};
use crate::pages::Pages;
use crate::passwords::Passwords;
use crate::tenancy::{Tenancy, TenantState};
use crate::throttle::{Rates, Throttle};
use http::StatusCode;
use ipnet::IpNet;
use jeton_protocol::client::ClientId;
use jeton_protocol::grant::Grant;
use jeton_protocol::introspection::TokenFacts;
use jeton_protocol::tenant::Issuer;
use jeton_store::{Lineage, Store, StoreError};
use jeton_token::key_set::KeySet;
use jeton_token::timestamp::Timestamp;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

pub struct App {
    pub store: Store,
    pub kek: Kek,
    pub tenancy: Tenancy,
    pub pages: Pages,
    pub passwords: Passwords,
    pub throttle: Throttle,
    pub probe: Probe,
    pub observe: Observe,
    pub metrics: Metrics,
    /// The only way out.
    pub door: Arc<Door>,
    pub remote_keys: Remote<KeySet>,
    pub logos: Remote<Logo>,
    pub clock: Clock,
    pub luck: Luck,
    pub settings: Settings,
    /// Goes false when the process begins to stop, before connections are refused (SEC-368).
    pub ready: AtomicBool,
}

/// What the configuration says about serving.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The default tenant's.
    pub issuer: Issuer,
    pub trusted_proxies: Vec<IpNet>,
    /// Other paths of the endpoints, as an existing client knows them (S30).
    pub aliases: Vec<(String, Endpoint)>,
    pub per_ip_connections: usize,
    pub body_limit: usize,
    pub rates: Rates,
    /// When the server makes the next signing keys, and how long before they sign; `None` leaves it to the operator.
    pub rotation: Option<(Duration, Duration)>,
    /// How long audit records are kept; `None` is for ever.
    pub audit_keep: Option<Duration>,
    /// What may go out, and whom to believe there.
    pub outbound: outbound::Settings,
    /// `jeton dev`: the demo API, the trace, demo users on the sign-in page.
    pub development: Option<Development>,
    /// Keep the last requests with their checks, for `/dev/trace`.
    pub traces: bool,
}

/// What `jeton dev` shows of itself.
#[derive(Clone, Debug)]
pub struct Development {
    pub clients: Vec<crate::demo::DemoClient>,
    pub users: Vec<crate::demo::DemoPerson>,
}

impl App {
    pub fn ambient(&self) -> Ambient {
        Ambient::new(&self.clock, &self.luck)
    }

    pub async fn is_grant_cut(
        &self,
        exchange: &Exchange,
        grant: &Grant,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let lineage = Lineage {
            tenant: exchange.tenant.id().as_str(),
            token: None,
            grant: Some(grant.id),
            session: (!grant.offline).then_some(grant.session),
            user: Some(grant.user),
            client: grant.client.as_str(),
            issued_at: grant.created_at,
        };
        self.store.is_cut(&lineage, now).await
    }

    pub async fn is_token_cut(
        &self,
        exchange: &Exchange,
        facts: &TokenFacts,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let lineage = Lineage {
            tenant: exchange.tenant.id().as_str(),
            token: Some(facts.token),
            grant: facts.grant,
            session: facts.session,
            user: facts.user,
            client: &facts.client,
            issued_at: facts.issued_at,
        };
        self.store.is_cut(&lineage, now).await
    }

    /// Whether what a client gets for itself this moment would be dead at once.
    pub async fn is_client_cut(
        &self,
        exchange: &Exchange,
        client: &ClientId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let lineage = Lineage {
            tenant: exchange.tenant.id().as_str(),
            token: None,
            grant: None,
            session: None,
            user: None,
            client: client.as_str(),
            issued_at: now,
        };
        self.store.is_cut(&lineage, now).await
    }

    /// The tenant that answers where no host name says which: health and metrics.
    pub async fn default_state(&self) -> Result<Arc<TenantState>, Reply> {
        let issuer = &self.settings.issuer;
        match self
            .tenancy
            .find(self, issuer.authority(), issuer.path())
            .await
        {
            Ok(Some(state)) => Ok(state),
            Ok(None) | Err(_) => Err(reply::empty(StatusCode::SERVICE_UNAVAILABLE)),
        }
    }

    pub fn is_development(&self) -> bool {
        self.settings.development.is_some()
    }
}

impl Settings {
    /// The defaults, for an issuer.
    pub fn new(issuer: Issuer) -> Self {
        Self {
            issuer,
            trusted_proxies: Vec::new(),
            aliases: Vec::new(),
            per_ip_connections: 256,
            body_limit: 64 * 1024,
            rates: Rates::default(),
            rotation: None,
            audit_keep: None,
            outbound: outbound::Settings::default(),
            development: None,
            traces: false,
        }
    }

    /// The route an alias stands for, with the tenant's path before it.
    pub fn alias<'a>(&self, path: &'a str) -> Option<(&'a str, &'static Route)> {
        let (alias, endpoint) = self
            .aliases
            .iter()
            .find(|(alias, _)| path.ends_with(alias.as_str()))?;
        let route = ROUTES.iter().find(|route| route.endpoint == *endpoint)?;
        Some((path.strip_suffix(alias.as_str())?, route))
    }
}
