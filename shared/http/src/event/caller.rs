//! Reads the caller from the verified token's claims, and from nothing else (requirements R4, W1).

use latchkey_core::caller::{Caller, WorkspaceRole};
use latchkey_core::values::WorkspaceId;
use serde_json::{Map, Value};

/// The names of the claims that identify the caller. They are settings, because issuers name claims differently.
#[derive(Clone, Debug)]
pub struct ClaimNames {
    /// The workspace id; `workspace_id` unless configured.
    pub workspace_id: String,
    /// The role in the workspace; `role` unless configured.
    pub role: String,
    /// The subject; `sub` unless configured.
    pub subject: String,
}

/// The claims do not identify a caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the token's claims do not identify a caller")]
pub struct NoCaller;

impl ClaimNames {
    /// Reads `LATCHKEY_WORKSPACE_CLAIM`, `LATCHKEY_ROLE_CLAIM` and `LATCHKEY_SUBJECT_CLAIM`.
    pub fn from_environment() -> Self {
        let name = |variable, default: &str| {
            std::env::var(variable)
                .ok()
                .filter(|name| !name.is_empty())
                .unwrap_or_else(|| default.to_owned())
        };
        Self {
            workspace_id: name("LATCHKEY_WORKSPACE_CLAIM", "workspace_id"),
            role: name("LATCHKEY_ROLE_CLAIM", "role"),
            subject: name("LATCHKEY_SUBJECT_CLAIM", "sub"),
        }
    }

    /// The caller that the claims identify. Each claim must be there once, as text.
    ///
    /// # Errors
    /// [`NoCaller`] if a claim is missing, empty or not text, or if the workspace id or subject is not valid.
    pub fn caller(&self, claims: &Map<String, Value>) -> Result<Caller, NoCaller> {
        let text = |name: &str| {
            claims
                .get(name)
                .and_then(Value::as_str)
                .filter(|text| !text.is_empty())
                .ok_or(NoCaller)
        };
        let subject = text(&self.subject)?;
        if subject.len() > 256 || subject.chars().any(char::is_control) {
            return Err(NoCaller);
        }
        Ok(Caller {
            workspace_id: WorkspaceId::parse(text(&self.workspace_id)?).map_err(|_| NoCaller)?,
            role: WorkspaceRole::from_claim(text(&self.role)?),
            subject: subject.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn caller(claims: Value) -> Result<Caller, NoCaller> {
        let names = ClaimNames {
            workspace_id: "workspace_id".to_owned(),
            role: "role".to_owned(),
            subject: "sub".to_owned(),
        };
        names.caller(claims.as_object().expect("an object"))
    }

    #[test]
    fn the_claims_identify_the_caller() {
        let caller = caller(json!({ "workspace_id": "ws-1", "role": "admin", "sub": "user-1" })).expect("a caller");
        assert_eq!(
            (caller.workspace_id.as_str(), caller.role),
            ("ws-1", WorkspaceRole::Admin)
        );
    }

    #[test]
    fn a_claim_that_is_missing_or_no_text_names_nobody() {
        let whole = json!({ "workspace_id": "ws-1", "role": "admin", "sub": "user-1" });
        for name in ["workspace_id", "role", "sub"] {
            for wrong in [Value::Null, json!(""), json!(1), json!(["ws-1"]), json!({ "a": 1 })] {
                let mut claims = whole.clone();
                claims[name] = wrong;
                assert_eq!(caller(claims).map(|_| ()), Err(NoCaller), "{name}");
            }
            let mut claims = whole.clone();
            claims.as_object_mut().expect("an object").remove(name);
            assert_eq!(caller(claims).map(|_| ()), Err(NoCaller), "{name}");
        }
    }
}
