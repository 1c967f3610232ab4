//! RFC 9449 §7, RFC 8705 §3: bound access tokens at a resource server that checks them itself.

use crate::support::*;
use http::Method;
use jeton_resource::{
    ClientCertificate, Presented, Proofs, Rejected, Scheme, Secret, Sent, Timestamp, Unavailable,
    Verifier,
};
use jeton_token::dpop::DpopError;
use jeton_token::{SigningKey, base64url};
use serde_json::{Value, json};

struct World {
    key: SigningKey,
    proofs: Proofs,
    certificate: Option<ClientCertificate>,
}

impl World {
    fn new(proofs: Proofs) -> Self {
        Self {
            key: made(),
            proofs,
            certificate: None,
        }
    }

    fn ask(
        &self,
        scheme: Scheme,
        (token, proof): (&str, Option<&str>),
        now: Timestamp,
    ) -> Result<(), Rejected> {
        let keys = key_set(&[&self.key]);
        let access = Verifier::new(ISSUER, API).verify(token, &keys, now)?;
        let presented = Presented {
            scheme,
            token,
            proof,
        };
        let sent = Sent {
            method: &Method::GET,
            url: "https://api.example/things?page=2",
            certificate: self.certificate,
        };
        self.proofs.prove_holder(&presented, &access, &sent, now)
    }

    fn dpop(&self, token: &str, proof: &str, now: Timestamp) -> Result<(), Rejected> {
        self.ask(Scheme::Dpop, (token, Some(proof)), now)
    }
}

// P-224, P-222, SEC-038, SEC-181
#[test]
fn a_bound_token_is_no_bearer_token_and_another_no_bound_one() {
    let world = World::new(Proofs::default());
    let holder = made();
    let bound = bound(&world.key, &holder);
    assert_eq!(
        world.ask(Scheme::Bearer, (&bound, None), NOW),
        Err(Rejected::BoundAsBearer)
    );
    assert_eq!(
        world.ask(Scheme::Dpop, (&bound, None), NOW),
        Err(Rejected::ProofMissing)
    );
    let unbound = token(&world.key, &json!({}));
    assert_eq!(world.ask(Scheme::Bearer, (&unbound, None), NOW), Ok(()));
    assert_eq!(
        world.dpop(&unbound, &proof(&holder, &unbound, &json!({})), NOW),
        Err(Rejected::Unbound)
    );
}

// P-205, P-221, SEC-180
#[test]
fn every_flaw_of_a_proof_is_refused() {
    let world = World::new(Proofs::default());
    let holder = made();
    let text = bound(&world.key, &holder);
    let with = |members: Value| world.dpop(&text, &proof(&holder, &text, &members), NOW);
    let flawed = |members: Value| match with(members.clone()) {
        Err(Rejected::Proof(error)) => error,
        other => panic!("{members}: {other:?}"),
    };
    for name in ["jti", "htm", "htu", "iat"] {
        let error = flawed(json!({ name: null }));
        assert!(matches!(error, DpopError::Claims(_)), "{name}");
    }
    assert_eq!(flawed(json!({ "jti": "" })), DpopError::Jti);
    for method in ["POST", "get"] {
        assert!(matches!(
            flawed(json!({ "htm": method })),
            DpopError::Method(_)
        ));
    }
    for url in [
        "https://api.example/things/",
        "https://api.example/Things",
        "http://api.example/things",
        "https://api.example:8443/things",
        "https://issuer.example/things",
        "/things",
    ] {
        assert!(
            matches!(flawed(json!({ "htu": url })), DpopError::Url(_)),
            "{url}"
        );
    }
    for ath in [Value::Null, json!(""), json!(base64url::encode(&[0; 32]))] {
        assert_eq!(flawed(json!({ "ath": ath })), DpopError::AccessToken);
    }
    for iat in [NOW.seconds() - 61, NOW.seconds() + 61] {
        assert_eq!(with(json!({ "iat": iat })), Err(Rejected::ProofTime));
    }
    let thief = made();
    assert_eq!(
        world.dpop(&text, &proof(&thief, &text, &json!({})), NOW),
        Err(Rejected::ProofKey)
    );
    assert_eq!(
        world.dpop(&text, &proof(&holder, "another token", &json!({})), NOW),
        Err(Rejected::Proof(DpopError::AccessToken))
    );
    for same in [
        "HTTPS://API.example:443/things",
        "https://api.example/%74hings",
        "https://api.example/things?page=1#top",
    ] {
        let members = json!({ "htu": same, "jti": same });
        assert_eq!(with(members), Ok(()), "{same}");
    }
}

// SEC-348, SEC-306
#[test]
fn a_proof_is_good_once() {
    let world = World::new(Proofs::default());
    let holder = made();
    let text = bound(&world.key, &holder);
    // From a clock that is ahead: it stays timely for two minutes.
    let ahead = proof(&holder, &text, &json!({ "iat": NOW.seconds() + 60 }));
    assert_eq!(world.dpop(&text, &ahead, NOW), Ok(()));
    for seconds in [0, 1, 60, 120] {
        assert_eq!(
            world.dpop(&text, &ahead, later(seconds)),
            Err(Rejected::ProofReplayed),
            "{seconds}"
        );
    }
    assert_eq!(
        world.dpop(&text, &ahead, later(121)),
        Err(Rejected::ProofTime)
    );
    let other = made();
    let of_other = bound(&world.key, &other);
    let same_jti = proof(&other, &of_other, &json!({}));
    assert_eq!(world.dpop(&of_other, &same_jti, NOW), Ok(()));
}

#[test]
fn a_strangers_proof_takes_no_room() {
    let world = World::new(Proofs::remembering(1));
    let holder = made();
    let text = bound(&world.key, &holder);
    for jti in ["a", "b", "c"] {
        let strange = proof(&made(), &text, &json!({ "jti": jti }));
        assert_eq!(world.dpop(&text, &strange, NOW), Err(Rejected::ProofKey));
    }
    let own = |jti: &str, now: Timestamp| {
        let members = json!({ "jti": jti, "iat": now.seconds() });
        world.dpop(&text, &proof(&holder, &text, &members), now)
    };
    assert_eq!(own("a", NOW), Ok(()));
    assert_eq!(
        own("b", NOW),
        Err(Rejected::Unavailable(Unavailable::NoRoom))
    );
    assert_eq!(own("b", later(181)), Ok(()));
}

// P-233, RFC 9449 §9
#[test]
fn where_nonces_are_asked_for_a_recent_one_stands_for_the_clock() {
    let world = World::new(Proofs::default().with_nonces(&secret()).unwrap());
    let holder = made();
    let text = bound(&world.key, &holder);
    let other = Proofs::default()
        .with_nonces(&Secret::new(vec![8; 32]))
        .unwrap();
    let nonce = world.proofs.next_nonce(NOW).unwrap();
    let with = |members: Value, now| world.dpop(&text, &proof(&holder, &text, &members), now);
    for nonce in [
        Value::Null,
        json!(""),
        json!("nonsense"),
        json!(other.next_nonce(NOW)),
    ] {
        assert_eq!(
            with(json!({ "nonce": nonce }), NOW),
            Err(Rejected::ProofNonce)
        );
    }
    assert_eq!(
        with(json!({ "nonce": nonce, "iat": 5, "jti": "1" }), NOW),
        Ok(())
    );
    let a_minute_on = later(60);
    assert_eq!(
        with(json!({ "nonce": nonce, "jti": "2" }), a_minute_on),
        Ok(())
    );
    assert_eq!(
        with(json!({ "nonce": nonce, "jti": "3" }), later(120)),
        Err(Rejected::ProofNonce)
    );
    assert_eq!(
        with(json!({ "nonce": nonce, "jti": "2" }), later(119)),
        Err(Rejected::ProofReplayed)
    );
    assert!(Proofs::default().next_nonce(NOW).is_none());
    assert!(
        Proofs::default()
            .with_nonces(&Secret::new(vec![1; 31]))
            .is_none()
    );
}

// RFC 8705 §3
#[test]
fn a_token_that_is_bound_to_a_certificate_needs_that_certificate() {
    let mut world = World::new(Proofs::default());
    let cnf = json!({ "cnf": { "x5t#S256": base64url::encode(&[9; 32]) } });
    let text = token(&world.key, &cnf);
    for (certificate, scheme, expected) in [
        (None, Scheme::Bearer, Err(Rejected::Certificate)),
        (Some([8; 32]), Scheme::Bearer, Err(Rejected::Certificate)),
        (Some([9; 32]), Scheme::Bearer, Ok(())),
        (Some([9; 32]), Scheme::Dpop, Err(Rejected::Unbound)),
    ] {
        world.certificate = certificate.map(ClientCertificate);
        assert_eq!(world.ask(scheme, (&text, None), NOW), expected);
    }
}
