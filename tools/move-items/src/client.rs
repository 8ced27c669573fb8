//! The calls to the API: to reseal items, to check that they are in the target, and to open them. A call is retried if
//! its answer asks for that or suggests it. An answer is accepted only if it answers exactly what was asked.

use core::future::Future;
use std::time::Duration;

use serde::Serialize;
use zeroize::Zeroizing;

use crate::failure::Failure;
use crate::item_answer::{Answer, ItemAnswer, ItemsAnswer, ProblemAnswer};
use crate::item_line::Item;
use crate::patience::Patience;
use crate::stop::Stop;

/// How the API is reached.
pub trait Transport: Send + Sync {
    /// Sends one POST. `Err` means that there was no answer, and says why.
    fn post(&self, path: &str, body: String) -> impl Future<Output = Result<Answer, String>> + Send;
}

/// The API, for one target.
pub struct Client<T> {
    /// The way to the API.
    pub transport: T,
    /// The target.
    pub to_vault_id: String,
    /// For how long a call is retried.
    pub patience: Duration,
}

/// What reassign-item did with an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reassigned {
    /// It was sealed anew. This is the sealed item in the target, in base64.
    Moved(String),
    /// It was in the target already, and opens.
    Unchanged,
    /// It opens, but is not in the target.
    Elsewhere,
}

/// A plaintext in base64. It is never written, and it is zeroed on drop.
pub type PlaintextBase64 = Zeroizing<String>;

#[derive(Clone, Copy)]
enum Call {
    Reassign { dry_run: bool },
    Decrypt,
}

#[derive(Serialize)]
struct Request<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    to_vault_id: Option<&'a str>,
    #[serde(skip_serializing_if = "core::ops::Not::not")]
    dry_run: bool,
    items: Vec<&'a Item>,
}

/// The outcomes of some items, with their places among the items that were asked about.
type Outcomes<R> = Vec<(usize, Result<R, Failure>)>;

impl<T: Transport> Client<T> {
    /// Reseals items in the target, each on its own.
    ///
    /// # Errors
    /// [`Stop`] if the target cannot take any item, or if the API does not answer.
    pub async fn reassign(&self, items: &[&Item]) -> Result<Vec<Result<Reassigned, Failure>>, Stop> {
        let call = Call::Reassign { dry_run: false };
        self.ask(call, items, |item, answer| self.reassigned(item, answer))
            .await
    }

    /// Checks whether items are in the target and open.
    ///
    /// # Errors
    /// As [`Self::reassign`].
    pub async fn look_at(&self, items: &[&Item]) -> Result<Vec<Result<Reassigned, Failure>>, Stop> {
        let call = Call::Reassign { dry_run: true };
        self.ask(call, items, |item, answer| self.reassigned(item, answer))
            .await
    }

    /// Opens items.
    ///
    /// # Errors
    /// [`Stop`] if the API does not answer.
    pub async fn decrypt(&self, items: &[&Item]) -> Result<Vec<Result<PlaintextBase64, Failure>>, Stop> {
        self.ask(Call::Decrypt, items, |_, answer| {
            answer.plaintext.map(|text| Zeroizing::new(text.to_owned()))
        })
        .await
    }

    fn reassigned(&self, item: &Item, answer: &ItemAnswer<'_>) -> Option<Reassigned> {
        match (answer.outcome?, answer.sealed_item) {
            ("moved", Some(sealed)) => item
                .is_sealed_as(sealed, &self.to_vault_id)
                .then(|| Reassigned::Moved(sealed.to_owned())),
            ("unchanged", Some(sealed)) => (sealed == item.sealed_item && item.is_sealed_as(sealed, &self.to_vault_id))
                .then_some(Reassigned::Unchanged),
            ("would_move", None) => Some(Reassigned::Elsewhere),
            _ => None,
        }
    }

    /// Sends all items, in as many calls as it takes.
    async fn ask<R>(
        &self,
        call: Call,
        items: &[&Item],
        read: impl Fn(&Item, &ItemAnswer<'_>) -> Option<R>,
    ) -> Result<Vec<Result<R, Failure>>, Stop> {
        let mut outcomes: Vec<Option<Result<R, Failure>>> = items.iter().map(|_| None).collect();
        let mut left = vec![(0..items.len()).collect::<Vec<_>>()];
        let mut patience = Patience::of(self.patience);
        while let Some(places) = left.pop() {
            if places.is_empty() {
                continue;
            }
            let asked: Vec<&Item> = places.iter().filter_map(|place| items.get(*place).copied()).collect();
            let answer = match self.transport.post(call.path(), self.body(call, &asked)?).await {
                Ok(answer) => answer,
                Err(last) => {
                    self.wait(&mut patience, None, last).await?;
                    left.push(places);
                    continue;
                }
            };
            let (settled, again) = if answer.status == 200 {
                let settled = read_all(&asked, &answer, &places, &read)?;
                let (again, settled) = settled.into_iter().partition::<Vec<_>, _>(|(_, item)| item.passes);
                self.again(&mut patience, again, settled).await
            } else {
                let problem = ProblemAnswer::of(&answer);
                if problem.passes() {
                    self.wait(&mut patience, answer.retry_after, problem.to_string())
                        .await?;
                    left.push(places);
                    continue;
                }
                self.without_those_at_fault(problem, &places, &mut left)?
            };
            left.push(again);
            for (place, outcome) in settled {
                if let Some(slot) = outcomes.get_mut(place) {
                    *slot = Some(outcome);
                }
            }
        }
        outcomes
            .into_iter()
            .collect::<Option<_>>()
            .ok_or(Stop::NoAnswer("an item was not answered for"))
    }

    fn body(&self, call: Call, items: &[&Item]) -> Result<String, Stop> {
        let (to_vault_id, dry_run) = match call {
            Call::Reassign { dry_run } => (Some(self.to_vault_id.as_str()), dry_run),
            Call::Decrypt => (None, false),
        };
        let request = Request {
            to_vault_id,
            dry_run,
            items: items.to_vec(),
        };
        serde_json::to_string(&request).map_err(|error| Stop::disk("the request")(error.into()))
    }

    async fn wait(&self, patience: &mut Patience, retry_after: Option<Duration>, last: String) -> Result<(), Stop> {
        if patience.pause(retry_after).await {
            return Ok(());
        }
        Err(Stop::Unanswered {
            seconds: self.patience.as_secs(),
            last,
        })
    }

    /// Retries items that AWS left unanswered. If no patience is left, they fail.
    async fn again<R>(
        &self,
        patience: &mut Patience,
        again: Vec<(usize, Settled<R>)>,
        settled: Vec<(usize, Settled<R>)>,
    ) -> (Outcomes<R>, Vec<usize>) {
        let mut outcomes: Outcomes<R> = settled.into_iter().map(|(place, item)| (place, item.outcome)).collect();
        if again.is_empty() || patience.pause(None).await {
            return (outcomes, again.into_iter().map(|(place, _)| place).collect());
        }
        outcomes.extend(again.into_iter().map(|(place, item)| (place, item.outcome)));
        (outcomes, Vec::new())
    }

    /// If a call was refused because of some items, retries without them. If a call was too large, retries it in
    /// halves.
    fn without_those_at_fault<R>(
        &self,
        problem: ProblemAnswer,
        places: &[usize],
        left: &mut Vec<Vec<usize>>,
    ) -> Result<(Outcomes<R>, Vec<usize>), Stop> {
        if problem.status == 413 {
            if let [place] = places {
                return Ok((vec![(*place, Err(problem.into_failure()))], Vec::new()));
            }
            let (first, second) = places.split_at(places.len().div_ceil(2));
            left.push(second.to_vec());
            return Ok((Vec::new(), first.to_vec()));
        }
        let at_fault = problem.of_items().filter(|_| problem.status == 400);
        let Some(at_fault) = at_fault else {
            return Err(Stop::Refused(problem.to_string()));
        };
        let mut rest = places.to_vec();
        let mut outcomes = Vec::new();
        for (asked_at, failure) in at_fault {
            let place = places
                .get(asked_at)
                .ok_or(Stop::NoAnswer("it names an item that was not sent"))?;
            rest.retain(|other| other != place);
            outcomes.push((*place, Err(failure)));
        }
        Ok((outcomes, rest))
    }
}

impl Call {
    const fn path(self) -> &'static str {
        match self {
            Self::Reassign { .. } => "/v1/items/reassign",
            Self::Decrypt => "/v1/items/decrypt",
        }
    }
}

/// The outcome of an item, and whether asking again may change it.
struct Settled<R> {
    outcome: Result<R, Failure>,
    passes: bool,
}

/// Reads the answers item by item. There must be as many as items were sent, with the same ids and in the same order.
fn read_all<R>(
    asked: &[&Item],
    answer: &Answer,
    places: &[usize],
    read: impl Fn(&Item, &ItemAnswer<'_>) -> Option<R>,
) -> Result<Vec<(usize, Settled<R>)>, Stop> {
    const OTHERS: Stop = Stop::NoAnswer("its items are not those that were sent");
    let answers: ItemsAnswer<'_> =
        serde_json::from_slice(&answer.body).map_err(|_| Stop::NoAnswer("it is not of the API's form"))?;
    if answers.items.len() != asked.len() {
        return Err(OTHERS);
    }
    let mut settled = Vec::with_capacity(asked.len());
    for ((place, item), answer) in places.iter().zip(asked).zip(answers.items) {
        if answer.item_id != item.item_id {
            return Err(OTHERS);
        }
        let outcome = match answer.error {
            Some(problem) => Settled {
                passes: problem.passes(),
                outcome: Err(problem.into_failure()),
            },
            None => Settled {
                passes: false,
                outcome: Ok(read(item, &answer).ok_or(Stop::NoAnswer("an item is not what it must be"))?),
            },
        };
        settled.push((*place, outcome));
    }
    Ok(settled)
}
