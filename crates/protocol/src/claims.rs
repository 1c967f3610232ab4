//! The `claims` request parameter and which claims a scope stands for (Core §5.4, §5.5).

use crate::scope::Scope;
use crate::user::User;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Names only, for where they were asked. Values and `essential` never fail a request (Core §5.5.1, P-84…87).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimsRequest {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub userinfo: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub id_token: Vec<String>,
    /// The one user the answer may be about: `sub` with a value (Core §5.5.1, §3.1.2.2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The `acr` values of which one must be reached: `acr` as an essential claim (Core §5.5.1.1).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub essential_acr: Vec<String>,
}

const MOST_NAMES: usize = 64;

impl ClaimsRequest {
    /// Reads the parameter; `None` when it is not a JSON object of objects.
    pub fn parse(text: &str) -> Option<Self> {
        let object = jeton_token::json::parse_object(text.as_bytes(), 8 * 1024).ok()?;
        let names = |member: &str| -> Option<Vec<String>> {
            match object.get(member) {
                None | Some(Value::Null) => Some(Vec::new()),
                Some(Value::Object(asked)) if asked.len() <= MOST_NAMES => {
                    Some(asked.keys().cloned().collect())
                }
                Some(_) => None,
            }
        };
        let (userinfo, id_token) = (names("userinfo")?, names("id_token")?);
        let asked = object.get("id_token").and_then(Value::as_object);
        let subject = asked
            .and_then(|asked| asked.get("sub")?.get("value")?.as_str())
            .map(str::to_owned);
        let essential_acr = asked
            .and_then(|asked| asked.get("acr"))
            .map(essential_values)
            .unwrap_or_default();
        Some(Self {
            userinfo,
            id_token,
            subject,
            essential_acr,
        })
    }

    /// The scope values that the named claims belong to: the user has to consent to them as to a scope, though the token gets
    /// no wider (Core §3.1.2.4, §5.5).
    pub fn scope(&self) -> Scope {
        let names = || self.userinfo.iter().chain(&self.id_token);
        let is_asked = |value: &&str| names().any(|name| of_scope(value).contains(&name.as_str()));
        Scope::of(SCOPES.into_iter().filter(is_asked))
    }

    /// Without the claims of the user that belong to no value of `scope`; never an error (P-87).
    pub fn within(mut self, scope: &Scope) -> Self {
        let refused = Scope::of(SCOPES.into_iter()).without(scope);
        let is_kept = |name: &String| {
            let mut beyond = refused.iter().flat_map(of_scope);
            !beyond.any(|claim| claim == name)
        };
        self.userinfo.retain(is_kept);
        self.id_token.retain(is_kept);
        self
    }
}

/// The values of a claim request that is essential; none when it is voluntary.
fn essential_values(request: &Value) -> Vec<String> {
    if request.get("essential").and_then(Value::as_bool) != Some(true) {
        return Vec::new();
    }
    let one = request.get("value").into_iter();
    let many = request
        .get("values")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    one.chain(many)
        .filter_map(Value::as_str)
        .take(MOST_NAMES)
        .map(str::to_owned)
        .collect()
}

const PROFILE: [&str; 14] = [
    "name",
    "family_name",
    "given_name",
    "middle_name",
    "nickname",
    "preferred_username",
    "profile",
    "picture",
    "website",
    "gender",
    "birthdate",
    "zoneinfo",
    "locale",
    "updated_at",
];
const EMAIL: [&str; 2] = ["email", "email_verified"];
const ADDRESS: [&str; 1] = ["address"];
const PHONE: [&str; 2] = ["phone_number", "phone_number_verified"];

/// Every claim Jeton can give.
pub fn supported() -> impl Iterator<Item = &'static str> {
    [
        "sub",
        "iss",
        "aud",
        "exp",
        "iat",
        "auth_time",
        "nonce",
        "acr",
        "amr",
        "sid",
    ]
    .into_iter()
    .chain(standard())
}

/// The claims of Core §5.1 a user record may hold.
pub fn standard() -> impl Iterator<Item = &'static str> {
    PROFILE.into_iter().chain(EMAIL).chain(ADDRESS).chain(PHONE)
}

/// The scope values that stand for claims.
const SCOPES: [&str; 4] = ["profile", "email", "address", "phone"];

fn of_scope(value: &str) -> &'static [&'static str] {
    match value {
        "profile" => &PROFILE,
        "email" => &EMAIL,
        "address" => &ADDRESS,
        "phone" => &PHONE,
        _ => &[],
    }
}

/// The user's claims that `scope` and the names `asked`, which were consented to, entitle a client to; `sub` is not among them.
pub fn released(user: &User, scope: &Scope, asked: &[String]) -> Map<String, Value> {
    let names = scope.iter().flat_map(of_scope).copied();
    let asked = standard().filter(|known| asked.iter().any(|name| name == known));
    let mut released = Map::new();
    for name in names.chain(asked) {
        if let Some(value) = user.claims.get(name).filter(|value| !is_empty(value)) {
            released.insert(name.to_owned(), value.clone());
        }
    }
    released
}

/// Claims without a value are left out rather than sent empty (Core §5.3.2, P-259).
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(values) => values.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}
