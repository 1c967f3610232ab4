//! Parameters: repeats, empties, encoding, counts, content types (§3.1, §3.2, appendix B).

use jeton_protocol::params::{
    FORM_CONTENT_TYPE, MOST_PARAMETERS, PARAMETER_COUNT, PARAMETER_ENCODING, PARAMETER_ONCE, Params,
};
use jeton_protocol::refusal::Refusal;

const FORM: &str = "application/x-www-form-urlencoded";

fn from_body(body: &[u8]) -> Result<Params<'_>, Refusal> {
    Params::from_form(Some(FORM), body)
}

fn refusal(body: &[u8]) -> Refusal {
    from_body(body).unwrap_err()
}

#[test]
fn names_and_values_are_form_decoded() {
    // S27
    let params = from_body(b"a=1+2&b=%2B%25%26&%C3%BC=%e2%82%AC&plain").unwrap();
    assert_eq!(params.one("a"), Some("1 2"));
    assert_eq!(params.one("b"), Some("+%&"));
    assert_eq!(params.one("ü"), Some("€"));
    assert_eq!(params.one("plain"), None);
    assert_eq!(params.one("missing"), None);
}

#[test]
fn only_the_first_equals_sign_divides() {
    assert_eq!(
        from_body(b"state=a=b==").unwrap().one("state"),
        Some("a=b==")
    );
}

#[test]
fn an_empty_parameter_counts_as_absent_whatever_its_name() {
    // P-59, S33
    for name in [
        "scope",
        "state",
        "redirect_uri",
        "client_secret",
        "prompt",
        "nonce",
        "anything",
        "resource",
    ] {
        for body in [
            format!("{name}="),
            name.to_owned(),
            format!("&{name}=&"),
            format!("x=1&{name}="),
        ] {
            let params = from_body(body.as_bytes()).unwrap();
            assert_eq!(params.one(name), None, "{body}");
            assert_eq!(params.all(name).count(), 0, "{body}");
        }
    }
    assert!(from_body(b"a=&b").unwrap().is_empty());
}

#[test]
fn unknown_parameters_are_kept_unread() {
    // P-58, S34
    let params = from_body(b"client_id=app&utm_source=news&x.y[0]=1").unwrap();
    assert_eq!(params.one("client_id"), Some("app"));
    assert_eq!(
        params.names().collect::<Vec<_>>(),
        ["client_id", "utm_source", "x.y[0]"]
    );
}

#[test]
fn order_never_matters() {
    // P-57
    let forwards = from_body(b"a=1&b=2&c=3").unwrap();
    let backwards = from_body(b"c=3&b=2&a=1").unwrap();
    for name in ["a", "b", "c"] {
        assert_eq!(forwards.one(name), backwards.one(name));
    }
}

#[test]
fn a_repeated_parameter_is_refused_even_with_equal_or_empty_values() {
    // P-59, S35, SEC-105
    for body in [
        "scope=a&scope=b",
        "scope=a&scope=a",
        "scope=&scope=a",
        "scope=a&scope=",
        "scope&scope",
        "sc%6Fpe=a&scope=b",
        "client_id=a&x=1&client_id=b",
        "unknown=1&unknown=2",
        "=1&=2",
    ] {
        let refusal = refusal(body.as_bytes());
        assert_eq!(*refusal.rule, PARAMETER_ONCE, "{body}");
    }
}

#[test]
fn a_name_that_differs_in_case_is_another_parameter() {
    let params = from_body(b"scope=a&Scope=b").unwrap();
    assert_eq!(params.one("scope"), Some("a"));
    assert_eq!(params.one("Scope"), Some("b"));
}

#[test]
fn resource_may_be_repeated() {
    // P-59, S35
    let params = from_body(b"resource=a&resource=b&resource=").unwrap();
    assert_eq!(params.all("resource").collect::<Vec<_>>(), ["a", "b"]);
}

#[test]
fn the_refusal_of_a_repeat_names_known_parameters_only() {
    // A caller's own text never reaches the log by this way (SEC-251).
    assert!(
        refusal(b"state=1&state=2")
            .noted
            .found
            .starts_with("state,")
    );
    let found = refusal(b"%1b[31m=1&%1b[31m=2").noted.found;
    assert_eq!(found, "an unknown parameter, twice");
}

#[test]
fn bad_percent_encoding_is_refused() {
    for body in [
        "a=%", "a=%4", "a=%zz", "a=%4g", "a=%g4", "a=%%41", "%=1", "a=% 41", "a=%-1", "a=%+1",
    ] {
        assert_eq!(*refusal(body.as_bytes()).rule, PARAMETER_ENCODING, "{body}");
    }
}

#[test]
fn bad_utf_8_is_refused_raw_and_encoded() {
    let raw: [&[u8]; 5] = [
        b"a=\xff",
        b"a=\xc3",
        b"\xc0\xaf=1",
        b"a=\xed\xa0\x80",
        b"a=x+\xfe",
    ];
    for body in raw {
        assert_eq!(*refusal(body).rule, PARAMETER_ENCODING, "{body:?}");
    }
    for body in ["a=%FF", "a=%C3", "a=%C0%AF", "a=%ED%A0%80", "%80=1"] {
        assert_eq!(*refusal(body.as_bytes()).rule, PARAMETER_ENCODING, "{body}");
    }
}

#[test]
fn nul_is_refused_raw_and_encoded() {
    for body in [&b"a=\0"[..], b"a\0=1", b"a=%00", b"%00=1", b"a=1%002"] {
        assert_eq!(*refusal(body).rule, PARAMETER_ENCODING, "{body:?}");
    }
}

#[test]
fn a_hundred_and_twenty_eight_parameters_are_enough() {
    // SEC-082, SEC-R11
    let body = |count: usize| {
        (0..count)
            .map(|n| format!("p{n}=1"))
            .collect::<Vec<_>>()
            .join("&")
    };
    let most = body(MOST_PARAMETERS);
    assert_eq!(from_body(most.as_bytes()).unwrap().names().count(), 128);
    assert_eq!(
        *refusal(body(MOST_PARAMETERS + 1).as_bytes()).rule,
        PARAMETER_COUNT
    );
    let trailing = format!("&&{most}&");
    assert!(
        from_body(trailing.as_bytes()).is_ok(),
        "separators are not parameters"
    );
    let empties = "p&".repeat(1_000_000);
    assert_eq!(*refusal(empties.as_bytes()).rule, PARAMETER_COUNT);
}

#[test]
fn only_a_form_in_utf_8_is_read() {
    // S27, SEC-195
    for good in [
        "application/x-www-form-urlencoded",
        "Application/X-WWW-Form-URLEncoded",
        "application/x-www-form-urlencoded;charset=UTF-8",
        "application/x-www-form-urlencoded; charset=\"utf-8\"",
        " application/x-www-form-urlencoded ; boundary=x",
    ] {
        assert!(Params::from_form(Some(good), b"a=1").is_ok(), "{good}");
    }
    for bad in [
        "application/json",
        "multipart/form-data; boundary=x",
        "text/plain",
        "application/x-www-form-urlencoded; charset=iso-8859-1",
        "application/x-www-form-urlencoded; charset=utf-16",
        "application/x-www-form-urlencoded; charset",
        "application/x-www-form-urlencoded, application/json",
        "application/x-www-form-urlencodedx",
        "",
    ] {
        let refusal = Params::from_form(Some(bad), b"a=1").unwrap_err();
        assert_eq!(*refusal.rule, FORM_CONTENT_TYPE, "{bad}");
        assert!(!refusal.noted.found.contains("iso"), "input is not echoed");
    }
    assert_eq!(
        *Params::from_form(None, b"a=1").unwrap_err().rule,
        FORM_CONTENT_TYPE
    );
}

#[test]
fn a_query_may_be_absent_or_empty() {
    assert!(Params::from_query(None).unwrap().is_empty());
    assert!(Params::from_query(Some("")).unwrap().is_empty());
    assert_eq!(
        Params::from_query(Some("a=%41")).unwrap().one("a"),
        Some("A")
    );
}
