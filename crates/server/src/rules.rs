//! Every rule there is: those of the protocol, and the few that only a server with a browser in front of it can enforce.

use jeton_protocol::refusal::Rule;

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
