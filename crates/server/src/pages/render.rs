//! Turns a [`Page`] into HTML: one template environment a language, both built once.

use std::borrow::Cow;
use std::sync::Arc;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use minijinja::value::{Kwargs, Serde, Value, ValueKind};
use minijinja::{AutoEscape, Environment, Error, ErrorKind, Output, State, UndefinedBehavior};

use super::asset::asset_url;
use super::clause;
use super::failure::message_of;
use super::text::{escape_into, is_local, is_web, parting, plain};
use super::{Locale, Page};

/// The templates of all pages in all languages, compiled.
#[derive(Debug)]
pub struct Pages {
    english: Environment<'static>,
    french: Environment<'static>,
}

/// A page could not be drawn. Always our mistake: a fault, never a refusal.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    #[error("the texts in {language} do not parse: {reason}")]
    Texts {
        language: &'static str,
        reason: String,
    },
    #[error("a template failed: {0}")]
    Template(#[from] Error),
}

impl Pages {
    pub fn new() -> Result<Self, PageError> {
        Ok(Self {
            english: environment(Locale::En)?,
            french: environment(Locale::Fr)?,
        })
    }

    pub fn render(&self, page: &Page<'_>, locale: Locale) -> Result<String, PageError> {
        let environment = match locale {
            Locale::En => &self.english,
            Locale::Fr => &self.french,
        };
        let template = environment.get_template(page.template())?;
        Ok(template.render(minijinja::context! { page => Value::from(Serde(page)) })?)
    }
}

/// Instructions one page may cost. The longest page, a full trace, stays under a quarter of it.
const FUEL: u64 = 2_000_000;

const TEMPLATES: [(&str, &str); 19] = [
    (
        "layout.html",
        include_str!("../../assets/templates/layout.html"),
    ),
    (
        "parts.html",
        include_str!("../../assets/templates/parts.html"),
    ),
    (
        "trace-parts.html",
        include_str!("../../assets/templates/trace-parts.html"),
    ),
    (
        "sign-in.html",
        include_str!("../../assets/templates/sign-in.html"),
    ),
    (
        "consent.html",
        include_str!("../../assets/templates/consent.html"),
    ),
    (
        "user-code.html",
        include_str!("../../assets/templates/user-code.html"),
    ),
    (
        "device-confirm.html",
        include_str!("../../assets/templates/device-confirm.html"),
    ),
    (
        "device-done.html",
        include_str!("../../assets/templates/device-done.html"),
    ),
    (
        "failure.html",
        include_str!("../../assets/templates/failure.html"),
    ),
    (
        "form-post.html",
        include_str!("../../assets/templates/form-post.html"),
    ),
    (
        "signed-out.html",
        include_str!("../../assets/templates/signed-out.html"),
    ),
    (
        "sign-out.html",
        include_str!("../../assets/templates/sign-out.html"),
    ),
    (
        "home.html",
        include_str!("../../assets/templates/home.html"),
    ),
    (
        "trace-list.html",
        include_str!("../../assets/templates/trace-list.html"),
    ),
    (
        "trace-detail.html",
        include_str!("../../assets/templates/trace-detail.html"),
    ),
    (
        "rule.html",
        include_str!("../../assets/templates/rule.html"),
    ),
    (
        "admin-link.html",
        include_str!("../../assets/templates/admin-link.html"),
    ),
    ("mark.svg", include_str!("../../assets/mark.svg")),
    ("coin.svg", include_str!("../../assets/coin.svg")),
];

fn environment(locale: Locale) -> Result<Environment<'static>, PageError> {
    let texts = Arc::new(texts(locale)?);
    let mut env = Environment::new();
    env.set_undefined_behavior(UndefinedBehavior::Strict);
    // Its errors would list the values of the page, secrets among them (SEC-250).
    env.set_debug(false);
    env.set_fuel(Some(FUEL));
    env.set_auto_escape_callback(|_| AutoEscape::Html);
    env.set_formatter(write_escaped);
    env.add_global("lang", locale.tag());
    env.add_filter("plain", |text: &str| plain(text).into_owned());
    env.add_filter("web", |url: String| guarded(url, is_web));
    env.add_filter("local", |path: String| guarded(path, is_local));
    env.add_function("asset", |name: &str| {
        asset_url(name).ok_or_else(|| refused("no such asset", name))
    });
    env.add_function("clause_tags", |text: &str| {
        Value::from(Serde(&clause::tags(text)))
    });
    env.add_function("parting", |one: &str, other: &str| {
        let (common, one, other) = parting(one, other);
        vec![common.to_owned(), one.to_owned(), other.to_owned()]
    });
    let all = Arc::clone(&texts);
    env.add_function("t", move |id: &str, args: Kwargs| {
        say(&all, id, &args)?.ok_or_else(|| refused("no such message", id))
    });
    let all = Arc::clone(&texts);
    env.add_function("t_or", move |id: &str, fallback: String, args: Kwargs| {
        Ok::<_, Error>(say(&all, id, &args)?.unwrap_or(fallback))
    });
    env.add_function("failure_message", move |cause: &str| {
        message_of(cause, |id| texts.has_message(id))
    });
    for (name, source) in TEMPLATES {
        env.add_template(name, source)?;
    }
    Ok(env)
}

type Texts = FluentBundle<FluentResource>;

fn texts(locale: Locale) -> Result<Texts, PageError> {
    let failed = |reason: String| PageError::Texts {
        language: locale.tag(),
        reason,
    };
    let source = locale.texts().to_owned();
    let resource = FluentResource::try_new(source).map_err(|(_, e)| failed(format!("{e:?}")))?;
    let language = locale.tag().parse().map_err(|e| failed(format!("{e:?}")))?;
    let mut bundle = FluentBundle::new_concurrent(vec![language]);
    // Names are stripped of direction controls before they get here; isolation marks would only
    // end up in what people copy.
    bundle.set_use_isolating(false);
    bundle
        .add_resource(resource)
        .map_err(|e| failed(format!("{e:?}")))?;
    Ok(bundle)
}

/// The text of `id` (`message` or `message.attribute`), or nothing when the language lacks it.
fn say(texts: &Texts, id: &str, args: &Kwargs) -> Result<Option<String>, Error> {
    let (name, attribute) = id.split_once('.').map_or((id, None), |(n, a)| (n, Some(a)));
    let Some(message) = texts.get_message(name) else {
        return Ok(None);
    };
    let pattern = match attribute {
        None => message.value(),
        Some(attribute) => message.get_attribute(attribute).map(|found| found.value()),
    };
    let Some(pattern) = pattern else {
        return Ok(None);
    };
    let mut filled = FluentArgs::new();
    for key in args.args() {
        filled.set(key.to_owned(), fluent(&args.get::<Value>(key)?));
    }
    let mut problems = Vec::new();
    let text = texts
        .format_pattern(pattern, Some(&filled), &mut problems)
        .into_owned();
    if problems.is_empty() {
        Ok(Some(text))
    } else {
        Err(refused("message not filled", id))
    }
}

fn fluent(value: &Value) -> FluentValue<'static> {
    match i64::try_from(value.clone()) {
        Ok(number) if value.kind() == ValueKind::Number => FluentValue::from(number),
        _ => FluentValue::String(Cow::Owned(value.to_string())),
    }
}

fn guarded(url: String, allowed: fn(&str) -> bool) -> Result<String, Error> {
    if allowed(&url) {
        Ok(url)
    } else {
        Err(refused("not an address this page may hold", "url"))
    }
}

fn refused(reason: &'static str, name: &str) -> Error {
    Error::new(ErrorKind::InvalidOperation, format!("{reason}: {name}"))
}

/// As the stock formatter, but `/` stays readable: it is harmless in text and in quoted
/// attributes, and addresses in a page are meant to be found and copied.
fn write_escaped(
    out: &mut Output<'_>,
    state: &mut State<'_, '_>,
    value: &Value,
) -> Result<(), Error> {
    match value.as_str() {
        Some(text) if !value.is_safe() && *state.auto_escape() == AutoEscape::Html => {
            escape_into(out, text).map_err(Error::from)
        }
        _ => minijinja::escape_formatter(out, state, value),
    }
}
