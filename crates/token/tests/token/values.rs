use std::time::Duration;

use jeton_token::{
    Confirmation, Entropy, RowId, Secret, SignatureAlgorithm, Timestamp, base64url,
    constant_time_eq, sha256,
};
use proptest::prelude::*;
use serde_json::json;

#[test]
fn seconds_round_towards_the_past() {
    assert_eq!(Timestamp::from_millis(1999).seconds(), 1);
    assert_eq!(Timestamp::from_millis(-1).seconds(), -1);
    assert_eq!(Timestamp::from_seconds(2).millis(), 2000);
    assert_eq!(
        serde_json::to_value(Timestamp::from_millis(5)).unwrap(),
        json!(5)
    );
}

#[test]
fn time_saturates() {
    let end = Timestamp::from_millis(i64::MAX);
    let start = Timestamp::from_millis(i64::MIN);
    assert_eq!(end.plus(Duration::MAX), end);
    assert_eq!(start.minus(Duration::from_millis(1)), start);
    assert_eq!(Timestamp::from_seconds(i64::MAX), end);
    assert_eq!(start.since(end), Duration::ZERO);
    assert_eq!(end.since(start), Duration::from_millis(i64::MAX as u64));
    assert_eq!(
        Timestamp::from_millis(5).since(Timestamp::from_millis(2)),
        Duration::from_millis(3)
    );
}

#[test]
fn seeded_luck_repeats_and_other_seeds_differ() {
    let draw = |seed| Entropy::seeded(seed).bytes::<2000>();
    assert_eq!(draw(1), draw(1));
    assert_ne!(draw(1), draw(2));
    let mut pieces = Entropy::seeded(1);
    let mut whole = Vec::new();
    for length in [1, 31, 500, 13, 1000, 455] {
        let mut piece = vec![0; length];
        pieces.fill(&mut piece);
        whole.extend(piece);
    }
    assert_eq!(whole, draw(1));
}

// SEC-418
#[test]
fn luck_of_the_system_does_not_repeat() {
    let mut entropy = Entropy::from_os();
    let mut seen = std::collections::HashSet::new();
    for _ in 0..1000 {
        assert!(seen.insert(entropy.bytes::<16>()));
    }
    assert!(seen.insert(Entropy::from_os().bytes::<16>()));
    assert_eq!(format!("{entropy:?}"), "Entropy(..)");
}

#[test]
fn a_row_id_is_a_uuid_of_version_seven() {
    // RFC 9562 §5.7
    let now = Timestamp::from_millis(0x0123_4567_89ab);
    let id = RowId::new(now, &mut Entropy::seeded(1));
    let text = id.to_string();
    assert_eq!(&text[..15], "01234567-89ab-7");
    assert!("89ab".contains(&text[19..20]));
    assert_eq!(id.time(), now);
    assert_eq!(text.parse(), Ok(id));
    assert_eq!(serde_json::to_value(id).unwrap(), json!(text));
    assert_eq!(serde_json::from_value::<RowId>(json!(text)).unwrap(), id);
}

#[test]
fn row_ids_sort_by_time_and_stay_inside_their_range() {
    let mut entropy = Entropy::seeded(1);
    let mut at = |millis| RowId::new(Timestamp::from_millis(millis), &mut entropy);
    assert!(at(1) < at(2));
    assert!(at(0xffff) < at(0x1_0000));
    assert_eq!(at(-5).time(), Timestamp::from_millis(0));
    assert_eq!(at(i64::MAX).time(), Timestamp::from_millis((1 << 48) - 1));
    assert_ne!(at(7), at(7));
}

#[test]
fn a_row_id_has_one_spelling() {
    let text = "01234567-89ab-7cde-8f01-23456789abcd";
    assert!(text.parse::<RowId>().is_ok());
    for wrong in [
        "",
        "01234567-89AB-7cde-8f01-23456789abcd",
        "0123456789ab7cde8f0123456789abcd",
        "{1234567-89ab-7cde-8f01-23456789abc}",
        "01234567-89ab-7cde-8f01-23456789abcd ",
        "01234567-89ab-7cde-8f01-23456789abcg",
        "01234567-89ab-7cde-8f01a23456789abcd",
        "-1234567-89ab-7cde-8f01-23456789abcd",
        "01234567-89ab-7cde-8f01-23456789abcé",
    ] {
        assert!(wrong.parse::<RowId>().is_err(), "{wrong}");
    }
    assert!(serde_json::from_value::<RowId>(json!(1)).is_err());
}

// SEC-419, SEC-420
#[test]
fn a_secret_is_compared_whole_and_never_shown() {
    let secret = Secret::from_text("hunter2".to_owned());
    assert!(secret.matches(b"hunter2"));
    for wrong in [b"".as_slice(), b"hunter", b"hunter22", b"Hunter2"] {
        assert!(!secret.matches(wrong));
    }
    assert_eq!(format!("{secret:?}"), "Secret(..)");
    assert_eq!((secret.len(), secret.is_empty()), (7, false));
    assert!(constant_time_eq(b"", b""));
    assert_eq!(Secret::random(&mut Entropy::seeded(1)).len(), 32);
    assert_eq!(sha256(b"abc")[..4], [0xba, 0x78, 0x16, 0xbf]);
}

// SEC-177
#[test]
fn base64url_has_one_spelling() {
    for wrong in [
        "A", "AA==", "AA=", "AB", "AAB", "AA A", "AA\n", "A+", "A/", "Aé", "AAAAA",
    ] {
        assert!(base64url::decode(wrong).is_err(), "{wrong}");
    }
    assert_eq!(base64url::decode(""), Ok(vec![]));
    assert_eq!(base64url::decode("-_8"), Ok(vec![0xfb, 0xff]));
    assert_eq!(base64url::decode_array::<2>("-_8"), Ok([0xfb, 0xff]));
    assert!(base64url::decode_array::<3>("-_8").is_err());
    assert!(base64url::decode_array::<1>("-_8").is_err());
}

#[test]
fn algorithms_are_read_by_the_name_they_print() {
    for algorithm in SignatureAlgorithm::ALL {
        assert_eq!(SignatureAlgorithm::parse(algorithm.name()), Some(algorithm));
        let value = serde_json::to_value(algorithm).unwrap();
        assert_eq!(
            serde_json::from_value::<SignatureAlgorithm>(value).unwrap(),
            algorithm
        );
        assert_eq!(algorithm.is_symmetric(), algorithm.name().starts_with("HS"));
    }
    assert_eq!(
        SignatureAlgorithm::parse("Ed25519"),
        Some(SignatureAlgorithm::EdDsa)
    );
    for name in ["none", "NONE", "", "rs256", "RS256 ", "Ed448"] {
        assert_eq!(SignatureAlgorithm::parse(name), None);
        assert!(serde_json::from_value::<SignatureAlgorithm>(json!(name)).is_err());
    }
}

#[test]
fn a_confirmation_names_exactly_one_key() {
    for cnf in [
        Confirmation::DpopKey([1; 32]),
        Confirmation::Certificate([2; 32]),
    ] {
        let value = serde_json::to_value(cnf).unwrap();
        assert_eq!(value.as_object().unwrap().len(), 1);
        assert_eq!(
            serde_json::from_value::<Confirmation>(value.clone()).unwrap(),
            cnf
        );
        let mut more = value;
        more["kid"] = json!("x");
        assert!(serde_json::from_value::<Confirmation>(more).is_err());
    }
    let thumbprint = base64url::encode(&[1; 32]);
    let both = json!({ "jkt": thumbprint, "x5t#S256": thumbprint });
    assert!(serde_json::from_value::<Confirmation>(both).is_err());
}

proptest! {
    #[test]
    fn any_row_id_is_read_from_what_it_prints(bytes: [u8; 16]) {
        let id = RowId::from_bytes(bytes);
        prop_assert_eq!(id.to_string().parse(), Ok(id));
        prop_assert_eq!(id.bytes(), bytes);
    }

    #[test]
    fn any_text_that_is_a_row_id_is_what_it_prints(text in "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}") {
        prop_assert_eq!(text.parse::<RowId>().unwrap().to_string(), text);
    }

    #[test]
    fn base64url_is_undone(bytes: Vec<u8>) {
        let text = base64url::encode(&bytes);
        prop_assert_eq!(text.len(), base64url::encoded_len(bytes.len()));
        prop_assert_eq!(base64url::decode(&text), Ok(bytes));
    }

    #[test]
    fn whatever_base64url_reads_it_prints_alike(text in "[A-Za-z0-9_-]{0,40}") {
        if let Ok(bytes) = base64url::decode(&text) {
            prop_assert_eq!(base64url::encode(&bytes), text);
        }
    }
}
