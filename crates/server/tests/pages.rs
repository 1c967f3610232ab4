//! What the pages promise, whoever fills them.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use jeton::pages::*;

/// Text that would do harm in every place HTML has, if it came out as it went in.
const POLYGLOT: &str = r#"jaVasCript:/*-/*`/*\`/*'/*"/**/(onclick=alert() )//</stYle/</titLe/</teXtarEa/</scRipt/--!><sVg/onload=alert()//>{{7*7}}{% raw %}"#;

fn web(url: &str) -> WebUrl<'_> {
    WebUrl::parse(url).expect("a web address")
}

fn look(text: &str) -> Look<'_> {
    Look {
        name: text,
        host: text,
        logo: Some("/assets/favicon.svg"),
        stylesheet: Some("/theme.css"),
    }
}

fn asking(text: &str) -> Asking<'_> {
    Asking {
        name: text,
        logo: None,
        client_uri: Some(web("https://client.example/?a=1&b=2")),
        policy_uri: Some(web("https://client.example/policy")),
        tos_uri: Some(web("https://client.example/terms")),
        trust: Trust::Unverified,
        destination: Destination {
            host: text,
            kind: DestinationKind::Loopback,
        },
    }
}

fn sign_in(text: &str) -> SignIn<'_> {
    SignIn {
        look: look(text),
        client: Some(asking(text)),
        action: "/sign-in",
        interaction: text,
        csrf: text,
        username: text,
        why: Why::First,
        problem: None,
        demo_users: vec![DemoUser {
            username: text,
            password: text,
        }],
    }
}

fn consent(text: &str) -> Consent<'_> {
    let known = [
        "openid",
        "profile",
        "email",
        "phone",
        "address",
        "offline_access",
    ];
    let mut scopes: Vec<ScopeLine<'_>> = known
        .into_iter()
        .map(|scope| ScopeLine {
            scope,
            description: None,
            mandatory: scope == "openid",
        })
        .collect();
    scopes.push(ScopeLine {
        scope: text,
        description: None,
        mandatory: false,
    });
    scopes.push(ScopeLine {
        scope: text,
        description: Some(text),
        mandatory: false,
    });
    Consent {
        look: look(text),
        client: asking(text),
        action: "/consent",
        interaction: text,
        csrf: text,
        username: text,
        scopes,
        resources: vec![text],
    }
}

fn failure<'a>(cause: &'a str, text: &'a str) -> Failure<'a> {
    Failure {
        look: look(text),
        cause,
        request_id: text,
        explained: Some(Explained {
            clause: text,
            promise: text,
            expected: text,
            found: text,
            fix: text,
            trace: Some("/dev/trace/1"),
        }),
        onward: Some(Onward {
            url: web("https://client.example/cb?error=x&state=y"),
            host: text,
        }),
    }
}

fn step(text: &str, peer: Peer, way: Way, outcome: Outcome) -> TraceStep<'_> {
    let refusal = TraceRefusal {
        code: text,
        cause: text,
        clause: text,
        promise: text,
        expected: text,
        found: text,
        fix: text,
    };
    TraceStep {
        id: "0193",
        time: text,
        took: text,
        peer,
        way,
        method: text,
        path: text,
        what: text,
        status: 400,
        answer: text,
        outcome,
        checks: vec![TraceCheck {
            promise: text,
            clause: text,
        }],
        refusal: (outcome == Outcome::Refused).then_some(refusal),
    }
}

fn every_step(text: &str) -> Vec<TraceStep<'_>> {
    let mut steps = Vec::new();
    for peer in [Peer::Browser, Peer::Client, Peer::Api] {
        for way in [Way::In, Way::Out] {
            for outcome in [Outcome::Passed, Outcome::Refused, Outcome::Fault] {
                steps.push(step(text, peer, way, outcome));
            }
        }
    }
    steps
}

fn trace_list(text: &str) -> TraceList<'_> {
    let flow = TraceFlow {
        title: text,
        client: Some(text),
        started: text,
        steps: every_step(text),
    };
    TraceList {
        look: look(text),
        base: "/dev/trace",
        revision: text,
        flows: vec![flow],
    }
}

fn home(text: &str) -> Home<'_> {
    let client = HomeClient {
        client_id: text,
        about: text,
        command: text,
        start: Some(web("https://as.example/authorize?a=b&c=d")),
    };
    Home {
        look: look(text),
        issuer: web("https://as.example"),
        version: text,
        endpoints: vec![
            HomeEndpoint {
                member: "token_endpoint",
                url: web("https://as.example/token"),
            },
            HomeEndpoint {
                member: text,
                url: web("https://as.example/other"),
            },
        ],
        discovery: vec![web("https://as.example/.well-known/openid-configuration")],
        demo: Some(Demo {
            clients: vec![client],
            users: vec![DemoUser {
                username: text,
                password: text,
            }],
            trace: "/dev/trace",
        }),
    }
}

const CAUSES: [&str; 29] = [
    "request_uri_unknown",
    "request_uri_expired",
    "request_uri_used",
    "unknown_client",
    "client_id_missing",
    "client_unknown",
    "interaction_unknown",
    "interaction_of_another_browser",
    "form_from_elsewhere",
    "logout_hint_invalid",
    "redirect_uri_missing",
    "redirect_uri_mismatch",
    "redirect_uri_invalid",
    "invalid_request",
    "request_uri_invalid",
    "expired",
    "wrong_browser",
    "foreign_form",
    "framed",
    "throttled",
    "not_allowed",
    "sign_out",
    "not_found",
    "device_not_waiting",
    "unavailable",
    "server_error",
    "generic",
    "a cause without texts",
    POLYGLOT,
];

/// Every page in every state that changes what is drawn.
#[expect(clippy::too_many_lines, reason = "one of each")]
fn every_page(text: &str) -> Vec<Page<'_>> {
    let mut pages = every_sign_in(text);
    pages.extend(every_consent(text));
    pages.extend(every_failure(text));
    pages.extend(every_sign_out(text));
    pages.extend(every_device(text));
    pages.push(Page::Home(home(text)));
    pages.push(Page::Home(Home {
        demo: None,
        ..home(text)
    }));
    pages.push(Page::FormPost(FormPost {
        look: look(text),
        action: "https://client.example/cb?a=b&c=d",
        host: text,
        fields: vec![PostedField {
            name: "state",
            value: text,
        }],
        script: "document.forms[0].submit()",
    }));
    pages.extend([true, false].map(|too_short| {
        Page::AdminLink(AdminLink {
            look: look(text),
            action: "/admin/link",
            token: text,
            username: text,
            shortest: 12,
            too_short,
        })
    }));
    pages.push(Page::Rule(RulePage {
        look: look(text),
        error: text,
        told: text,
        rules: vec![RuleLine {
            cause: text,
            clause: text,
            promise: text,
            fix: text,
        }],
    }));
    pages.push(Page::TraceList(trace_list(text)));
    pages.push(Page::TraceList(TraceList {
        flows: vec![],
        ..trace_list(text)
    }));
    pages.extend(every_step(text).into_iter().map(|step| {
        Page::TraceDetail(TraceDetail {
            look: look(text),
            base: "/dev/trace",
            step,
            sent: vec![Pair {
                name: text,
                value: text,
            }],
            answered: vec![],
            before: Some("1"),
            after: Some("2"),
        })
    }));
    pages
}

fn every_sign_in(text: &str) -> Vec<Page<'_>> {
    use SignInProblem::{Expired, Throttled, WrongPassword};
    let mut pages = Vec::new();
    for why in [Why::First, Why::Again, Why::OtherUser] {
        for problem in [None, Some(WrongPassword), Some(Throttled), Some(Expired)] {
            pages.push(Page::SignIn(SignIn {
                why,
                problem,
                ..sign_in(text)
            }));
        }
    }
    pages.push(Page::SignIn(SignIn {
        username: "",
        demo_users: vec![],
        ..sign_in(text)
    }));
    pages
}

fn every_consent(text: &str) -> Vec<Page<'_>> {
    let mut pages = Vec::new();
    for kind in [
        DestinationKind::Web,
        DestinationKind::Loopback,
        DestinationKind::App,
    ] {
        for trust in [Trust::Known, Trust::Unverified] {
            let destination = Destination { host: text, kind };
            let client = Asking {
                trust,
                destination,
                ..asking(text)
            };
            pages.push(Page::Consent(Consent {
                client,
                ..consent(text)
            }));
        }
    }
    let quiet = Asking {
        logo: Some("/logo/1"),
        client_uri: None,
        policy_uri: None,
        tos_uri: None,
        ..asking(text)
    };
    let nothing = Consent {
        client: quiet,
        scopes: vec![],
        resources: vec![],
        ..consent(text)
    };
    pages.push(Page::Consent(nothing));
    pages
}

fn every_device(text: &str) -> Vec<Page<'_>> {
    let mut pages = Vec::new();
    for (offered, wrong) in [(None, false), (None, true), (Some(text), false)] {
        pages.push(Page::UserCode(UserCodePage {
            look: look(text),
            action: "/device/code",
            interaction: text,
            csrf: text,
            username: text,
            sign_out: "/end-session",
            offered,
            wrong,
        }));
    }
    for (same_network, minutes) in [(true, 0), (false, 1), (true, 9)] {
        pages.push(Page::DeviceConfirm(DeviceConfirm {
            look: look(text),
            client: text,
            action: "/device/confirm",
            interaction: text,
            csrf: text,
            username: text,
            scopes: consent(text).scopes,
            resources: vec![text],
            address: text,
            same_network,
            time: "14:05 UTC",
            minutes,
        }));
    }
    for outcome in [
        DeviceOutcome::Approved,
        DeviceOutcome::Denied,
        DeviceOutcome::Left,
    ] {
        let client = (outcome != DeviceOutcome::Left).then_some(text);
        pages.push(Page::DeviceDone(DeviceDone {
            look: look(text),
            outcome,
            client,
        }));
    }
    pages.push(Page::SignIn(SignIn {
        client: None,
        ..sign_in(text)
    }));
    pages
}

fn every_failure(text: &str) -> Vec<Page<'_>> {
    let mut pages = Vec::new();
    for cause in CAUSES {
        pages.push(Page::Failure(failure(cause, text)));
        let short = Failure {
            explained: None,
            onward: None,
            ..failure(cause, text)
        };
        pages.push(Page::Failure(Failure {
            look: Look::default(),
            ..short
        }));
    }
    pages
}

fn every_sign_out(text: &str) -> Vec<Page<'_>> {
    let mut pages = Vec::new();
    for client in [None, Some(text)] {
        for ended in [true, false] {
            for back in [None, Some(web("https://client.example/"))] {
                let page = SignedOut {
                    look: look(text),
                    ended,
                    client,
                    back,
                };
                pages.push(Page::SignedOut(page));
            }
        }
        pages.push(Page::SignOutQuestion(SignOutQuestion {
            look: look(text),
            action: "/sign-out",
            csrf: text,
            interaction: text,
            username: text,
            client,
        }));
    }
    pages
}

fn drawn(page: &Page<'_>, locale: Locale) -> String {
    let pages = Pages::new().expect("templates and texts parse");
    pages
        .render(page, locale)
        .unwrap_or_else(|e| panic!("{locale:?} {page:?}: {e}"))
}

fn each_drawn(text: &str, mut seen: impl FnMut(&Page<'_>, Locale, &str)) {
    let pages = Pages::new().expect("templates and texts parse");
    for page in every_page(text) {
        for locale in Locale::ALL {
            let html = pages
                .render(&page, locale)
                .unwrap_or_else(|e| panic!("{locale:?} {page:?}: {e}"));
            seen(&page, locale, &html);
        }
    }
}

#[test]
fn every_page_in_every_state_is_drawn_in_both_languages() {
    // S11, P-79
    let mut count = 0;
    each_drawn("Grafana", |page, locale, html| {
        count += 1;
        let lang = format!("<html lang=\"{}\">", locale.tag());
        assert!(
            html.starts_with("<!doctype html>") && html.contains(&lang),
            "{page:?}"
        );
        assert_eq!(
            html.matches("<h1").count(),
            1,
            "one heading says what the page is: {page:?}"
        );
        assert!(
            !html.contains("failure-") && !html.contains("scope-openid\""),
            "{page:?}"
        );
    });
    assert!(count > 150, "{count}");
}

#[test]
fn text_from_outside_comes_out_as_text() {
    // SEC-049, SEC-111, SEC-246
    // Two backquotes, as in the polyglot: in a fix they mark a command.
    let plain = counts("Gra`fa`na");
    let hostile = counts(POLYGLOT);
    assert_eq!(
        plain, hostile,
        "as many elements and attributes as with a harmless text"
    );
    each_drawn(POLYGLOT, |page, _, html| {
        assert!(
            html.contains("{{7*7}}{% raw %}"),
            "shown as it was sent: {page:?}"
        );
        for harm in [
            "<sVg",
            "</titLe",
            "</scRipt",
            "</stYle",
            "onload=alert()//>",
        ] {
            assert!(!html.contains(harm), "{harm} in {page:?}");
        }
    });
}

/// How many tags and how many quotes of attributes each page has.
fn counts(text: &str) -> Vec<(usize, usize)> {
    let mut all = Vec::new();
    each_drawn(text, |_, _, html| {
        all.push((html.matches('<').count(), html.matches('"').count()));
    });
    all
}

#[test]
fn no_page_holds_script_or_style_of_its_own_or_anything_of_another_origin() {
    // SEC-108, SEC-400, S11
    each_drawn(POLYGLOT, |page, _, html| {
        assert!(
            !html.contains("<style") && !html.contains(" style="),
            "{page:?}"
        );
        let scripts = html.matches("<script").count();
        let allowed = usize::from(matches!(page, Page::TraceList(_) | Page::FormPost(_)));
        assert_eq!(scripts, allowed, "{page:?}");
        // The one inline script is allowed by its hash, so its text never varies.
        let kind = if matches!(page, Page::FormPost(_)) {
            "<script>document.forms[0].submit()</script>"
        } else {
            "<script src=\"/assets/"
        };
        assert_eq!(html.matches(kind).count(), scripts, "{page:?}");
        for tag in html.split('<').skip(1) {
            let tag = tag.split('>').next().unwrap_or("");
            let loads = tag.starts_with("img") || tag.starts_with("link");
            assert!(!loads || !tag.contains("://"), "{tag}");
            assert!(
                !tag.starts_with("iframe") && !tag.starts_with("base"),
                "{tag}"
            );
            for attribute in tag.split_whitespace().skip(1) {
                assert!(!attribute.starts_with("on"), "{tag}");
            }
        }
    });
}

#[test]
fn templates_put_values_only_into_text_and_quoted_attributes() {
    // SEC-049, SEC-067
    let mut read = 0;
    for (name, source) in files("templates", "html") {
        read += 1;
        assert!(
            !source.contains("|safe") && !source.contains("| safe"),
            "{name}"
        );
        assert!(!source.contains("autoescape"), "{name}");
        let mut rest = source.as_str();
        while let Some(at) = rest.find('<') {
            rest = &rest[at + 1..];
            let Some((tag, after)) = tag_of(rest) else {
                continue;
            };
            for (place, value) in values_in(tag) {
                assert!(place.in_quotes, "{name}: {value} outside quotes in <{tag}>");
                if ["href", "src", "action"].contains(&place.attribute.as_str()) {
                    let guarded = value.ends_with("| web") || value.ends_with("| local");
                    assert!(guarded, "{name}: {value} in {}", place.attribute);
                }
                assert!(
                    place.attribute != "style" && !place.attribute.starts_with("on"),
                    "{name}"
                );
            }
            assert!(!tag.starts_with("style"), "{name}");
            if tag.starts_with("script") {
                let by_hash =
                    name == "form-post.html" && after.starts_with("{{ page.script }}</script>");
                assert!(
                    after.starts_with("</script>") || by_hash,
                    "{name}: a script is a file, but for the one whose hash is named"
                );
            }
        }
    }
    assert_eq!(read, 17);
}

struct Place {
    in_quotes: bool,
    attribute: String,
}

/// The inside of a tag up to its `>`, not counting those in template expressions, and what follows.
fn tag_of(rest: &str) -> Option<(&str, &str)> {
    if !rest.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return None;
    }
    let mut depth = 0_usize;
    for (at, c) in rest.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            '>' if depth == 0 => return Some((&rest[..at], &rest[at + 1..])),
            _ => {}
        }
    }
    None
}

fn values_in(tag: &str) -> Vec<(Place, String)> {
    let mut found = Vec::new();
    let (mut in_quotes, mut attribute, mut word) = (false, String::new(), String::new());
    let mut rest = tag;
    while let Some(c) = rest.chars().next() {
        let skipped = if let Some(value) = rest.strip_prefix("{{") {
            let end = value.find("}}").expect("a closed expression");
            let place = Place {
                in_quotes,
                attribute: attribute.clone(),
            };
            found.push((place, value[..end].trim().to_owned()));
            end + 4
        } else if rest.starts_with("{%") {
            rest.find("%}").expect("a closed statement") + 2
        } else {
            match c {
                '"' if !in_quotes => {
                    attribute = word.trim_end_matches('=').to_owned();
                    in_quotes = true;
                }
                '"' => (in_quotes, word) = (false, String::new()),
                c if c.is_whitespace() => word.clear(),
                c => word.push(c),
            }
            c.len_utf8()
        };
        rest = &rest[skipped..];
    }
    found
}

fn files(folder: &str, extension: &str) -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("assets")
        .join(folder);
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).expect("the assets") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|e| e == extension) {
            let name = path
                .file_name()
                .expect("a name")
                .to_string_lossy()
                .into_owned();
            all.push((name, fs::read_to_string(&path).expect("a text")));
        }
    }
    all
}

#[test]
fn both_languages_have_the_same_messages_with_the_same_parts_and_variables() {
    let texts = files("locales", "ftl");
    let of = |name: &str| {
        let (_, source) = texts.iter().find(|(n, _)| n == name).expect("a language");
        messages(source)
    };
    let (english, french) = (of("en.ftl"), of("fr.ftl"));
    assert!(english.len() > 100);
    let differing: Vec<_> = english.symmetric_difference(&french).collect();
    assert!(differing.is_empty(), "{differing:#?}");
}

/// `message`, `message.attribute` and the variables each uses.
fn messages(source: &str) -> BTreeSet<(String, Vec<String>)> {
    let mut all: Vec<(String, BTreeSet<String>)> = Vec::new();
    let mut message = String::new();
    for line in source.lines().filter(|line| !line.starts_with('#')) {
        let head = line.split_once(" =").map(|(head, _)| head);
        match (head, line.strip_prefix("    .")) {
            (Some(head), None) if !head.starts_with([' ', '}']) => {
                message = head.to_owned();
                all.push((message.clone(), BTreeSet::new()));
            }
            (_, Some(attribute)) => {
                let name = attribute.split(' ').next().unwrap_or("");
                all.push((format!("{message}.{name}"), BTreeSet::new()));
            }
            _ => {}
        }
        for used in line.split('$').skip(1) {
            let end = used
                .find(|c: char| !c.is_ascii_alphanumeric())
                .unwrap_or(used.len());
            if let Some((_, variables)) = all.last_mut() {
                variables.insert(used[..end].to_owned());
            }
        }
    }
    let count = all.len();
    let all: BTreeSet<_> = all
        .into_iter()
        .map(|(id, used)| (id, used.into_iter().collect()))
        .collect();
    assert_eq!(all.len(), count, "no message twice");
    all
}

#[test]
fn every_failure_says_what_happened_what_to_do_and_where_to_look() {
    // P-67, S40
    let (_, english) = files("locales", "ftl")
        .into_iter()
        .find(|(n, _)| n == "en.ftl")
        .unwrap();
    let all = messages(&english);
    let has = |id: &str| all.iter().any(|(known, _)| known == id);
    let heads = all
        .iter()
        .filter(|(id, _)| id.starts_with("failure-") && !id.contains('.'));
    let mut count = 0;
    for (id, _) in heads {
        count += 1;
        for part in ["what", "next", "developer"] {
            assert!(has(&format!("{id}.{part}")), "{id}.{part}");
        }
    }
    assert_eq!(count, 15);
}

#[test]
fn a_stranger_cannot_tell_an_unknown_client_from_a_foreign_redirect_uri() {
    // SEC-100
    let shown = |cause| {
        let page = Failure {
            explained: None,
            onward: None,
            ..failure(cause, "r-1")
        };
        drawn(&Page::Failure(page), Locale::En)
    };
    let unknown = shown("unknown_client");
    for cause in [
        "redirect_uri_missing",
        "redirect_uri_mismatch",
        "redirect_uri_invalid",
    ] {
        assert_eq!(unknown, shown(cause));
    }
    assert_ne!(unknown, shown("expired"));
}

#[test]
fn a_failure_without_texts_of_its_own_gets_the_general_ones() {
    let general = drawn(&Page::Failure(failure("generic", "r-1")), Locale::Fr);
    assert_eq!(
        general,
        drawn(&Page::Failure(failure("no_such_cause", "r-1")), Locale::Fr)
    );
    for cause in ["", "generic.what", "-", "EXPIRED", POLYGLOT] {
        assert_eq!(
            general,
            drawn(&Page::Failure(failure(cause, "r-1")), Locale::Fr),
            "{cause}"
        );
    }
}

#[test]
fn an_automated_browser_finds_the_names_it_knows() {
    // P-102, P-103, P-311
    let page = drawn(
        &Page::SignIn(SignIn {
            username: "alice",
            ..sign_in("x")
        }),
        Locale::En,
    );
    for piece in [
        r#"<form method="post" action="/sign-in">"#,
        r#"name="username" type="text" value="alice" autocomplete="username""#,
        r#"name="password" type="password" autocomplete="current-password""#,
        r#"name="interaction" value="x""#,
        r#"name="csrf" value="x""#,
        r#"name="sign-in" value="yes" class="sign-in primary""#,
        r#"name="cancel" value="yes" class="cancel quiet" formnovalidate"#,
        r#"href="https://client.example/policy""#,
        r#"href="https://client.example/terms""#,
    ] {
        assert!(page.contains(piece), "{piece} in {page}");
    }
    let page = drawn(&Page::Consent(consent("x")), Locale::En);
    for piece in [
        r#"name="approve" value="yes" class="approve primary""#,
        r#"name="deny" value="yes" class="deny""#,
        r#"name="scope.email" value="yes" checked"#,
        r#"href="https://client.example/policy""#,
        r#"href="https://client.example/terms""#,
    ] {
        assert!(page.contains(piece), "{piece} in {page}");
    }
    let page = SignOutQuestion {
        look: Look::default(),
        action: "/sign-out",
        csrf: "token-1",
        interaction: "",
        username: "alice",
        client: None,
    };
    let page = drawn(&Page::SignOutQuestion(page), Locale::En);
    for piece in [
        r#"name="csrf" value="token-1""#,
        r#"name="yes" value="yes""#,
        r#"name="no""#,
    ] {
        assert!(page.contains(piece), "{piece} in {page}");
    }
}

#[test]
fn a_key_held_down_approves_nothing() {
    // SEC-155, SEC-039
    let page = drawn(&Page::Consent(consent("x")), Locale::En);
    assert!(!page.contains("autofocus"));
    let buttons: Vec<&str> = page
        .split("<button")
        .skip(1)
        .filter_map(|b| b.split('>').next())
        .collect();
    assert_eq!(buttons.len(), 3);
    assert!(
        buttons[0].contains("switch-user"),
        "Enter in a form presses its first button"
    );
    assert!(buttons.iter().all(|button| !button.contains(" id=")));
}

#[test]
fn a_user_can_drop_every_scope_but_the_mandatory_one() {
    // S22
    let page = drawn(&Page::Consent(consent("app:read")), Locale::Fr);
    assert!(!page.contains("scope.openid"));
    for scope in [
        "profile",
        "email",
        "phone",
        "address",
        "offline_access",
        "app:read",
    ] {
        assert!(page.contains(&format!("name=\"scope.{scope}\"")), "{scope}");
    }
    assert!(page.contains("Garder cet accès en votre absence"));
}

#[test]
fn a_scope_cannot_borrow_the_words_of_another() {
    // SEC-156
    for scope in ["openid.about", "always", "unexplained", "OPENID"] {
        let line = ScopeLine {
            scope,
            description: None,
            mandatory: false,
        };
        let page = Consent {
            scopes: vec![line],
            ..consent("x")
        };
        let page = drawn(&Page::Consent(page), Locale::En);
        assert!(page.contains(&format!("<b>{scope}</b>")), "{scope}");
    }
}

#[test]
fn a_name_cannot_turn_the_line_around_or_hide_letters() {
    // SEC-156
    let tricky = "Jeton\u{202e}\u{200b} Support\u{2066}\n\u{feff}\u{e0041}";
    let page = drawn(&Page::SignIn(sign_in(tricky)), Locale::En);
    let start = page.find("class=\"client-name\">").expect("the name") + 20;
    assert!(
        page[start..].starts_with("Jeton Support"),
        "{}",
        &page[start..start + 40]
    );
    for hidden in ['\u{202e}', '\u{200b}', '\u{2066}', '\u{feff}', '\u{e0041}'] {
        let title = page.split("</title>").next().unwrap_or("");
        let stub = page.split("<aside").nth(1).unwrap_or("");
        assert!(!title.contains(hidden) && !stub.contains(hidden));
    }
    let long = "x".repeat(10_000);
    assert!(drawn(&Page::Consent(consent(&long)), Locale::En).len() < 120_000);
}

#[test]
fn only_web_addresses_become_links() {
    // SEC-003, SEC-049
    for url in [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "data:text/html,x",
        "https:///x",
        "https://",
        "//evil.example",
        "https://a.example/\"onload=x",
        "https://a.example/<b>",
        "https://a.example\\@b.example",
        "https://a.example/ b",
        "https://a.example/\n",
        "https://ä.example/",
        "com.example.app:/cb",
        "",
    ] {
        assert!(WebUrl::parse(url).is_none(), "{url}");
    }
    assert!(WebUrl::parse("http://localhost:3000/cb?x=1").is_some());
}

#[test]
fn a_form_never_posts_to_another_server() {
    let pages = Pages::new().unwrap();
    for action in [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "sign-in",
        "",
    ] {
        let page = Page::SignIn(SignIn {
            action,
            ..sign_in("x")
        });
        assert!(pages.render(&page, Locale::En).is_err(), "{action}");
    }
}

#[test]
fn a_page_that_cannot_be_drawn_keeps_its_values_out_of_the_log() {
    // SEC-250
    let page = SignIn {
        action: "nowhere",
        csrf: "canary-1",
        ..sign_in("canary-2")
    };
    let error = Pages::new()
        .unwrap()
        .render(&Page::SignIn(page), Locale::En)
        .unwrap_err();
    for text in [
        format!("{error}"),
        format!("{error:#}"),
        format!("{error:?}"),
    ] {
        assert!(
            !text.contains("canary") && text.contains("sign-in.html"),
            "{text}"
        );
    }
}

#[test]
fn the_language_is_the_first_wish_that_can_be_met_and_no_wish_is_an_error() {
    // P-79, SEC-215
    let cases: [(Option<&str>, Option<&str>, Locale); 16] = [
        (None, None, Locale::En),
        (Some("fr"), Some("en"), Locale::Fr),
        (Some("fr-CA en"), None, Locale::Fr),
        (Some("xx tlh FR_ca"), Some("en"), Locale::Fr),
        (Some("de ja"), Some("fr"), Locale::Fr),
        (Some(""), Some("fr;q=0.2, en;q=0.9"), Locale::En),
        (None, Some("de, fr;q=0.8, en;q=0.5"), Locale::Fr),
        (None, Some("fr;q=0, en;q=0.1"), Locale::En),
        (None, Some("fr;q=0"), Locale::En),
        (None, Some("en;q=0.5,fr;q=0.50"), Locale::En),
        (None, Some("fr; q=0.9, en; q=0.95"), Locale::En),
        (None, Some("fr;q=9, en;q=0.001"), Locale::En),
        (None, Some("*"), Locale::En),
        (Some("../../etc/passwd \0 é<"), Some(";;q=,,="), Locale::En),
        (Some("französisch"), None, Locale::En),
        (None, Some("FR-fr"), Locale::Fr),
    ];
    for (ui_locales, accept, expected) in cases {
        assert_eq!(
            Locale::choose(ui_locales, accept),
            expected,
            "{ui_locales:?} {accept:?}"
        );
    }
    let endless = "é".repeat(1_000_000);
    assert_eq!(Locale::choose(Some(&endless), Some(&endless)), Locale::En);
}

#[test]
fn pages_load_files_under_names_that_change_with_their_content() {
    each_drawn("x", |_, _, html| {
        for quoted in html.split('"').filter(|part| part.starts_with("/assets/")) {
            if quoted == "/assets/favicon.svg" {
                continue; // The logo this test gives its tenant.
            }
            let found = asset(quoted).unwrap_or_else(|| panic!("{quoted}"));
            assert!(found.immutable && !found.bytes.is_empty(), "{quoted}");
        }
    });
    let plain = asset("/assets/jeton.css").expect("the stylesheet");
    assert!(!plain.immutable);
    assert_eq!(plain.content_type, "text/css; charset=utf-8");
    for path in [
        "/assets/../Cargo.toml",
        "/assets/",
        "",
        "/assets/jeton.0.css",
        "jeton.css",
    ] {
        assert!(asset(path).is_none(), "{path}");
    }
}

#[test]
fn stylesheets_load_nothing() {
    // SEC-108
    for name in ["jeton.css", "trace.css"] {
        let css = asset(&format!("/assets/{name}")).expect("a stylesheet");
        let css = std::str::from_utf8(css.bytes).expect("a text");
        assert!(!css.contains("url(") && !css.contains("@import"), "{name}");
    }
}

#[test]
fn a_command_can_be_copied_out_of_the_page_source_as_it_is_printed() {
    // S07
    let command = "curl -s -u demo-job:s http://localhost:9000/token -d grant_type=x";
    let page = home(command);
    let html = drawn(&Page::Home(page), Locale::En);
    assert!(html.contains(&format!("<code class=\"command\">{command}</code>")));
}

#[test]
fn a_full_trace_is_drawn_within_its_bounds() {
    let flow = || TraceFlow {
        title: "x",
        client: None,
        started: "x",
        steps: (0..100)
            .map(|_| {
                let check = TraceCheck {
                    promise: "holds",
                    clause: "RFC 6749 §4.1.3",
                };
                let mut step = step("x", Peer::Browser, Way::In, Outcome::Refused);
                step.checks = vec![check; 25];
                step
            })
            .collect(),
    };
    let page = TraceList {
        flows: vec![flow(), flow(), flow()],
        ..trace_list("x")
    };
    let html = drawn(&Page::TraceList(page), Locale::En);
    assert!(html.contains("https://www.rfc-editor.org/rfc/rfc6749#section-4.1.3"));
}

#[test]
fn a_clause_leads_to_its_sections() {
    let cases: [(&str, &[&str]); 6] = [
        (
            "RFC 7636 §4.6",
            &["https://www.rfc-editor.org/rfc/rfc7636#section-4.6"],
        ),
        (
            "RFC 6749 §3.2, appendix B",
            &[
                "https://www.rfc-editor.org/rfc/rfc6749#section-3.2",
                "https://www.rfc-editor.org/rfc/rfc6749#appendix-B",
            ],
        ),
        (
            "RFC 6749 §3.3, §4.1.2.1, Core §9",
            &[
                "https://www.rfc-editor.org/rfc/rfc6749#section-3.3",
                "https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2.1",
                "https://openid.net/specs/openid-connect-core-1_0.html#rfc.section.9",
            ],
        ),
        ("RFC 10070", &["https://www.rfc-editor.org/rfc/rfc10070"]),
        ("SEC-R05", &[]),
        ("§, RFC x §1, appendix ", &[]),
    ];
    for (clause, expected) in cases {
        let mut step = step("x", Peer::Client, Way::In, Outcome::Passed);
        step.checks = vec![TraceCheck {
            promise: "holds",
            clause,
        }];
        let flow = TraceFlow {
            title: "x",
            client: None,
            started: "x",
            steps: vec![step],
        };
        let page = TraceList {
            flows: vec![flow],
            ..trace_list("x")
        };
        let html = drawn(&Page::TraceList(page), Locale::En);
        let found: Vec<&str> = html
            .split("class=\"clause\" href=\"")
            .skip(1)
            .filter_map(|rest| rest.split('"').next())
            .collect();
        assert_eq!(found, expected, "{clause}");
    }
}

#[test]
fn a_refusal_marks_where_the_values_part() {
    let marked = |expected, found| {
        let explained = Explained {
            clause: "RFC 6749 §3.1.2.4",
            promise: "p",
            expected,
            found,
            fix: "run `jeton client set x`, or not",
            trace: None,
        };
        let page = Failure {
            explained: Some(explained),
            ..failure("generic", "r-1")
        };
        let html = drawn(&Page::Failure(page), Locale::En);
        assert!(html.contains("run <code class=\"line\">jeton client set x</code>, or not"));
        let codes = html.split("<dd><code>").skip(1);
        codes
            .map(|code| code.split("</code>").next().unwrap_or("").to_owned())
            .collect::<Vec<_>>()
    };
    let cases = [
        (
            "http://a/callback",
            "http://a/callback/",
            ["http://a/callback", "http://a/callback<mark>/</mark>"],
        ),
        (
            "http://a/one",
            "http://a/öne",
            ["http://a/<mark>one</mark>", "http://a/<mark>öne</mark>"],
        ),
        ("S256", "Splain", ["S256", "Splain"]),
        (
            "the very same",
            "the very same",
            ["the very same", "the very same"],
        ),
        (
            "ééééééééa",
            "éééééééé",
            ["éééééééé<mark>a</mark>", "éééééééé"],
        ),
        ("", "", ["", ""]),
    ];
    for (expected, found, shown) in cases {
        assert_eq!(marked(expected, found), shown);
    }
}

#[test]
fn text_is_readable_in_light_and_in_dark() {
    // WCAG 2.2 §1.4.3, §1.4.11
    let css = asset("/assets/jeton.css").expect("the stylesheet");
    let css = std::str::from_utf8(css.bytes).expect("a text");
    let (light, rest) = css
        .split_once("@media (prefers-color-scheme: dark)")
        .expect("dark");
    let dark = rest.split_once("}\n}").expect("the end of dark").0;
    for scheme in [light, dark] {
        let of = |name: &str| luminance(scheme, name);
        for back in ["page", "sheet", "stub", "bad-wash", "warn-wash"] {
            for (front, least) in [
                ("ink", 7.0),
                ("soft", 4.5),
                ("accent", 4.5),
                ("bad", 4.5),
                ("warn", 4.5),
            ] {
                let ratio = contrast(of(front), of(back));
                assert!(ratio >= least, "{front} on {back}: {ratio:.2}");
            }
        }
        assert!(contrast(of("on-accent"), of("accent")) >= 4.5);
        assert!(contrast(of("edge"), of("sheet")) >= 3.0);
    }
}

fn contrast(a: f64, b: f64) -> f64 {
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

fn luminance(scheme: &str, name: &str) -> f64 {
    let (_, value) = scheme
        .split_once(&format!("--{name}: #"))
        .expect("a colour");
    let part = |at: usize| {
        let byte = u8::from_str_radix(&value[at..at + 2], 16).expect("a colour");
        let part = f64::from(byte) / 255.0;
        if part <= 0.04045 {
            part / 12.92
        } else {
            ((part + 0.055) / 1.055).powf(2.4)
        }
    };
    0.2126 * part(0) + 0.7152 * part(2) + 0.0722 * part(4)
}
