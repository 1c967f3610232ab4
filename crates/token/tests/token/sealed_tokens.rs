use jeton_token::seal_key::OpenError;
use jeton_token::sealed::MAX_LENGTH;
use jeton_token::{
    Confirmation, Entropy, RowId, SealError, SealKey, SealKeys, SealedFacts, Secret, Timestamp,
    base64url,
};
use proptest::prelude::*;
use serde_json::json;

fn key(id: u16, fill: u8) -> SealKey {
    SealKey::new(id, &Secret::new(vec![fill; 32])).unwrap()
}

fn keys() -> SealKeys {
    SealKeys::new(key(1, 1), vec![]).unwrap()
}

fn facts() -> SealedFacts {
    SealedFacts {
        token: RowId::from_bytes([1; 16]),
        grant: Some(RowId::from_bytes([2; 16])),
        session: Some(RowId::from_bytes([3; 16])),
        client: "client".to_owned(),
        subject: "subject".to_owned(),
        user: Some(RowId::from_bytes([4; 16])),
        scope: "openid api".to_owned(),
        audience: vec![
            "https://a.example".to_owned(),
            "https://b.example".to_owned(),
        ],
        issued_at: Timestamp::from_millis(1_800_000_000_123),
        expires_at: Timestamp::from_millis(1_800_000_600_123),
        auth_time: Some(Timestamp::from_millis(-1)),
        acr: Some("urn:acr".to_owned()),
        cnf: Some(Confirmation::Certificate([9; 32])),
        act: Some(json!({ "sub": "actor", "act": { "sub": "earlier" } })),
        details: Some(json!([{ "type": "payment", "amount": 1.5 }])),
        asks_userinfo: Some(true),
    }
}

fn bare() -> SealedFacts {
    SealedFacts {
        grant: None,
        session: None,
        user: None,
        scope: String::new(),
        audience: vec![],
        auth_time: None,
        acr: None,
        cnf: None,
        act: None,
        details: None,
        asks_userinfo: None,
        ..facts()
    }
}

fn sealed(facts: &SealedFacts) -> String {
    keys()
        .seal("tenant", &facts.borrowed(), &mut Entropy::seeded(1))
        .unwrap()
}

#[test]
fn what_is_sealed_opens_again() {
    for facts in [facts(), bare()] {
        assert_eq!(keys().open("tenant", &sealed(&facts)), Ok(facts));
    }
}

#[test]
fn the_text_tells_nothing_and_never_repeats() {
    let mut entropy = Entropy::from_os();
    let facts = facts();
    let one = keys()
        .seal("tenant", &facts.borrowed(), &mut entropy)
        .unwrap();
    let two = keys()
        .seal("tenant", &facts.borrowed(), &mut entropy)
        .unwrap();
    assert_ne!(one, two);
    let bytes = base64url::decode(&one[4..]).unwrap();
    for word in [b"client".as_slice(), b"subject", b"openid"] {
        assert!(!bytes.windows(word.len()).any(|window| window == word));
    }
}

// SEC-R06, SEC-033
#[test]
fn a_token_of_another_tenant_or_use_does_not_open() {
    let text = sealed(&facts());
    for tenant in ["", "tenan", "tenant ", "Tenant"] {
        assert_eq!(
            keys().open(tenant, &text),
            Err(SealError::Seal(OpenError::Forged)),
            "{tenant}"
        );
    }
    let stored = key(1, 1)
        .seal_bytes(b"tenant", b"\xa0", &mut Entropy::seeded(1))
        .unwrap();
    let disguised = format!("jta_{}", base64url::encode(&stored));
    assert_eq!(
        keys().open("tenant", &disguised),
        Err(SealError::Seal(OpenError::Forged))
    );
    let bytes = base64url::decode(&text[4..]).unwrap();
    assert!(key(1, 1).open_bytes(b"tenant", &bytes).is_err());
}

// SEC-036
#[test]
fn shortened_and_lengthened_tokens_are_refused() {
    let text = sealed(&facts());
    for end in 0..text.len() {
        assert!(keys().open("tenant", &text[..end]).is_err(), "{end}");
    }
    for tail in ["A", "AA", "AAAA", "=", "==", " ", "\n", "."] {
        assert!(
            keys().open("tenant", &format!("{text}{tail}")).is_err(),
            "{tail}"
        );
    }
    assert!(keys().open("tenant", &text.to_ascii_lowercase()).is_err());
    assert_eq!(
        keys().open("tenant", &text.to_ascii_uppercase()),
        Err(SealError::Kind)
    );
}

#[test]
fn every_reason_has_its_name() {
    assert_eq!(keys().open("t", "jtc_AAAA"), Err(SealError::Kind));
    assert_eq!(keys().open("t", "jta_*"), Err(SealError::Encoding));
    assert_eq!(
        keys().open("t", "jta_"),
        Err(SealError::Seal(OpenError::Length))
    );
    assert_eq!(
        keys().open("t", "jta_AAEA"),
        Err(SealError::Seal(OpenError::Length))
    );
    let long = format!("jta_{}", "A".repeat(MAX_LENGTH));
    assert_eq!(keys().open("t", &long), Err(SealError::TooLong));
    let other = SealKeys::new(key(9, 1), vec![]).unwrap();
    let text = other
        .seal("tenant", &bare().borrowed(), &mut Entropy::seeded(1))
        .unwrap();
    assert_eq!(keys().open("tenant", &text), Err(SealError::UnknownKey(9)));
}

#[test]
fn facts_too_long_to_be_opened_are_not_sealed() {
    let facts = SealedFacts {
        scope: "s".repeat(MAX_LENGTH),
        ..bare()
    };
    let result = keys().seal("tenant", &facts.borrowed(), &mut Entropy::seeded(1));
    assert_eq!(result, Err(SealError::TooLong));
}

#[test]
fn older_keys_still_open_and_doubled_ones_are_refused() {
    let text = sealed(&facts());
    let rotated = SealKeys::new(key(2, 2), vec![key(1, 1)]).unwrap();
    assert_eq!(rotated.open("tenant", &text), Ok(facts()));
    assert!(SealKeys::new(key(1, 1), vec![key(1, 2)]).is_err());
}

#[test]
fn a_reader_skips_members_it_does_not_know() {
    use minicbor::Encoder;
    let mut plain = Vec::new();
    let mut e = Encoder::new(&mut plain);
    e.map(8).unwrap();
    e.u8(0).unwrap().bytes(&[1; 16]).unwrap();
    e.u8(3).unwrap().str("client").unwrap();
    e.u8(4).unwrap().str("subject").unwrap();
    e.u8(6).unwrap().str("").unwrap();
    e.u8(7).unwrap().array(0).unwrap();
    e.u8(8).unwrap().i64(1_800_000_000_123).unwrap();
    e.u8(9).unwrap().i64(1_800_000_600_123).unwrap();
    e.u8(200)
        .unwrap()
        .array(2)
        .unwrap()
        .str("later")
        .unwrap()
        .u8(1)
        .unwrap();
    assert_eq!(minicbor::decode::<SealedFacts>(&plain).unwrap(), bare());
}

proptest! {
    #[test]
    fn opening_undoes_sealing(
        seed: u64, tenant in ".{0,20}", client in ".{0,40}", scope in ".{0,80}",
        audience in prop::collection::vec(".{0,30}", 0..4), issued: i64, expires: i64, user: Option<u64>,
    ) {
        let mut entropy = Entropy::seeded(seed);
        let facts = SealedFacts {
            token: RowId::from_bytes(entropy.bytes()),
            user: user.map(|user| RowId::from_bytes(Entropy::seeded(user).bytes())),
            client, scope, audience,
            issued_at: Timestamp::from_millis(issued),
            expires_at: Timestamp::from_millis(expires),
            ..bare()
        };
        let text = keys().seal(&tenant, &facts.borrowed(), &mut entropy).unwrap();
        prop_assert_eq!(keys().open(&tenant, &text), Ok(facts));
    }

    // SEC-036
    #[test]
    fn a_changed_byte_is_refused(at: prop::sample::Index, byte in 0_u8..128) {
        let text = sealed(&facts());
        let mut changed = text.clone().into_bytes();
        changed[at.index(text.len())] = byte;
        let changed = String::from_utf8(changed).unwrap();
        prop_assert_eq!(keys().open("tenant", &changed).is_ok(), changed == text);
    }
}
