//! Issuers that somebody else runs and whose assertions a tenant takes, and the rules that say what one is worth here.

use crate::authorize::request::clipped;
use crate::client::ClientId;
use crate::client_auth::Replay;
use crate::grants::client_credentials::without_user_scopes;
use crate::refusal::{Noted, Refusal, Trail};
use crate::rules;
use crate::scope::Scope;
use crate::tenant::Tenant;
use crate::times::{CLOCK_TOLERANCE, Times};
use crate::user::User;
use jeton_token::algorithm::SignatureAlgorithm;
use jeton_token::jws::{Jws, Unverified};
use jeton_token::jwt::Claims;
use jeton_token::key_set::KeySet;
use jeton_token::timestamp::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::time::Duration;

rules! {
    GRANT_ASSERTION_PARSES = InvalidGrant, "assertion_malformed", "RFC 7523 §3, RFC 8725 §3", {
        promise: "The assertion is one well-formed, signed compact JWT",
        told: "The assertion is not valid",
        fix: "Send a compact JWS of at most 16 KiB with a supported alg, without crit; alg none is never accepted"
    };
    GRANT_ASSERTION_TYP = InvalidGrant, "assertion_typ", "RFC 8725 §3.11", {
        promise: "typ is absent, JWT, JOSE or authorization-grant+jwt",
        told: "The assertion is not valid",
        fix: "Send the token that the issuer made for this exchange, not an access, logout or other token"
    };
    GRANT_ASSERTION_ISSUER = InvalidGrant, "assertion_issuer", "RFC 7523 §3", {
        promise: "iss is an issuer this tenant trusts, byte for byte",
        told: "The assertion is not valid",
        fix: "Declare the issuer under trusted_issuers, exactly as iss has it"
    };
    GRANT_ASSERTION_ALG = InvalidGrant, "assertion_alg", "RFC 8725 §3.1", {
        promise: "The signature algorithm is one that is allowed for the issuer",
        told: "The assertion is not valid",
        fix: "Add the algorithm to the issuer's algorithms, if the issuer signs with it"
    };
    GRANT_ASSERTION_VERIFIES = InvalidGrant, "assertion_signature", "RFC 7523 §3", {
        promise: "The signature verifies with a key of that issuer",
        told: "The assertion is not valid",
        fix: "Compare the issuer's published keys with those in its jwks_file; kid must agree"
    };
    GRANT_ASSERTION_CLAIMS = InvalidGrant, "assertion_claims", "RFC 7523 §3, RFC 8725 §3.10", {
        promise: "iss, sub, aud, exp, and jti unless assertions may be reused, are there, each of its JSON type",
        told: "The assertion is not valid",
        fix: "Have the issuer add the claim; if its tokens have no jti and are files, set reusable"
    };
    GRANT_ASSERTION_AUDIENCE = InvalidGrant, "assertion_audience", "RFC 7523 §3", {
        promise: "aud is one value, and it means this server",
        told: "The assertion is not valid",
        fix: "Ask the issuer for a token whose only audience is this issuer, or the one that audiences of the trusted issuer names"
    };
    GRANT_ASSERTION_TIMES = InvalidGrant, "assertion_times", "RFC 7523 §3", {
        promise: "exp is ahead, by no more than is allowed for the issuer; iat and nbf are at most ten seconds ahead",
        told: "The assertion is not valid",
        fix: "Get a new token, check both clocks, or raise longest_life of the trusted issuer"
    };
    GRANT_ASSERTION_MAPPED = InvalidGrant, "assertion_unmapped", "RFC 7521 §4.1", {
        promise: "A rule of the issuer for this client has all its conditions met",
        told: "The assertion is not valid",
        fix: "Try the token with jeton issuer test; it names the first condition that fails in each rule"
    };
    GRANT_ASSERTION_FRESH = InvalidGrant, "assertion_replayed", "RFC 7523 §3", {
        promise: "The assertion has not been used before",
        told: "The assertion is not valid",
        fix: "Get a new token for each request; if the issuer's tokens are files that are read many times, set reusable"
    };
}

/// An issuer of somebody else, as its tenant trusts it. Keys belong to it alone: a `kid` of another issuer means nothing here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrustedIssuer {
    /// What operators call it.
    pub name: String,
    /// `iss`, byte for byte.
    pub issuer: String,
    pub keys: KeySet,
    pub algorithms: Vec<SignatureAlgorithm>,
    /// What `aud` may be; empty means this issuer and its token endpoint.
    pub audiences: Vec<String>,
    /// How far ahead `exp` may be.
    pub longest_life: Duration,
    /// One assertion may be presented again until it expires, and needs no `jti`.
    pub reusable: bool,
    pub rules: Vec<MappingRule>,
}

/// What an assertion that meets all conditions is worth.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MappingRule {
    pub name: String,
    pub when: Vec<Condition>,
    /// Who may present it.
    pub client: ClientId,
    /// The user the token is for; not set, it is for the client itself.
    pub user: Option<String>,
    /// The most it is worth; the client's own scope bounds it too.
    pub scope: Scope,
}

/// A claim and the one value it must have. A name that begins with a slash is a JSON pointer (RFC 6901).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Condition {
    pub claim: String,
    pub value: String,
}

/// An assertion that says the truth. What it is worth, its rule says.
#[derive(Debug)]
pub struct Vouched<'a> {
    pub issuer: &'a TrustedIssuer,
    pub rule: &'a MappingRule,
    pub claims: Claims,
    pub expires_at: Timestamp,
    /// What has to be spent before anything is handed out.
    pub replay: Option<Replay>,
}

/// Proves an assertion and finds the rule for `client`; everything but whether it was used before. (RFC 7523 §3)
pub fn verify<'a>(
    jwt: &str,
    tenant: &'a Tenant,
    client: &ClientId,
    now: Timestamp,
    trail: &mut Trail,
) -> Result<Vouched<'a>, Refusal> {
    let (issuer, claims) = prove(jwt, tenant, trail)?;
    let (expires_at, replay) = check_claims(&claims, issuer, tenant, now, trail)?;
    let mut of_client = issuer.rules.iter().filter(|rule| rule.client == *client);
    let rule = of_client.find(|rule| rule.first_failure(&claims).is_none());
    let rule = trail.demand(&GRANT_ASSERTION_MAPPED, rule, || {
        unmapped(issuer, &claims, client)
    })?;
    Ok(Vouched {
        issuer,
        rule,
        claims,
        expires_at,
        replay,
    })
}

/// What would come of an assertion, for the operator who writes the rules.
#[derive(Debug)]
pub struct Trial<'a> {
    pub issuer: &'a TrustedIssuer,
    /// What is wrong with it whatever the rules say, such as its audience or its age.
    pub refused: Option<Refusal>,
    /// Every rule with the first condition that fails, if one does.
    pub rules: Vec<(&'a MappingRule, Option<(&'a Condition, Noted)>)>,
}

/// Tries an assertion whose signature verifies. Nothing is decided, issued or spent by this.
pub fn try_out<'a>(jwt: &str, tenant: &'a Tenant, now: Timestamp) -> Result<Trial<'a>, Refusal> {
    let trail = &mut Trail::off();
    let (issuer, claims) = prove(jwt, tenant, trail)?;
    let tried = |rule: &'a MappingRule| (rule, rule.first_failure(&claims));
    Ok(Trial {
        issuer,
        refused: check_claims(&claims, issuer, tenant, now, trail).err(),
        rules: issuer.rules.iter().map(tried).collect(),
    })
}

/// Issuer and signature: the claims are what a trusted issuer wrote, and no more is known of them.
fn prove<'a>(
    jwt: &str,
    tenant: &'a Tenant,
    trail: &mut Trail,
) -> Result<(&'a TrustedIssuer, Claims), Refusal> {
    let unverified = Jws::parse(jwt).map_err(|error| malformed(&error))?;
    let header = unverified.header();
    let typ_fits = header.typ.is_none()
        || ["JWT", "JOSE", "authorization-grant+jwt"]
            .iter()
            .any(|typ| header.typ_is(typ));
    trail.require(&GRANT_ASSERTION_TYP, typ_fits, || {
        let found = header.typ.as_deref().unwrap_or_default();
        Noted::new("JWT, JOSE or authorization-grant+jwt", clipped(found))
    })?;
    let issuer = issuer_of(&unverified, tenant, trail)?;
    let alg = header.alg;
    trail.require(
        &GRANT_ASSERTION_ALG,
        issuer.algorithms.contains(&alg) && !alg.is_symmetric(),
        || {
            let allowed: Vec<_> = issuer.algorithms.iter().map(|alg| alg.name()).collect();
            Noted::new(allowed.join(", "), alg.name())
        },
    )?;
    let verified = issuer.keys.verify(&unverified);
    let verified = trail.demand(&GRANT_ASSERTION_VERIFIES, verified, || {
        let kid = header.kid.as_deref().map_or("no kid".to_owned(), clipped);
        Noted::new(
            format!(
                "a signature by one of the {} keys of {}",
                issuer.keys.keys().len(),
                issuer.name
            ),
            format!("one that none of them made; kid: {kid}"),
        )
    })?;
    let claims = verified.claims().map_err(|error| malformed(&error))?;
    trail.pass(&GRANT_ASSERTION_PARSES);
    Ok((issuer, claims))
}

fn issuer_of<'a>(
    unverified: &Unverified<'_>,
    tenant: &'a Tenant,
    trail: &mut Trail,
) -> Result<&'a TrustedIssuer, Refusal> {
    let claims = unverified.unverified_claims();
    let claims = claims.map_err(|error| malformed(&error))?;
    let iss = claims.text("iss").map_err(|_| wrong_type("iss"))?;
    let iss = iss.ok_or_else(|| absent("iss"))?;
    let trusted = &tenant.policy.trusted_issuers;
    let found = trusted.iter().find(|trusted| trusted.issuer == iss);
    trail.demand(&GRANT_ASSERTION_ISSUER, found, || {
        let known: Vec<_> = trusted
            .iter()
            .map(|trusted| trusted.issuer.as_str())
            .collect();
        let known = if known.is_empty() {
            "none is trusted".to_owned()
        } else {
            known.join(", ")
        };
        Noted::new(known, clipped(iss))
    })
}

fn check_claims(
    claims: &Claims,
    issuer: &TrustedIssuer,
    tenant: &Tenant,
    now: Timestamp,
    trail: &mut Trail,
) -> Result<(Timestamp, Option<Replay>), Refusal> {
    let sub = claims.text("sub").map_err(|_| wrong_type("sub"))?;
    if sub.is_none_or(str::is_empty) {
        return Err(absent("sub"));
    }
    let audience = claims.audience().map_err(|_| wrong_type("aud"))?;
    if audience.is_empty() {
        return Err(absent("aud"));
    }
    let ours = issuer.accepted_audiences(tenant);
    let meant = matches!(audience.as_slice(), [only] if ours.iter().any(|own| own == only));
    trail.require(&GRANT_ASSERTION_AUDIENCE, meant, || {
        Noted::new(
            format!("one of: {}", ours.join(", ")),
            clipped(&audience.join(" and ")),
        )
    })?;
    let exp = check_times(claims, issuer.longest_life, now, trail)?;
    let replay = if issuer.reusable {
        None
    } else {
        let jti = claims.text("jti").map_err(|_| wrong_type("jti"))?;
        let jti = jti.ok_or_else(|| absent("jti"))?;
        let fits = (1..=256).contains(&jti.len());
        trail.require(&GRANT_ASSERTION_CLAIMS, fits, || {
            let found = format!("{} characters", jti.len());
            Noted::new("a jti of 1 to 256 characters", found)
        })?;
        Some(Replay {
            jti: jti.to_owned(),
            until: exp.plus(CLOCK_TOLERANCE),
        })
    };
    trail.pass(&GRANT_ASSERTION_CLAIMS);
    Ok((exp, replay))
}

/// Checks `exp`, `iat` and `nbf`, and returns the first.
fn check_times(
    claims: &Claims,
    longest: Duration,
    now: Timestamp,
    trail: &mut Trail,
) -> Result<Timestamp, Refusal> {
    let times = Times::read(claims, wrong_type)?;
    let exp = times.exp.ok_or_else(|| absent("exp"))?;
    trail.require(&GRANT_ASSERTION_TIMES, times.fit(now, longest), || {
        times.noted(now, &format!("{} s", longest.as_secs()))
    })?;
    Ok(exp)
}

impl TrustedIssuer {
    pub fn accepted_audiences(&self, tenant: &Tenant) -> Vec<String> {
        if self.audiences.is_empty() {
            let token_endpoint = tenant.issuer.join(crate::metadata::path::TOKEN);
            vec![tenant.issuer.as_str().to_owned(), token_endpoint]
        } else {
            self.audiences.clone()
        }
    }
}

impl MappingRule {
    /// What it is worth for `user`, or else for the client itself, who has no scopes of users.
    pub(crate) fn scope_for(&self, user: Option<&User>) -> Scope {
        match user {
            Some(_) => self.scope.clone(),
            None => without_user_scopes(&self.scope),
        }
    }

    /// The first condition that the claims do not meet, with both values.
    pub fn first_failure(&self, claims: &Claims) -> Option<(&Condition, Noted)> {
        self.when.iter().find_map(|condition| {
            let found = condition.found(claims.members());
            let fails = found.as_deref() != Some(condition.value.as_str());
            fails.then(|| {
                let found = found.unwrap_or_else(|| "absent, or no single value".to_owned());
                (
                    condition,
                    Noted::new(condition.value.clone(), clipped(&found)),
                )
            })
        })
    }
}

impl Condition {
    /// Reads `claim=value`.
    pub fn parse(text: &str) -> Option<Self> {
        let (claim, value) = text.split_once('=')?;
        let fits = !claim.is_empty() && claim != "/" && !value.is_empty();
        fits.then(|| Self {
            claim: claim.to_owned(),
            value: value.to_owned(),
        })
    }

    /// The claim as text, if it is there and a single value.
    fn found(&self, claims: &Map<String, Value>) -> Option<String> {
        let value = match self.claim.strip_prefix('/') {
            None => claims.get(&self.claim),
            Some(path) => {
                let (first, rest) = match path.find('/') {
                    Some(at) => path.split_at(at),
                    None => (path, ""),
                };
                let first = first.replace("~1", "/").replace("~0", "~");
                claims.get(&first).and_then(|value| value.pointer(rest))
            }
        };
        match value? {
            Value::String(text) => Some(text.clone()),
            Value::Bool(truth) => Some(truth.to_string()),
            Value::Number(number) => Some(number.to_string()),
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        }
    }
}

fn unmapped(issuer: &TrustedIssuer, claims: &Claims, client: &ClientId) -> Noted {
    let reasons: Vec<_> = issuer
        .rules
        .iter()
        .map(|rule| match rule.first_failure(claims) {
            _ if rule.client != *client => {
                format!("{} is for the client {}", rule.name, rule.client)
            }
            Some((condition, noted)) => format!(
                "{} wants {} {:?}, found {:?}",
                rule.name, condition.claim, noted.expected, noted.found
            ),
            None => format!("{} matches", rule.name),
        })
        .collect();
    let found = if reasons.is_empty() {
        "no rules".to_owned()
    } else {
        reasons.join("; ")
    };
    Noted::new(
        format!("a rule of {} for the client {client}", issuer.name),
        found,
    )
}

fn wrong_type(name: &'static str) -> Refusal {
    Refusal::new(
        &GRANT_ASSERTION_CLAIMS,
        format!("{name} of its JSON type"),
        "another type",
    )
}

fn absent(name: &'static str) -> Refusal {
    Refusal::new(&GRANT_ASSERTION_CLAIMS, name, "absent")
}

fn malformed(error: &dyn std::fmt::Display) -> Refusal {
    Refusal::new(
        &GRANT_ASSERTION_PARSES,
        "a compact signed JWT",
        error.to_string(),
    )
}
