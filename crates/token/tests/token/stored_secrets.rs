// SEC-415
use jeton_token::handle::KeyError;
use jeton_token::seal_key::OpenError;
use jeton_token::{Entropy, SealKey, Secret};

fn key() -> SealKey {
    SealKey::new(5, &Secret::new(vec![5; 32])).unwrap()
}

#[test]
fn a_stored_secret_opens_for_its_own_purpose_only() {
    let mut entropy = Entropy::seeded(1);
    for plain in [b"".as_slice(), b"secret", &[7; 5000]] {
        let sealed = key()
            .seal_bytes(b"tenant/keys/1", plain, &mut entropy)
            .unwrap();
        assert_eq!(SealKey::id_of(&sealed), Some(5));
        assert!(
            key()
                .open_bytes(b"tenant/keys/1", &sealed)
                .unwrap()
                .matches(plain)
        );
        for purpose in [b"".as_slice(), b"tenant/keys/2", b"tenant/keys/11"] {
            assert_eq!(
                key().open_bytes(purpose, &sealed).unwrap_err(),
                OpenError::Forged
            );
        }
    }
}

#[test]
fn equal_secrets_look_different() {
    let mut entropy = Entropy::seeded(1);
    let mut seal = || key().seal_bytes(b"p", b"secret", &mut entropy).unwrap();
    assert_ne!(seal(), seal());
}

#[test]
fn any_changed_or_missing_byte_is_refused() {
    let sealed = key()
        .seal_bytes(b"p", b"secret", &mut Entropy::seeded(1))
        .unwrap();
    for at in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[at] ^= 1;
        assert!(key().open_bytes(b"p", &changed).is_err(), "{at}");
        assert!(key().open_bytes(b"p", &sealed[..at]).is_err(), "{at}");
    }
    let longer = [sealed.as_slice(), &[0]].concat();
    assert_eq!(
        key().open_bytes(b"p", &longer).unwrap_err(),
        OpenError::Forged
    );
}

#[test]
fn another_key_says_whose_it_is() {
    let sealed = key()
        .seal_bytes(b"p", b"secret", &mut Entropy::seeded(1))
        .unwrap();
    let other = SealKey::new(6, &Secret::new(vec![5; 32])).unwrap();
    assert_eq!(
        other.open_bytes(b"p", &sealed).unwrap_err(),
        OpenError::OtherKey(5)
    );
    let mut renamed = sealed.clone();
    renamed[1] = 6;
    assert_eq!(
        other.open_bytes(b"p", &renamed).unwrap_err(),
        OpenError::Forged
    );
}

#[test]
fn a_key_has_256_bits() {
    for length in [0, 16, 31, 33, 64] {
        let key = SealKey::new(1, &Secret::new(vec![1; length]));
        assert_eq!(key.unwrap_err(), KeyError::Length, "{length}");
    }
}
