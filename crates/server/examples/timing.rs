//! How long things take that must not tell anything: signing in as somebody who exists and as nobody (SEC-201), and
//! comparing secrets (SEC-254). It prints figures and judges nothing; the tests prove the structure, and no test is timed.
//!
//! `cargo build -p jeton && cargo run -p jeton --example timing [SAMPLES]` starts `jeton serve` from the folder beside it.

#[allow(dead_code)]
#[path = "../tests/support/wire.rs"]
mod wire;

use std::hint::black_box;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use jeton_token::constant_time_eq;
use jeton_token::entropy::Entropy;
use jeton_token::handle::{HandleKey, HandleKeys, HandleKind};
use jeton_token::row_id::RowId;
use jeton_token::secret::Secret;
use jeton_token::timestamp::Timestamp;
use wire::{Answer, Jar, Wire};

fn main() {
    let samples = std::env::args()
        .nth(1)
        .map_or(2000, |text| text.parse().expect("a number"));
    let mut entropy = Entropy::from_os();
    comparisons(&mut entropy);
    if samples > 0 {
        let server = Server::start();
        sign_ins(server.wire, samples, &mut entropy);
    }
}

#[expect(clippy::disallowed_methods, reason = "this program measures")]
fn clock() -> Instant {
    Instant::now()
}

/// Two kinds of input, in an order nobody can guess, each timed alone.
fn interleaved(
    samples: usize,
    entropy: &mut Entropy,
    mut take: impl FnMut(bool) -> f64,
) -> [Vec<f64>; 2] {
    let mut times = [Vec::new(), Vec::new()];
    while times.iter().any(|times| times.len() < samples) {
        let second = entropy.bytes::<1>()[0] & 1 == 1;
        let place = &mut times[usize::from(second)];
        if place.len() < samples {
            let time = take(second);
            place.push(time);
        }
    }
    times
}

fn sign_ins(wire: Wire, samples: usize, entropy: &mut Entropy) {
    let (mut jar, page) = sign_in_page(wire);
    let guess = |name: &str, jar: &Jar| {
        let body = format!(
            "interaction={}&csrf={}&username={name}&password=not+the+password",
            page.hidden("interaction"),
            page.hidden("csrf")
        );
        let begun = clock();
        let answer = wire
            .post("/sign-in", &body, jar)
            .expect("the server answers");
        let time = begun.elapsed().as_secs_f64() * 1000.0;
        assert_eq!(answer.status, 200, "{}", answer.body);
        time
    };
    jar.keep(&page);
    let mut number = 0_u32;
    let [known, unknown] = interleaved(samples, entropy, |nobody| {
        number += 1;
        // Twenty names of each kind share the tries, so that no budget is in the way.
        let name = if nobody { "nobody" } else { "known" };
        guess(&format!("{name}-{}", number % USERS), &jar)
    });
    println!("sign-in with a wrong password, {samples} samples each, milliseconds");
    println!("  known user    median {:.3}", median(&known));
    println!("  unknown user  median {:.3}", median(&unknown));
    let difference = (median(&known) / median(&unknown) - 1.0) * 100.0;
    println!(
        "  medians differ by {difference:+.2} %, rank test p = {:.3}",
        rank_test(&known, &unknown)
    );
}

const USERS: u32 = 20;

fn sign_in_page(wire: Wire) -> (Jar, Answer) {
    const ASK: &str = "/authorize?response_type=code&client_id=spa&redirect_uri=https%3A%2F%2Fspa.example%2Fcb\
        &scope=openid&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256";
    let mut jar = Jar::default();
    let shown = wire.get(ASK, &jar).expect("an answer");
    jar.keep(&shown);
    let page = wire
        .get(shown.location().expect("a way on"), &jar)
        .expect("a page");
    (jar, page)
}

const ROUNDS: usize = 200_000;

/// In a cache line of its own: where a secret lies must not count.
#[repr(align(64))]
struct Aligned([u8; 32]);

/// After "Dude, is my code constant time?": what differs at once against what differs at the end.
fn comparisons(entropy: &mut Entropy) {
    println!(
        "comparisons, {ROUNDS} samples each: Welch's t of the two kinds, |t| < 4.5 shows no difference"
    );
    let secret = entropy.bytes::<32>();
    let mut pair = [Aligned(secret), Aligned(secret)];
    pair[0].0[0] ^= 1;
    pair[1].0[31] ^= 1;
    compare("constant_time_eq, first or last byte", entropy, |kind| {
        constant_time_eq(black_box(&secret), black_box(&pair[kind].0))
    });
    let digest = jeton_token::sha256(&secret);
    compare("a client secret against its digest", entropy, |kind| {
        let presented = jeton_token::sha256(black_box(&pair[kind].0));
        constant_time_eq(black_box(&digest), &presented)
    });
    handles(entropy);
    let left = [7_u8; 512];
    let mut rights = [left; 2];
    rights[0][0] = 0;
    rights[1][511] = 0;
    compare("for comparison, ==, which tells", entropy, |kind| {
        let right = black_box(&rights[kind]);
        left.iter().zip(right).all(|(a, b)| black_box(a) == b)
    });
}

fn handles(entropy: &mut Entropy) {
    let key = HandleKey::new(1, &Secret::random(entropy)).expect("a key");
    let keys = HandleKeys::new(key, Vec::new()).expect("keys");
    let row = RowId::new(Timestamp::from_seconds(1_800_000_000), entropy);
    let good = keys.seal("default", HandleKind::Code, row, 0);
    let changed = |at: usize| {
        let mut text = good.clone().into_bytes();
        text[at] = if text[at] == b'A' { b'B' } else { b'A' };
        String::from_utf8(text).expect("ASCII")
    };
    // The MAC is at the end.
    let texts = [changed(good.len() - 20), changed(good.len() - 2)];
    compare("a code with a wrong MAC, early or late", entropy, |kind| {
        let opened = keys.open("default", HandleKind::Code, black_box(&texts[kind]));
        opened.is_ok()
    });
}

fn compare(what: &str, entropy: &mut Entropy, same: impl Fn(usize) -> bool) {
    let [first, second] = interleaved(ROUNDS, entropy, |second| {
        let begun = clock();
        for _ in 0..8 {
            black_box(same(usize::from(second)));
        }
        begun.elapsed().as_nanos() as f64
    });
    println!("  {what:<40} t = {:+.2}", welch(&first, &second));
}

fn sorted(times: &[f64]) -> Vec<f64> {
    let mut times = times.to_vec();
    times.sort_by(f64::total_cmp);
    times
}

fn median(times: &[f64]) -> f64 {
    let times = sorted(times);
    times[times.len() / 2]
}

/// Mann and Whitney's test: how likely two samples as different as these are if nothing differs.
fn rank_test(left: &[f64], right: &[f64]) -> f64 {
    let mut all: Vec<(f64, bool)> = left.iter().map(|time| (*time, true)).collect();
    all.extend(right.iter().map(|time| (*time, false)));
    all.sort_by(|a, b| a.0.total_cmp(&b.0));
    let ranks = all.iter().zip(1_u32..).filter(|((_, left), _)| *left);
    let sum: f64 = ranks.map(|(_, rank)| f64::from(rank)).sum();
    let (n, m) = (left.len() as f64, right.len() as f64);
    let u = sum - n * (n + 1.0) / 2.0;
    let z = (u - n * m / 2.0) / (n * m * (n + m + 1.0) / 12.0).sqrt();
    two_sided(z)
}

/// Abramowitz and Stegun 7.1.26.
fn two_sided(z: f64) -> f64 {
    let x = z.abs() / std::f64::consts::SQRT_2;
    let t = 1.0 / (1.0 + 0.327_591_1 * x);
    let terms = [
        0.254_829_592,
        -0.284_496_736,
        1.421_413_741,
        -1.453_152_027,
        1.061_405_429,
    ];
    let sum = terms.iter().rev().fold(0.0, |sum, term| (sum + term) * t);
    sum * (-x * x).exp()
}

/// Of what is left when the slowest tenth, which the machine and not the code made slow, is cut off.
fn welch(left: &[f64], right: &[f64]) -> f64 {
    let both = sorted(&[left, right].concat());
    let limit = both[both.len() * 9 / 10];
    let moments = |times: &[f64]| {
        let kept: Vec<f64> = times
            .iter()
            .copied()
            .filter(|time| *time <= limit)
            .collect();
        let count = kept.len() as f64;
        let mean = kept.iter().sum::<f64>() / count;
        let spread = kept.iter().map(|time| (time - mean).powi(2)).sum::<f64>() / (count - 1.0);
        (mean, spread / count)
    };
    let ((a, va), (b, vb)) = (moments(left), moments(right));
    (a - b) / (va + vb).sqrt()
}

struct Server {
    child: Child,
    folder: PathBuf,
    wire: Wire,
}

impl Server {
    fn start() -> Self {
        let folder = std::env::temp_dir().join(format!("jeton-timing-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        let free = TcpListener::bind("127.0.0.1:0").expect("a port");
        let wire = Wire(free.local_addr().expect("an address"));
        drop(free);
        let text = format!(
            "issuer = \"{}\"\n[listen]\naddress = \"{}\"\n[limits]\nsign_in_failures_per_account = 1000\n\
             sign_ins_per_address = 100000\n[log]\nlevel = \"error\"\n",
            wire.issuer(),
            wire.0
        );
        std::fs::write(folder.join("jeton.toml"), text).expect("a file");
        std::fs::write(folder.join("password"), "correct horse battery").expect("a file");
        for number in 0..USERS {
            run(
                &folder,
                &format!("user add known-{number} --password-file password"),
            );
        }
        run(
            &folder,
            "client add --id spa --auth none --redirect-uri https://spa.example/cb --scope openid",
        );
        let child = jeton(&folder, "serve").spawn().expect("jeton starts");
        let server = Self {
            child,
            folder,
            wire,
        };
        while wire.get("/jwks", &Jar::default()).is_none() {
            std::thread::sleep(Duration::from_millis(20));
        }
        server
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn jeton(folder: &Path, line: &str) -> Command {
    let own = std::env::current_exe().expect("a path");
    let program = own
        .parent()
        .and_then(Path::parent)
        .expect("a folder")
        .join("jeton");
    let mut command = Command::new(program);
    command
        .current_dir(folder)
        .env_clear()
        .args(line.split(' '));
    command.stdin(Stdio::null()).stdout(Stdio::null());
    command
}

fn run(folder: &Path, line: &str) {
    assert!(
        jeton(folder, line).status().expect("jeton runs").success(),
        "{line}"
    );
}
