//! Kinds of issuers that are met often, and the claims of theirs that a rule must name: names can be given to somebody else,
//! these cannot.

use crate::trusted_issuer::Condition;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preset {
    Github,
    Gitlab,
    Kubernetes,
    Spiffe,
}

impl Preset {
    /// Whether the issuer's tokens are files that many requests read.
    pub const fn is_reusable(self) -> bool {
        match self {
            Self::Github | Self::Gitlab => false,
            Self::Kubernetes | Self::Spiffe => true,
        }
    }

    /// Refuses conditions that a name alone could meet; the error says what is missing.
    pub fn judge(self, when: &[Condition]) -> Result<(), &'static str> {
        let names = |claims: &[&str]| {
            when.iter()
                .any(|condition| claims.contains(&condition.claim.as_str()))
        };
        let (holds, told) = match self {
            Self::Github => (
                names(&["repository_id", "repository_owner_id"]),
                "a rule for GitHub needs repository_id=… or repository_owner_id=…, which never name another repository or owner",
            ),
            Self::Gitlab => (
                names(&["project_id", "namespace_id"]),
                "a rule for GitLab needs project_id=… or namespace_id=…, which never name another project or group",
            ),
            Self::Kubernetes => (
                names(&["/kubernetes.io/serviceaccount/uid"]),
                "a rule for Kubernetes needs /kubernetes.io/serviceaccount/uid=…, which never names another service account",
            ),
            Self::Spiffe => (
                when.iter().any(is_spiffe_id),
                "a rule for SPIFFE needs sub=spiffe://TRUST-DOMAIN/PATH",
            ),
        };
        if holds { Ok(()) } else { Err(told) }
    }
}

fn is_spiffe_id(condition: &Condition) -> bool {
    let id = condition.value.strip_prefix("spiffe://");
    condition.claim == "sub"
        && id
            .and_then(|id| id.split_once('/'))
            .is_some_and(|(domain, path)| !domain.is_empty() && !path.is_empty())
}
