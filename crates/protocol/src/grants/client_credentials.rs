//! The client credentials grant (RFC 6749 §4.4): no user, no refresh token, no row.

use crate::caller::Caller;
use crate::issue::Issuance;
use crate::params::Params;
use crate::refusal::{Noted, Refusal, Trail};
use crate::rules;
use crate::scope::Scope;
use crate::standing;
use crate::tenant::Tenant;

rules! {
    CLIENT_CONFIDENTIAL = UnauthorizedClient, "client_credentials_public", "RFC 6749 §4.4", {
        promise: "The client is confidential",
        told: "The client credentials grant is for confidential clients",
        fix: "Register the client with an authentication method other than none"
    };
    CLIENT_SCOPE_WITHIN = InvalidScope, "client_scope_wider", "RFC 6749 §3.3, §4.4.2", {
        promise: "The scope is within the client's registered scope, without those that need a user",
        told: "The client may not ask for this scope",
        fix: "Add the scope values to the client's scope, or leave them out; openid and offline_access need a user"
    };
}

#[derive(Debug)]
pub struct ClientCredentialsRequest {
    scope: Option<Scope>,
}

impl ClientCredentialsRequest {
    pub(super) fn parse(params: &Params<'_>, trail: &mut Trail) -> Result<Self, Refusal> {
        Ok(Self {
            scope: super::scope(params, trail)?,
        })
    }
}

pub fn decide(
    request: &ClientCredentialsRequest,
    (caller, tenant): (&Caller, &Tenant),
    is_cut: bool,
    trail: &mut Trail,
) -> Result<Issuance, Refusal> {
    trail.require(&CLIENT_CONFIDENTIAL, !caller.is_public(), || {
        Noted::new("a confidential client", "a public one")
    })?;
    let allowed = without_user_scopes(&caller.client().scope);
    let scope = match &request.scope {
        None => allowed,
        Some(asked) => {
            trail.require(&CLIENT_SCOPE_WITHIN, asked.is_subset_of(&allowed), || {
                Noted::new(
                    format!("within: {allowed}"),
                    asked.without(&allowed).to_string(),
                )
            })?;
            asked.clone()
        }
    };
    let standing = standing::of_client(is_cut, trail)?;
    Ok(Issuance::of_client(caller, tenant, scope, standing))
}

fn without_user_scopes(scope: &Scope) -> Scope {
    if crate::scope::OPENID_CONNECT
        .iter()
        .any(|value| scope.contains(value))
    {
        let user_scopes = Scope::parse(&crate::scope::OPENID_CONNECT.join(" ")).unwrap_or_default();
        scope.without(&user_scopes)
    } else {
        scope.clone()
    }
}
