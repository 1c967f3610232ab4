//! What a browser needs of a page to send its form: the action, the hidden fields and the first button.

/// The first form of a page that is sent by POST.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Form {
    pub action: String,
    /// Hidden inputs and the first named button.
    pub fields: Vec<(String, String)>,
    /// The names of the inputs a person fills in.
    pub asked: Vec<(String, InputKind)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InputKind {
    Text,
    Password,
}

impl Form {
    pub fn first_of(page: &str) -> Option<Self> {
        let mut form: Option<Self> = None;
        let mut pressed = false;
        for tag in page.split('<').skip(1) {
            let name_end = tag
                .find(|c: char| !c.is_ascii_alphanumeric() && c != '/')
                .unwrap_or(tag.len());
            let (name, attributes) = tag.split_at(name_end);
            let name = name.to_ascii_lowercase();
            match (name.as_str(), &mut form) {
                ("form", None) if is_post(attributes) => {
                    form = Some(Self {
                        action: attribute(attributes, "action").unwrap_or_default(),
                        ..Self::default()
                    });
                }
                ("/form", Some(_)) => break,
                ("input", Some(form)) => form.input(attributes),
                ("button", Some(form)) if !pressed => {
                    pressed = true;
                    if let Some(button) = attribute(attributes, "name") {
                        let value = attribute(attributes, "value").unwrap_or_default();
                        form.fields.push((button, value));
                    }
                }
                (_, _) => {}
            }
        }
        form
    }

    fn input(&mut self, attributes: &str) {
        let Some(name) = attribute(attributes, "name") else {
            return;
        };
        match attribute(attributes, "type").as_deref() {
            Some("hidden") => {
                let value = attribute(attributes, "value").unwrap_or_default();
                self.fields.push((name, value));
            }
            Some("password") => self.asked.push((name, InputKind::Password)),
            None | Some("text" | "email") => self.asked.push((name, InputKind::Text)),
            Some(_) => {}
        }
    }
}

fn is_post(attributes: &str) -> bool {
    attribute(attributes, "method").is_some_and(|method| method.eq_ignore_ascii_case("post"))
}

/// The value of a quoted attribute, without character references.
fn attribute(tag: &str, name: &str) -> Option<String> {
    let mut rest = tag;
    loop {
        let (before, after) = rest.split_once('=')?;
        let found = before.rsplit(|c: char| c.is_whitespace()).next()?;
        let quote = after.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        let (value, next) = after.get(1..)?.split_once(quote)?;
        if found.eq_ignore_ascii_case(name) {
            return Some(unescape(value));
        }
        rest = next;
    }
}

fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        plain.push_str(before);
        match after
            .split_once(';')
            .and_then(|(name, next)| Some((reference(name)?, next)))
        {
            Some((character, next)) => {
                plain.push(character);
                rest = next;
            }
            None => {
                plain.push('&');
                rest = after;
            }
        }
    }
    plain.push_str(rest);
    plain
}

fn reference(name: &str) -> Option<char> {
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hexadecimal) => u32::from_str_radix(hexadecimal, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fields_of_a_sign_in_page_are_found() {
        let page = r#"<!doctype html><form method="get" action="/lang"><input type="hidden" name="x" value="y"></form>
            <form action='/login?a=1&amp;b=2' method="POST">
            <input type="hidden" name="csrf" value="a&#x2F;b&#61;&quot;&unknown;">
            <input value="i1" name="interaction" type="hidden"/>
            <label>Name <input id="username" name="username" type="text" value="" required autofocus></label>
            <input type="password" name="password"><input type="checkbox" name="stay">
            <button type="submit" name="action" value="sign-in">Sign in</button>
            <button name="action" value="cancel">Cancel</button></form>
            <form method="post"><input type="hidden" name="other" value="no"></form>"#;
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(
            Form::first_of(page),
            Some(Form {
                action: "/login?a=1&b=2".to_owned(),
                fields: vec![
                    pair("csrf", "a/b=\"&unknown;"),
                    pair("interaction", "i1"),
                    pair("action", "sign-in"),
                ],
                asked: vec![
                    ("username".to_owned(), InputKind::Text),
                    ("password".to_owned(), InputKind::Password),
                ],
            })
        );
    }

    #[test]
    fn a_page_without_a_form_has_none() {
        for page in [
            "",
            "<",
            "<p>no</p>",
            "<form action=\"/x\"><input name=\"a\"></form>",
        ] {
            assert_eq!(Form::first_of(page), None, "{page}");
        }
    }
}
