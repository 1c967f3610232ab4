//! Promises about certificates that are renewed while a server runs.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use jeton::http::tls::Tls;
use jeton_token::timestamp::Timestamp;

use crate::Installation;

/// What is logged while a test runs, in a place it can be read.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("a log").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Log {
    fn count(&self, event: &str) -> usize {
        let bytes = self.0.lock().expect("a log");
        String::from_utf8_lossy(&bytes).matches(event).count()
    }
}

/// Makes `name.pem` and `name.key`, which belong together.
fn make(folder: &Path, name: &str) {
    let made = Command::new("openssl")
        .current_dir(folder)
        .args("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=localhost".split(' '))
        .args(["-addext", "subjectAltName=DNS:localhost", "-addext", "basicConstraints=critical,CA:FALSE"])
        .args(["-out", &format!("{name}.pem"), "-keyout", &format!("{name}.key")])
        .stderr(Stdio::null())
        .status();
    assert!(
        made.is_ok_and(|status| status.success()),
        "openssl is needed to make a certificate"
    );
}

struct Renewal {
    at: Installation,
    tls: Tls,
    log: Log,
}

impl Renewal {
    fn new() -> Self {
        let at = Installation::new();
        for name in ["old", "new", "used"] {
            make(&at.0, name);
        }
        let (chain, key) = (at.path("used.pem"), at.path("used.key"));
        let tls = Tls::open(&chain, &key).expect("a pair");
        Self {
            at,
            tls,
            log: Log::default(),
        }
    }

    /// Puts the file of another pair where the server looks.
    fn put(&self, name: &str, ending: &str) {
        let from = self.at.path(&format!("{name}.{ending}"));
        std::fs::copy(from, self.at.path(&format!("used.{ending}"))).expect("copied");
    }

    /// Looks for changes at these milliseconds.
    fn look(&self, times: impl IntoIterator<Item = i64>) {
        let log = self.log.clone();
        let lines = tracing_subscriber::fmt()
            .with_writer(move || log.clone())
            .finish();
        tracing::subscriber::with_default(lines, || {
            for at in times {
                self.tls.refresh(Timestamp::from_millis(at));
            }
        });
    }

    fn told(&self) -> (usize, usize) {
        (
            self.log.count("certificate.reloaded"),
            self.log.count("certificate.broken"),
        )
    }
}

// SEC-369, SEC-421
#[test]
fn a_renewal_that_writes_the_certificate_before_the_key_is_one_good_line() {
    let renewal = Renewal::new();
    renewal.look([0, 300]);
    assert_eq!(renewal.told(), (0, 0), "nothing has changed");
    renewal.put("new", "pem");
    renewal.look((600..4_600).step_by(300));
    assert_eq!(renewal.told(), (0, 0), "the key may be on its way");
    renewal.put("new", "key");
    renewal.look((4_600..20_000).step_by(300));
    assert_eq!(renewal.told(), (1, 0));
}

// SEC-369
#[test]
fn a_pair_that_never_fits_is_one_error_and_the_next_good_pair_one_good_line() {
    let renewal = Renewal::new();
    renewal.put("new", "pem");
    renewal.look((0..60_000).step_by(300));
    assert_eq!(renewal.told(), (0, 1));
    renewal.put("old", "key");
    renewal.look((60_000..64_000).step_by(300));
    assert_eq!(renewal.told(), (0, 1), "another change has its own time");
    renewal.look((64_000..70_000).step_by(300));
    assert_eq!(renewal.told(), (0, 2));
    renewal.put("old", "pem");
    renewal.look((70_000..80_000).step_by(300));
    assert_eq!(renewal.told(), (1, 2));
}
