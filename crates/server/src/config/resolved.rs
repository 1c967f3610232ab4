//! The typed, checked configuration: what every other part of Jeton is given.
//!
//! Here lives what two keys must be to each other; what one key must be lives with its type.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use jeton_protocol::scope::{self, ScopeDefinition};
use jeton_protocol::tenant::{self, Issuer, Policy, Tenant, TenantId};
use jeton_protocol::trusted_issuer::TrustedIssuer;

use super::gather::{Sources, gather, join};
use super::given::{Explained, Given};
use super::kinds::{IssuerUrl, is_loopback};
use super::problem::ConfigProblem;
use super::raw::{
    Audit, Database, Keys, Lifetimes, Limits, Listen, ListenTls, Log, Outbound, Passwords, Paths,
    Pushed, Refresh, Rotation, Scope, Tokens, Top,
};
use super::source::Source;
use super::value::{Setting, Value};
use crate::keys::KekFiles;

/// A configuration in which every value is known to be usable and none contradicts another.
#[derive(Debug, Clone)]
pub struct Config {
    /// The issuer identifier.
    pub issuer: Issuer,
    /// Lifetimes, tokens, scopes and audience: what the rules of the protocol are given.
    pub policy: Policy,
    /// Whose assertions the default tenant takes.
    pub trusted_issuers: Vec<TrustedIssuer>,
    /// Listeners.
    pub listen: Listen,
    /// The certificate of the public listener, when it speaks TLS itself.
    pub tls: Option<TlsFiles>,
    /// The database.
    pub database: Database,
    /// The file of the key that encrypts all other keys.
    pub encryption_key_file: PathBuf,
    /// The file of the key before or after it, while it is being replaced.
    pub encryption_key_previous_file: Option<PathBuf>,
    /// When keys change.
    pub rotation: Rotation,
    pub audit: Audit,
    /// Further paths of endpoints; no two endpoints share one.
    pub paths: Paths,
    /// The cost of a password hash.
    pub passwords: Passwords,
    /// What is refused unseen.
    pub limits: Limits,
    /// What may go out.
    pub outbound: Outbound,
    /// Log lines.
    pub log: Log,
    explained: Vec<Explained>,
}

/// A certificate chain and its private key, both PEM files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The chain, the server's certificate first.
    pub certificate: PathBuf,
    /// The private key.
    pub key: PathBuf,
}

impl Config {
    /// Reads, types and checks every source; the error holds every problem there is.
    pub fn load(sources: &Sources) -> Result<Self, Vec<ConfigProblem>> {
        let mut given = gather(sources);
        let read = Read::from(&mut given);
        read.check(&mut given);
        let explained = std::mem::take(&mut given.explained);
        match read.finish(explained) {
            Some(config) if given.problems.is_empty() => Ok(config),
            Some(_) | None => Err(given.problems),
        }
    }

    /// The tenant that needs neither a host name nor a path of its own.
    pub fn tenant(&self) -> Tenant {
        Tenant {
            id: TenantId::default_tenant(),
            issuer: self.issuer.clone(),
            name: None,
            policy: Policy {
                trusted_issuers: self.trusted_issuers.clone(),
                ..self.policy.clone()
            },
        }
    }

    /// The issuer a further tenant may have: one this configuration could have itself.
    pub fn admits_issuer(&self, text: &str) -> Result<Issuer, String> {
        let issuer = IssuerUrl::parse(&Value::Text(text.to_owned()))?;
        check_scheme(&issuer, &self.listen).map(|()| issuer.issuer)
    }

    /// Where the key-encryption key is.
    pub fn kek_files(&self) -> KekFiles<'_> {
        KekFiles {
            current: &self.encryption_key_file,
            previous: self.encryption_key_previous_file.as_deref(),
        }
    }

    /// What can be served and is probably not meant.
    pub fn warnings(&self) -> Vec<String> {
        let proxied = self.issuer.is_https() && self.tls.is_none();
        if !proxied || !self.listen.trusted_proxies.is_empty() {
            return Vec::new();
        }
        vec![format!(
            "the issuer {} is https, and this server neither speaks TLS (listen.tls.certificate, listen.tls.key) nor \
             knows the proxy that does: all users share one address, and one limit of failed sign-ins; set \
             listen.trusted_proxies to the address the proxy connects from, such as [\"127.0.0.1\"]",
            self.issuer
        )]
    }

    /// Every key with its value, source and declaration, in the order of the reference.
    pub fn explained(&self) -> &[Explained] {
        &self.explained
    }
}

/// The tables that could be read; a table with a problem is missing.
struct Read {
    top: Option<Top>,
    listen: Option<Listen>,
    tls: Option<ListenTls>,
    database: Option<Database>,
    keys: Option<Keys>,
    rotation: Option<Rotation>,
    lifetimes: Option<Lifetimes>,
    refresh: Option<Refresh>,
    tokens: Option<Tokens>,
    pushed: Option<Pushed>,
    scopes: BTreeMap<String, ScopeDefinition>,
    trusted_issuers: Vec<TrustedIssuer>,
    paths: Option<Paths>,
    passwords: Option<Passwords>,
    limits: Option<Limits>,
    audit: Option<Audit>,
    outbound: Option<Outbound>,
    log: Option<Log>,
}

impl Read {
    fn from(given: &mut Given) -> Self {
        Self {
            top: Top::read(given, Top::TABLE.prefix),
            listen: Listen::read(given, Listen::TABLE.prefix),
            tls: ListenTls::read(given, ListenTls::TABLE.prefix),
            database: Database::read(given, Database::TABLE.prefix),
            keys: Keys::read(given, Keys::TABLE.prefix),
            rotation: Rotation::read(given, Rotation::TABLE.prefix),
            lifetimes: Lifetimes::read(given, Lifetimes::TABLE.prefix),
            refresh: Refresh::read(given, Refresh::TABLE.prefix),
            tokens: Tokens::read(given, Tokens::TABLE.prefix),
            pushed: Pushed::read(given, Pushed::TABLE.prefix),
            scopes: read_scopes(given),
            trusted_issuers: super::trusted::read(given),
            paths: Paths::read(given, Paths::TABLE.prefix),
            passwords: Passwords::read(given, Passwords::TABLE.prefix),
            limits: Limits::read(given, Limits::TABLE.prefix),
            audit: Audit::read(given, Audit::TABLE.prefix),
            outbound: Outbound::read(given, Outbound::TABLE.prefix),
            log: Log::read(given, Log::TABLE.prefix),
        }
    }

    /// Checks what two keys must be to each other, with whatever could be read.
    fn check(&self, given: &mut Given) {
        if let (Some(top), Some(listen), Some(tls)) = (&self.top, &self.listen, &self.tls) {
            check_reach(given, &top.issuer, listen, tls);
        }
        if let Some(tls) = &self.tls {
            check_tls(given, tls);
        }
        if let Some(top) = &self.top {
            check_trusted(given, top.issuer.issuer.as_str(), &self.trusted_issuers);
        }
        if let (Some(database), Some(keys)) = (&self.database, &self.keys)
            && keys.encryption_key_file.is_none()
            && database.url.file().is_none()
        {
            let told = "keys.encryption_key_file is not set; with PostgreSQL every node needs the \
                        same one, so name it";
            given.refuse("database.url", told);
        }
        if let Some(lifetimes) = &self.lifetimes {
            check_lifetimes(given, lifetimes);
        }
        if let Some(paths) = &self.paths {
            check_paths(given, paths);
        }
    }

    fn policy(&self) -> Option<Policy> {
        let (lifetimes, tokens) = (self.lifetimes.as_ref()?, self.tokens.as_ref()?);
        let pushed = self.pushed.as_ref()?;
        let audience = self.top.as_ref()?.audience.iter();
        Some(Policy {
            lifetimes: tenant::Lifetimes {
                code: lifetimes.code,
                access_token: lifetimes.access_token,
                id_token: lifetimes.id_token,
                refresh_idle: lifetimes.refresh_idle,
                refresh_absolute: lifetimes.refresh_absolute,
                refresh_grace: self.refresh.as_ref()?.grace,
                session_idle: lifetimes.session_idle,
                session_absolute: lifetimes.session_absolute,
                interaction: lifetimes.interaction,
                device_code: lifetimes.device_code,
                device_sign_in: lifetimes.device_sign_in,
            },
            token_format: tokens.format,
            signing_algorithm: tokens.signing_algorithm,
            dpop_nonce: tokens.dpop_nonce,
            default_audience: audience.map(|uri| uri.as_str().to_owned()).collect(),
            scopes: self.scopes.clone(),
            // A further tenant begins with this policy, and trusts nobody by that.
            trusted_issuers: Vec::new(),
            pushed: tenant::PushedPolicy {
                required: pushed.required,
                lifetime: pushed.lifetime,
                unregistered_redirect_uris: pushed.unregistered_redirect_uris,
            },
        })
    }

    fn finish(self, explained: Vec<Explained>) -> Option<Config> {
        let policy = self.policy()?;
        let (top, tls, keys, database) = (self.top?, self.tls?, self.keys?, self.database?);
        let beside = || {
            database
                .url
                .file()
                .unwrap_or(Path::new("jeton.db"))
                .with_extension("key")
        };
        let tls = tls.certificate.zip(tls.key);
        Some(Config {
            issuer: top.issuer.issuer,
            policy,
            trusted_issuers: self.trusted_issuers,
            listen: self.listen?,
            tls: tls.map(|(certificate, key)| TlsFiles { certificate, key }),
            encryption_key_file: keys.encryption_key_file.unwrap_or_else(beside),
            encryption_key_previous_file: keys.encryption_key_previous_file,
            database,
            rotation: self.rotation?,
            audit: self.audit?,
            paths: self.paths?,
            passwords: self.passwords?,
            limits: self.limits?,
            outbound: self.outbound?,
            log: self.log?,
            explained,
        })
    }
}

fn read_scopes(given: &mut Given) -> BTreeMap<String, ScopeDefinition> {
    let mut scopes = BTreeMap::new();
    for (parts, source) in given.tables.clone() {
        let [table, name] = parts.as_slice() else {
            continue;
        };
        if table != "scopes" {
            continue;
        }
        let one_value = |scope: &scope::Scope| scope.iter().eq([name.as_str()]);
        if !scope::Scope::parse(name).as_ref().is_ok_and(one_value) {
            let told = "a scope name is printable ASCII without spaces, quotes and backslashes";
            let told = format!("{}: {told}", join(&parts));
            given.problems.push(ConfigProblem::new(source, told));
        } else if !scopes.contains_key(name)
            && let Some(read) = Scope::read(given, &format!("{}.", join(&parts)))
        {
            let definition = ScopeDefinition {
                description: read.description,
                hidden: read.hidden,
            };
            scopes.insert(name.clone(), definition);
        }
    }
    scopes
}

/// TLS must end here or at a proxy that was named. (RFC 6749 §3.1, §3.2)
fn check_reach(given: &mut Given, issuer: &IssuerUrl, listen: &Listen, tls: &ListenTls) {
    let by_proxy = !listen.trusted_proxies.is_empty();
    let local = is_loopback(listen.address.ip());
    if let Err(wrong) = check_scheme(issuer, listen) {
        given.refuse("issuer", format!("issuer {wrong}"));
    }
    if !local && tls.certificate.is_none() && tls.key.is_none() && !by_proxy {
        let told = format!(
            "listen.address {} can be reached by other machines without TLS; set \
             listen.tls.certificate and listen.tls.key, or name the proxy in listen.trusted_proxies",
            listen.address
        );
        given.refuse("listen.address", told);
    }
    if !local && given.source("issuer") == Source::Default {
        let told = "issuer is not set; write the public address of this server, such as \
                    \"https://auth.example.org\"";
        given.refuse("issuer", told);
    }
    if listen.management == Some(listen.address) {
        let told = "listen.management must differ from listen.address";
        given.refuse("listen.management", told);
    }
}

fn check_scheme(issuer: &IssuerUrl, listen: &Listen) -> Result<(), String> {
    let by_proxy = !listen.trusted_proxies.is_empty();
    if issuer.issuer.is_https() || issuer.host_is_loopback || by_proxy {
        return Ok(());
    }
    Err(
        "must be https unless its host is loopback; if a proxy ends TLS, name it in \
         listen.trusted_proxies"
            .to_owned(),
    )
}

/// Our own tokens are exchanged, never taken as assertions.
fn check_trusted(given: &mut Given, own: &str, trusted: &[TrustedIssuer]) {
    for itself in trusted.iter().filter(|trusted| trusted.issuer == own) {
        let key = format!("trusted_issuers.{}.issuer", itself.name);
        given.refuse(&key, format!("{key} is this server's own issuer"));
    }
}

fn check_tls(given: &mut Given, tls: &ListenTls) {
    let told = |missing, present| format!("{missing} is not set, but {present} is; set both");
    let (certificate, key) = ("listen.tls.certificate", "listen.tls.key");
    if tls.certificate.is_some() && tls.key.is_none() {
        given.refuse(certificate, told(key, certificate));
    } else if tls.key.is_some() && tls.certificate.is_none() {
        given.refuse(key, told(certificate, key));
    }
}

fn check_lifetimes(given: &mut Given, lifetimes: &Lifetimes) {
    if lifetimes.refresh_idle > lifetimes.refresh_absolute {
        let told = "lifetimes.refresh_idle must not exceed lifetimes.refresh_absolute";
        given.refuse("lifetimes.refresh_idle", told);
    }
    if lifetimes.session_idle > lifetimes.session_absolute {
        let told = "lifetimes.session_idle must not exceed lifetimes.session_absolute";
        given.refuse("lifetimes.session_idle", told);
    }
}

fn check_paths(given: &mut Given, paths: &Paths) {
    let all = [
        ("paths.authorize", &paths.authorize),
        ("paths.par", &paths.par),
        ("paths.token", &paths.token),
        ("paths.revoke", &paths.revoke),
        ("paths.introspect", &paths.introspect),
        ("paths.userinfo", &paths.userinfo),
    ];
    let mut taken = BTreeMap::new();
    for route in crate::http::routes::ROUTES {
        taken.insert(route.path, "the built-in endpoints");
    }
    for (key, path) in all
        .iter()
        .flat_map(|(key, list)| list.iter().map(move |it| (*key, it)))
    {
        if let Some(first) = taken.insert(path.as_str(), key) {
            given.refuse(key, format!("{key} repeats {:?} of {first}", path.as_str()));
        }
    }
}
