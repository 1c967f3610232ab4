//! A keep-alive connection and the smallest HTTP/1.1 reader that is right (RFC 9112 §6): on shared cores, whatever the generator
//! saves is the server's.

use std::io::{Error, ErrorKind, Result};
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const FIRST_BUFFER: usize = 8 * 1024;
const LARGEST_ANSWER: usize = 1024 * 1024;

pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
    body: Vec<u8>,
}

/// An answer, borrowed from the connection it came on.
#[derive(Debug)]
pub struct Response<'a> {
    pub status: u16,
    head: &'a [u8],
    pub body: &'a [u8],
    /// The server closes the connection after this answer.
    pub closes: bool,
}

impl Connection {
    pub async fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            buffer: vec![0; FIRST_BUFFER],
            body: Vec::new(),
        })
    }

    /// Sends one request and reads its answer.
    pub async fn exchange(&mut self, request: &[u8]) -> Result<Response<'_>> {
        self.stream.write_all(request).await?;
        let mut filled = 0;
        let head = loop {
            filled += self.fill(filled).await?;
            if let Some(head) = Head::parse(self.read(filled)?)? {
                break head;
            }
        };
        match head.framing {
            Framing::Length(length) => {
                let end = head.length + length;
                while filled < end {
                    filled += self.fill(filled).await?;
                }
                self.nothing_follows(filled, end)?;
                self.response(&head, end)
            }
            Framing::Chunked => loop {
                let mut body = std::mem::take(&mut self.body);
                body.clear();
                let rest = self.read(filled)?.get(head.length..).unwrap_or_default();
                let ended = unchunk(rest, &mut body)?;
                self.body = body;
                if let Some(length) = ended {
                    self.nothing_follows(filled, head.length + length)?;
                    return self.response(&head, 0);
                }
                filled += self.fill(filled).await?;
            },
        }
    }

    fn response(&self, head: &Head, end: usize) -> Result<Response<'_>> {
        let body = match head.framing {
            Framing::Length(_) => self.buffer.get(head.length..end).ok_or_else(short)?,
            Framing::Chunked => &self.body,
        };
        Ok(Response {
            status: head.status,
            head: self.read(head.length)?,
            body,
            closes: head.closes,
        })
    }

    fn read(&self, filled: usize) -> Result<&[u8]> {
        self.buffer.get(..filled).ok_or_else(short)
    }

    async fn fill(&mut self, filled: usize) -> Result<usize> {
        if filled == self.buffer.len() {
            if filled >= LARGEST_ANSWER {
                return Err(malformed("an answer is larger than 1 MiB"));
            }
            self.buffer.resize(filled * 2, 0);
        }
        let free = self.buffer.get_mut(filled..).ok_or_else(short)?;
        match self.stream.read(free).await? {
            0 => Err(short()),
            read => Ok(read),
        }
    }

    /// Requests are not pipelined, so bytes after an answer mean that it was framed wrongly.
    fn nothing_follows(&self, filled: usize, end: usize) -> Result<()> {
        if filled == end {
            Ok(())
        } else {
            Err(malformed("bytes follow the answer"))
        }
    }
}

impl<'a> Response<'a> {
    /// The values of a header, in order.
    pub fn headers(&self, name: &'a str) -> impl Iterator<Item = &'a str> {
        lines(self.head)
            .filter_map(split_header)
            .filter(move |(known, _)| known.eq_ignore_ascii_case(name.as_bytes()))
            .filter_map(|(_, value)| std::str::from_utf8(value).ok())
    }

    /// The text after `"name":"` up to the next quote: enough for tokens, which are never escaped.
    pub fn member(&self, name: &str) -> Option<&'a str> {
        let text = std::str::from_utf8(self.body).ok()?;
        let (_, after) = text.split_once(&format!("\"{name}\":"))?;
        let (value, _) = after.trim_start().strip_prefix('"')?.split_once('"')?;
        Some(value)
    }

    pub fn contains(&self, expected: &str) -> bool {
        expected.is_empty()
            || std::str::from_utf8(self.body).is_ok_and(|text| text.contains(expected))
    }

    /// For a message to the operator: the status and the beginning of the body.
    pub fn summary(&self) -> String {
        let text: String = String::from_utf8_lossy(self.body)
            .chars()
            .take(200)
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        format!("status {}: {text}", self.status)
    }
}

#[derive(Debug, PartialEq, Eq)]
struct Head {
    status: u16,
    /// With the empty line.
    length: usize,
    framing: Framing,
    closes: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Framing {
    Length(usize),
    Chunked,
}

impl Head {
    /// None while the head is incomplete.
    fn parse(bytes: &[u8]) -> Result<Option<Self>> {
        let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
            return Ok(None);
        };
        let head = bytes.get(..end).ok_or_else(short)?;
        let status = status(head).ok_or_else(|| malformed("no HTTP/1.1 status line"))?;
        let mut framing = None;
        let mut closes = false;
        for (name, value) in lines(head).filter_map(split_header) {
            if name.eq_ignore_ascii_case(b"content-length") {
                let text = std::str::from_utf8(value).unwrap_or_default();
                let length = text.parse().map_err(|_| malformed("Content-Length"))?;
                framing = Some(Framing::Length(length));
            } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
                framing = Some(Framing::Chunked);
            } else if name.eq_ignore_ascii_case(b"connection") {
                closes = value.eq_ignore_ascii_case(b"close");
            }
        }
        if matches!(status, 204 | 304) {
            framing = Some(Framing::Length(0));
        }
        Ok(Some(Self {
            status,
            length: end + 4,
            framing: framing.ok_or_else(|| malformed("neither Content-Length nor chunked"))?,
            closes,
        }))
    }
}

fn status(head: &[u8]) -> Option<u16> {
    let digits = head.strip_prefix(b"HTTP/1.1 ")?.get(..3)?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

fn lines(head: &[u8]) -> impl Iterator<Item = &[u8]> {
    head.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii)
}

fn split_header(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let (name, value) = line.split_at_checked(colon)?;
    Some((name, value.get(1..)?.trim_ascii()))
}

/// Appends the chunks of `bytes` to `body`. The length of all chunks with their framing, or None while the last one is missing.
fn unchunk(bytes: &[u8], body: &mut Vec<u8>) -> Result<Option<usize>> {
    let mut at = 0;
    loop {
        let rest = bytes.get(at..).unwrap_or_default();
        let Some(line) = rest.windows(2).position(|two| two == b"\r\n") else {
            return Ok(None);
        };
        let size = std::str::from_utf8(rest.get(..line).unwrap_or_default())
            .ok()
            .and_then(|text| text.split(';').next())
            .and_then(|text| usize::from_str_radix(text.trim(), 16).ok())
            .ok_or_else(|| malformed("chunk size"))?;
        let start = line + 2;
        if size > LARGEST_ANSWER {
            return Err(malformed("an answer is larger than 1 MiB"));
        }
        let Some(chunk) = rest.get(start..start + size + 2) else {
            return Ok(None);
        };
        at += start + size + 2;
        match chunk.strip_suffix(b"\r\n") {
            Some([]) if size == 0 => return Ok(Some(at)),
            Some(data) => body.extend_from_slice(data),
            None => return Err(malformed("a chunk has no end, or trailers follow")),
        }
    }
}

fn malformed(what: &str) -> Error {
    Error::new(ErrorKind::InvalidData, format!("not understood: {what}"))
}

fn short() -> Error {
    Error::new(
        ErrorKind::UnexpectedEof,
        "the connection ended within an answer",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    /// Serves `pieces`, each in its own write, to whoever sends something.
    async fn answered(pieces: &'static [&'static str]) -> Connection {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.set_nodelay(true).unwrap();
            let mut asked = [0; 64];
            while stream.read(&mut asked).await.is_ok_and(|read| read > 0) {
                for piece in pieces {
                    stream.write_all(piece.as_bytes()).await.unwrap();
                    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
                }
            }
        });
        Connection::open(address).await.unwrap()
    }

    #[tokio::test]
    async fn an_answer_in_pieces_is_read_whole_and_the_connection_serves_again() {
        let mut connection = answered(&[
            "HTTP/1.1 200 OK\r\nContent-",
            "Length: 21\r\nSet-Cookie: a=1\r\nset-cookie: b=2\r\n\r",
            "\n{\"access_token\":",
            "\"xy\"}",
        ])
        .await;
        for _ in 0..2 {
            let response = connection.exchange(b"x").await.unwrap();
            assert_eq!(response.status, 200);
            assert_eq!(response.member("access_token"), Some("xy"));
            assert!(response.contains("\"access_token\"") && !response.contains("\"sub\""));
            assert_eq!(
                response.headers("set-cookie").collect::<Vec<_>>(),
                ["a=1", "b=2"]
            );
            assert!(!response.closes);
        }
    }

    #[tokio::test]
    async fn chunks_are_joined() {
        let mut connection = answered(&[
            "HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n3\r\nabc\r",
            "\n2;x=y\r\nde\r\n0\r\n",
            "\r\n",
        ])
        .await;
        let response = connection.exchange(b"x").await.unwrap();
        assert_eq!((response.status, response.body), (404, &b"abcde"[..]));
        assert!(response.closes);
    }

    #[tokio::test]
    async fn an_answer_larger_than_the_buffer_is_read() {
        let body: &'static str = Box::leak("z".repeat(50_000).into_boxed_str());
        let pieces: &'static [&'static str] = Box::leak(Box::new([
            "HTTP/1.1 200 OK\r\nContent-Length: 50000\r\n\r\n",
            body,
        ]));
        let mut connection = answered(pieces).await;
        assert_eq!(
            connection.exchange(b"x").await.unwrap().body,
            body.as_bytes()
        );
    }

    #[tokio::test]
    async fn what_is_not_an_answer_is_an_error() {
        for wrong in [
            &["SSH-2.0\r\n\r\n"][..],
            &["HTTP/1.1 200 OK\r\n\r\nno length"],
            &["HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nab"],
            &["HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"],
            &["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n"],
        ] {
            let wrong: &'static [&'static str] = wrong;
            assert!(
                answered(wrong).await.exchange(b"x").await.is_err(),
                "{wrong:?}"
            );
        }
    }

    #[test]
    fn an_answer_without_content_needs_no_length() {
        let head = Head::parse(b"HTTP/1.1 204 No Content\r\n\r\n")
            .unwrap()
            .unwrap();
        assert_eq!((head.status, head.framing), (204, Framing::Length(0)));
        assert_eq!(Head::parse(b"HTTP/1.1 204 No").unwrap(), None);
    }
}
