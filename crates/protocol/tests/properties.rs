//! What holds for every input: nothing widens, nothing panics, nothing leaves for a foreign address.

#[path = "common/mod.rs"]
mod common;

use base64::Engine as _;
use common::{
    CALLBACK, CHALLENGE, NOW, caller_of, client, form, key_ring, params, refreshable, scope, tenant,
};
use jeton_protocol::authorize::request::AuthorizeRefusal;
use jeton_protocol::authorize::response::{AuthorizationResponse, Carried};
use jeton_protocol::claims::ClaimsRequest;
use jeton_protocol::client::ApplicationType;
use jeton_protocol::client::Client;
use jeton_protocol::client::Rotation;
use jeton_protocol::client_auth::Presented;
use jeton_protocol::grants::refresh_token;
use jeton_protocol::grants::{GrantRequest, client_credentials};
use jeton_protocol::issue;
use jeton_protocol::params::Params;
use jeton_protocol::redirect_uri::{RedirectUri, host_of};
use jeton_protocol::refusal::Trail;
use jeton_protocol::scope::Scope;
use jeton_protocol::tenant::Issuer;
use jeton_token::entropy::Entropy;
use proptest::prelude::*;

const NAMES: [&str; 8] = [
    "openid",
    "email",
    "profile",
    "offline_access",
    "read",
    "write",
    "a",
    "b",
];

fn scopes() -> impl Strategy<Value = Scope> {
    proptest::sample::subsequence(NAMES.to_vec(), 0..=NAMES.len())
        .prop_map(|values| scope(&values.join(" ")))
}

fn scope_text() -> impl Strategy<Value = String> {
    proptest::collection::vec("[!#-\\[\\]-~]{1,8}", 0..10).prop_map(|values| values.join(" "))
}

/// Text that looks like a request more often than random text would.
fn queries() -> impl Strategy<Value = String> {
    let names = prop_oneof![
        proptest::sample::select(vec![
            "client_id",
            "redirect_uri",
            "response_type",
            "scope",
            "state",
            "prompt",
            "claims",
            "max_age",
            "nonce",
            "code_challenge",
            "code_challenge_method",
            "id_token_hint",
            "response_mode",
            "request",
        ])
        .prop_map(str::to_owned),
        "[a-z_%]{0,6}",
    ];
    let values = prop_oneof![
        proptest::sample::select(vec![
            CALLBACK,
            "https://evil.example/",
            "https://app.example/cb/",
            "code",
            "openid read",
            "none",
            "login none",
            CHALLENGE,
            "S256",
            "plain",
            "app",
            "{}",
            "",
            "%",
            "1",
        ])
        .prop_map(str::to_owned),
        any::<String>(),
    ];
    proptest::collection::vec((names, values, any::<bool>()), 0..14).prop_map(|pairs| {
        let encode = |(name, value, raw): (String, String, bool)| {
            if raw {
                format!("{name}={value}")
            } else {
                form(&[(&name, &value)])
            }
        };
        pairs.into_iter().map(encode).collect::<Vec<_>>().join("&")
    })
}

fn uris() -> impl Strategy<Value = String> {
    let pieces = proptest::sample::select(vec![
        "https://",
        "http://",
        "app.example",
        "127.0.0.1",
        "[::1]",
        ":80",
        ":080",
        "/",
        "/cb",
        "..",
        "%2e",
        "%2f",
        "%25",
        "?",
        "#",
        "@",
        "\\",
        "*",
        "com.app:",
        "javascript:",
        "[",
        "]",
        ":",
        ";",
        "a",
    ]);
    prop_oneof![
        any::<String>(),
        proptest::collection::vec(pieces, 0..8).prop_map(|pieces| pieces.concat()),
    ]
}

proptest! {
    #[test]
    fn a_printed_scope_reads_as_itself(text in scope_text()) {
        let read = Scope::parse(&text).unwrap();
        let printed = read.to_string();
        let again = Scope::parse(&printed).unwrap();
        prop_assert_eq!(again.to_string(), printed);
        prop_assert_eq!(again, read);
    }

    #[test]
    fn scopes_are_sets(a in scopes(), b in scopes(), c in scopes()) {
        prop_assert!(a.intersection(&b).is_subset_of(&a) && a.intersection(&b).is_subset_of(&b));
        prop_assert_eq!(a.intersection(&b), b.intersection(&a));
        prop_assert_eq!(a.union(&b), b.union(&a));
        prop_assert_eq!(a.without(&b).union(&a.intersection(&b)), a.clone());
        prop_assert!(a.without(&b).intersection(&b).is_empty());
        prop_assert_eq!(a.union(&b).is_subset_of(&c), a.is_subset_of(&c) && b.is_subset_of(&c));
        prop_assert_eq!(a == b, a.is_subset_of(&b) && b.is_subset_of(&a));
    }

    // Design §10: issued ⊆ granted ⊆ client scope.
    #[test]
    fn no_chain_of_refreshes_widens_the_scope(
        granted in scopes(),
        registered in proptest::collection::vec(scopes(), 1..6),
        asked in proptest::collection::vec(proptest::option::of(scopes()), 1..6),
        rotates in any::<bool>(),
    ) {
        let mut refreshable = refreshable();
        refreshable.grant.scope = granted.clone();
        for (step, (registered, asked)) in registered.iter().zip(&asked).enumerate() {
            let client = Client {
                scope: registered.clone(),
                refresh_token_rotation: Some(if rotates { Rotation::Each } else { Rotation::Never }),
                ..client()
            };
            let caller = caller_of(client);
            let asked_text = asked.as_ref().map(Scope::to_string).unwrap_or_default();
            let body = form(&[("grant_type", "refresh_token"), ("refresh_token", "r"), ("scope", &asked_text)]);
            let request = GrantRequest::parse(&params(&body), &caller, &mut Trail::off()).unwrap();
            let GrantRequest::RefreshToken(request) = request else { panic!("{request:?}") };
            let decided = refresh_token::decide(
                (&refreshable, refreshable.generation, false), &request, (&caller, &tenant()), NOW, &mut Trail::off(),
            );
            if let Ok(issuance) = decided {
                refreshable.generation += u32::from(issuance.issues_refresh_token());
                let ring = RING.with(Clone::clone);
                let mut entropy = Entropy::seeded(step as u64);
                let response = issue::mint(&issuance, &tenant(), &ring, &mut entropy, NOW).unwrap();
                let issued = scope(&response.scope);
                prop_assert!(issued.is_subset_of(&granted));
                prop_assert!(issued.is_subset_of(registered));
                prop_assert_eq!(response.id_token.is_some(), issued.contains("openid"));
                if let Some(asked) = asked.as_ref().filter(|asked| !asked.is_empty()) {
                    prop_assert_eq!(&issued, asked);
                }
            }
        }
    }

    #[test]
    fn a_client_never_gets_more_for_itself_than_is_registered(registered in scopes(), asked in scopes()) {
        let caller = caller_of(Client { scope: registered.clone(), ..client() });
        let body = form(&[("grant_type", "client_credentials"), ("scope", &asked.to_string())]);
        let request = GrantRequest::parse(&params(&body), &caller, &mut Trail::off()).unwrap();
        let GrantRequest::ClientCredentials(request) = request else { panic!("{request:?}") };
        let decided = client_credentials::decide(&request, (&caller, &tenant()), false, &mut Trail::off());
        if let Ok(issuance) = decided {
            let ring = RING.with(Clone::clone);
            let response = issue::mint(&issuance, &tenant(), &ring, &mut Entropy::seeded(1), NOW).unwrap();
            let issued = scope(&response.scope);
            prop_assert!(issued.is_subset_of(&registered));
            for user_scope in ["openid", "email", "profile", "offline_access"] {
                prop_assert!(!issued.contains(user_scope));
            }
        }
    }

    // Design §10: a `Sent` refusal never targets an unregistered URI.
    #[test]
    fn nothing_is_sent_to_an_address_that_is_not_registered(query in queries()) {
        let Ok(params) = Params::unjudged_query(Some(&query)) else { return Ok(()) };
        let parsed = common::parse(&params, &client());
        let target = match &parsed {
            Ok(request) => &request.target,
            Err(AuthorizeRefusal::Sent(_, target)) => &**target,
            Err(AuthorizeRefusal::Shown(_)) => return Ok(()),
        };
        prop_assert_eq!(target.redirect_uri(), CALLBACK);
        match common::carried(target, &AuthorizationResponse::Failed) {
            Carried::Redirect(uri) => {
                let behind = uri.strip_prefix(CALLBACK).unwrap_or_default();
                prop_assert!(behind.starts_with(['?', '#']), "{}", uri);
            }
            Carried::Form { action, .. } => prop_assert_eq!(action, CALLBACK),
        }
        if let Ok(request) = &parsed {
            prop_assert!(request.scope.is_subset_of(&client().scope) && !request.scope.is_empty());
        }
    }

    #[test]
    fn every_state_comes_back_as_it_was_sent(state in "\\PC{1,200}") {
        let request = common::authorize(&[("state", &state)]).unwrap();
        let uri = common::encode(&request.target, &AuthorizationResponse::Code("c"));
        let query = uri.split_once('?').unwrap().1.to_owned();
        let read = params(&query);
        prop_assert_eq!(read.one("state"), Some(state.as_str()));
    }

    #[test]
    fn parameters_come_out_as_they_were_encoded(pairs in proptest::collection::btree_map("[^\0]{1,12}", "[^\0]{1,20}", 0..20)) {
        let list: Vec<_> = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let body = form(&list);
        let params = params(&body);
        for (name, value) in &pairs {
            prop_assert_eq!(params.one(name), Some(value.as_str()));
        }
        prop_assert_eq!(params.names().count(), pairs.len());
    }

    #[test]
    fn no_body_and_no_content_type_panics(body in proptest::collection::vec(any::<u8>(), 0..300), kind in any::<String>()) {
        let _ = Params::from_form(Some(&kind), &body);
        let read = Params::from_form(Some("application/x-www-form-urlencoded"), &body);
        if let Ok(params) = read {
            prop_assert!(params.names().all(|name| params.one(name).is_some_and(|value| !value.is_empty())));
        }
    }

    #[test]
    fn no_request_panics(query in queries()) {
        let _ = Params::from_query(Some(&query));
    }

    #[test]
    fn no_uri_panics_and_a_registered_one_admits_itself(text in uris(), other in uris()) {
        let _ = host_of(&text);
        for application in [ApplicationType::Web, ApplicationType::Native] {
            if let Ok(uri) = RedirectUri::parse(&text, application) {
                prop_assert!(uri.admits(&text, application));
                prop_assert!(uri.as_str() == text && !uri.host().contains('@'));
                if uri.admits(&other, ApplicationType::Web) {
                    prop_assert_eq!(&other, &text);
                }
                if uri.admits(&other, ApplicationType::Native) {
                    prop_assert_eq!(host_of(&other), host_of(&text));
                }
            }
        }
    }

    #[test]
    fn no_issuer_panics_and_one_that_is_read_goes_together_again(text in uris()) {
        if let Some(issuer) = Issuer::parse(&text) {
            let scheme = if issuer.is_https() { "https://" } else { "http://" };
            prop_assert_eq!(format!("{scheme}{}{}", issuer.authority(), issuer.path()), text);
        }
    }

    #[test]
    fn no_claims_parameter_panics(text in any::<String>(), depth in 0_usize..200) {
        let _ = ClaimsRequest::parse(&text);
        let deep = format!("{{\"id_token\":{}{}}}", "{\"sub\":".repeat(depth), "}".repeat(depth));
        let _ = ClaimsRequest::parse(&deep);
    }

    #[test]
    fn no_authorization_header_panics(header in any::<String>(), bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
        let none = Params::default();
        let _ = Presented::read(Some(&header), &none, &mut Trail::off());
        let encoded = base64::engine::general_purpose::STANDARD.encode(&bytes);
        let _ = Presented::read(Some(&format!("Basic {encoded}")), &none, &mut Trail::off());
        let _ = Presented::read(Some(&format!("Basic {header}")), &none, &mut Trail::off());
    }

    #[test]
    fn every_basic_credential_is_read_as_it_was_encoded(id in "[ -~]{1,40}", secret in "\\PC{0,40}") {
        let encode = |text: &str| form(&[(text, "")]).trim_end_matches('=').to_owned();
        let text = format!("{}:{}", encode(&id), encode(&secret));
        let header = format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(text));
        let none = Params::default();
        let presented = Presented::read(Some(&header), &none, &mut Trail::off()).unwrap();
        prop_assert_eq!(presented.client_id(), id);
        prop_assert_eq!(presented.secret(), Some(secret.as_bytes()));
    }
}

thread_local! {
    /// Made once: RSA keys take their time.
    static RING: std::rc::Rc<issue::KeyRing> = std::rc::Rc::new(key_ring());
}
