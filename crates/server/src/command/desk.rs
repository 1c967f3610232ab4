//! What a command works at: the configuration, the opened database and the tenant it is about.

use std::fmt::Display;
use std::future::Future;
use std::time::Duration;

use jeton_protocol::tenant::TenantId;
use jeton_store::audit::Occasion;
use jeton_store::{Changed, Inserted, Location, Options, Replaced, Schema, Store, StoreError};
use jeton_token::row_id::RowId;
use tokio::runtime::{Builder, Runtime};

use super::{Failure, load};
use crate::ambient::{Ambient, Clock, Luck};
use crate::config::{Config, DatabaseUrl, Sources};
use crate::keys::Kek;

/// An opened installation, at one moment.
pub(super) struct Desk {
    pub config: Config,
    pub store: Store,
    pub ambient: Ambient,
    pub runtime: Runtime,
}

/// Which tenant a command is about.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct TenantOption {
    /// The tenant; only with several issuers in one installation
    #[arg(long, value_name = "ID", default_value = TenantId::DEFAULT)]
    tenant: String,
}

/// Which part of a long list.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct PageOption {
    /// Begins behind this id, the last one of the page before
    #[arg(long, value_name = "ID")]
    pub after: Option<String>,
    /// The most to list, up to 1000
    #[arg(long, value_name = "COUNT", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub limit: u32,
}

impl Desk {
    /// Loads the configuration, opens the database and brings its schema up to date.
    pub fn open(sources: &Sources) -> Result<Self, Failure> {
        let config = load(sources)?;
        let ambient = Ambient::new(&Clock::System, &Luck::OperatingSystem);
        let store = Store::open(&location(&config), OPTIONS, ambient.now);
        let store = store.map_err(|error| unopened(&config, &error))?;
        Self::at(config, store, ambient)
    }

    /// As [`Self::open`], for looking alone: nothing is made, brought up to date or written.
    pub fn look(config: Config) -> Result<(Self, Schema), Failure> {
        let ambient = Ambient::new(&Clock::System, &Luck::OperatingSystem);
        let looked = Store::look(&location(&config), OPTIONS);
        let (store, schema) = looked.map_err(|error| unopened(&config, &error))?;
        Ok((Self::at(config, store, ambient)?, schema))
    }

    fn at(config: Config, store: Store, ambient: Ambient) -> Result<Self, Failure> {
        let runtime = Builder::new_current_thread()
            .enable_time()
            .build()
            .map_err(|error| Failure::refused(format!("cannot start: {error}")))?;
        Ok(Self {
            config,
            store,
            ambient,
            runtime,
        })
    }

    /// The key-encryption key, which must be that of the database; its file is made if the database has no keys yet.
    pub fn kek(&mut self) -> Result<Kek, Failure> {
        let files = self.config.kek_files();
        let opened = Kek::of_database(files, &self.store, &mut self.ambient.entropy);
        self.runtime.block_on(opened).map_err(Failure::refused)
    }

    /// Waits for a verb of the store.
    pub fn wait<T>(&self, verb: impl Future<Output = Result<T, StoreError>>) -> Result<T, Failure> {
        self.runtime.block_on(verb).map_err(failed)
    }

    /// Now, by the operator, outside of any request.
    pub fn occasion(&mut self) -> Occasion {
        self.ambient.occasion("operator", String::new())
    }

    /// A new row id.
    pub fn id(&mut self) -> RowId {
        RowId::new(self.ambient.now, &mut self.ambient.entropy)
    }
}

/// One command is one connection.
const OPTIONS: Options = Options {
    queue: 1024,
    connections: 1,
    longest_access_token: Duration::from_secs(24 * 60 * 60),
};

fn unopened(config: &Config, error: &StoreError) -> Failure {
    let address = config.database.url.redacted();
    Failure::refused(format!("database {address}: {error}"))
}

/// Where the store finds the database of this configuration.
pub(super) fn location(config: &Config) -> Location {
    location_of(&config.database.url)
}

pub(super) fn location_of(url: &DatabaseUrl) -> Location {
    match url {
        DatabaseUrl::Sqlite(path) => Location::Sqlite { path: path.clone() },
        DatabaseUrl::Postgres(url) => Location::Postgres { url: url.clone() },
    }
}

fn failed(error: impl Display) -> Failure {
    Failure::refused(format!("database: {error}"))
}

impl TenantOption {
    /// The tenant's id. The default tenant is made if the server has not been started yet; any other
    /// must exist.
    pub fn find(&self, desk: &mut Desk) -> Result<TenantId, Failure> {
        let id = parse_tenant(&self.tenant)?;
        if desk.wait(desk.store.tenant(&id))?.is_some() {
            return Ok(id);
        }
        if id != TenantId::default_tenant() {
            return Err(Failure::refused(format!("there is no tenant called {id}")));
        }
        let occasion = desk.occasion();
        match desk.wait(desk.store.insert_tenant(desk.config.tenant(), occasion))? {
            Inserted::Inserted => Ok(id),
            Inserted::Taken => {
                let issuer = &desk.config.issuer;
                Err(Failure::refused(format!(
                    "another tenant has the issuer {issuer}"
                )))
            }
        }
    }
}

/// The id of a tenant as written on the command line.
pub(super) fn parse_tenant(text: &str) -> Result<TenantId, Failure> {
    let told = "a tenant id has 1 to 32 characters of a-z, 0-9 and -, beginning with a letter";
    TenantId::parse(text).ok_or_else(|| Failure::usage(told))
}

/// Turns "there is none" and "the name is taken" into refusals.
pub(super) fn changed(outcome: Changed, kind: &str, name: &str) -> Result<(), Failure> {
    match outcome {
        Changed::Changed => Ok(()),
        Changed::NotFound => Err(Failure::refused(format!(
            "there is no {kind} called {name}"
        ))),
        Changed::Taken => Err(Failure::refused(format!("another {kind} is called {name}"))),
    }
}

/// As [`changed`], for what was read before it was changed. (SEC-244)
pub(super) fn replaced(outcome: Replaced, kind: &str, name: &str) -> Result<(), Failure> {
    match outcome {
        Replaced::Replaced => Ok(()),
        Replaced::NotFound => changed(Changed::NotFound, kind, name),
        Replaced::Taken => changed(Changed::Taken, kind, name),
        Replaced::Stale => Err(Failure::refused(format!(
            "somebody else changed the {kind} {name} in this moment; nothing was changed, try again"
        ))),
    }
}

/// A row's id as it was typed, of the thing called `kind`.
pub(super) fn row_id(text: &str, kind: &str) -> Result<RowId, Failure> {
    text.parse()
        .map_err(|error| Failure::usage(format!("{text:?} is no id of a {kind}: {error}")))
}
