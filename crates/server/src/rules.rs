//! Every rule there is: those of the protocol, and the few that only a server with a browser in front of it can enforce.

use jeton_protocol::refusal::Rule;

/// The rule whose page a caller is sent to: of those that read alike to a caller the first, so that the address of the page
/// tells no more than the answer (SEC-046, SEC-127).
pub fn as_told(rule: &'static Rule) -> &'static Rule {
    like(rule).next().unwrap_or(rule)
}

/// The rules that a caller cannot tell from this one.
pub fn like(rule: &Rule) -> impl Iterator<Item = &'static Rule> {
    explained().filter(move |other| other.code == rule.code && other.told == rule.told)
}

/// Every rule with a page of its own: beside all rules those of who comes too often, which refuse no request for what it is.
pub fn explained() -> impl Iterator<Item = &'static Rule> {
    all().chain(crate::http::denied::RULES.iter().copied())
}

pub fn all() -> impl Iterator<Item = &'static Rule> {
    [
        crate::login::browser::RULES,
        crate::login::admin_link::RULES,
        crate::demo::api::RULES,
    ]
    .into_iter()
    .flatten()
    .copied()
    .chain(jeton_protocol::rules::all())
}
