//! What the cases share: a world with a tenant, a client and a user in it, on either database.

pub mod cluster;

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jeton_protocol::authorize::pushed::{PushedRequest, PushedRequestId};
use jeton_protocol::client::{Client, ClientId};
use jeton_protocol::consent::Consent;
use jeton_protocol::device::Device;
use jeton_protocol::grant::{CodeBinding, Grant, GrantId};
use jeton_protocol::interaction::{Interaction, InteractionId, Progress};
use jeton_protocol::scope::Scope;
use jeton_protocol::session::{ACR_PASSWORD, Session};
use jeton_protocol::tenant::{Issuer, Policy, Tenant, TenantId};
use jeton_protocol::user::User;
use jeton_store::audit::Occasion;
use jeton_store::devices::Opened;
use jeton_store::grants::{Approval, Approved, Redeemed, Redemption};
use jeton_store::{Location, Options, Store};
use jeton_token::entropy::Entropy;
use jeton_token::row_id::RowId;
use jeton_token::secret::sha256;
use jeton_token::timestamp::Timestamp;

/// Runs a case once on each database, as `name::sqlite` and `name::postgres`.
macro_rules! both {
    ($($(#[$note:meta])* async fn $name:ident($world:ident: World) $body:block)*) => {
        $(
            $(#[$note])*
            mod $name {
                #[allow(unused_imports)]
                use super::*;

                #[allow(unused_mut)]
                async fn case(mut $world: $crate::support::World) {
                    $body
                }

                #[test]
                fn sqlite() {
                    $crate::support::run($crate::support::Kind::Sqlite, case);
                }

                #[test]
                fn postgres() {
                    $crate::support::run($crate::support::Kind::Postgres, case);
                }
            }
        )*
    };
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Sqlite,
    Postgres,
}

pub const START: Timestamp = Timestamp::from_seconds(1_800_000_000);
pub const MINUTE: Duration = Duration::from_secs(60);
pub const DAY: Duration = Duration::from_secs(24 * 60 * 60);

pub struct World {
    pub location: Location,
    pub store: Store,
    pub tenant: TenantId,
    pub client: ClientId,
    pub user: RowId,
    pub session: RowId,
    pub now: Timestamp,
    pub entropy: Entropy,
}

pub fn run<F: Future<Output = ()>>(kind: Kind, case: impl FnOnce(World) -> F) {
    runtime().block_on(async {
        let place = Place::new(kind);
        let world = World::new(&place.location(), "default", 1).await;
        case(world).await;
    });
}

pub fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .enable_all()
        .build()
        .unwrap()
}

/// An empty database of its own, gone afterwards.
pub enum Place {
    Sqlite { folder: PathBuf },
    Postgres { url: String },
}

impl Place {
    pub fn new(kind: Kind) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let name = format!(
            "jeton_case_{}_{}",
            std::process::id(),
            NEXT.fetch_add(1, Ordering::Relaxed)
        );
        match kind {
            Kind::Sqlite => Self::Sqlite {
                folder: std::env::temp_dir().join(name),
            },
            Kind::Postgres => Self::Postgres {
                url: cluster::schema(&name),
            },
        }
    }

    pub fn location(&self) -> Location {
        match self {
            Self::Sqlite { folder } => Location::Sqlite {
                path: folder.join("jeton.db"),
            },
            Self::Postgres { url } => Location::Postgres { url: url.clone() },
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Self::Sqlite { folder } = self {
            let _ = std::fs::remove_dir_all(folder);
        }
    }
}

pub fn open(location: &Location) -> Store {
    try_open(location).unwrap()
}

pub fn try_open(location: &Location) -> Result<Store, jeton_store::StoreError> {
    Store::open(
        location,
        Options {
            connections: 8,
            ..Options::default()
        },
        START,
    )
}

impl World {
    /// A tenant with one client, one user and one session.
    pub async fn new(location: &Location, tenant: &str, seed: u64) -> Self {
        Self::within(open(location), location, tenant, seed).await
    }

    /// As [`World::new`], in a store that is open.
    pub async fn within(store: Store, location: &Location, tenant: &str, seed: u64) -> Self {
        let mut entropy = Entropy::seeded(seed ^ 0x5eed);
        let user = RowId::new(START, &mut entropy);
        let session = RowId::new(START, &mut entropy);
        let mut world = Self {
            location: location.clone(),
            store,
            tenant: TenantId::parse(tenant).unwrap(),
            client: ClientId::parse("app").unwrap(),
            user,
            session,
            now: START,
            entropy,
        };
        let occasion = world.occasion();
        world
            .store
            .insert_tenant(tenant_named(tenant), occasion)
            .await
            .unwrap();
        let occasion = world.occasion();
        let client = Client::new(world.client.clone(), START);
        world
            .store
            .insert_client(&world.tenant, client, occasion)
            .await
            .unwrap();
        let occasion = world.occasion();
        world
            .store
            .insert_user(&world.tenant, user_named(user, "ada"), occasion)
            .await
            .unwrap();
        world.open_session(session).await;
        world
    }

    pub fn id(&mut self) -> RowId {
        RowId::new(self.now, &mut self.entropy)
    }

    pub fn occasion(&mut self) -> Occasion {
        Occasion {
            now: self.now,
            trace: self.id(),
            actor: "test".into(),
            request: "r1".into(),
        }
    }

    pub fn later(&mut self, by: Duration) {
        self.now = self.now.plus(by);
    }

    pub async fn open_session(&mut self, id: RowId) -> Session {
        let session = Session {
            id,
            user: self.user,
            auth_time: self.now,
            amr: vec!["pwd".into()],
            acr: ACR_PASSWORD.into(),
            created_at: self.now,
            last_seen_at: self.now,
            expires_at: self.now.plus(DAY),
            ended_at: None,
        };
        let occasion = self.occasion();
        self.store
            .open_session(&self.tenant, session.clone(), occasion)
            .await
            .unwrap();
        session
    }

    /// A new session when the one before has ended: only a live one approves anything.
    pub async fn sign_in_again(&mut self) {
        let found = self
            .store
            .session(&self.tenant, self.session)
            .await
            .unwrap();
        if found.is_none_or(|found| found.session.ended_at.is_some()) {
            self.session = self.id();
            self.open_session(self.session).await;
        }
    }

    pub fn interaction(&mut self) -> Interaction {
        let request = serde_json::json!({
            "client_id": "app",
            "target": { "redirect_uri": "https://app.example/cb", "state": "s" },
            "scope": "openid", "code_challenge": "c", "nonce": null, "prompt": [], "max_age": null,
            "login_hint": null, "ui_locales": null, "claims": null, "hinted_subject": null
        });
        Interaction {
            id: self.id(),
            request: serde_json::from_value(request).unwrap(),
            browser: [7; 32],
            progress: Progress::default(),
            pushed: None,
            created_at: self.now,
            expires_at: self.now.plus(30 * MINUTE),
            closed_at: None,
        }
    }

    pub fn pushable(&mut self) -> PushedRequest {
        PushedRequest {
            id: self.id(),
            request: self.interaction().authorization().unwrap().clone(),
            expires_at: self.now.plus(MINUTE),
            used_at: None,
        }
    }

    /// A request that waits for a browser.
    pub async fn pushed(&mut self) -> PushedRequestId {
        let pushed = self.pushable();
        let (id, keep_until) = (pushed.id, self.now.plus(31 * MINUTE));
        self.store
            .push_request(&self.tenant, pushed, keep_until)
            .await
            .unwrap();
        id
    }

    pub fn grant(&mut self, offline: bool) -> Grant {
        Grant {
            id: self.id(),
            client: self.client.clone(),
            user: self.user,
            session: self.session,
            subject: self.user.to_string(),
            scope: Scope::parse("openid profile").unwrap(),
            audience: vec!["https://api.example".into()],
            auth_time: self.now,
            acr: ACR_PASSWORD.into(),
            amr: vec!["pwd".into()],
            offline,
            binding: None,
            claims: None,
            code: CodeBinding {
                key: None,
                redirect_uri: "https://app.example/cb".into(),
                redirect_uri_sent: true,
                code_challenge: Some("c".into()),
                nonce: Some("n".into()),
            },
            created_at: self.now,
            expires_at: self.now.plus(90 * DAY),
        }
    }

    /// An approval of an interaction that is open.
    pub async fn approval(&mut self, offline: bool) -> Approval {
        let interaction = self.interaction();
        let id: InteractionId = interaction.id;
        self.store
            .open_interaction(&self.tenant, interaction)
            .await
            .unwrap();
        Approval {
            interaction: Some(id),
            pushed: None,
            version: 0,
            grant: self.grant(offline),
            code_expires_at: self.now.plus(MINUTE),
            consent: Some(Consent {
                scope: Scope::parse("openid profile").unwrap(),
                given_at: self.now,
            }),
            occasion: self.occasion(),
        }
    }

    /// A grant whose code waits.
    pub async fn approved(&mut self, offline: bool) -> GrantId {
        let approval = self.approval(offline).await;
        let id = approval.grant.id;
        let approved = self.store.approve(&self.tenant, approval).await.unwrap();
        assert_eq!(approved, Approved::Approved);
        id
    }

    /// A device that waits, with what its user code is kept under; nobody has entered it.
    pub async fn device(&mut self) -> (Device, [u8; 32]) {
        let device = Device {
            id: self.id(),
            client: self.client.clone(),
            scope: Scope::parse("openid profile").unwrap(),
            address: "192.0.2.1".into(),
            created_at: self.now,
            expires_at: self.now.plus(10 * MINUTE),
        };
        let digest = sha256(&device.id.bytes());
        let opened = self
            .store
            .open_device(&self.tenant, device.clone(), vec![digest])
            .await
            .unwrap();
        assert_eq!(opened, Opened::Opened);
        (device, digest)
    }

    /// A device whose code the session has entered, and an approval of it.
    pub async fn device_approval(&mut self) -> Approval {
        let (device, digest) = self.device().await;
        let claimed = self
            .store
            .claim_device(
                &self.tenant,
                vec![digest],
                (self.session, self.user),
                self.now,
            )
            .await
            .unwrap();
        assert_eq!(claimed, Some(device.id));
        let approval = self.approval(true).await;
        Approval {
            grant: Grant {
                id: device.id,
                ..approval.grant
            },
            code_expires_at: device.expires_at,
            ..approval
        }
    }

    pub fn redemption(&mut self, grant: GrantId) -> Redemption {
        Redemption {
            bound: None,
            grant,
            refresh_expires_at: Some(self.now.plus(14 * DAY)),
            occasion: self.occasion(),
        }
    }

    pub async fn redeem(&mut self, grant: GrantId) -> Redeemed {
        let redemption = self.redemption(grant);
        self.store
            .redeem_code(&self.tenant, redemption)
            .await
            .unwrap()
    }

    /// A grant whose refresh token is at generation 1.
    pub async fn refreshable(&mut self, offline: bool) -> GrantId {
        let grant = self.approved(offline).await;
        assert_eq!(self.redeem(grant).await, Redeemed::Issued);
        grant
    }
}

pub fn tenant_named(name: &str) -> Tenant {
    Tenant {
        id: TenantId::parse(name).unwrap(),
        issuer: Issuer::parse(&format!("https://{name}.example")).unwrap(),
        name: None,
        policy: Policy::default(),
    }
}

pub fn user_named(id: RowId, username: &str) -> User {
    User {
        id,
        username: username.into(),
        claims: serde_json::Map::new(),
        admin: false,
        created_at: START,
        disabled_at: None,
    }
}
