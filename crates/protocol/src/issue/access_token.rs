//! Access tokens, in the format of the client: sealed, or `at+jwt` (RFC 9068).

use super::{Issuance, KeyRing, MintError};
use crate::tenant::{Tenant, TokenFormat};
use jeton_token::at_jwt::AccessTokenClaims;
use jeton_token::entropy::Entropy;
use jeton_token::row_id::RowId;
use jeton_token::sealed::FactsToSeal;
use jeton_token::signing_key::JwtType;
use jeton_token::timestamp::Timestamp;

pub(super) fn mint(
    issuance: &Issuance,
    scope: &str,
    token: RowId,
    (tenant, ring): (&Tenant, &KeyRing),
    (entropy, now): (&mut Entropy, Timestamp),
) -> Result<String, MintError> {
    let expires_at = issuance.access_token_end(now);
    match issuance.format {
        TokenFormat::Opaque => {
            let facts = FactsToSeal {
                token,
                grant: issuance.grant,
                session: issuance.tied_to,
                client: issuance.client.as_str(),
                subject: &issuance.subject,
                user: issuance.user,
                scope,
                audience: &issuance.audience,
                issued_at: now,
                expires_at,
                auth_time: issuance.auth_time,
                acr: issuance.acr.as_deref(),
                cnf: issuance.binding,
                act: issuance.act.as_ref(),
                details: None,
                asks_userinfo: issuance.asks_userinfo.then_some(true),
            };
            Ok(ring.seals.seal(tenant.id.as_str(), &facts, entropy)?)
        }
        TokenFormat::Jwt => {
            let claims = AccessTokenClaims {
                iss: tenant.issuer.as_str(),
                sub: &issuance.subject,
                aud: &issuance.audience,
                client_id: issuance.client.as_str(),
                scope: (!scope.is_empty()).then_some(scope),
                iat: now,
                exp: expires_at,
                jti: token,
                auth_time: issuance.auth_time,
                acr: issuance.acr.as_deref(),
                sid: issuance.tied_to,
                gid: issuance.grant,
                cnf: issuance.binding,
                act: issuance.act.as_ref(),
                details: None,
            };
            let key = ring.signing_key(issuance.algorithm)?;
            Ok(key.sign_jwt(JwtType::AccessToken, &claims)?)
        }
    }
}
