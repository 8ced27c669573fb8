//! The parts of the API's answers that this tool reads.

use std::borrow::Cow;
use std::time::Duration;

use serde::Deserialize;
use zeroize::Zeroizing;

use crate::failure::Failure;

const TYPES: &str = "urn:latchkey:problem:";

/// An answer to a call. The body may hold plaintext, so it is zeroed on drop.
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The Retry-After header, if it states seconds.
    pub retry_after: Option<Duration>,
    /// The body.
    pub body: Zeroizing<Vec<u8>>,
}

/// The body of a 200 from reassign-item or decrypt-item.
#[derive(Deserialize)]
pub(crate) struct ItemsAnswer<'a> {
    #[serde(borrow)]
    pub(crate) items: Vec<ItemAnswer<'a>>,
}

#[derive(Deserialize)]
pub(crate) struct ItemAnswer<'a> {
    #[serde(borrow)]
    pub(crate) item_id: Cow<'a, str>,
    #[serde(default)]
    pub(crate) outcome: Option<&'a str>,
    #[serde(default)]
    pub(crate) sealed_item: Option<&'a str>,
    /// Borrowed, so that the plaintext stays in the body, which is zeroed.
    #[serde(default)]
    pub(crate) plaintext: Option<&'a str>,
    #[serde(default)]
    pub(crate) error: Option<ProblemAnswer>,
}

/// A problem (docs/api.md).
#[derive(Deserialize)]
pub(crate) struct ProblemAnswer {
    #[serde(rename = "type", default)]
    pub(crate) kind: String,
    #[serde(default)]
    pub(crate) status: u16,
    #[serde(default)]
    pub(crate) detail: String,
    #[serde(default)]
    pub(crate) request_id: Option<String>,
    #[serde(default)]
    errors: Vec<FieldError>,
    #[serde(default)]
    findings: Vec<Finding>,
}

#[derive(Deserialize)]
struct FieldError {
    pointer: String,
    #[serde(default)]
    detail: String,
}

#[derive(Deserialize)]
struct Finding {
    #[serde(default)]
    message: String,
}

impl ProblemAnswer {
    /// The problem in an answer. If API Gateway answers in place of the function, the body is another one or empty.
    pub(crate) fn of(answer: &Answer) -> Self {
        let known = serde_json::from_slice::<Self>(&answer.body)
            .ok()
            .filter(|problem| problem.kind.starts_with(TYPES));
        known.unwrap_or(Self {
            kind: String::new(),
            status: answer.status,
            detail: String::new(),
            request_id: None,
            errors: Vec::new(),
            findings: Vec::new(),
        })
    }

    /// Whether the same call may succeed later. API Gateway has a 500 of its own, for a function that gave no answer.
    pub(crate) const fn passes(&self) -> bool {
        match self.status {
            429 | 502 | 503 | 504 => true,
            500 => self.kind.is_empty(),
            _ => false,
        }
    }

    /// What is wrong with which items of the call. `None` if anything is wrong that is not in an item.
    pub(crate) fn of_items(&self) -> Option<Vec<(usize, Failure)>> {
        let of_item = |error: &FieldError| {
            let rest = error.pointer.strip_prefix("#/items/")?;
            let place = rest.split('/').next()?.parse().ok()?;
            let failure = Failure {
                kind: self.kind.clone(),
                detail: format!("{}: {}", rest.split_once('/').map_or("item", |it| it.1), error.detail),
            };
            Some((place, failure))
        };
        let items: Option<Vec<_>> = self.errors.iter().map(of_item).collect();
        items.filter(|items| !items.is_empty())
    }

    /// The problem as one item's failure.
    pub(crate) fn into_failure(self) -> Failure {
        Failure {
            detail: self.in_words(),
            kind: self.kind,
        }
    }

    /// The problem in words, with the findings at the customer's key.
    pub(crate) fn in_words(&self) -> String {
        let mut words = self.detail.clone();
        for finding in &self.findings {
            words.push(' ');
            words.push_str(&finding.message);
        }
        words
    }
}

impl core::fmt::Display for ProblemAnswer {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let name = self.kind.strip_prefix(TYPES).unwrap_or("no problem details");
        write!(f, "{} {name}. {}", self.status, self.in_words())?;
        match &self.request_id {
            Some(request_id) => write!(f, " (request {request_id})"),
            None => Ok(()),
        }
    }
}
