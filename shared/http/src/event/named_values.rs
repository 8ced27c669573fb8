//! Headers and query parameters: names with one value or a list of values.
//!
//! If the caller sent a name twice, format 2.0 (an HTTP API) has one text with commas. Format 1.0 (a REST API) has a list, and also
//! the last value by itself. Here it is one text with commas in every case.

use core::fmt;
use std::collections::BTreeMap;

use serde::de::{Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::shape::{Outline, Shape, value};

/// The query parameters, by name.
///
/// # Errors
/// If a value is neither text nor a list of texts.
pub(super) fn query(shape: Shape, event: &Outline<'_>) -> Result<BTreeMap<String, String>, serde_json::Error> {
    let mut query: BTreeMap<String, Values> = value(event.query_string_parameters)?;
    if shape == Shape::RestApi {
        query.extend(value::<BTreeMap<_, _>>(event.multi_value_query_string_parameters)?);
    }
    Ok(query.into_iter().map(|(name, Values(text))| (name, text)).collect())
}

/// The headers that we use. The others are not copied, because the caller's token is among them.
#[derive(Default)]
pub(super) struct Headers {
    pub(super) accept: Option<String>,
    pub(super) if_match: Option<String>,
}

impl Headers {
    /// # Errors
    /// As [`query`], for these headers only.
    pub(super) fn read(shape: Shape, event: &Outline<'_>) -> Result<Self, serde_json::Error> {
        let last: Self = value(event.headers)?;
        if shape != Shape::RestApi {
            return Ok(last);
        }
        let all: Self = value(event.multi_value_headers)?;
        Ok(Self {
            accept: all.accept.or(last.accept),
            if_match: all.if_match.or(last.if_match),
        })
    }
}

/// The values of a name, with commas between them.
struct Values(String);

impl Values {
    fn add_to(self, text: &mut Option<String>) {
        match text {
            None => *text = Some(self.0),
            Some(text) => {
                text.push(',');
                text.push_str(&self.0);
            }
        }
    }
}

impl<'de> Deserialize<'de> for Values {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOrMore;
        impl<'de> Visitor<'de> for OneOrMore {
            type Value = Values;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text or a list of texts")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Values, E> {
                Ok(Values(text.to_owned()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<Values, A::Error> {
                let mut joined = None;
                while let Some(value) = values.next_element()? {
                    Values(value).add_to(&mut joined);
                }
                joined.map(Values).ok_or_else(|| A::Error::custom("no value"))
            }
        }
        deserializer.deserialize_any(OneOrMore)
    }
}

impl<'de> Deserialize<'de> for Headers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ByName;
        impl<'de> Visitor<'de> for ByName {
            type Value = Headers;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of headers")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Headers, A::Error> {
                let mut headers = Headers::default();
                while let Some(name) = entries.next_key()? {
                    let text = match name {
                        HeaderName::Accept => &mut headers.accept,
                        HeaderName::IfMatch => &mut headers.if_match,
                        HeaderName::Other => {
                            entries.next_value::<IgnoredAny>()?;
                            continue;
                        }
                    };
                    entries.next_value::<Values>()?.add_to(text);
                }
                Ok(headers)
            }
        }
        deserializer.deserialize_map(ByName)
    }
}

/// The name of a header. An HTTP API writes it in lower case, a REST API as the caller did.
enum HeaderName {
    Accept,
    IfMatch,
    Other,
}

impl<'de> Deserialize<'de> for HeaderName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InAnyCase;
        impl Visitor<'_> for InAnyCase {
            type Value = HeaderName;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name")
            }

            fn visit_str<E>(self, name: &str) -> Result<HeaderName, E> {
                Ok(if name.eq_ignore_ascii_case("accept") {
                    HeaderName::Accept
                } else if name.eq_ignore_ascii_case("if-match") {
                    HeaderName::IfMatch
                } else {
                    HeaderName::Other
                })
            }
        }
        deserializer.deserialize_str(InAnyCase)
    }
}
