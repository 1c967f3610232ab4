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
    /// `auth_time` was asked for as essential (Core §2, P-97).
    #[serde(default)]
    pub auth_time: bool,
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
        let auth_time = id_token.iter().any(|name| name == "auth_time");
        Some(Self {
            userinfo,
            id_token,
            auth_time,
        })
    }
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
        "azp",
        "sid",
    ]
    .into_iter()
    .chain(standard())
}

/// The claims of Core §5.1 a user record may hold.
pub fn standard() -> impl Iterator<Item = &'static str> {
    PROFILE.into_iter().chain(EMAIL).chain(ADDRESS).chain(PHONE)
}

fn of_scope(value: &str) -> &'static [&'static str] {
    match value {
        "profile" => &PROFILE,
        "email" => &EMAIL,
        "address" => &ADDRESS,
        "phone" => &PHONE,
        _ => &[],
    }
}

/// The user's claims that `scope` and the names `asked` entitle a client to; `sub` is not among them.
pub fn released(user: &User, scope: &Scope, asked: &[String]) -> Map<String, Value> {
    let names = scope.iter().flat_map(of_scope).copied();
    let asked = standard().filter(|known| asked.iter().any(|name| name == known));
    let mut released = Map::new();
    for name in names.chain(asked) {
        if let Some(value) = user.claims.get(name) {
            released.insert(name.to_owned(), value.clone());
        }
    }
    released
}
