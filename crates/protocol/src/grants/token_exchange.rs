//! Token exchange (RFC 8693): a token of this issuer, or of one it trusts, for a narrower one. No refresh token, no row.
//!
//! A client is named as the actor (`act`) unless its policy lets it impersonate, so a token that has passed through
//! other hands says whose. Nothing grows: scope, audience and lifetime are bounded by the subject token and by the policy.

use super::acting::{self, EXCHANGE_ACTOR_PLAIN, EXCHANGE_MAY_ACT};
use crate::caller::Caller;
use crate::client::{GrantType, TokenExchange};
use crate::dpop;
use crate::introspection::TokenFacts;
use crate::issue::{Exchanged, Issuance};
use crate::params::Params;
use crate::refusal::{Noted, Refusal, Trail};
use crate::rules;
use crate::scope::Scope;
use crate::standing::Standing;
use crate::tenant::{Tenant, TokenFormat};
use crate::trusted_issuer::Vouched;
use crate::user::{User, UserId};
use jeton_token::row_id::RowId;
use jeton_token::timestamp::Timestamp;
use serde_json::{Map, Value};

rules! {
    SUBJECT_TOKEN_SENT = InvalidRequest, "subject_token_missing", "RFC 8693 §2.1", {
        promise: "The request carries a subject token",
        told: "subject_token is missing",
        fix: "Send the token to exchange as subject_token"
    };
    SUBJECT_TOKEN_TYPE = InvalidRequest, "subject_token_type", "RFC 8693 §2.1, §3", {
        promise: "subject_token_type is that of access tokens or of JWTs",
        told: "subject_token_type is missing or not supported",
        fix: "Send subject_token_type=urn:ietf:params:oauth:token-type:access_token for a token of this issuer, or …:jwt; refresh tokens and ID tokens are not exchanged"
    };
    ACTOR_TOKEN_TYPE = InvalidRequest, "actor_token_type", "RFC 8693 §2.1", {
        promise: "actor_token_type comes with actor_token, and is that of access tokens or of JWTs",
        told: "actor_token and actor_token_type do not fit together",
        fix: "Send actor_token_type=urn:ietf:params:oauth:token-type:access_token with actor_token, and neither without the other"
    };
    REQUESTED_TOKEN_TYPE = InvalidRequest, "requested_token_type", "RFC 8693 §2.1, §3", {
        promise: "requested_token_type is absent, or that of access tokens or of JWTs",
        told: "requested_token_type is not supported",
        fix: "Leave requested_token_type out, or send that of access_token or jwt"
    };
    EXCHANGE_CONFIDENTIAL = UnauthorizedClient, "exchange_public", "RFC 8693 §2.1, §5", {
        promise: "The client has proven itself",
        told: "Token exchange is for confidential clients",
        fix: "Register the client with an authentication method other than none"
    };
    EXCHANGE_ALLOWED = UnauthorizedClient, "exchange_not_allowed", "RFC 8693 §2.1, §5", {
        promise: "The client has a policy of what it may exchange tokens for",
        told: "The client may not exchange tokens",
        fix: "Set token_exchange in the client's record: jeton client change ID --exchange-audience URI"
    };
    EXCHANGE_TOKEN_KNOWN = InvalidRequest, "exchange_token_unknown", "RFC 8693 §2.2.2", {
        promise: "The subject and actor tokens are access tokens of this issuer",
        told: "The subject or actor token is not valid",
        fix: "Send an access token of this issuer, unchanged"
    };
    EXCHANGE_TOKEN_FRESH = InvalidRequest, "exchange_token_expired", "RFC 8693 §2.2.2", {
        promise: "The subject and actor tokens have not expired",
        told: "The subject or actor token is not valid",
        fix: "Get a new token; lifetimes.access_token says how long one lives"
    };
    EXCHANGE_TOKEN_STANDS = InvalidRequest, "exchange_token_revoked", "RFC 8693 §2.2.2, RFC 7009 §2.1", {
        promise: "No revocation covers the subject and actor tokens, their grants, sessions, users, clients or tenant",
        told: "The subject or actor token is not valid",
        fix: "Get a new token; the audit log says what was revoked and why"
    };
    EXCHANGE_TOKEN_VOUCHED = InvalidRequest, "exchange_assertion", "RFC 8693 §2.2.2, RFC 7523 §3", {
        promise: "A subject token of another issuer holds as an assertion does",
        told: "The subject or actor token is not valid",
        fix: "Try the token with jeton issuer test; the cause in the log is that of the JWT bearer grant"
    };
    EXCHANGE_ISSUER_ALLOWED = InvalidRequest, "exchange_issuer", "RFC 8693 §2.2.2, §5", {
        promise: "The client may present subject tokens of their issuer",
        told: "The subject or actor token is not valid",
        fix: "Add the name of the trusted issuer to the client's token_exchange.subject_issuers"
    };
    EXCHANGE_SUBJECT_CONCERNS = InvalidRequest, "exchange_subject_audience", "RFC 8693 §2.2.2, §5", {
        promise: "The subject token was issued to the client, or is meant for it or an audience it answers for",
        told: "The subject token is not meant for this client",
        fix: "Add the token's audience to the client's introspects, if the client is that API"
    };
    EXCHANGE_TARGET = InvalidTarget, "exchange_target", "RFC 8693 §2.1, §2.2.2", {
        promise: "Every resource and audience is one the client may exchange tokens for",
        told: "The client may not exchange tokens for this target",
        fix: "Add the audience to the client's token_exchange.audiences, or ask for one that is there"
    };
    EXCHANGE_TARGET_NAMED = InvalidTarget, "exchange_target_missing", "RFC 8693 §2.1", {
        promise: "The request names its target, or the client's policy has only one",
        told: "The target is missing; audience or resource names it",
        fix: "Send audience or resource with one of the client's token_exchange.audiences"
    };
    EXCHANGE_SCOPE = InvalidScope, "exchange_scope_wider", "RFC 8693 §2.1, §2.2.2", {
        promise: "The scope is within the subject token's and the client's",
        told: "The subject token is not good for this scope",
        fix: "Ask for less, or get a subject token with this scope for a client that may have it"
    };
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenType {
    AccessToken,
    Jwt,
}

impl TokenType {
    const ALL: [Self; 2] = [Self::AccessToken, Self::Jwt];

    pub const fn uri(self) -> &'static str {
        match self {
            Self::AccessToken => "urn:ietf:params:oauth:token-type:access_token",
            Self::Jwt => "urn:ietf:params:oauth:token-type:jwt",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.uri() == text)
    }
}

#[derive(Debug)]
pub struct ExchangeRequest {
    pub subject: (String, TokenType),
    pub actor: Option<String>,
    targets: Vec<String>,
    scope: Option<Scope>,
    requested: Option<TokenType>,
    /// Came as a JWT bearer grant (`requested_token_use=on_behalf_of`).
    on_behalf_of: bool,
}

impl ExchangeRequest {
    pub(super) fn parse(params: &Params<'_>, trail: &mut Trail) -> Result<Self, Refusal> {
        let subject = trail.demand(&SUBJECT_TOKEN_SENT, params.one("subject_token"), || {
            Noted::new("subject_token", "absent")
        })?;
        let named = |name| params.one(name).map(TokenType::parse);
        let subject_type = named("subject_token_type").flatten();
        let subject_type = trail.demand(&SUBJECT_TOKEN_TYPE, subject_type, wanted)?;
        let requested = named("requested_token_type");
        trail.require(&REQUESTED_TOKEN_TYPE, requested != Some(None), wanted)?;
        let actor = params.one("actor_token");
        let actor_type = named("actor_token_type");
        let fits = match actor {
            Some(_) => actor_type.flatten().is_some(),
            None => actor_type.is_none(),
        };
        trail.require(&ACTOR_TOKEN_TYPE, fits, wanted)?;
        Ok(Self {
            subject: (subject.to_owned(), subject_type),
            actor: actor.map(str::to_owned),
            targets: targets(params),
            scope: super::scope(params, trail)?,
            requested: requested.flatten(),
            on_behalf_of: false,
        })
    }

    /// The same request in the words of the JWT bearer grant.
    pub(super) fn on_behalf_of(params: &Params<'_>, trail: &mut Trail) -> Result<Self, Refusal> {
        let assertion = super::jwt_bearer::assertion(params, trail)?;
        Ok(Self {
            subject: (assertion, TokenType::AccessToken),
            actor: None,
            targets: targets(params),
            scope: super::scope(params, trail)?,
            requested: None,
            on_behalf_of: true,
        })
    }

    pub fn grant_type(&self) -> GrantType {
        if self.on_behalf_of {
            GrantType::JwtBearer
        } else {
            GrantType::TokenExchange
        }
    }

    /// What the answer calls the token it carries.
    pub fn issued_token_type(&self) -> &'static str {
        self.requested.unwrap_or(TokenType::AccessToken).uri()
    }
}

/// Both say where the token shall be used; the policy knows them by one name.
fn targets(params: &Params<'_>) -> Vec<String> {
    let mut targets = Vec::new();
    for target in params.all("resource").chain(params.all("audience")) {
        if !targets.iter().any(|known| known == target) {
            targets.push(target.to_owned());
        }
    }
    targets
}

fn wanted() -> Noted {
    let known = TokenType::ALL.map(TokenType::uri);
    Noted::new(known.join(" or "), "none, or another one")
}

/// Whether the client may exchange anything at all; asked before a token is looked at.
pub fn admit<'a>(caller: &'a Caller, trail: &mut Trail) -> Result<&'a TokenExchange, Refusal> {
    trail.require(&EXCHANGE_CONFIDENTIAL, !caller.is_public(), || {
        Noted::new("a confidential client", "a public one")
    })?;
    let policy = caller.client().token_exchange.as_ref();
    trail.demand(&EXCHANGE_ALLOWED, policy, || {
        Noted::new("token_exchange in the client's record", "none")
    })
}

/// The refusal of a token of ours, as this grant words it.
pub fn unacceptable(refusal: Refusal) -> Refusal {
    let rule = match refusal.rule.cause {
        "token_expired" => &EXCHANGE_TOKEN_FRESH,
        "token_revoked" => &EXCHANGE_TOKEN_STANDS,
        _ => &EXCHANGE_TOKEN_KNOWN,
    };
    Refusal { rule, ..refusal }
}

/// The refusal of a trusted issuer's token, as this grant words it.
pub fn unvouched(refusal: Refusal) -> Refusal {
    let cause = refusal.rule.cause;
    let found = format!("{cause}: {}", refusal.noted.found);
    Refusal::new(&EXCHANGE_TOKEN_VOUCHED, refusal.noted.expected, found)
}

/// What is known of the subject, wherever its token came from.
#[derive(Debug)]
pub struct Subject {
    subject: String,
    user: Option<UserId>,
    grant: Option<RowId>,
    session: Option<RowId>,
    scope: Scope,
    expires_at: Timestamp,
    act: Option<Value>,
    may_act: Option<Map<String, Value>>,
    auth_time: Option<Timestamp>,
    acr: Option<String>,
}

impl Subject {
    /// The subject of one of our tokens that concerns the caller.
    pub fn of_token(
        facts: &TokenFacts,
        caller: &Caller,
        trail: &mut Trail,
    ) -> Result<Self, Refusal> {
        trail.require(
            &EXCHANGE_SUBJECT_CONCERNS,
            acting::is_concerned(facts, caller.client()),
            || acting::meant(facts, caller.client()),
        )?;
        dpop::prove_exchange_key(facts.binding, caller, trail)?;
        Ok(Self {
            subject: facts.subject.clone(),
            user: facts.user,
            grant: facts.grant,
            session: facts.session,
            scope: Scope::parse(&facts.scope).unwrap_or_default(),
            expires_at: facts.expires_at,
            act: facts.act.clone(),
            may_act: None,
            auth_time: facts.auth_time,
            acr: facts.acr.clone(),
        })
    }

    /// The subject a trusted issuer vouches for: the user of its rule, or the client itself.
    pub fn of_assertion(
        vouched: &Vouched<'_>,
        user: Option<&User>,
        (caller, policy): (&Caller, &TokenExchange),
        trail: &mut Trail,
    ) -> Result<Self, Refusal> {
        let name = &vouched.issuer.name;
        let allowed = policy.subject_issuers.contains(name);
        trail.require(&EXCHANGE_ISSUER_ALLOWED, allowed, || {
            Noted::new(
                format!("one of: {}", policy.subject_issuers.join(", ")),
                name.clone(),
            )
        })?;
        let plain = !vouched.claims.contains("act");
        trail.require(&EXCHANGE_ACTOR_PLAIN, plain, || {
            Noted::new("no act", "act of another issuer")
        })?;
        let key = vouched.claims.read("cnf", "one key thumbprint");
        let key =
            key.map_err(|error| Refusal::new(&dpop::EXCHANGE_KEY, "a key", error.to_string()))?;
        dpop::prove_exchange_key(key, caller, trail)?;
        let may_act = vouched.claims.object("may_act");
        let may_act = may_act
            .map_err(|error| Refusal::new(&EXCHANGE_MAY_ACT, "an object", error.to_string()))?;
        Ok(Self {
            subject: user.map_or(caller.client().id.as_str().to_owned(), User::subject),
            user: user.map(|user| user.id),
            grant: None,
            session: None,
            scope: vouched.rule.scope_for(user),
            expires_at: vouched.expires_at,
            act: None,
            may_act: may_act.cloned(),
            auth_time: None,
            acr: None,
        })
    }
}

/// Decides what the subject token becomes, for a caller whose policy let it in.
pub fn decide(
    request: &ExchangeRequest,
    (subject, actor): (&Subject, Option<&TokenFacts>),
    (caller, tenant): (&Caller, &Tenant),
    (policy, standing): (&TokenExchange, Standing),
    trail: &mut Trail,
) -> Result<Issuance, Refusal> {
    let client = caller.client();
    let acting = acting::acting(&subject.subject, actor, (client, policy), trail)?;
    let party = actor.map_or(client.id.as_str(), |actor| &actor.subject);
    acting::check_may_act(subject.may_act.as_ref(), party, tenant, trail)?;
    dpop::prove_exchange_key(actor.and_then(|actor| actor.binding), caller, trail)?;
    let act = acting::chain(subject.act.as_ref(), acting, trail)?;
    let audience = audience(request, policy, trail)?;
    let allowed = subject.scope.intersection(&client.scope);
    let scope = request.scope.as_ref().unwrap_or(&allowed);
    trail.require(&EXCHANGE_SCOPE, scope.is_subset_of(&allowed), || {
        let beyond = scope.without(&allowed).to_string();
        Noted::new(format!("within: {allowed}"), beyond)
    })?;
    let not_after = actor.map_or(subject.expires_at, |actor| {
        subject.expires_at.min(actor.expires_at)
    });
    let exchanged = Exchanged {
        subject: subject.subject.clone(),
        user: subject.user,
        grant: subject.grant,
        session: subject.session,
        scope: scope.clone(),
        audience,
        act,
        format: (request.requested == Some(TokenType::Jwt)).then_some(TokenFormat::Jwt),
        not_after,
        auth_time: subject.auth_time,
        acr: subject.acr.clone(),
    };
    Ok(Issuance::of_exchange(caller, tenant, exchanged, standing))
}

fn audience(
    request: &ExchangeRequest,
    policy: &TokenExchange,
    trail: &mut Trail,
) -> Result<Vec<String>, Refusal> {
    let known = || policy.audiences.join(", ");
    let beyond = request
        .targets
        .iter()
        .find(|target| !policy.audiences.contains(target));
    trail.require(&EXCHANGE_TARGET, beyond.is_none(), || {
        let beyond = beyond.map_or("", String::as_str);
        Noted::new(known(), crate::authorize::request::clipped(beyond))
    })?;
    if !request.targets.is_empty() {
        return Ok(request.targets.clone());
    }
    trail.require(&EXCHANGE_TARGET_NAMED, policy.audiences.len() == 1, || {
        Noted::new(format!("one of: {}", known()), "none")
    })?;
    Ok(policy.audiences.clone())
}
