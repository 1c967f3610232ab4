//! Which device authorization requests are answered (§3.1).

use crate::common::{authenticated, client, form, params, public_client, scope, tenant};
use jeton_protocol::authorize::parameters::{SCOPE_ALLOWED, SCOPE_LEFT, SCOPE_WELL_FORMED};
use jeton_protocol::client::{Client, ClientId, GrantType};
use jeton_protocol::device::{DEVICE_GRANT_REGISTERED, requested};
use jeton_protocol::refusal::{Refusal, Trail};
use jeton_protocol::scope::Scope;
use jeton_token::timestamp::Timestamp;

fn ask(client: Client, asked: &str) -> Result<Scope, Refusal> {
    let body = form(&[("scope", asked)]);
    requested(
        &params(&body),
        &authenticated(client),
        &tenant(),
        &mut Trail::off(),
    )
}

#[test]
fn a_client_of_either_kind_gets_the_scope_it_asks_for_or_all_it_is_registered_for() {
    assert_eq!(ask(client(), "openid read").unwrap(), scope("openid read"));
    assert_eq!(ask(public_client(), "read").unwrap(), scope("read"));
    assert_eq!(ask(client(), "").unwrap(), client().scope);
}

#[test]
fn the_grant_is_off_unless_the_client_is_registered_for_it() {
    // SEC-152, SEC-460
    let named = ClientId::parse("new").unwrap();
    let fresh = Client::new(named, Timestamp::from_seconds(0));
    assert!(!fresh.may_use(GrantType::DeviceCode));
    let without = Client {
        grant_types: vec![GrantType::AuthorizationCode, GrantType::RefreshToken],
        ..client()
    };
    let refused = ask(without, "read").unwrap_err();
    assert_eq!(refused.rule, &DEVICE_GRANT_REGISTERED);
}

#[test]
fn a_scope_is_checked_as_at_the_authorization_endpoint() {
    for (asked, rule) in [
        ("\"read\"", &SCOPE_WELL_FORMED),
        ("secret.admin", &SCOPE_ALLOWED),
        ("unheard", &SCOPE_LEFT),
    ] {
        assert_eq!(ask(client(), asked).unwrap_err().rule, rule, "{asked}");
    }
}
