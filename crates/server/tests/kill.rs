//! The server killed under load: what it has answered is true when it is back (SEC-300, SEC-301, SEC-302, SEC-303, SEC-306,
//! SEC-309). `JETON_TEST_KILLS` says how often.

#[allow(dead_code)]
#[path = "http/support/cluster.rs"]
mod cluster;
#[allow(dead_code)]
#[path = "support/process.rs"]
mod process;
#[allow(dead_code)]
#[path = "support/wire.rs"]
mod wire;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jeton_token::algorithm::SignatureAlgorithm;
use jeton_token::base64url;
use jeton_token::entropy::Entropy;
use jeton_token::signing_key::SigningKey;
use jeton_token::timestamp::Timestamp;
use process::Place;
use wire::{Answer, Jar};

// SEC-300, SEC-301, SEC-302, SEC-303, SEC-306, SEC-309
#[test]
fn what_was_answered_before_the_kill_holds_after_it_on_sqlite() {
    run(&Place::new("sqlite:jeton.db"), kills(20));
}

// SEC-300, SEC-301, SEC-302, SEC-303, SEC-306, SEC-309
#[test]
fn what_was_answered_before_the_kill_holds_after_it_on_postgres() {
    run(&Place::new(&cluster::schema()), kills(10));
}

#[expect(clippy::disallowed_methods, reason = "tests have no configuration")]
fn kills(usual: u32) -> u32 {
    let wanted = std::env::var("JETON_TEST_KILLS").ok();
    wanted.and_then(|text| text.parse().ok()).unwrap_or(usual)
}

fn run(place: &Place, kills: u32) {
    let key = SigningKey::generate(SignatureAlgorithm::EdDsa, None).unwrap();
    settle(place, &key);
    let mut server = place.serve();
    let world = World {
        place: place.clone(),
        session: sign_in(place),
        key,
        next: AtomicU64::new(0),
    };
    let mut entropy = Entropy::from_os();
    let (mut lives, mut claims) = (0, 0);
    for _ in 0..kills {
        let wait = Duration::from_millis(20 + u64::from_be_bytes(entropy.bytes()) % 200);
        let told = std::thread::scope(|scope| {
            let workers: Vec<_> = (0..4).map(|_| scope.spawn(|| world.work())).collect();
            std::thread::sleep(wait);
            server.kill();
            let joined = workers.into_iter().map(|worker| worker.join().unwrap());
            joined.collect::<Vec<Told>>()
        });
        server = place.serve();
        for told in &told {
            told.lives.iter().for_each(|life| world.check(life));
            told.claims.iter().for_each(|jwt| world.check_claimed(jwt));
            lives += told.lives.len();
            claims += told.claims.len();
        }
    }
    assert!(lives > kills as usize, "the load was too light: {lives}");
    println!("killed {kills} times: {lives} grants and {claims} assertions, all as they were told");
}

fn settle(place: &Place, key: &SigningKey) {
    let keys = serde_json::json!({ "keys": [key.public_jwk().to_json()] });
    place.write("keys.json", &keys.to_string());
    place.write("password", "correct horse battery");
    place.run("user add alice --password-file password");
    place.run(
        "client add --id spa --auth none --redirect-uri https://spa.example/cb --first-party --scope openid",
    );
    place.run(
        "client add --id job --auth private_key_jwt --jwks-file keys.json --grant-type client_credentials",
    );
}

/// The example of RFC 7636 appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const AUTHORIZE: &str = "/authorize?response_type=code&client_id=spa&redirect_uri=https%3A%2F%2Fspa.example%2Fcb\
    &scope=openid&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256";

/// A browser that is signed in; the session outlives every kill.
fn sign_in(place: &Place) -> Jar {
    let mut jar = Jar::default();
    let shown = place.wire.get(AUTHORIZE, &jar).unwrap();
    jar.keep(&shown);
    let page = place.wire.get(shown.location().unwrap(), &jar).unwrap();
    jar.keep(&page);
    let body = format!(
        "interaction={}&csrf={}&username=alice&password=correct+horse+battery",
        page.hidden("interaction"),
        page.hidden("csrf")
    );
    let answer = place.wire.post("/sign-in", &body, &jar).unwrap();
    assert_eq!(answer.status, 303, "{}", answer.body);
    jar.keep(&answer);
    jar
}

struct World {
    place: Place,
    session: Jar,
    key: SigningKey,
    next: AtomicU64,
}

/// What became of one code. A step that was begun and not answered may have happened or not.
#[derive(Default)]
struct Life {
    code: String,
    redeemed: bool,
    refresh: Option<String>,
    access: String,
    revoking: bool,
    revoked: bool,
}

#[derive(Default)]
struct Told {
    lives: Vec<Life>,
    claims: Vec<String>,
}

impl World {
    /// Works until the server is gone.
    fn work(&self) -> Told {
        let mut told = Told::default();
        loop {
            let mut life = Life::default();
            let over = self.live(&mut life).is_none();
            if !life.code.is_empty() {
                told.lives.push(life);
            }
            let jwt = self.assertion();
            match self.claim(&jwt) {
                Some(answer) if !over => {
                    assert_eq!(answer.status, 200, "{}", answer.body);
                    told.claims.push(jwt);
                }
                Some(_) | None => return told,
            }
        }
    }

    fn live(&self, life: &mut Life) -> Option<()> {
        let answer = self.place.wire.get(AUTHORIZE, &self.session)?;
        let location = answer.location()?;
        let code = location.split_once("code=").expect(location).1;
        life.code = code.split('&').next()?.to_owned();
        let tokens = self.redeem(&life.code)?;
        assert_eq!(tokens.status, 200, "{}", tokens.body);
        life.redeemed = true;
        life.access = tokens.text("access_token");
        life.refresh = Some(tokens.text("refresh_token"));
        for _ in 0..2 {
            let next = self.refresh(life.refresh.as_deref()?)?;
            assert_eq!(next.status, 200, "{}", next.body);
            life.refresh = Some(next.text("refresh_token"));
        }
        if self.next.fetch_add(1, Ordering::Relaxed).is_multiple_of(2) {
            life.revoking = true;
            let body = format!("client_id=spa&token={}", life.refresh.as_deref()?);
            let answer = self.place.wire.post("/revoke", &body, &Jar::default())?;
            assert_eq!(answer.status, 200, "{}", answer.body);
            life.revoked = true;
        }
        Some(())
    }

    fn check(&self, life: &Life) {
        if let Some(token) = &life.refresh {
            let again = self.refresh(token).expect("the server is back");
            let is_dead = again.status == 400 && again.body.contains("invalid_grant");
            assert!(
                is_dead || again.status == 200,
                "{} {}",
                again.status,
                again.body
            );
            assert!(!life.revoked || is_dead, "a revocation was forgotten");
            assert!(
                life.revoking || !is_dead,
                "a rotation was forgotten: {}",
                again.body
            );
            let answer = self.place.wire.bearer("/userinfo", &life.access).unwrap();
            assert_eq!(answer.status == 401, is_dead, "{}", answer.status);
        }
        // Nobody was told of the redemption: the code may be good for one more, and for no second.
        let replays = if life.redeemed { 1 } else { 2 };
        let mut last = None;
        for _ in 0..replays {
            last = self.redeem(&life.code);
        }
        let last = last.expect("the server is back");
        assert_eq!(last.status, 400, "a code was good twice: {}", last.body);
        if let Some(token) = &life.refresh {
            let after = self.refresh(token).expect("the server is back");
            assert_eq!(after.status, 400, "a replay revokes: {}", after.body);
        }
    }

    fn check_claimed(&self, jwt: &str) {
        let answer = self.claim(jwt).expect("the server is back");
        assert_eq!(answer.status, 401, "a jti was good twice: {}", answer.body);
        assert!(
            answer.body.contains("client_assertion_replayed"),
            "{}",
            answer.body
        );
    }

    fn redeem(&self, code: &str) -> Option<Answer> {
        let body = format!(
            "grant_type=authorization_code&client_id=spa&code={code}\
             &redirect_uri=https%3A%2F%2Fspa.example%2Fcb&code_verifier={VERIFIER}"
        );
        self.place.wire.post("/token", &body, &Jar::default())
    }

    fn refresh(&self, token: &str) -> Option<Answer> {
        let body = format!("grant_type=refresh_token&client_id=spa&refresh_token={token}");
        self.place.wire.post("/token", &body, &Jar::default())
    }

    fn claim(&self, jwt: &str) -> Option<Answer> {
        let body = format!(
            "grant_type=client_credentials&client_assertion={jwt}\
             &client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer"
        );
        self.place.wire.post("/token", &body, &Jar::default())
    }

    fn assertion(&self) -> String {
        let jti = self.next.fetch_add(1, Ordering::Relaxed);
        let claims = serde_json::json!({
            "iss": "job", "sub": "job", "aud": self.place.wire.issuer(), "jti": jti.to_string(),
            "exp": now().seconds() + 250,
        });
        let part = |text: &str| base64url::encode(text.as_bytes());
        let input = format!(
            "{}.{}",
            part(r#"{"alg":"EdDSA"}"#),
            part(&claims.to_string())
        );
        let mut signature = Vec::new();
        self.key.sign(input.as_bytes(), &mut signature).unwrap();
        format!("{input}.{}", base64url::encode(&signature))
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a real server has the system's time"
)]
fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    Timestamp::from_millis(i64::try_from(since.unwrap().as_millis()).unwrap())
}
