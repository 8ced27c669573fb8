//! The claims of the verified token, read from the raw event.
//!
//! `lambda_http` keeps claims as a `HashMap<String, String>`: it takes the last of duplicate claims, and cannot read an event
//! with a claim that is not text. Here such claims identify nobody, and the event can still be read.

use core::fmt;
use std::env;

use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::shape::Shape;

/// Where a REST API's events have the claims of the verified token, within `requestContext.authorizer`. An HTTP API's events
/// always have them under `jwt.claims`, where its JWT authorizer puts them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RestClaimsPlace {
    /// `authorizer.claims`: a Cognito authorizer, or an HTTP API with payload format 1.0.
    #[default]
    Claims,
    /// `authorizer` itself: the context that the operator's own Lambda authorizer returns.
    Authorizer,
}

/// The setting is not a place of claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("LATCHKEY_REST_CLAIMS_PLACE must be authorizer.claims or authorizer")]
pub struct NoClaimsPlace;

impl RestClaimsPlace {
    /// Reads `LATCHKEY_REST_CLAIMS_PLACE`. The default is `authorizer.claims`.
    ///
    /// # Errors
    /// [`NoClaimsPlace`] if the setting has another value.
    pub fn from_environment() -> Result<Self, NoClaimsPlace> {
        Self::parse(&env::var("LATCHKEY_REST_CLAIMS_PLACE").unwrap_or_default())
    }

    fn parse(text: &str) -> Result<Self, NoClaimsPlace> {
        match text {
            "" | "authorizer.claims" => Ok(Self::Claims),
            "authorizer" => Ok(Self::Authorizer),
            _ => Err(NoClaimsPlace),
        }
    }
}

/// The claims in an event's `authorizer`. Empty if a member on the way to them is missing or stands twice.
pub(super) fn claims(shape: Shape, place: RestClaimsPlace, authorizer: Option<&RawValue>) -> Map<String, Value> {
    let way: &[&str] = match (shape, place) {
        (Shape::HttpApi | Shape::Direct, _) => &["jwt", "claims"],
        (Shape::RestApi, RestClaimsPlace::Claims) => &["claims"],
        (Shape::RestApi, RestClaimsPlace::Authorizer) => &[],
        // A Function URL verifies no token, and its IAM context holds no claims.
        (Shape::FunctionUrl, _) => return Map::new(),
    };
    authorizer
        .and_then(|authorizer| way.iter().try_fold(authorizer, |object, name| member(object, name)))
        .and_then(|claims| serde_json::from_str(claims.get()).ok())
        .map(|Claims(claims)| claims)
        .unwrap_or_default()
}

/// The claims of a token. A claim that stands twice or is not text is kept as `null`, so it identifies nobody.
struct Claims(Map<String, Value>);

impl<'de> Deserialize<'de> for Claims {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct EachOnce;
        impl<'de> Visitor<'de> for EachOnce {
            type Value = Claims;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of claims")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Claims, A::Error> {
                let mut claims = Map::new();
                while let Some((name, value)) = entries.next_entry::<String, &RawValue>()? {
                    let text = serde_json::from_str(value.get()).ok();
                    let text = text.filter(|_| !claims.contains_key(&name));
                    claims.insert(name, text.map_or(Value::Null, Value::String));
                }
                Ok(Claims(claims))
            }
        }
        deserializer.deserialize_map(EachOnce)
    }
}

/// An object's member. `None` if this is not an object, or does not have exactly one member of this name.
fn member<'a>(object: &'a RawValue, name: &str) -> Option<&'a RawValue> {
    let mut json = serde_json::Deserializer::from_str(object.get());
    OnlyMember(name).deserialize(&mut json).ok().flatten()
}

struct OnlyMember<'n>(&'n str);

impl<'de> DeserializeSeed<'de> for OnlyMember<'_> {
    type Value = Option<&'de RawValue>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for OnlyMember<'_> {
    type Value = Option<&'de RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let (mut found, mut times) = (None, 0_usize);
        while let Some(is_it) = members.next_key_seed(IsName(self.0))? {
            if is_it {
                found = Some(members.next_value()?);
                times = times.saturating_add(1);
            } else {
                members.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found.filter(|_| times == 1))
    }
}

/// Whether a member has this name, escaped or not.
struct IsName<'n>(&'n str);

impl<'de> DeserializeSeed<'de> for IsName<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for IsName<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E>(self, name: &str) -> Result<bool, E> {
        Ok(name == self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(shape: Shape, authorizer: &str) -> Value {
        let authorizer = RawValue::from_string(authorizer.to_owned()).expect("JSON");
        claims(shape, RestClaimsPlace::default(), Some(&authorizer)).into()
    }

    #[test]
    fn each_shape_has_its_own_place() {
        let authorizer =
            r#"{"jwt":{"claims":{"sub":"jwt"}},"claims":{"sub":"rest"},"lambda":{"sub":"lambda"},"sub":"flat"}"#;
        assert_eq!(read(Shape::HttpApi, authorizer), json!({ "sub": "jwt" }));
        assert_eq!(read(Shape::Direct, authorizer), json!({ "sub": "jwt" }));
        assert_eq!(read(Shape::RestApi, authorizer), json!({ "sub": "rest" }));
        assert_eq!(read(Shape::FunctionUrl, authorizer), json!({}));
        let raw = RawValue::from_string(authorizer.to_owned()).expect("JSON");
        let flat = claims(Shape::RestApi, RestClaimsPlace::Authorizer, Some(&raw));
        assert_eq!(flat.get("sub"), Some(&json!("flat")));
        assert_eq!(flat.get("claims"), Some(&Value::Null), "not text");
        let jwt = claims(Shape::HttpApi, RestClaimsPlace::Authorizer, Some(&raw));
        assert_eq!(jwt.get("sub"), Some(&json!("jwt")), "the setting is for REST APIs");
    }

    #[test]
    fn a_claim_that_stands_twice_or_is_not_text_identifies_nobody() {
        for claims in [
            r#"{"role":"member","role":"admin"}"#,
            r#"{"role":"admin","role":"admin","role":"admin"}"#,
            r#"{"role":"member","r\u006fle":"admin"}"#,
            r#"{"role":1}"#,
            r#"{"role":["admin"]}"#,
            r#"{"role":null}"#,
        ] {
            assert_eq!(
                read(Shape::RestApi, &format!(r#"{{"claims":{claims}}}"#)),
                json!({ "role": null }),
                "{claims}"
            );
        }
    }

    #[test]
    fn a_duplicate_member_on_the_way_leads_to_no_claims() {
        for authorizer in [
            r#"{"jwt":{"claims":{"sub":"a"}},"jwt":{"claims":{"sub":"b"}}}"#,
            r#"{"jwt":{"claims":{"sub":"a"},"claims":{"sub":"b"}}}"#,
            r#"{"jwt":{"claims":{"sub":"a"},"cl\u0061ims":null}}"#,
            r#"{"jwt":[{"claims":{"sub":"a"}}]}"#,
            r#"{"jwt":{"claims":["sub"]}}"#,
            r#"{"jwt":{"claims":null}}"#,
            r#"{"iam":{"jwt":{"claims":{"sub":"a"}}}}"#,
            "[]",
        ] {
            assert_eq!(read(Shape::HttpApi, authorizer), json!({}), "{authorizer}");
        }
    }

    #[test]
    fn a_setting_that_names_no_place_is_refused() {
        assert_eq!(RestClaimsPlace::parse(""), Ok(RestClaimsPlace::Claims));
        assert_eq!(RestClaimsPlace::parse("authorizer.claims"), Ok(RestClaimsPlace::Claims));
        assert_eq!(RestClaimsPlace::parse("authorizer"), Ok(RestClaimsPlace::Authorizer));
        for wrong in ["Authorizer", "authorizer.", "authorizer.jwt.claims", "headers"] {
            assert_eq!(RestClaimsPlace::parse(wrong), Err(NoClaimsPlace), "{wrong}");
        }
    }
}
