//! Every rule there is: those of the protocol, and the few that only a server with a browser in front of it can enforce.

use jeton_protocol::refusal::Rule;

pub fn all() -> impl Iterator<Item = &'static Rule> {
    jeton_protocol::rules::all().chain(crate::login::browser::RULES.iter().copied())
}
