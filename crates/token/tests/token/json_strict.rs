// SEC-175, SEC-179
use jeton_token::json::{JsonError, MAX_DEPTH, parse_object};

fn refusal(text: impl AsRef<[u8]>) -> JsonError {
    parse_object(text.as_ref(), 1000).unwrap_err()
}

#[test]
fn an_ordinary_object_is_read_whole() {
    let map = parse_object(br#" {"a":[1,-2,2.5,null,true],"b":{"c":"\u00e9"}} "#, 1000).unwrap();
    assert_eq!(map["a"], serde_json::json!([1, -2, 2.5, null, true]));
    assert_eq!(map["b"]["c"], "é");
}

#[test]
fn members_that_occur_twice_are_refused_at_any_depth() {
    for text in [
        r#"{"a":1,"a":1}"#,
        r#"{"a":1,"\u0061":2}"#,
        r#"{"x":{"a":1,"b":2,"a":3}}"#,
        r#"{"x":[[{"a":1,"a":2}]]}"#,
    ] {
        assert_eq!(refusal(text), JsonError::DuplicateMember, "{text}");
    }
}

#[test]
fn outer_members_that_differ_only_in_case_are_refused() {
    assert_eq!(
        refusal(r#"{"aud":"a","Aud":"b"}"#),
        JsonError::CaseVariantMember
    );
    assert!(parse_object(br#"{"x":{"a":1,"A":2},"Y":1}"#, 1000).is_ok());
}

#[test]
fn texts_that_are_not_utf8_or_begin_with_a_mark_are_refused() {
    assert_eq!(refusal(b"{\"a\":\"\xff\"}"), JsonError::NotUtf8);
    assert_eq!(refusal(b"{\"a\":\"\xc0\x80\"}"), JsonError::NotUtf8);
    assert_eq!(refusal("\u{feff}{}"), JsonError::Malformed);
    assert_eq!(refusal(b"{\0\"a\0\"\0:\x001\0}\0"), JsonError::Malformed);
}

#[test]
fn nul_in_a_member_name_is_refused() {
    assert_eq!(refusal(r#"{"alg\u0000":1}"#), JsonError::NulInName);
    assert_eq!(refusal(r#"{"x":{"\u0000":1}}"#), JsonError::NulInName);
}

#[test]
fn what_is_not_json_is_refused() {
    for text in [
        "",
        " ",
        "{",
        "{}x",
        "{} {}",
        "{},",
        "{\"a\":1,}",
        "{'a':1}",
        "{a:1}",
        "{\"a\":01}",
        "{\"a\":+1}",
        "{\"a\":NaN}",
        "{\"a\":1e309}",
        "{\"a\":-1e999}",
        "{\"a\":\"\\ud800\"}",
        "{\"a\":\"\n\"}",
        "{/**/}",
        "{\"a\":1}//",
        "{\"a\" 1}",
        "{\"a\":.5}",
        "{\"a\":0x1}",
    ] {
        assert_eq!(refusal(text), JsonError::Malformed, "{text}");
    }
}

#[test]
fn what_is_not_an_object_is_refused() {
    for text in ["[]", "null", "1", "\"{}\"", "true", "[{}]"] {
        assert_eq!(refusal(text), JsonError::NotAnObject, "{text}");
    }
}

#[test]
fn nesting_ends_at_sixteen() {
    let nested = |depth: usize| {
        format!(
            "{{\"a\":{}{}}}",
            "[".repeat(depth - 1),
            "]".repeat(depth - 1)
        )
    };
    assert!(parse_object(nested(MAX_DEPTH).as_bytes(), 1000).is_ok());
    assert_eq!(refusal(nested(MAX_DEPTH + 1)), JsonError::TooDeep);
    let objects = format!("{}1{}", "{\"a\":".repeat(17), "}".repeat(17));
    assert_eq!(refusal(objects), JsonError::TooDeep);
    assert!(parse_object("[".repeat(100_000).as_bytes(), 1_000_000).is_err());
}

#[test]
fn length_is_limited_before_anything_is_read() {
    assert_eq!(parse_object(b"{}  ", 3), Err(JsonError::TooLong));
    assert!(parse_object(b"{} ", 3).is_ok());
}
