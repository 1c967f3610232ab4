//! `jeton healthcheck`: asks the server this configuration describes whether it is ready.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::json;

use super::{Answer, Failure};
use crate::config::Config;

/// What to ask.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  jeton healthcheck --live

Asks listen.management if it is set, else listen.address. In a container file:
  HEALTHCHECK CMD [\"/jeton\", \"healthcheck\"]")]
pub struct Options {
    /// Asks only whether the process lives, not whether it can do its work
    #[arg(long)]
    live: bool,
}

const PATIENCE: Duration = Duration::from_secs(5);
/// More than any answer of a health endpoint; a stranger on that port is not read to its end.
const LONGEST: u64 = 64 * 1024;

/// Good when the endpoint answers 200.
pub(super) fn run(options: &Options, config: &Config) -> Result<Answer, Failure> {
    if config.tls.is_some() && config.listen.management.is_none() {
        let told = "healthcheck speaks plain HTTP; set listen.management, such as 127.0.0.1:9001";
        return Err(Failure::usage(told));
    }
    let address = reachable(config.listen.management.unwrap_or(config.listen.address));
    let path = if options.live { "/livez" } else { "/readyz" };
    let status = ask(address, path, config.issuer.authority())
        .map_err(|error| Failure::refused(format!("http://{address}{path}: {error}")))?;
    let text = format!("http://{address}{path} answered {status}");
    let json = json!({"url": format!("http://{address}{path}"), "status": status});
    Ok(Answer {
        text,
        json,
        good: status == 200,
    })
}

/// The address a process on this machine reaches a listener at.
fn reachable(listener: SocketAddr) -> SocketAddr {
    let ip = match listener.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip @ (IpAddr::V4(_) | IpAddr::V6(_)) => ip,
    };
    SocketAddr::new(ip, listener.port())
}

fn ask(address: SocketAddr, path: &str, host: &str) -> std::io::Result<u16> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    stream.take(LONGEST).read_to_end(&mut answer)?;
    let line = String::from_utf8_lossy(answer.split(|byte| *byte == b'\r').next().unwrap_or(&[]))
        .into_owned();
    let status = line
        .strip_prefix("HTTP/1.1 ")
        .and_then(|rest| rest.get(..3)?.parse().ok());
    status.ok_or_else(|| std::io::Error::other("did not answer with HTTP/1.1"))
}
