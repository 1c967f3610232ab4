//! SEC-051: a hundred thousand of each kind of thing that is given out: no two alike, all of one length and alphabet.

use std::collections::HashSet;

use jeton_token::{
    Entropy, FactsToSeal, HandleKey, HandleKeys, HandleKind, RowId, SealKey, SealKeys, Secret,
    Timestamp, base64url,
};

const SAMPLES: usize = 100_000;
const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

/// Draws samples, and checks what all of them must be; `prefix` is not counted for the use of letters.
fn sample(prefix: &str, mut draw: impl FnMut(&mut Entropy) -> String) {
    let mut entropy = Entropy::from_os();
    let mut seen = HashSet::with_capacity(SAMPLES);
    let length = draw(&mut entropy).len();
    let mut counts = [0_u32; 256];
    for _ in 0..SAMPLES {
        let text = draw(&mut entropy);
        assert!(text.starts_with(prefix) && text.len() == length, "{text}");
        let secret = &text.as_bytes()[text.len() - 21..text.len() - 1];
        for byte in secret {
            counts[usize::from(*byte)] += 1;
        }
        assert!(seen.insert(text), "{prefix} twice");
    }
    // Every letter of base64url, and no other, about equally often in what nobody may guess.
    let used: Vec<u32> = counts.into_iter().filter(|count| *count > 0).collect();
    assert_eq!(used.len(), 64, "{prefix}");
    let mean = SAMPLES as u32 * 20 / 64;
    let is_even = |count: &u32| count.abs_diff(mean) < mean / 20;
    assert!(used.iter().all(is_even), "{prefix} {used:?}");
}

// SEC-051
#[test]
fn no_two_handles_are_alike() {
    let key = Entropy::from_os().bytes::<32>().to_vec();
    let key = HandleKey::new(1, &Secret::new(key)).unwrap();
    let keys = HandleKeys::new(key, Vec::new()).unwrap();
    for kind in HandleKind::ALL {
        sample(kind.prefix(), |entropy| {
            keys.seal("default", kind, RowId::new(NOW, entropy), 0)
        });
    }
}

// SEC-051
#[test]
fn no_two_sealed_tokens_are_alike() {
    let key = SealKey::new(1, &Secret::random(&mut Entropy::from_os())).unwrap();
    let keys = SealKeys::new(key, Vec::new()).unwrap();
    let token = RowId::new(NOW, &mut Entropy::from_os());
    let facts = FactsToSeal {
        token,
        grant: None,
        session: None,
        client: "app",
        subject: "app",
        user: None,
        scope: "read",
        audience: &["https://api.example".to_owned()],
        issued_at: NOW,
        expires_at: NOW,
        auth_time: None,
        acr: None,
        cnf: None,
        act: None,
        details: None,
        asks_userinfo: None,
    };
    // Even of the same facts: each is sealed under a nonce of its own.
    sample("jta_", |entropy| {
        keys.seal("default", &facts, entropy).unwrap()
    });
}

// SEC-051
#[test]
fn no_two_secrets_are_alike() {
    sample("", |entropy| base64url::encode(&entropy.bytes::<32>()));
}

// SEC-051: all of one moment, so that nothing but luck tells them apart.
#[test]
fn no_two_ids_of_one_moment_are_alike() {
    let mut entropy = Entropy::from_os();
    let ids: HashSet<RowId> = (0..10 * SAMPLES)
        .map(|_| RowId::new(NOW, &mut entropy))
        .collect();
    assert_eq!(ids.len(), 10 * SAMPLES);
}
