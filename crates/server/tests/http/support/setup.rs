//! How a server under test is made. Signing keys are made once a process and put into every database, because RSA takes long.

use super::{BY_HOST, BY_PATH, ISSUER, START, TestServer, clients, remote};
use ipnet::IpNet;
use jeton::ambient::{Ambient, Clock, Luck};
use jeton::app::{Development, Settings};
use jeton::http::routes::Endpoint;
use jeton::keys::Kek;
use jeton::outbound;
use jeton::passwords::{Cost, hash_now};
use jeton::start::{Plan, settle_tenant};
use jeton::throttle::Rates;
use jeton_protocol::client::Client;
use jeton_protocol::scope::ScopeDefinition;
use jeton_protocol::tenant::{Issuer, Policy, Tenant, TenantId};
use jeton_protocol::user::User;
use jeton_store::audit::Occasion;
use jeton_store::keys::StoredKey;
use jeton_store::{Inserted, Location, Options, Store};
use jeton_token::row_id::RowId;
use jeton_token::secret::Secret;
use serde_json::json;
use std::collections::HashMap;
use std::sync::atomic::AtomicU64;
use std::sync::{Mutex, OnceLock};

/// The cheapest Argon2id there is.
const CHEAP: Cost = Cost {
    memory_kib: 8,
    iterations: 1,
    lanes: 1,
};

pub struct Setup {
    pub location: Location,
    pub policy: Policy,
    pub more_clients: Vec<Client>,
    pub more_tenants: bool,
    pub trusted_proxies: Vec<IpNet>,
    pub aliases: Vec<(String, Endpoint)>,
    pub rates: Rates,
    pub outbound: outbound::Settings,
    pub development: bool,
    /// Another process has made this database already.
    pub joins: bool,
    pub seed: u64,
    /// The key-encryption key, and the other one while it is being replaced.
    pub keks: (u8, Option<u8>),
    /// Whether the database begins with the keys other tests use.
    pub keeps_keys: bool,
}

impl Default for Setup {
    fn default() -> Self {
        let mut policy = Policy::default();
        let described = |hidden| ScopeDefinition {
            description: Some("Look at your photos".to_owned()),
            hidden,
        };
        policy
            .scopes
            .insert("photos:read".to_owned(), described(false));
        policy
            .scopes
            .insert("photos:write".to_owned(), described(false));
        policy.scopes.insert("internal".to_owned(), described(true));
        Self {
            location: Location::SqliteMemory,
            policy,
            more_clients: Vec::new(),
            more_tenants: false,
            trusted_proxies: Vec::new(),
            aliases: Vec::new(),
            rates: Rates::new([5, 50, 10, 0, 0]),
            outbound: remote::nowhere(),
            development: false,
            joins: false,
            seed: 1,
            keks: (7, None),
            keeps_keys: true,
        }
    }
}

impl Setup {
    pub fn policy(mut self, change: impl FnOnce(&mut Policy)) -> Self {
        change(&mut self.policy);
        self
    }

    pub fn client(mut self, client: Client) -> Self {
        self.more_clients.push(client);
        self
    }

    /// Two more issuers, one by path and one by host, with users and clients of the same names.
    pub fn with_tenants(self) -> Self {
        Self {
            more_tenants: true,
            ..self
        }
    }

    pub async fn start(self) -> TestServer {
        let store = Store::open(
            &self.location,
            Options {
                connections: 8,
                ..Options::default()
            },
            START,
        )
        .unwrap();
        let clock = Clock::set(START);
        let luck = Luck::Seeded(AtomicU64::new(self.seed << 32));
        let kek = self.kek();
        let mut ambient = Ambient::new(&clock, &luck);
        let mut tenants = vec![self.tenant(TenantId::DEFAULT, ISSUER)];
        if self.more_tenants {
            tenants.push(self.tenant("acme", BY_PATH));
            tenants.push(self.tenant("other", BY_HOST));
        }
        for tenant in tenants.iter().filter(|_| !self.joins) {
            settle_tenant(&store, tenant, &mut ambient).await.unwrap();
            let known = keys().lock().unwrap().get(tenant.id.as_str()).cloned();
            if let Some(known) = known.filter(|_| self.keeps_keys) {
                store
                    .insert_first_keys(&tenant.id, known, occasion(&mut ambient))
                    .await
                    .unwrap();
            }
            self.populate(&store, &kek, tenant, &mut ambient).await;
        }
        let tenant = tenants[0].clone();
        let keeps_keys = self.keeps_keys;
        let plan = Plan {
            store,
            kek,
            settings: self.settings(&tenant),
            tenant,
            password_threads: 1,
            password_cost: CHEAP,
            clock,
            luck,
        };
        let server = TestServer {
            app: plan.build().await.unwrap(),
            issuer: ISSUER.to_owned(),
        };
        for tenant in tenants.iter().filter(|_| keeps_keys) {
            server.at(tenant.issuer.as_str()).state().await;
            let made = server.app.store.keys(&tenant.id).await.unwrap();
            keys()
                .lock()
                .unwrap()
                .entry(tenant.id.as_str().to_owned())
                .or_insert(made);
        }
        server
    }

    fn kek(&self) -> Kek {
        let of = |byte| Kek::new(&Secret::new(vec![byte; 32])).unwrap();
        let (current, previous) = self.keks;
        match previous {
            None => of(current),
            Some(previous) => of(current).with_previous(of(previous)),
        }
    }

    fn tenant(&self, id: &str, issuer: &str) -> Tenant {
        Tenant {
            id: TenantId::parse(id).unwrap(),
            issuer: Issuer::parse(issuer).unwrap(),
            name: None,
            policy: self.policy.clone(),
        }
    }

    fn settings(&self, tenant: &Tenant) -> Settings {
        Settings {
            issuer: tenant.issuer.clone(),
            trusted_proxies: self.trusted_proxies.clone(),
            aliases: self.aliases.clone(),
            per_ip_connections: 256,
            body_limit: 64 * 1024,
            rates: self.rates,
            rotation: None,
            audit_keep: None,
            outbound: self.outbound.clone(),
            development: self.development.then(|| Development {
                clients: Vec::new(),
                users: Vec::new(),
            }),
            traces: true,
        }
    }

    async fn populate(&self, store: &Store, kek: &Kek, tenant: &Tenant, ambient: &mut Ambient) {
        for name in ["alice", "bob"] {
            let user = person(name, ambient);
            let (id, hash) = (
                user.id,
                hash_now(CHEAP, &TestServer::password(name), &mut ambient.entropy).unwrap(),
            );
            assert_eq!(
                store.insert_user(&tenant.id, user, occasion(ambient)).await,
                Ok(Inserted::Inserted)
            );
            store
                .set_password(&tenant.id, id, hash, occasion(ambient))
                .await
                .unwrap();
        }
        let known = clients::all(kek, &tenant.id, &mut ambient.entropy);
        for client in known.into_iter().chain(self.more_clients.iter().cloned()) {
            assert_eq!(
                store
                    .insert_client(&tenant.id, client, occasion(ambient))
                    .await,
                Ok(Inserted::Inserted)
            );
        }
    }
}

/// Host and path of an issuer.
pub fn split(issuer: &str) -> (&str, &str) {
    let rest = issuer.split_once("://").unwrap().1;
    rest.split_at(rest.find('/').unwrap_or(rest.len()))
}

fn keys() -> &'static Mutex<HashMap<String, Vec<StoredKey>>> {
    static KEYS: OnceLock<Mutex<HashMap<String, Vec<StoredKey>>>> = OnceLock::new();
    KEYS.get_or_init(Mutex::default)
}

fn occasion(ambient: &mut Ambient) -> Occasion {
    let trace = RowId::new(ambient.now, &mut ambient.entropy);
    Occasion {
        now: ambient.now,
        trace,
        actor: "test".to_owned(),
        request: String::new(),
    }
}

/// Every standard claim, each of its right type.
fn person(name: &str, ambient: &mut Ambient) -> User {
    let claims = json!({
        "name": format!("{name} Adams"), "given_name": name, "family_name": "Adams", "middle_name": "Q",
        "nickname": name, "preferred_username": name, "profile": format!("https://people.example/{name}"),
        "picture": format!("https://people.example/{name}.png"), "website": format!("https://{name}.example"),
        "gender": "unspecified", "birthdate": "1990-01-31", "zoneinfo": "Europe/Paris", "locale": "en-GB",
        "updated_at": 1_700_000_000, "email": format!("{name}@example.org"), "email_verified": true,
        "phone_number": "+33123456789", "phone_number_verified": false,
        "address": { "formatted": "1 Rue de la Paix\n75002 Paris", "locality": "Paris", "country": "FR" },
    });
    User {
        id: RowId::new(ambient.now, &mut ambient.entropy),
        username: name.to_owned(),
        claims: claims.as_object().cloned().unwrap(),
        admin: false,
        created_at: ambient.now,
        disabled_at: None,
    }
}
