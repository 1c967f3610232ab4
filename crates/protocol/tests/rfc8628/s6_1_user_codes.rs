//! User codes (§6.1): few letters, hard to guess, easy to type.

use crate::common::key_ring;
use jeton_protocol::device::UserCode;
use jeton_protocol::tenant::TenantId;
use jeton_token::entropy::Entropy;
use jeton_token::handle::{HandleKey, HandleKeys};
use jeton_token::secret::Secret;
use std::collections::BTreeMap;

#[test]
fn a_code_is_eight_of_twenty_letters_shown_in_two_groups() {
    // SEC-152
    let mut entropy = Entropy::seeded(1);
    let mut counts = BTreeMap::new();
    for _ in 0..5_000 {
        let shown = UserCode::draw(&mut entropy).to_string();
        assert_eq!((shown.len(), shown.find('-')), (9, Some(4)), "{shown}");
        for letter in shown.chars().filter(|c| *c != '-') {
            *counts.entry(letter).or_insert(0) += 1;
        }
    }
    let letters: String = counts.keys().collect();
    assert_eq!(letters, "BCDFGHJKLMNPQRSTVWXZ");
    // 2,000 of each are expected; one that came 15 % more or less often would be a bias.
    assert!(
        counts.values().all(|count| (1_700..2_300).contains(count)),
        "{counts:?}"
    );
}

#[test]
fn case_dashes_and_spaces_do_not_count_when_a_code_is_typed() {
    let wanted = UserCode::parse("WDJB-MJHT").unwrap();
    for typed in [
        "WDJBMJHT",
        "wdjb-mjht",
        " wdjb mjht ",
        "W-D-J-B-M-J-H-T",
        "wdjb\u{2013}mjht",
        "wdjb\u{a0}mjht\n",
    ] {
        assert_eq!(UserCode::parse(typed), Some(wanted.clone()), "{typed:?}");
    }
}

#[test]
fn what_is_no_code_is_not_looked_up() {
    for typed in [
        "",
        "-",
        "WDJB-MJH",
        "WDJB-MJHTT",
        "WDJB-MJH1",
        "AEIO-UYAE",
        "WDJB_MJHT",
        "ＷDJB-MJHT",
        &"W".repeat(70),
        &format!("WDJBMJHT{}", " ".repeat(60)),
    ] {
        assert_eq!(UserCode::parse(typed), None, "{typed:?}");
    }
}

#[test]
fn a_code_is_kept_under_keyed_digests_of_its_tenant_the_newest_key_first() {
    // SEC-413
    let key = |id, fill| HandleKey::new(id, &Secret::new(vec![fill; 32])).unwrap();
    let code = UserCode::parse("WDJB-MJHT").unwrap();
    let tenant = TenantId::default_tenant();
    let before = code.digests(&tenant, &HandleKeys::new(key(1, 1), vec![]).unwrap());
    let rotated = HandleKeys::new(key(2, 9), vec![key(1, 1)]).unwrap();
    let after = code.digests(&tenant, &rotated);
    assert_eq!(before.len(), 1);
    assert_eq!((after.len(), after[1]), (2, before[0]));
    assert_ne!(after[0], before[0]);
    let other = TenantId::parse("acme").unwrap();
    assert_ne!(code.digests(&other, &rotated)[0], after[0]);
    assert_ne!(
        before[0],
        jeton_token::secret::sha256(b"WDJBMJHT"),
        "a hash without a key can be tried out"
    );
    assert_eq!(
        code.digests(&tenant, &key_ring().handles),
        before,
        "the key alone decides"
    );
}
