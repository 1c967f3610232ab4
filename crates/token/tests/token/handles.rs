use jeton_token::handle::{KeyError, TEXT_LENGTH};
use jeton_token::{
    Entropy, Handle, HandleError, HandleKey, HandleKeys, HandleKind, RowId, Secret, base64url,
};
use proptest::prelude::*;

fn key(id: u16, fill: u8) -> HandleKey {
    HandleKey::new(id, &Secret::new(vec![fill; 32])).unwrap()
}

fn keys() -> HandleKeys {
    HandleKeys::new(key(1, 1), vec![]).unwrap()
}

fn row() -> RowId {
    RowId::from_bytes([0x5a; 16])
}

#[test]
fn a_handle_opens_to_what_was_sealed_and_repeats_itself() {
    for kind in HandleKind::ALL {
        let text = keys().seal("tenant", kind, row(), 7);
        assert_eq!(text.len(), TEXT_LENGTH);
        assert!(text.starts_with(kind.prefix()));
        assert_eq!(HandleKind::claimed_by(&text), Some(kind));
        assert_eq!(text, keys().seal("tenant", kind, row(), 7));
        let opened = keys().open("tenant", kind, &text);
        assert_eq!(
            opened,
            Ok(Handle {
                row: row(),
                generation: 7
            })
        );
    }
}

// SEC-033, SEC-176
#[test]
fn a_handle_of_one_kind_is_none_of_another_even_with_its_prefix() {
    for made in HandleKind::ALL {
        let text = keys().seal("tenant", made, row(), 0);
        for asked in HandleKind::ALL.into_iter().filter(|asked| *asked != made) {
            assert_eq!(keys().open("tenant", asked, &text), Err(HandleError::Kind));
            let disguised = format!("{}{}", asked.prefix(), &text[4..]);
            assert_eq!(
                keys().open("tenant", asked, &disguised),
                Err(HandleError::Forged)
            );
        }
    }
}

// SEC-R06
#[test]
fn a_handle_of_another_tenant_is_forged() {
    let text = keys().seal("one", HandleKind::Code, row(), 0);
    for tenant in ["", "on", "one ", "One", "two", "onejtc_"] {
        assert_eq!(
            keys().open(tenant, HandleKind::Code, &text),
            Err(HandleError::Forged),
            "{tenant}"
        );
    }
}

// SEC-036
#[test]
fn any_change_of_any_character_is_refused() {
    let text = keys().seal("tenant", HandleKind::RefreshToken, row(), 3);
    for at in 0..text.len() {
        for replacement in b"Aa0_-=+/ .\0" {
            let mut changed = text.clone().into_bytes();
            if changed[at] == *replacement {
                continue;
            }
            changed[at] = *replacement;
            let changed = String::from_utf8(changed).unwrap();
            assert!(
                keys()
                    .open("tenant", HandleKind::RefreshToken, &changed)
                    .is_err(),
                "{changed}"
            );
        }
    }
}

// SEC-036
#[test]
fn shortened_and_lengthened_handles_are_refused() {
    let text = keys().seal("tenant", HandleKind::Session, row(), 0);
    for end in 4..text.len() {
        let short = &text[..end];
        assert_eq!(
            keys().open("tenant", HandleKind::Session, short),
            Err(HandleError::Length)
        );
    }
    for tail in ["A", "=", " ", "\n", ".x", "AAAA"] {
        let long = format!("{text}{tail}");
        assert_eq!(
            keys().open("tenant", HandleKind::Session, &long),
            Err(HandleError::Length)
        );
    }
    assert_eq!(
        keys().open("tenant", HandleKind::Session, ""),
        Err(HandleError::Kind)
    );
    assert_eq!(
        keys().open("tenant", HandleKind::Session, &text.to_uppercase()),
        Err(HandleError::Kind)
    );
}

#[test]
fn every_reason_has_its_name() {
    let kind = HandleKind::Code;
    let unreadable = format!("jtc_{}", "*".repeat(TEXT_LENGTH - 4));
    assert_eq!(
        keys().open("t", kind, &unreadable),
        Err(HandleError::Encoding)
    );
    let other = HandleKeys::new(key(9, 1), vec![])
        .unwrap()
        .seal("t", kind, row(), 0);
    assert_eq!(
        keys().open("t", kind, &other),
        Err(HandleError::UnknownKey(9))
    );
    let forged = HandleKeys::new(key(1, 2), vec![])
        .unwrap()
        .seal("t", kind, row(), 0);
    assert_eq!(keys().open("t", kind, &forged), Err(HandleError::Forged));
    let zero = format!("jtc_{}", base64url::encode(&[0; 54]));
    assert_eq!(
        keys().open("t", kind, &zero),
        Err(HandleError::UnknownKey(0))
    );
}

#[test]
fn older_keys_still_open_and_the_current_one_makes() {
    let old = keys().seal("t", HandleKind::Code, row(), 1);
    let rotated = HandleKeys::new(key(2, 2), vec![key(1, 1)]).unwrap();
    assert!(rotated.open("t", HandleKind::Code, &old).is_ok());
    let new = rotated.seal("t", HandleKind::Code, row(), 1);
    assert_ne!(new, old);
    assert_eq!(
        keys().open("t", HandleKind::Code, &new),
        Err(HandleError::UnknownKey(2))
    );
}

#[test]
fn weak_or_doubled_keys_are_refused() {
    let short = HandleKey::new(1, &Secret::new(vec![1; 31]));
    assert_eq!(short.unwrap_err(), KeyError::TooShort);
    let doubled = HandleKeys::new(key(1, 1), vec![key(2, 2), key(1, 3)]);
    assert_eq!(doubled.unwrap_err(), KeyError::DuplicateId(1));
}

#[test]
fn macs_keep_labels_and_parts_apart() {
    let keys = keys();
    let base = keys.mac("csrf", &[b"ab", b"c"]);
    let others: [(&str, &[&[u8]]); 6] = [
        ("csrf", &[b"a", b"bc"]),
        ("csrf", &[b"abc"]),
        ("csrf", &[b"ab", b"c", b""]),
        ("csrfa", &[b"b", b"c"]),
        ("csr", &[b"fab", b"c"]),
        ("", &[b"csrf", b"ab", b"c"]),
    ];
    for (label, parts) in others {
        assert_ne!(keys.mac(label, parts), base, "{label}");
        assert!(!keys.mac_matches(label, parts, &base));
    }
    let joined = keys.mac("csrf", &[b"a\0\0\0\0\0\0\0\0b"]);
    assert_ne!(joined, keys.mac("csrf", &[b"a", b"b"]));
    assert!(keys.mac_matches("csrf", &[b"ab", b"c"], &base));
    assert!(!keys.mac_matches("csrf", &[b"ab", b"c"], &base[..31]));
    let rotated = HandleKeys::new(key(2, 2), vec![key(1, 1)]).unwrap();
    assert!(rotated.mac_matches("csrf", &[b"ab", b"c"], &base));
    assert_ne!(rotated.mac("csrf", &[b"ab", b"c"]), base);
}

proptest! {
    #[test]
    fn opening_undoes_sealing(seed: u64, tenant in ".{0,40}", generation: u32, kind in 0_usize..6) {
        let row = RowId::from_bytes(Entropy::seeded(seed).bytes());
        let kind = HandleKind::ALL[kind];
        let text = keys().seal(&tenant, kind, row, generation);
        prop_assert_eq!(keys().open(&tenant, kind, &text), Ok(Handle { row, generation }));
    }

    // SEC-036
    #[test]
    fn a_changed_byte_is_refused(seed: u64, generation: u32, at in 0_usize..TEXT_LENGTH, byte in 0_u8..128) {
        let row = RowId::from_bytes(Entropy::seeded(seed).bytes());
        let text = keys().seal("t", HandleKind::Code, row, generation);
        let mut changed = text.clone().into_bytes();
        changed[at] = byte;
        let changed = String::from_utf8(changed).unwrap();
        prop_assert_eq!(keys().open("t", HandleKind::Code, &changed).is_ok(), changed == text);
    }
}
