//! Prints what the hot operations cost: `cargo run --release -p jeton-token --example cost`.

use std::error::Error;
use std::hint::black_box;
use std::time::{Duration, Instant};

use jeton_token::{
    AccessTokenClaims, Entropy, FactsToSeal, HandleKey, HandleKeys, HandleKind, Jws, JwtType,
    RowId, SealKey, SealKeys, Secret, SignatureAlgorithm, SigningKey, Timestamp, at_jwt,
};

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_123);
const TENANT: &str = "default";
const ROUND: Duration = Duration::from_millis(100);

fn main() -> Result<(), Box<dyn Error>> {
    let mut entropy = Entropy::from_os();
    println!("{:<28} {:>8}", "operation", "us");
    entropy_and_ids(&mut entropy);
    handles(&mut entropy)?;
    sealed_tokens(&mut entropy)?;
    for algorithm in [
        SignatureAlgorithm::Es256,
        SignatureAlgorithm::EdDsa,
        SignatureAlgorithm::Es384,
        SignatureAlgorithm::Rs256,
        SignatureAlgorithm::Ps256,
    ] {
        signatures(algorithm, &mut entropy)?;
    }
    Ok(())
}

fn entropy_and_ids(entropy: &mut Entropy) {
    cost("entropy 16 bytes", || entropy.bytes::<16>());
    cost("row id", || RowId::new(NOW, entropy));
    cost("entropy from_os, first draw", || {
        Entropy::from_os().bytes::<16>()
    });
}

fn handles(entropy: &mut Entropy) -> Result<(), Box<dyn Error>> {
    let keys = HandleKeys::new(HandleKey::new(1, &Secret::random(entropy))?, vec![])?;
    let row = RowId::new(NOW, entropy);
    let text = keys.seal(TENANT, HandleKind::RefreshToken, row, 7);
    cost("handle seal", || {
        keys.seal(TENANT, HandleKind::RefreshToken, row, 7)
    });
    cost("handle open", || {
        keys.open(TENANT, HandleKind::RefreshToken, &text)
    });
    Ok(())
}

fn sealed_tokens(entropy: &mut Entropy) -> Result<(), Box<dyn Error>> {
    let keys = SealKeys::new(SealKey::new(1, &Secret::random(entropy))?, vec![])?;
    let audience = ["https://api.example".to_owned()];
    let facts = FactsToSeal {
        token: RowId::new(NOW, entropy),
        grant: Some(RowId::new(NOW, entropy)),
        session: Some(RowId::new(NOW, entropy)),
        client: "018f4a5e-client",
        subject: "248289761001",
        user: Some(RowId::new(NOW, entropy)),
        scope: "openid profile api:read",
        audience: &audience,
        issued_at: NOW,
        expires_at: NOW.plus(Duration::from_secs(600)),
        auth_time: Some(NOW),
        acr: None,
        cnf: None,
        act: None,
        details: None,
        asks_userinfo: None,
    };
    let text = keys.seal(TENANT, &facts, entropy)?;
    cost("access token seal", || keys.seal(TENANT, &facts, entropy));
    cost("access token open", || keys.open(TENANT, &text));
    println!("{:<28} {:>8}", "access token characters", text.len());
    Ok(())
}

fn signatures(algorithm: SignatureAlgorithm, entropy: &mut Entropy) -> Result<(), Box<dyn Error>> {
    let key = SigningKey::generate(algorithm, None)?;
    let audience = ["https://api.example".to_owned()];
    let claims = AccessTokenClaims {
        iss: "https://issuer.example",
        sub: "248289761001",
        aud: &audience,
        client_id: "018f4a5e-client",
        scope: Some("openid profile api:read"),
        iat: NOW,
        exp: NOW.plus(Duration::from_secs(600)),
        jti: RowId::new(NOW, entropy),
        auth_time: Some(NOW),
        acr: None,
        sid: Some(RowId::new(NOW, entropy)),
        gid: Some(RowId::new(NOW, entropy)),
        cnf: None,
        act: None,
        details: None,
    };
    let token = key.sign_jwt(JwtType::AccessToken, &claims)?;
    let (input, _) = token.rsplit_once('.').unwrap_or_default();
    let mut out = Vec::with_capacity(1024);
    cost(&format!("{algorithm} bare signature"), || {
        out.clear();
        key.sign(input.as_bytes(), &mut out)
    });
    cost(&format!("{algorithm} sign_jwt"), || {
        key.sign_jwt(JwtType::AccessToken, &claims)
    });
    cost(&format!("{algorithm} parse"), || {
        Jws::parse(&token).map(drop)
    });
    cost(&format!("{algorithm} verify and read"), || {
        let parsed = Jws::parse(&token).ok()?;
        let claims = parsed.verify(key.public_jwk()).ok()?.claims().ok()?;
        at_jwt::read(&claims).ok()
    });
    Ok(())
}

/// The best of several rounds, in microseconds an operation: noise only ever adds.
#[expect(
    clippy::disallowed_methods,
    reason = "measuring is what this program is for"
)]
fn cost<T>(name: &str, mut operation: impl FnMut() -> T) {
    let mut best = f64::MAX;
    for _ in 0..5 {
        let (start, mut count) = (Instant::now(), 0_u32);
        while start.elapsed() < ROUND {
            for _ in 0..16 {
                black_box(operation());
            }
            count += 16;
        }
        best = best.min(start.elapsed().as_secs_f64() * 1e6 / f64::from(count));
    }
    println!("{name:<28} {best:>8.3}");
}
