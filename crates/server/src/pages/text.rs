//! Texts and addresses that came from somebody else, made fit for a page.

use std::borrow::Cow;
use std::fmt::{self, Write};

use serde::Serialize;

/// An `http` or `https` address a page may link to. Anything else (`javascript:`, `data:`, a custom scheme) cannot
/// become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct WebUrl<'a>(&'a str);

impl<'a> WebUrl<'a> {
    pub fn parse(url: &'a str) -> Option<Self> {
        is_web(url).then_some(Self(url))
    }

    pub const fn as_str(&self) -> &'a str {
        self.0
    }
}

const LONGEST_URL: usize = 4096;
const LONGEST_TEXT: usize = 300;

pub(super) fn is_web(url: &str) -> bool {
    let rest = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"));
    rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/')) && is_quiet(url)
}

/// A path on this server: no scheme, no other host.
pub(super) fn is_local(path: &str) -> bool {
    path.starts_with('/') && !path.starts_with("//") && is_quiet(path)
}

fn is_quiet(url: &str) -> bool {
    url.len() <= LONGEST_URL
        && url
            .bytes()
            .all(|b| b.is_ascii_graphic() && !matches!(b, b'"' | b'<' | b'>' | b'\\' | b'`'))
}

/// `text` without the characters that make one name look like another: controls, direction marks, invisible ones; on
/// one line and not endless. (SEC-156)
pub(super) fn plain(text: &str) -> Cow<'_, str> {
    if text.len() <= LONGEST_TEXT && !text.chars().any(is_deceiving) {
        return Cow::Borrowed(text);
    }
    let seen = text
        .chars()
        .map(|c| if c.is_whitespace() { ' ' } else { c });
    let mut kept: String = seen
        .filter(|c| !is_deceiving(*c))
        .take(LONGEST_TEXT)
        .collect();
    if kept.chars().count() == LONGEST_TEXT {
        kept.push('…');
    }
    Cow::Owned(kept)
}

fn is_deceiving(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{00ad}' | '\u{034f}' | '\u{061c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e0fff}')
}

pub(super) fn escape_into(out: &mut impl Write, text: &str) -> fmt::Result {
    let mut rest = text;
    while let Some(at) = rest.find(['<', '>', '&', '"', '\'']) {
        let (before, from) = rest.split_at(at);
        out.write_str(before)?;
        let mut chars = from.chars();
        out.write_str(match chars.next() {
            Some('<') => "&lt;",
            Some('>') => "&gt;",
            Some('&') => "&amp;",
            Some('"') => "&quot;",
            _ => "&#39;",
        })?;
        rest = chars.as_str();
    }
    out.write_str(rest)
}

/// Splits two values where they part, so that a page can mark it. Values that begin differently are left whole:
/// `(common, rest of one, rest of other)`.
pub(super) fn parting<'a>(one: &'a str, other: &'a str) -> (&'a str, &'a str, &'a str) {
    let common = one.chars().zip(other.chars()).take_while(|(a, b)| a == b);
    let (count, bytes) = common.fold((0, 0), |(n, bytes), (c, _)| (n + 1, bytes + c.len_utf8()));
    let at = if count < WORTH_MARKING { 0 } else { bytes };
    match (one.split_at_checked(at), other.split_at_checked(at)) {
        (Some((common, one)), Some((_, other))) => (common, one, other),
        _ => ("", one, other),
    }
}

/// Fewer common characters than this are chance.
const WORTH_MARKING: usize = 8;
