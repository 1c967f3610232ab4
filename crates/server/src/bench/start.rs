//! A server process of our own: started, awaited, stopped, and started again on the database it left.

use super::cores;
use super::histogram::median;
use super::options::BenchOptions;
use super::request;
use super::target::{self, PATIENCE};
use super::trouble::Trouble;
use serde::Serialize;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};
use url::Url;

/// How often an existing database is started on; the median is shown.
const RESTARTS: usize = 5;

/// Between two attempts to connect to a server that starts.
const KNOCK: Duration = Duration::from_micros(250);

/// For a server to come to rest before its memory is looked at.
const REST: Duration = Duration::from_secs(1);

/// What to start.
pub struct Plan {
    program: OsString,
    arguments: Vec<OsString>,
    issuer: Url,
    cores: Option<String>,
    directory: Scratch,
}

/// From the start of the process to its first answer.
#[derive(Clone, Debug, Serialize)]
pub struct Startup {
    /// With nothing there yet.
    pub first_milliseconds: f64,
    /// On the database that was left: the median of several.
    pub again_milliseconds: f64,
}

/// A running server; it ends with the value.
pub struct Started<'a> {
    child: Child,
    plan: &'a Plan,
}

impl Plan {
    /// None when a running server is to be measured.
    pub fn of(options: &BenchOptions) -> Result<Option<Self>, Trouble> {
        let directory = || Scratch::make(options.directory.clone());
        let cores = options.server_cores.clone();
        match (options.command.split_first(), &options.issuer) {
            (Some((program, arguments)), Some(issuer)) => Ok(Some(Self {
                program: program.clone(),
                arguments: arguments.to_vec(),
                issuer: issuer.clone(),
                cores,
                directory: directory()?,
            })),
            (_, Some(_)) => Ok(None),
            (_, None) => Self::of_ourselves(directory()?, cores).map(Some),
        }
    }

    fn of_ourselves(directory: Scratch, cores: Option<String>) -> Result<Self, Trouble> {
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let mut database = OsString::from("sqlite:");
        database.push(directory.0.join("jeton.db"));
        let issuer = format!("http://{address}");
        let arguments = [
            "dev".into(),
            "--issuer".into(),
            issuer.as_str().into(),
            "--seed".into(),
            "bench".into(),
            "--address".into(),
            address.to_string().into(),
            "--database".into(),
            database,
        ];
        Ok(Self {
            program: std::env::current_exe()?.into(),
            arguments: arguments.into(),
            issuer: Url::parse(&issuer).map_err(|error| Trouble::new(error.to_string()))?,
            cores,
            directory,
        })
    }

    fn log(&self) -> PathBuf {
        self.directory.0.join("output.log")
    }
}

impl<'a> Started<'a> {
    /// Starts on nothing, then several times on what that left; the last one keeps running.
    pub fn again(plan: &'a Plan) -> Result<(Self, Startup), Trouble> {
        let (server, first) = Self::start(plan)?;
        server.stop();
        let mut again = Vec::new();
        for _ in 1..RESTARTS {
            let (server, time) = Self::start(plan)?;
            again.push(time);
            server.stop();
        }
        let (server, time) = Self::start(plan)?;
        again.push(time);
        sleep(REST);
        let milliseconds = |time: Duration| time.as_secs_f64() * 1000.0;
        let startup = Startup {
            first_milliseconds: milliseconds(first),
            again_milliseconds: median(again.into_iter().map(milliseconds)).unwrap_or_default(),
        };
        Ok((server, startup))
    }

    fn start(plan: &'a Plan) -> Result<(Self, Duration), Trouble> {
        let address = target::address(&plan.issuer)?;
        if TcpStream::connect(address).is_ok() {
            return Err(Trouble::new(format!(
                "something listens on {address} already"
            )));
        }
        let log = File::create(plan.log())?;
        let begun = Instant::now();
        let child = cores::pinned(plan.cores.as_deref(), &plan.program)
            .args(&plan.arguments)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .map_err(|error| Trouble::new(format!("{}: {error}", plan.program.display())))?;
        let mut server = Self { child, plan };
        match server.first_answer(address, begun) {
            Ok(()) => Ok((server, begun.elapsed())),
            Err(trouble) => Err(trouble.with_output_of(&server)),
        }
    }

    fn first_answer(&mut self, address: SocketAddr, begun: Instant) -> Result<(), Trouble> {
        let request = request::get(&target::discovery(&self.plan.issuer), &[]);
        while !answers(address, &request) {
            if let Some(status) = self.child.try_wait()? {
                return Err(Trouble::new(format!("the server ended: {status}")));
            }
            if begun.elapsed() > PATIENCE {
                return Err(Trouble::new("the server does not answer"));
            }
            sleep(KNOCK);
        }
        Ok(())
    }

    pub fn issuer(&self) -> &Url {
        &self.plan.issuer
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The end of what the server printed.
    pub fn last_words(&self) -> String {
        let text = fs::read(self.plan.log()).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().collect();
        let kept = lines.len().saturating_sub(20);
        lines.get(kept..).unwrap_or_default().join("\n")
    }

    fn stop(self) {
        drop(self);
    }
}

impl Drop for Started<'_> {
    /// Asks first, so that the next start is not one after a crash.
    fn drop(&mut self) {
        let asked = Command::new("kill")
            .args(["-TERM", &self.child.id().to_string()])
            .status()
            .is_ok_and(|status| status.success());
        let patience = Instant::now() + PATIENCE;
        while asked && Instant::now() < patience {
            if matches!(self.child.try_wait(), Ok(Some(_))) {
                return;
            }
            sleep(Duration::from_millis(5));
        }
        // Nothing more can be done about a process that cannot be ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whether a connection can be made and the request is answered with 200.
fn answers(address: SocketAddr, request: &[u8]) -> bool {
    let Ok(mut stream) = TcpStream::connect(address) else {
        return false;
    };
    let mut status = [0; 12];
    stream.set_read_timeout(Some(PATIENCE)).is_ok()
        && stream.write_all(request).is_ok()
        && stream.read_exact(&mut status).is_ok()
        && status == *b"HTTP/1.1 200"
}

/// A directory that goes with the value.
struct Scratch(PathBuf);

impl Scratch {
    fn make(within: Option<PathBuf>) -> Result<Self, Trouble> {
        let within = within.unwrap_or_else(std::env::temp_dir);
        let path = within.join(format!("jeton-bench-{}", std::process::id()));
        fs::create_dir_all(&path)
            .map_err(|error| Trouble::new(format!("{}: {error}", path.display())))?;
        Ok(Self(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // A directory that stays behind harms no figure.
        let _ = fs::remove_dir_all(&self.0);
    }
}
