//! Promises about changing what exists: nothing is lost by editing what was shown, and nothing by being late.

use serde_json::{Value as Json, json};

use crate::Installation;

const KEY: &str = r#"{"keys":[{"kty":"EC","crv":"P-256","kid":"one",
    "x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}"#;

/// A client with a value for every member that has one.
fn add_full(at: &Installation) -> Json {
    let mut full = json!({
        "client_id": "full", "client_name": "Full", "token_endpoint_auth_method": "client_secret_jwt",
        "token_endpoint_auth_signing_alg": "HS384",
        "redirect_uris": ["https://a.example/cb"], "post_logout_redirect_uris": ["https://a.example/bye"],
        "grant_types": ["authorization_code", "refresh_token", "client_credentials"],
        "response_types": ["code"], "subject_type": "public", "application_type": "web",
        "scope": "openid email", "audience": ["https://api.example"], "introspects": ["https://api.example"],
        "allowed_origins": ["https://a.example"], "access_token_format": "jwt",
        "access_token_signed_response_alg": "ES256", "access_token_lifetime": "5m",
        "refresh_token_rotation": "each", "id_token_signed_response_alg": "ES256", "default_max_age": 3600,
        "first_party": true, "client_uri": "https://a.example/", "logo_uri": "https://a.example/logo.png",
        "policy_uri": "https://a.example/policy#privacy", "tos_uri": "https://a.example/terms",
        "contacts": ["ops@a.example"],
    });
    full["jwks"] = serde_json::from_str(KEY).expect("keys");
    at.write("full.json", &full);
    let added = at.good("client add --file full.json");
    for (name, value) in full.as_object().expect("members") {
        if !["response_types", "subject_type", "jwks"].contains(&name.as_str()) {
            assert_eq!(added[name], *value, "{name} is honoured");
        }
    }
    assert_eq!(added["jwks"]["keys"][0]["kid"], "one");
    added
}

impl Installation {
    fn write(&self, name: &str, value: &Json) {
        std::fs::write(self.path(name), value.to_string()).expect("a file");
    }
}

// SEC-R12, SEC-232
#[test]
fn what_show_prints_can_be_given_back_and_nothing_is_lost() {
    let at = Installation::new();
    add_full(&at);
    let mut shown = at.good("client show full");
    at.write("f.json", &shown);
    let mut again = at.good("client change full --file f.json");
    assert!(
        again["client_secret"].is_null(),
        "the secret stays: {again}"
    );
    for version in [&mut shown, &mut again] {
        version
            .as_object_mut()
            .expect("members")
            .remove("changed_at");
    }
    assert_eq!(again, shown);
}

// SEC-R12
#[test]
fn a_member_left_out_of_the_file_is_told_and_null_takes_it_away() {
    let at = Installation::new();
    add_full(&at);
    let shown = at.good("client show full");
    for name in [
        "first_party",
        "token_endpoint_auth_signing_alg",
        "jwks",
        "redirect_uris",
        "scope",
    ] {
        let mut file = shown.clone();
        file.as_object_mut().expect("members").remove(name);
        at.write("f.json", &file);
        let told = at.refused("client change full --file f.json", 2);
        assert!(
            told.contains(&format!("{name} is not in the file")),
            "{told}"
        );
    }
    let mut file = shown.clone();
    file["first_party"] = Json::Null;
    file["logo_uri"] = Json::Null;
    file["allowed_origins"] = json!([]);
    at.write("f.json", &file);
    let changed = at.good("client change full --file f.json");
    assert_eq!(changed["first_party"], false);
    assert!(changed["logo_uri"].is_null() && changed["allowed_origins"].is_null());
}

// SEC-244
#[test]
fn a_file_from_before_somebody_elses_change_is_refused() {
    let at = Installation::new();
    at.good("client add --id a --redirect-uri https://a.example/cb");
    let mut mine = at.good("client show a");
    at.good("client change a --name Theirs");
    mine["client_name"] = "Mine".into();
    at.write("mine.json", &mine);
    let told = at.refused("client change a --file mine.json", 1);
    assert!(
        told.contains("changed after the file was written"),
        "{told}"
    );
    assert_eq!(at.good("client show a")["client_name"], "Theirs");
    at.good("client disable a");
    let shown = at.good("client show a");
    at.good("client enable a");
    at.write("mine.json", &shown);
    assert!(
        at.refused("client change a --file mine.json", 1)
            .contains("changed after")
    );
    let mut without = at.good("client show a");
    without
        .as_object_mut()
        .expect("members")
        .remove("changed_at");
    at.write("mine.json", &without);
    assert!(
        at.refused("client change a --file mine.json", 2)
            .contains("client show a --json")
    );
}

#[test]
fn what_jeton_makes_cannot_be_changed_by_a_file() {
    let at = Installation::new();
    at.good("client add --id a");
    at.good("client add --id b");
    let shown = at.good("client show a");
    for (name, value) in [
        ("client_id", json!("b")),
        ("client_id_issued_at", json!(1)),
        ("disabled", json!(true)),
        ("owner", json!("demo")),
    ] {
        let mut file = shown.clone();
        file[name] = value;
        at.write("f.json", &file);
        let told = at.refused("client change a --file f.json", 2);
        assert!(
            told.contains(&format!("{name} cannot be changed")),
            "{told}"
        );
    }
    for name in [
        "client_secret",
        "secret",
        "registration_access_token",
        "jwks_uri",
    ] {
        let mut file = shown.clone();
        file[name] = "x".into();
        at.write("f.json", &file);
        assert!(
            at.refused("client change a --file f.json", 2)
                .contains(name)
        );
    }
    assert_eq!(at.good("client list").as_array().map(Vec::len), Some(2));
}

#[test]
fn an_option_replaces_what_it_names_and_leaves_the_rest() {
    let at = Installation::new();
    let before = add_full(&at);
    let changed = at.good(
        "client change full --name New --redirect-uri https://b.example/cb --first-party=false --token-lifetime 900s --clear tos_uri",
    );
    assert_eq!(changed["client_name"], "New");
    assert_eq!(changed["redirect_uris"], json!(["https://b.example/cb"]));
    assert_eq!(changed["first_party"], false);
    assert_eq!(
        changed["access_token_lifetime"], "15m",
        "shown as it is written"
    );
    assert!(changed["tos_uri"].is_null() && changed["client_secret"].is_null());
    for name in [
        "scope",
        "jwks",
        "token_endpoint_auth_signing_alg",
        "introspects",
        "client_id_issued_at",
    ] {
        assert_eq!(changed[name], before[name], "{name}");
    }
}

#[test]
fn an_option_that_makes_no_sense_is_refused_by_name_and_nothing_is_changed() {
    let at = Installation::new();
    add_full(&at);
    assert!(
        at.refused("client change full", 2)
            .contains("nothing to change")
    );
    let told = at.refused("client change full --clear logo_url", 2);
    assert!(told.contains("did you mean logo_uri?"), "{told}");
    assert!(
        at.refused("client change full --clear disabled", 2)
            .contains("cannot be changed")
    );
    let told = at.refused(
        "client change full --clear tos_uri --tos-uri https://a.example/",
        2,
    );
    assert!(told.contains("both set and cleared"), "{told}");
    assert!(
        at.refused("client change nobody --name x", 1)
            .contains("no client called nobody")
    );
    for (wrong, told) in [
        (
            "--grant-type client_credentials --auth none --clear token_endpoint_auth_signing_alg",
            "prove itself",
        ),
        (
            "--auth client_secret_basic",
            "token_endpoint_auth_signing_alg",
        ),
        (
            "--application-type native --redirect-uri com.example.app:/cb --application-type web",
            "cannot be used",
        ),
        ("--token-lifetime 25h", "10s to 24h"),
        ("--token-lifetime 900", "one of s, m, h, d"),
        ("--rotation sometimes", "each, never"),
    ] {
        let error = at.refused(&format!("client change full {wrong}"), 2);
        assert!(error.contains(told), "{wrong}: {error}");
    }
    at.good("client add --id app --application-type native --auth none --redirect-uri com.example.app:/cb");
    let told = at.refused("client change app --application-type web", 2);
    assert!(told.contains("native client"), "{told}");
    let still = at.good("client show full");
    assert_eq!(still["token_endpoint_auth_method"], "client_secret_jwt");
}

// SEC-411, SEC-412
#[test]
fn another_method_gets_the_secret_it_needs_and_the_same_kind_keeps_it() {
    let at = Installation::new();
    at.good("client add --id a --redirect-uri https://a.example/cb");
    assert!(at.good("client change a --auth client_secret_post")["client_secret"].is_null());
    let sealed = at.good("client change a --auth client_secret_jwt");
    assert_eq!(sealed["client_secret"].as_str().map(str::len), Some(43));
    let public = at.good("client change a --auth none");
    assert!(public["client_secret"].is_null());
    assert!(at.refused("client secret a", 1).contains("has no secret"));
    let again = at.good("client change a --auth client_secret_basic");
    assert_ne!(again["client_secret"], sealed["client_secret"]);
    assert_eq!(again["client_secret"].as_str().map(str::len), Some(43));
}

#[test]
fn every_member_of_a_file_is_honoured_or_named() {
    let at = Installation::new();
    let cases = [
        ("client_secret", json!("x"), "secrets are made by Jeton"),
        (
            "client_secret_expires_at",
            json!(0),
            "secrets are made by Jeton",
        ),
        (
            "jwks_uri",
            json!("http://a.example/jwks"),
            "jwks_uri is \"http://a.example/jwks\": ",
        ),
        (
            "backchannel_logout_uri",
            json!("https://a.example/"),
            "backchannel_logout_uri is not supported yet",
        ),
        ("client_name#fr", json!("Photos"), "several languages"),
        (
            "redirect_uri",
            json!("https://a.example/"),
            "did you mean redirect_uris?",
        ),
        ("clientname", json!("x"), "did you mean client_name?"),
        ("something", json!(1), "unknown member something"),
        ("changed_at", json!("x"), "changed_at is made by Jeton"),
        ("client_name", json!(7), "client_name is 7"),
        ("redirect_uris", json!("https://a.example/"), "write a list"),
        ("first_party", json!("yes"), "true or false"),
        ("default_max_age", json!("1h"), "number of seconds"),
        ("response_types", json!(["token"]), "allowed: code"),
        ("response_types", json!(["code"]), "can only be []"),
        ("subject_type", json!("pairwise"), "allowed: public"),
        ("jwks", json!([]), "no key set"),
        ("client_id", json!(7), "client_id"),
    ];
    for (name, value, told) in cases {
        at.write("r.json", &json!({name: value}));
        let error = at.refused("client add --file r.json", 2);
        assert!(error.contains(told), "{name}: {error}");
    }
    std::fs::write(at.path("r.json"), r#"{"scope": "a", "scope": "b"}"#).expect("a file");
    assert!(at.refused("client add --file r.json", 2).contains("r.json"));
    at.write("r.json", &json!({}));
    for beside in ["--id a", "--name A", "--first-party", "--scope x"] {
        let error = at.refused(&format!("client add --file r.json {beside}"), 2);
        let option = beside.split(' ').next().expect("an option");
        assert!(
            error.contains(option) && error.contains("--file"),
            "{error}"
        );
    }
    assert_eq!(at.good("client list"), json!([]));
}

// SEC-004
#[test]
fn no_member_takes_an_address_that_a_browser_would_run() {
    let at = Installation::new();
    let schemes = [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "blob:x",
        "file:///etc/passwd",
    ];
    let one = [
        "client_uri",
        "logo_uri",
        "policy_uri",
        "tos_uri",
        "jwks_uri",
        "initiate_login_uri",
        "sector_identifier_uri",
        "frontchannel_logout_uri",
        "backchannel_logout_uri",
    ];
    let many = [
        "redirect_uris",
        "post_logout_redirect_uris",
        "request_uris",
        "audience",
        "introspects",
        "allowed_origins",
    ];
    at.good("client add --id there");
    for bad in schemes {
        let members = one.map(|name| (name, json!(bad))).into_iter();
        for (name, value) in members.chain(many.map(|name| (name, json!([bad])))) {
            at.write("r.json", &json!({name: value}));
            let error = at.refused("client add --file r.json", 2);
            assert!(error.contains(name), "{name} {bad}: {error}");
            let mut file = at.good("client show there");
            file[name] = value;
            at.write("r.json", &file);
            let error = at.refused("client change there --file r.json", 2);
            assert!(error.contains(name), "{name} {bad}: {error}");
        }
    }
    at.write("r.json", &json!({"logo_uri": "java\nscript:alert(1)"}));
    at.refused("client add --file r.json", 2);
    at.write("r.json", &json!({"audience": [" java\tscript:alert(1)"]}));
    at.refused("client add --file r.json", 2);
    assert_eq!(at.good("client list").as_array().map(Vec::len), Some(1));
}

// SEC-462
#[test]
fn a_wildcard_is_refused_wherever_it_stands_and_the_message_says_why() {
    let at = Installation::new();
    for uri in [
        "https://*.a.example/cb",
        "https://a.example/*",
        "https://a.example/cb?x=*",
    ] {
        let told = at.refused(&format!("client add --redirect-uri {uri}"), 2);
        assert!(
            told.contains("wildcards are never accepted, because"),
            "{told}"
        );
    }
}

#[test]
fn a_user_is_changed_by_name_and_what_is_not_named_stays() {
    let at = Installation::new();
    let line = "user add alice --email a@example.org --email-verified --name Alice --locale fr";
    assert_eq!(at.run_with_input(line, "a good password").code, 0);
    let before = at.good("user show alice");
    let changed = at.good("user change alice --username Alicia --email b@example.org --claim phone_number=+33123 --remove locale --admin");
    assert_eq!(
        (&changed["username"], &changed["preferred_username"]),
        (&"alicia".into(), &"Alicia".into())
    );
    assert_eq!(
        (&changed["email"], &changed["email_verified"]),
        (&"b@example.org".into(), &false.into())
    );
    assert_eq!(
        (&changed["sub"], &changed["name"]),
        (&before["sub"], &before["name"])
    );
    assert_eq!(
        (&changed["phone_number"], &changed["admin"]),
        (&"+33123".into(), &true.into())
    );
    assert!(changed["locale"].is_null() && changed["changed_at"] != before["changed_at"]);
    let verified = at.good("user change alicia --email-verified --admin=false");
    assert_eq!(
        (&verified["email_verified"], &verified["admin"]),
        (&true.into(), &false.into())
    );
    let gone = at.good("user change alicia --remove email");
    assert!(gone["email"].is_null() && gone["email_verified"].is_null());
    assert_eq!(at.run_with_input("user add bob", "a good password").code, 0);
    assert!(
        at.refused("user change bob --username ALICIA", 1)
            .contains("another user is called alicia")
    );
    for (wrong, told) in [
        ("", "nothing to change"),
        ("--email nobody", "write an address"),
        ("--email-verified", "there is no --email"),
        ("--claim nick=x", "unknown claim nick"),
        ("--claim nickname", "NAME=VALUE"),
        ("--claim updated_at=1", "unknown claim updated_at"),
        ("--claim phone_number_verified=maybe", "true or false"),
        ("--claim website=javascript:alert(1)", "browser"),
        ("--remove emial", "did you mean email?"),
        ("--username \"a b\"", "no blanks"),
    ] {
        let error = at.refused(&format!("user change bob {wrong}"), 2);
        assert!(error.contains(told), "{wrong}: {error}");
    }
    assert!(
        at.refused("user change carol --name C", 1)
            .contains("no user called carol")
    );
}

#[test]
fn nothing_is_deleted_without_being_asked_for_twice() {
    let at = Installation::new();
    at.good("client add --id a");
    assert_eq!(
        at.run_with_input("user add alice", "a good password").code,
        0
    );
    for line in ["client delete a", "user delete alice"] {
        let told = at.refused(line, 2);
        assert!(told.contains("add --yes"), "{told}");
        let piped = at.run_with_input(line, "yes\n");
        assert_eq!(piped.code, 2, "an answer counts at a terminal only");
    }
    at.good("client show a");
    at.good("client delete a --yes");
    at.good("user delete alice --yes");
}
