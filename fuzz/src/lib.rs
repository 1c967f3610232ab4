//! One function a target: whatever comes in, no panic; and what is accepted is read the same by an independent reader.
//!
//! `fuzz_targets/` holds a shell for each, `seeds/` what to begin with, `smoke` runs them all for a few seconds.

mod known;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jeton::config::{Config, Sources};
use jeton_protocol::authorize::request::{
    Arrival, AuthorizationRequest, AuthorizeRefusal, Circumstances,
};
use jeton_protocol::authorize::request_object::KeysElsewhere;
use jeton_protocol::authorize::response::{AuthorizationResponse, Carried};
use jeton_protocol::claims::ClaimsRequest;
use jeton_protocol::client::ApplicationType;
use jeton_protocol::client_auth::Presented;
use jeton_protocol::params::Params;
use jeton_protocol::redirect_uri::RedirectUri;
use jeton_protocol::refusal::Trail;
use jeton_protocol::scope::Scope;
use jeton_token::{
    Entropy, HandleKind, Jws, KeySet, PublicJwk, RowId, at_jwt, base64url, dpop, json, key_set,
    target_uri,
};
use serde_json::Value;
use url::Url;

const FORM: &str = "application/x-www-form-urlencoded";

/// Forms and queries: what is accepted, `form_urlencoded` reads alike. (RFC 6749 appendix B)
pub fn form(data: &[u8]) {
    let read = Params::from_form(Some(FORM), data);
    let Ok(params) = &read else { return };
    let theirs: Vec<(String, String)> = url::form_urlencoded::parse(data)
        .into_owned()
        .filter(|(_, value)| !value.is_empty())
        .collect();
    let names: Vec<&str> = params.names().collect();
    let their_names: Vec<&str> = theirs.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, their_names);
    for name in names.iter().collect::<BTreeSet<_>>() {
        let ours: Vec<&str> = params.all(name).collect();
        let same = |(its, value): &'_ (String, String)| (its == name).then(|| value.clone());
        assert_eq!(ours, theirs.iter().filter_map(same).collect::<Vec<_>>());
        let may_repeat = ["resource", "audience"].contains(name);
        assert!(may_repeat || ours.len() == 1, "{name} twice");
    }
    let mut printed = url::form_urlencoded::Serializer::new(String::new());
    let printed = printed.extend_pairs(&theirs).finish();
    let again = Params::from_query(Some(&printed)).expect("what was printed is read again");
    assert_eq!(names, again.names().collect::<Vec<_>>());
}

/// The registered redirection URI on the first line, the requested one behind it.
///
/// A browser must go where the check thought it would: `url` reads URIs as browsers do. (SEC-R03, RFC 8252 §7.3)
pub fn redirect_uri(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let (registered, requested) = text.split_once('\n').unwrap_or((text, text));
    for application in [ApplicationType::Web, ApplicationType::Native] {
        let Ok(uri) = RedirectUri::parse(registered, application) else {
            continue;
        };
        assert_eq!(uri.as_str(), registered);
        assert!(uri.admits(registered, application));
        let Ok(seen) = Url::parse(registered) else {
            continue;
        };
        assert_eq!(seen.fragment(), None);
        if matches!(seen.scheme(), "http" | "https") {
            assert!(seen.username().is_empty() && seen.password().is_none());
            if let Some(url::Host::Domain(host)) = seen.host() {
                assert_eq!(host, uri.host(), "a person would be shown another host");
            }
        }
        if seen.scheme() == "http" {
            assert!(is_loopback(&seen), "plain http leaves the machine: {seen}");
        }
        if uri.admits(requested, application) && requested != registered {
            assert_eq!(application, ApplicationType::Native);
            let mut went = Url::parse(requested).expect("an admitted URI is one");
            assert!(is_loopback(&seen) && is_loopback(&went));
            let _ = went.set_port(seen.port());
            assert_eq!(went, seen, "more than the port differs");
        }
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

/// Signed tokens, against keys whose only honest signatures are known: a proof of anything else is a forgery.
pub fn jws(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let Ok(parsed) = Jws::parse(text) else { return };
    let header = text.split('.').next().unwrap_or_default();
    let header: Value = serde_json::from_slice(&base64url::decode(header).expect("was read"))
        .expect("another reader reads the header too");
    assert_eq!(
        Some(&header),
        Some(&Value::Object(parsed.raw_header().clone()))
    );
    assert_ne!(header["alg"], "none");
    let _ = parsed.unverified_claims();
    for (key, honest) in known::signatures() {
        if let Ok(proven) = parsed.verify(key) {
            let signed = text.rsplit_once('.').map(|(signed, _)| signed);
            assert_eq!(signed, Some(*honest), "a forged signature was proven");
            if let Ok(claims) = proven.claims() {
                let _ = at_jwt::read(&claims);
                let _ = (claims.time("exp"), claims.audience(), claims.text("iss"));
            }
        }
    }
}

/// DPoP proofs, against the only two whose key's holder ever signed one. (RFC 9449 §4.1, §7.1)
pub fn dpop(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    for (url, method) in [
        ("https://server.example.com/token", "POST"),
        ("https://resource.example.org/protectedresource", "GET"),
    ] {
        let request = dpop::Request {
            method,
            url,
            access_token: None,
        };
        if dpop::Proof::verify(text, &request).is_ok() {
            let signed = text.rsplit_once('.').map(|(signed, _)| signed);
            let honest = known::proofs().map(|proof| proof.rsplit_once('.').map(|(its, _)| its));
            assert!(honest.contains(&signed), "a forged proof was believed");
        }
    }
}

/// Addresses: what is normalised, `url` reads alike; and a normal form is its own. (RFC 3986 §6.2.2)
pub fn target_uri(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let Some(normal) = target_uri::normalized(text) else {
        return;
    };
    assert_eq!(target_uri::normalized(&normal), Some(normal.clone()));
    let Ok(seen) = Url::parse(text) else { return };
    // `url` keeps a segment such as `x:` before `..` under any scheme, as if it were a drive.
    let is_drive = |segment: &str| segment.len() == 2 && segment.ends_with([':', '|']);
    if matches!(seen.host(), Some(url::Host::Domain(_))) && !text.split(['/', '\\']).any(is_drive) {
        assert_eq!(target_uri::normalized(seen.as_str()), Some(normal));
    }
}

/// Key sets of clients and of strangers. (RFC 7517 §5)
pub fn key_set(data: &[u8]) {
    let foreign = KeySet::parse_foreign(data);
    if let Ok(own) = KeySet::parse(data) {
        assert_eq!(
            Ok(&own),
            foreign.as_ref(),
            "a good set reads the same for both"
        );
    }
    let Ok(set) = foreign else { return };
    assert!(set.keys().len() <= key_set::MAX_KEYS);
    for key in set.keys() {
        let published = key.to_json();
        for private in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
            assert!(!published.contains_key(private), "{private} was published");
        }
        let again = PublicJwk::parse(&published).expect("a published key is one");
        assert_eq!(key.thumbprint(), again.thumbprint());
    }
}

/// Strict JSON: what is accepted, `serde_json` reads alike.
pub fn strict_json(data: &[u8]) {
    let Ok(object) = json::parse_object(data, 64 * 1024) else {
        return;
    };
    assert!(data.len() <= 64 * 1024);
    let theirs: Value = serde_json::from_slice(data).expect("another reader reads it too");
    assert_eq!(Value::Object(object.clone()), theirs);
    let printed = serde_json::to_vec(&object).expect("it can be printed");
    if printed.len() <= 64 * 1024 {
        // Only that: `serde_json` may be off by the last bit when it reads a fraction again.
        assert!(json::parse_object(&printed, 64 * 1024).is_ok());
    }
}

/// Handles: whatever opens is exactly what was made. (SEC-036)
pub fn handle(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let _ = text.parse::<RowId>();
    let keys = known::handle_keys();
    for kind in HandleKind::ALL {
        for tenant in ["default", "other"] {
            let Ok(opened) = keys.open(tenant, kind, text) else {
                continue;
            };
            assert_eq!(tenant, "default", "a handle crossed to another tenant");
            assert_eq!(HandleKind::claimed_by(text), Some(kind));
            let made = keys.seal(tenant, kind, opened.row, opened.generation);
            assert_eq!(made, text, "two texts open as one handle");
            assert!(
                known::handles().contains(&made),
                "a forged handle was opened"
            );
        }
    }
}

/// Opaque access tokens: nothing opens but what was sealed; and the facts inside survive being sealed again.
pub fn sealed(data: &[u8]) {
    let keys = known::seal_keys();
    if let Ok(text) = std::str::from_utf8(data)
        && let Ok(facts) = keys.open("default", text)
    {
        assert_eq!(text, known::sealed_token(), "a forged token was opened");
        assert!(keys.open("other", text).is_err());
        let again = keys
            .seal("default", &facts.borrowed(), &mut Entropy::seeded(7))
            .expect("opened facts can be sealed");
        assert_eq!(keys.open("default", &again), Ok(facts));
    }
}

/// The `Authorization` header of a client, against a reading by other means. (RFC 6749 §2.3.1)
pub fn basic(data: &[u8]) {
    let Ok(header) = std::str::from_utf8(data) else {
        return;
    };
    let params = Params::default();
    let Ok(presented) = Presented::read(Some(header), &params, &mut Trail::off()) else {
        return;
    };
    let Presented::Basic { id, secret, .. } = &presented else {
        panic!("a header became something else");
    };
    let encoded = header.split_once(' ').expect("a scheme").1.trim();
    let text = String::from_utf8(STANDARD.decode(encoded).expect("base64")).expect("UTF-8");
    let (raw_id, raw_secret) = text.split_once(':').expect("a colon");
    assert_eq!(*id, decoded(raw_id));
    assert_eq!(secret.expose(), decoded(raw_secret).as_bytes());
    assert!(!id.is_empty() && presented.used_header());
    let _ = presented.parsed_client_id();
}

/// Form-decodes one component; the other reader is led around `&` and `=`, which stand for themselves here.
fn decoded(component: &str) -> String {
    let pair = component.replace('&', "%26").replace('=', "%3D");
    url::form_urlencoded::parse(format!("x={pair}").as_bytes())
        .map(|(_, value)| value.into_owned())
        .collect()
}

/// The `claims` parameter. (OpenID Connect Core §5.5)
pub fn claims(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let Some(asked) = ClaimsRequest::parse(text) else {
        return;
    };
    let object: Value = serde_json::from_str(text).expect("another reader reads it too");
    for (place, names) in [("userinfo", &asked.userinfo), ("id_token", &asked.id_token)] {
        let theirs = object[place].as_object();
        let theirs: BTreeSet<&String> = theirs.into_iter().flat_map(|asked| asked.keys()).collect();
        assert_eq!(names.iter().collect::<BTreeSet<_>>(), theirs);
    }
    let stored = serde_json::to_string(&asked).expect("it can be stored");
    assert_eq!(
        serde_json::from_str::<ClaimsRequest>(&stored).ok(),
        Some(asked)
    );
}

/// `scope`: parse ∘ print is identity, and no order or repetition counts. (RFC 6749 §3.3)
pub fn scope(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let Ok(scope) = Scope::parse(text) else {
        return;
    };
    let printed = scope.to_string();
    assert_eq!(
        Scope::parse(&printed).as_ref().map(Scope::to_string),
        Ok(printed)
    );
    let theirs: BTreeSet<&str> = text.split(' ').filter(|value| !value.is_empty()).collect();
    assert_eq!(scope.iter().collect::<BTreeSet<_>>(), theirs);
    assert!(scope.is_subset_of(&scope) && scope.without(&scope).is_empty());
}

/// Authorization requests: a refusal is sent to registered places only, and nothing but registered scope gets through.
pub fn authorize(data: &[u8]) {
    let Ok(params) = Params::from_form(Some(FORM), data) else {
        return;
    };
    let (client, tenant) = (known::client(), known::tenant());
    let judged = Circumstances {
        elsewhere: &KeysElsewhere::None,
        client,
        tenant,
        arrival: Arrival::Browser,
        now: known::NOW,
    };
    let target = match AuthorizationRequest::parse(&params, judged, |_| None, &mut Trail::watched())
    {
        Ok(request) => {
            assert!(request.scope.is_subset_of(&client.scope), "scope grew");
            assert_eq!(request.code_challenge.len(), 43);
            request.target
        }
        Err(AuthorizeRefusal::Sent(_, target)) => *target,
        Err(AuthorizeRefusal::Shown(_)) => return,
    };
    let admits = |uri: &RedirectUri| uri.admits(target.redirect_uri(), client.application_type);
    assert!(
        client.redirect_uris.iter().any(admits),
        "sent to an unregistered URI"
    );
    let response = AuthorizationResponse::Code("jtc_x");
    let carried = target.encode(&response, &tenant.issuer, (known::ring(), known::NOW));
    let sent = match carried.expect("there is a key") {
        Carried::Form { action, .. } => {
            assert_eq!(action, target.redirect_uri());
            return;
        }
        Carried::Redirect(sent) if sent.contains("response=ey") => return,
        Carried::Redirect(sent) => sent.replacen('#', "?", 1),
    };
    let sent = Url::parse(&sent).expect("a response is a URI");
    let expected = Url::parse(target.redirect_uri()).expect("a registered URI is one");
    let place = |url: &Url| {
        (
            url.scheme().to_owned(),
            url.authority().to_owned(),
            url.path().to_owned(),
        )
    };
    assert_eq!(place(&sent), place(&expected));
    let find = |name: &str| {
        sent.query_pairs()
            .find(|(its, _)| its == name)
            .map(|(_, value)| value.into_owned())
    };
    assert_eq!(find("iss").as_deref(), Some(tenant.issuer.as_str()));
    assert_eq!(find("state").as_deref(), target.state());
}

/// The configuration file: read, or refused with problems that name their place and keep secrets to themselves.
pub fn config(data: &[u8]) {
    static FILE: LazyLock<PathBuf> = LazyLock::new(|| {
        let name = format!("jeton-fuzz-{}.toml", std::process::id());
        std::env::temp_dir().join(name)
    });
    std::fs::write(&*FILE, data).expect("the file can be written");
    let sources = Sources {
        file: Some(FILE.clone()),
        ..Sources::default()
    };
    let loaded = Config::load(&sources);
    let again = Config::load(&sources);
    match (&loaded, &again) {
        (Ok(config), Ok(_)) => assert!(!config.explained().is_empty()),
        (Err(problems), Err(same)) => {
            assert!(!problems.is_empty(), "refused without a reason");
            let texts =
                |problems: &[_]| problems.iter().map(ToString::to_string).collect::<Vec<_>>();
            assert_eq!(texts(problems), texts(same));
            assert!(texts(problems).iter().all(|text| !text.trim().is_empty()));
        }
        (Ok(_), Err(_)) | (Err(_), Ok(_)) => panic!("the same file was read differently"),
    }
    let _ = std::fs::remove_file(&*FILE);
}
