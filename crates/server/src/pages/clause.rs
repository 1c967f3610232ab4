//! Clauses as tags a reader can follow.

use serde::Serialize;

/// One section of one document.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Tag {
    pub(super) text: String,
    pub(super) url: Option<String>,
}

/// The sections a clause names: `RFC 6749 §3.1, §3.2` are two of one document.
pub(super) fn tags(clause: &str) -> Vec<Tag> {
    let mut document = "";
    clause
        .split(", ")
        .map(|piece| {
            let text = match section_at(piece) {
                Some(0) if !document.is_empty() => format!("{document} {piece}"),
                Some(at) => {
                    document = piece.get(..at).unwrap_or("").trim_end();
                    piece.to_owned()
                }
                None => piece.to_owned(),
            };
            let url = url_of(&text);
            Tag { text, url }
        })
        .collect()
}

fn section_at(piece: &str) -> Option<usize> {
    piece.find('§').or_else(|| piece.find("appendix "))
}

/// Where the section can be read. Nothing for a document we have no address of.
fn url_of(text: &str) -> Option<String> {
    let at = section_at(text).unwrap_or(text.len());
    let (document, section) = text.split_at_checked(at)?;
    let number = section
        .strip_prefix('§')
        .filter(|number| number.split('.').all(is_number));
    let appendix = section
        .strip_prefix("appendix ")
        .filter(|name| is_letter(name));
    let anchor = |before: &str| match (number, appendix) {
        (Some(number), _) => format!("{before}section-{number}"),
        (None, Some(name)) => format!("{before}appendix-{name}"),
        (None, None) => String::new(),
    };
    let document = document.trim_end();
    if let Some(rfc) = document.strip_prefix("RFC ").filter(|rfc| is_number(rfc)) {
        return Some(format!(
            "https://www.rfc-editor.org/rfc/rfc{rfc}{}",
            anchor("#")
        ));
    }
    let name = match document {
        "Core" | "OpenID Connect Core" => "openid-connect-core-1_0",
        "OpenID Connect Registration" => "openid-connect-registration-1_0",
        "OpenID Connect Discovery" => "openid-connect-discovery-1_0",
        "OpenID Connect RP-Initiated Logout" => "openid-connect-rpinitiated-1_0",
        "OAuth 2.0 Multiple Response Types" => "oauth-v2-multiple-response-types-1_0",
        _ => return None,
    };
    let section = number.map_or_else(String::new, |number| format!("#rfc.section.{number}"));
    Some(format!("https://openid.net/specs/{name}.html{section}"))
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_letter(text: &str) -> bool {
    text.len() == 1 && text.bytes().all(|byte| byte.is_ascii_uppercase())
}
