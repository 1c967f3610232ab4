//! Scope values: a set in legal characters (§3.3).

use crate::common::scope;
use jeton_protocol::scope::{MOST_VALUES, Scope, ScopeError};

#[test]
fn order_and_repeats_never_matter() {
    // P-57
    assert_eq!(scope("a b c"), scope("c b a"));
    assert_eq!(scope("a b a"), scope("b a"));
    assert_ne!(scope("a b"), scope("a"));
    assert_ne!(scope("a"), scope("a b"));
    assert_ne!(scope("a b"), scope("a c"));
}

#[test]
fn values_are_case_sensitive() {
    assert_ne!(scope("Read"), scope("read"));
    assert!(!scope("Read").contains("read"));
}

#[test]
fn it_is_written_in_order_of_first_appearance_with_single_spaces() {
    assert_eq!(scope("b  a b c ").to_string(), "b a c");
    assert_eq!(Scope::default().to_string(), "");
}

#[test]
fn it_behaves_as_a_set() {
    let (few, many) = (scope("a b"), scope("c b a"));
    assert!(few.is_subset_of(&many) && !many.is_subset_of(&few));
    assert!(Scope::default().is_subset_of(&few));
    assert_eq!(many.intersection(&scope("b x")), scope("b"));
    assert_eq!(many.without(&few), scope("c"));
    assert_eq!(few.union(&scope("b d")), scope("a b d"));
    assert!(few.without(&many).is_empty());
    assert!(!few.contains("") && few.contains("a"));
    assert_eq!(many.iter().collect::<Vec<_>>(), ["c", "b", "a"]);
}

#[test]
fn exactly_the_legal_characters_are_legal() {
    for byte in 0_u8..=127 {
        let text = format!("x{}", char::from(byte));
        let legal = matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
        let parsed = Scope::parse(&text);
        if byte == b' ' {
            assert_eq!(parsed, Ok(scope("x")));
        } else if legal {
            assert_eq!(parsed.unwrap().to_string(), text);
        } else {
            assert_eq!(parsed, Err(ScopeError::IllegalCharacter), "{byte:#x}");
        }
    }
    for text in ["é", "a\u{a0}b", "read\u{3000}write", "\u{202e}read"] {
        assert_eq!(
            Scope::parse(text),
            Err(ScopeError::IllegalCharacter),
            "{text}"
        );
    }
}

#[test]
fn a_value_has_at_most_128_characters() {
    // SEC-082
    assert!(Scope::parse(&"x".repeat(128)).is_ok());
    assert_eq!(Scope::parse(&"x".repeat(129)), Err(ScopeError::TooLong));
}

#[test]
fn there_are_at_most_64_values_and_the_rest_is_not_looked_at() {
    // SEC-082
    let many = |count: usize| {
        (0..count)
            .map(|n| format!("s{n}"))
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(
        Scope::parse(&many(MOST_VALUES)).unwrap().iter().count(),
        MOST_VALUES
    );
    assert_eq!(
        Scope::parse(&many(MOST_VALUES + 1)),
        Err(ScopeError::TooMany)
    );
    assert_eq!(Scope::parse(&many(100_000)), Err(ScopeError::TooMany));
    let repeats = "a ".repeat(1000);
    assert_eq!(Scope::parse(&repeats), Ok(scope("a")));
}

#[test]
fn it_survives_being_stored() {
    let kept = serde_json::to_string(&scope("b a")).unwrap();
    assert_eq!(kept, "\"b a\"");
    assert_eq!(
        serde_json::from_str::<Scope>(&kept).unwrap().to_string(),
        "b a"
    );
    assert!(serde_json::from_str::<Scope>("\"a\\\\b\"").is_err());
}

#[test]
fn what_was_consented_to_over_time_can_still_be_read_back() {
    // The union of two requests is what a consent holds; storing it must not make it unreadable (SEC-R12).
    let first: Vec<_> = (0..MOST_VALUES).map(|n| format!("first{n}")).collect();
    let second: Vec<_> = (0..MOST_VALUES).map(|n| format!("second{n}")).collect();
    let union = scope(&first.join(" ")).union(&scope(&second.join(" ")));
    let kept = serde_json::to_string(&union).unwrap();
    let read: Scope = serde_json::from_str(&kept).unwrap();
    assert_eq!(read, union);
}
