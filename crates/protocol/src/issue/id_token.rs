//! ID tokens (Core §2, §3.1.3.6, §12.2).

use super::{Issuance, KeyRing, MintError};
use crate::client::Client;
use crate::grant::Grant;
use crate::tenant::Tenant;
use jeton_token::algorithm::SignatureAlgorithm;
use jeton_token::half_hash::half_hash;
use jeton_token::jwt;
use jeton_token::row_id::RowId;
use jeton_token::signing_key::JwtType;
use jeton_token::timestamp::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};
use std::time::Duration;

#[derive(Debug)]
pub struct Plan {
    nonce: Option<String>,
    amr: Vec<String>,
    algorithm: SignatureAlgorithm,
    lifetime: Duration,
    asked: Vec<String>,
    pub(super) user_claims: Map<String, Value>,
}

impl Plan {
    pub(super) fn for_grant(
        grant: &Grant,
        client: &Client,
        tenant: &Tenant,
        nonce: Option<String>,
    ) -> Self {
        Self {
            nonce,
            amr: grant.amr.clone(),
            algorithm: client.id_token_algorithm(),
            lifetime: tenant.policy.lifetimes.id_token,
            asked: grant
                .claims
                .as_ref()
                .map(|claims| claims.id_token.clone())
                .unwrap_or_default(),
            user_claims: Map::new(),
        }
    }

    pub(super) fn wants_user_claims(&self) -> bool {
        self.asked
            .iter()
            .any(|name| crate::claims::standard().any(|known| known == name))
    }
}

#[derive(Serialize)]
struct IdTokenClaims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    #[serde(serialize_with = "jwt::seconds")]
    exp: Timestamp,
    #[serde(serialize_with = "jwt::seconds")]
    iat: Timestamp,
    #[serde(
        serialize_with = "jwt::optional_seconds",
        skip_serializing_if = "Option::is_none"
    )]
    auth_time: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    acr: Option<&'a str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    amr: &'a [String],
    at_hash: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    sid: Option<RowId>,
    #[serde(flatten, skip_serializing_if = "Map::is_empty")]
    user_claims: &'a Map<String, Value>,
}

pub(super) fn mint(
    issuance: &Issuance,
    plan: &Plan,
    access_token: &str,
    (tenant, ring): (&Tenant, &KeyRing),
    now: Timestamp,
) -> Result<String, MintError> {
    let claims = IdTokenClaims {
        iss: tenant.issuer.as_str(),
        sub: &issuance.subject,
        aud: issuance.client.as_str(),
        exp: now.plus(plan.lifetime),
        iat: now,
        auth_time: issuance.auth_time,
        nonce: plan.nonce.as_deref(),
        acr: issuance.acr.as_deref(),
        amr: &plan.amr,
        at_hash: half_hash(plan.algorithm, access_token),
        sid: issuance.session,
        user_claims: &plan.user_claims,
    };
    let key = ring.signing_key(plan.algorithm)?;
    Ok(key.sign_jwt(JwtType::IdToken, &claims)?)
}
