//! The service as the tool sees it: real sealed items, two vaults, and whatever goes wrong on the way.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64ct::{Base64, Encoding};
use move_items::client::Transport;
use move_items::item_answer::Answer;
use sealed_item::item::{ItemIdentity, ItemSealingParameters, SealedItem, seal_item};
use sealed_item::{EncryptedDataKey, EncryptionContext, PlaintextDataKey};
use serde_json::{Value, json};
use zeroize::Zeroizing;

pub(crate) const OLD: &str = "vlt_01jd0f3zt5e8w9x7kq2m4n6p8r";
pub(crate) const NEW: &str = "vlt_01jd0f3zt5e8w9x7kq2m4n6p8s";

/// What a call gets in place of its answer.
#[derive(Clone, Debug)]
pub(crate) enum Mishap {
    /// No answer at all.
    Lost,
    /// The call took effect, but its answer was lost.
    AnswerLost,
    /// A problem of this status and type, with a Retry-After.
    Problem(u16, &'static str, Option<u64>),
    /// A 413, unless the call has one item.
    TooMany,
    /// Every item is left unanswered.
    ItemsUnanswered,
}

/// Changes an answer.
pub(crate) type Change = fn(&mut Value);

/// A service; clones are the same one.
#[derive(Clone)]
pub(crate) struct Service(Arc<State>);

struct State {
    vaults: BTreeMap<&'static str, PlaintextDataKey>,
    mishaps: Mutex<VecDeque<Option<Mishap>>>,
    change: Mutex<Option<(&'static str, Change)>>,
    /// The ids of the items of each call that resealed.
    resealed: Mutex<Vec<Vec<String>>>,
    calls: Mutex<Vec<String>>,
}

impl Service {
    pub(crate) fn new() -> Self {
        let vaults = [OLD, NEW].map(|id| (id, PlaintextDataKey::generate().unwrap()));
        Self(Arc::new(State {
            vaults: vaults.into(),
            mishaps: Mutex::default(),
            change: Mutex::default(),
            resealed: Mutex::default(),
            calls: Mutex::default(),
        }))
    }

    /// What happens to the next calls, in order.
    pub(crate) fn order(&self, mishaps: impl IntoIterator<Item = Option<Mishap>>) {
        self.0.mishaps.lock().unwrap().extend(mishaps);
    }

    /// Changes every 200 of a path.
    pub(crate) fn change_answers(&self, path: &'static str, change: Change) {
        *self.0.change.lock().unwrap() = Some((path, change));
    }

    /// The ids of the items of each call that resealed since this was last called.
    pub(crate) fn take_resealed(&self) -> Vec<Vec<String>> {
        core::mem::take(&mut self.0.resealed.lock().unwrap())
    }

    pub(crate) fn calls_of(&self, path: &str) -> usize {
        let calls = self.0.calls.lock().unwrap();
        calls.iter().filter(|called| *called == path).count()
    }

    pub(crate) fn seal(&self, vault_id: &str, item_id: &str, context: &Value, plaintext: &[u8]) -> String {
        let encryption_context = EncryptionContext::new([("latchkey:vault-id", vault_id)]).unwrap();
        let arn = "arn:aws:kms:us-east-2:222222222222:key/mrk-1234abcd12ab34cd56ef1234567890ab";
        let parameters = ItemSealingParameters {
            data_key: &self.0.vaults[vault_id],
            encrypted_data_key: &EncryptedDataKey::kms_rsa(arn, vec![7; 512]).unwrap(),
            encryption_context: &encryption_context,
        };
        Base64::encode_string(&seal_item(&parameters, &identity(item_id, context), plaintext).unwrap())
    }

    /// The vault and the plaintext of an item, if it opens.
    pub(crate) fn open(&self, item: &Value) -> Option<(String, Vec<u8>)> {
        let bytes = Base64::decode_vec(item["sealed_item"].as_str()?).ok()?;
        let sealed = SealedItem::parse(&bytes).ok()?;
        let vault_id = sealed.encryption_context().get("latchkey:vault-id")?.to_owned();
        let identity = identity(item["item_id"].as_str()?, &item["context"]);
        let data_key = self.0.vaults.get(vault_id.as_str())?;
        let plaintext = sealed.open(&identity, data_key).ok()?;
        Some((vault_id, plaintext.as_bytes().to_vec()))
    }

    fn answer_for(&self, path: &str, request: &Value, item: &Value) -> Value {
        let item_id = item["item_id"].as_str().unwrap();
        let Some((vault_id, plaintext)) = self.open(item) else {
            return json!({ "item_id": item_id, "error": problem(422, "item-does-not-open") });
        };
        if path == "/v1/items/decrypt" {
            return json!({ "item_id": item_id, "plaintext": Base64::encode_string(&plaintext) });
        }
        let to = request["to_vault_id"].as_str().unwrap();
        if vault_id == to {
            json!({ "item_id": item_id, "outcome": "unchanged", "sealed_item": item["sealed_item"] })
        } else if request["dry_run"] == true {
            json!({ "item_id": item_id, "outcome": "would_move" })
        } else {
            let sealed = self.seal(to, item_id, &item["context"], &plaintext);
            json!({ "item_id": item_id, "outcome": "moved", "sealed_item": sealed })
        }
    }
}

impl Transport for Service {
    async fn post(&self, path: &str, body: String) -> Result<Answer, String> {
        tokio::task::yield_now().await;
        self.0.calls.lock().unwrap().push(path.to_owned());
        let mishap = self.0.mishaps.lock().unwrap().pop_front().flatten();
        let request: Value = serde_json::from_str(&body).unwrap();
        let items = request["items"].as_array().unwrap();
        assert!((1..=100).contains(&items.len()));
        match mishap {
            Some(Mishap::Lost) => return Err("lost".to_owned()),
            Some(Mishap::Problem(status, name, retry_after)) => {
                return Ok(answer(status, retry_after, &problem(status, name)));
            }
            Some(Mishap::TooMany) if items.len() > 1 => return Ok(answer(413, None, &problem(413, "too-large"))),
            Some(Mishap::AnswerLost | Mishap::ItemsUnanswered | Mishap::TooMany) | None => {}
        }
        // As in the API, a context of a wrong form fails the whole call, and the problem names the item.
        let wrong = |item: &&Value| item["item_id"].as_str().is_some_and(|id| id.starts_with("refused"));
        if let Some(place) = items.iter().position(|item| wrong(&item)) {
            let mut malformed = problem(400, "malformed-request");
            malformed["errors"] =
                json!([{ "pointer": format!("#/items/{place}/item_id"), "detail": "must be another" }]);
            return Ok(answer(400, None, &malformed));
        }
        if path == "/v1/items/reassign" && request["dry_run"] != true {
            let ids = items.iter().map(|item| item["item_id"].as_str().unwrap().to_owned());
            self.0.resealed.lock().unwrap().push(ids.collect());
        }
        let answers: Vec<Value> = if matches!(mishap, Some(Mishap::ItemsUnanswered)) {
            let unanswered = |item: &Value| json!({ "item_id": item["item_id"], "error": problem(503, "unavailable") });
            items.iter().map(unanswered).collect()
        } else {
            items.iter().map(|item| self.answer_for(path, &request, item)).collect()
        };
        let mut answers = json!({ "items": answers });
        if let Some((_, change)) = self.0.change.lock().unwrap().filter(|(of, _)| *of == path) {
            change(&mut answers);
        }
        if matches!(mishap, Some(Mishap::AnswerLost)) {
            return Err("answer lost".to_owned());
        }
        Ok(answer(200, None, &answers))
    }
}

fn answer(status: u16, retry_after: Option<u64>, body: &Value) -> Answer {
    Answer {
        status,
        retry_after: retry_after.map(Duration::from_secs),
        body: Zeroizing::new(body.to_string().into_bytes()),
    }
}

fn problem(status: u16, name: &str) -> Value {
    json!({
        "type": format!("urn:latchkey:problem:{name}"),
        "title": "t", "status": status, "detail": "d", "request_id": "r"
    })
}

fn identity(item_id: &str, context: &Value) -> ItemIdentity {
    let pairs = context.as_object().into_iter().flatten();
    let context = pairs.map(|(key, value)| (key.clone(), value.as_str().unwrap().to_owned()));
    ItemIdentity::new(item_id, &context.collect())
}
