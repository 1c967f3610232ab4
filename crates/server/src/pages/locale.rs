//! The languages pages speak, and the choice among them.

use std::cmp::Reverse;

use serde::Serialize;

/// A language Jeton has texts for. Nothing else a request asks for is remembered (SEC-215).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
pub enum Locale {
    #[default]
    En,
    Fr,
}

/// A longer list of wishes is read up to here.
const BYTES_READ: usize = 512;
const WISHES_READ: usize = 24;

impl Locale {
    pub const ALL: [Self; 2] = [Self::En, Self::Fr];

    /// The first wish that can be met: `ui_locales`, then `Accept-Language`, then English. Unknown, broken or
    /// endless lists are no error. (OIDC Core §3.1.2.1, RFC 9110 §12.5.4)
    pub fn choose(ui_locales: Option<&str>, accept_language: Option<&str>) -> Self {
        ui_locales
            .and_then(of_ui_locales)
            .or_else(|| accept_language.and_then(of_accept_language))
            .unwrap_or_default()
    }

    /// The tag for the `lang` attribute.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Fr => "fr",
        }
    }

    pub(super) const fn texts(self) -> &'static str {
        match self {
            Self::En => include_str!("../../assets/locales/en.ftl"),
            Self::Fr => include_str!("../../assets/locales/fr.ftl"),
        }
    }

    fn of_tag(tag: &str) -> Option<Self> {
        let language = tag.split(['-', '_']).next()?;
        Self::ALL
            .into_iter()
            .find(|known| known.tag().eq_ignore_ascii_case(language))
    }
}

fn of_ui_locales(wishes: &str) -> Option<Locale> {
    start_of(wishes)
        .split(' ')
        .take(WISHES_READ)
        .find_map(Locale::of_tag)
}

fn of_accept_language(wishes: &str) -> Option<Locale> {
    let mut known: Vec<(u16, Locale)> = start_of(wishes)
        .split(',')
        .take(WISHES_READ)
        .filter_map(|wish| {
            let mut parts = wish.split(';').map(str::trim);
            let locale = Locale::of_tag(parts.next()?)?;
            let weight = parts.find_map(|part| part.strip_prefix("q="));
            Some((weight.map_or(1000, thousandths), locale))
        })
        .filter(|(weight, _)| *weight > 0)
        .collect();
    known.sort_by_key(|(weight, _)| Reverse(*weight));
    known.first().map(|(_, locale)| *locale)
}

/// `0.8` as 800. What is no weight counts as none.
fn thousandths(weight: &str) -> u16 {
    let (whole, fraction) = weight.split_once('.').unwrap_or((weight, ""));
    match (whole, fraction.len()) {
        ("1", _) => 1000,
        ("0", 1..=3) => format!("{fraction:0<3}").parse().unwrap_or(0),
        _ => 0,
    }
}

fn start_of(text: &str) -> &str {
    let mut end = text.len().min(BYTES_READ);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or("")
}
