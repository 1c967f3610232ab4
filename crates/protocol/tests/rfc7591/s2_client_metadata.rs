//! Member names, defaults and what survives being stored (§2).

use crate::common::{NOW, client, id, seconds, signing_key, tenant};
use jeton_protocol::client::{
    ApplicationType, AuthenticationMethod, Client, ClientId, GrantType, KeptSecret, Owner,
    Rotation, TokenExchange,
};
use jeton_protocol::tenant::TokenFormat;
use jeton_token::SignatureAlgorithm;
use jeton_token::key_set::KeySet;
use serde_json::{Value, json};

fn stored(client: &Client) -> Value {
    serde_json::to_value(client).unwrap()
}

#[test]
fn a_new_client_has_the_defaults_of_the_specification() {
    // P-273, P-171
    let client = Client::new(id("app"), NOW);
    let policy = tenant().policy;
    assert_eq!(
        client.authentication,
        AuthenticationMethod::ClientSecretBasic
    );
    assert_eq!(client.grant_types, [GrantType::AuthorizationCode]);
    assert_eq!(client.application_type, ApplicationType::Web);
    assert_eq!(client.id_token_algorithm(), SignatureAlgorithm::Rs256);
    assert_eq!(client.owner, Owner::Operator);
    assert!(client.scope.is_empty() && !client.first_party && !client.is_public());
    assert_eq!(client.token_format(&policy), TokenFormat::Opaque);
    assert_eq!(client.access_token_lifetime(&policy), seconds(600));
    assert_eq!(
        client.access_token_algorithm(&policy),
        SignatureAlgorithm::Es256
    );
    assert_eq!(client.display_name(), "app");
}

#[test]
fn members_are_named_as_in_a_registration_request() {
    let mut client = client();
    client.name = Some("The App".to_owned());
    client.authentication_algorithm = Some(SignatureAlgorithm::Es256);
    let stored = stored(&client);
    for (name, value) in [
        ("client_id", json!("app")),
        ("client_name", json!("The App")),
        ("token_endpoint_auth_method", json!("client_secret_basic")),
        ("token_endpoint_auth_signing_alg", json!("ES256")),
        ("redirect_uris", json!(["https://app.example/cb"])),
        (
            "grant_types",
            json!([
                "authorization_code",
                "refresh_token",
                "client_credentials",
                "urn:ietf:params:oauth:grant-type:device_code",
                "urn:ietf:params:oauth:grant-type:token-exchange",
                "urn:ietf:params:oauth:grant-type:jwt-bearer",
            ]),
        ),
        ("application_type", json!("web")),
        (
            "scope",
            json!("openid profile email offline_access read write"),
        ),
    ] {
        assert_eq!(stored[name], value, "{name}");
    }
    assert_eq!(client.display_name(), "The App");
}

#[test]
fn every_member_survives_being_stored() {
    // SEC-R12
    let full = Client {
        authentication_algorithm: Some(SignatureAlgorithm::EdDsa),
        secret: Some(KeptSecret::Digest([0xab; 32])),
        jwks: Some(KeySet::new(vec![
            signing_key(SignatureAlgorithm::Es256).public_jwk().clone(),
        ])),
        access_token_format: Some(TokenFormat::Jwt),
        refresh_token_rotation: Some(Rotation::Never),
        access_token_lifetime: Some(seconds(60)),
        default_max_age: Some(3600),
        first_party: true,
        introspects: vec!["https://api.example".to_owned()],
        contacts: vec!["ops@example.com".to_owned()],
        token_exchange: Some(TokenExchange {
            audiences: vec!["https://api.example".to_owned()],
            may_impersonate: true,
            subject_issuers: vec!["hub".to_owned()],
        }),
        ..client()
    };
    let read: Client = serde_json::from_value(stored(&full)).unwrap();
    assert_eq!(read, full);
    for secret in [
        KeptSecret::Hashed("$argon2id$x".to_owned()),
        KeptSecret::Sealed("x".to_owned()),
    ] {
        let client = Client {
            secret: Some(secret),
            ..client()
        };
        assert_eq!(
            serde_json::from_value::<Client>(stored(&client)).unwrap(),
            client
        );
    }
}

#[test]
fn a_damaged_digest_is_not_read() {
    // SEC-R08
    let with = |digest: &str| {
        let mut value = stored(&client());
        value["secret"] = json!({ "digest": digest });
        serde_json::from_value::<Client>(value)
    };
    assert!(with(&"ab".repeat(32)).is_ok());
    for bad in [
        String::new(),
        "ab".repeat(31),
        "ab".repeat(33),
        "zz".repeat(32),
        "+a".repeat(32),
        "é".repeat(32),
    ] {
        assert!(with(&bad).is_err(), "{bad}");
    }
}

#[test]
fn a_client_id_is_printable_ascii_of_1_to_255_characters() {
    for good in ["a", "my app", ":%+~", &"x".repeat(255)] {
        assert_eq!(ClientId::parse(good).unwrap().as_str(), good);
    }
    for bad in ["", "a\n", "\u{7f}", "é", &"x".repeat(256)] {
        assert_eq!(ClientId::parse(bad), None, "{bad:?}");
    }
}

#[test]
fn names_read_as_themselves_and_nothing_else_does() {
    for grant in GrantType::ALL {
        assert_eq!(GrantType::parse(grant.name()), Some(grant));
        assert_eq!(serde_json::to_value(grant).unwrap(), grant.name());
        assert_eq!(GrantType::parse(&grant.name().to_uppercase()), None);
    }
    for method in AuthenticationMethod::ALL {
        assert_eq!(AuthenticationMethod::parse(method.name()), Some(method));
        assert_eq!(serde_json::to_value(method).unwrap(), method.name());
    }
    for unknown in ["", "tls_client_auth", "password", "client_secret"] {
        assert_eq!(AuthenticationMethod::parse(unknown), None);
        assert_eq!(GrantType::parse(unknown), None);
    }
}

#[test]
fn default_max_age_counts_when_the_request_names_none() {
    // P-287
    let aging = Client {
        default_max_age: Some(300),
        ..client()
    };
    let max_age = |changes: &[(&str, &str)]| {
        crate::common::authorize_as(&aging, changes)
            .unwrap()
            .max_age
    };
    assert_eq!(max_age(&[]), Some(300));
    assert_eq!(max_age(&[("max_age", "10")]), Some(10));
    assert_eq!(max_age(&[("max_age", "0")]), Some(0));
    assert_eq!(crate::common::authorize(&[]).unwrap().max_age, None);
}
