//! The calls on items, and the answer that each must get.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use base64ct::{Base64, Encoding};
use fastrand::Rng;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::api::{Called, Problem, call};
use crate::batches::{batch_length, size_of_batch, skewed};
use crate::environment::Environment;
use crate::items::Kept;
use crate::load::Load;
use crate::vaults::workspace_id;

#[derive(Serialize)]
struct ItemRequest<'a> {
    item_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    plaintext: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sealed_item: Option<String>,
    context: Value,
}

#[derive(Deserialize)]
struct ItemsAnswer {
    items: Vec<ItemAnswer>,
}

#[derive(Deserialize)]
struct ItemAnswer {
    item_id: String,
    plaintext: Option<String>,
    sealed_item: Option<String>,
    error: Option<Problem>,
}

impl Load {
    /// Picks a vault, some far more often than others: one vault in a hundred gets a fifth of the calls.
    pub(crate) fn any_vault(&self, random: &mut Rng) -> usize {
        skewed(random, self.vaults.len())
    }

    pub(crate) fn any_batch(&self, random: &mut Rng, vault: usize) -> Vec<usize> {
        let items = &self.items_of[vault];
        let first = random.usize(..items.len());
        let wanted = size_of_batch(random).min(items.len());
        let batch: Vec<_> = (first..first + wanted)
            .map(|place| items[place % items.len()])
            .collect();
        let length = batch_length(&self.items, &batch, wanted);
        batch[..length].to_vec()
    }

    /// Opens items and compares what they hold.
    pub(crate) async fn open(&self, environment: &Environment, batch: &[usize]) -> Called {
        let kept: Vec<_> = batch
            .iter()
            .map(|&item| self.items.kept(item).expect("sealed"))
            .collect();
        let gates: BTreeMap<_, _> = kept
            .iter()
            .map(|(kept, _)| (kept.vault, self.vaults[kept.vault].gate()))
            .collect();
        let body = self.sealed_items(batch, &kept);
        let workspace = workspace_id(self.items.of(batch[0]).workspace);
        let called = call(&environment.decrypt_item, environment.region, &workspace, None, &body).await;
        if called.status != 200 {
            self.found
                .fault(&self.found.lost, batch.len(), "a batch does not open", &called);
            return called;
        }
        let answer: ItemsAnswer = called.json();
        assert_eq!(answer.items.len(), batch.len(), "an answer for each item");
        for ((&item, (kept, _)), answered) in batch.iter().zip(&kept).zip(&answer.items) {
            let (vault, gate) = (&self.vaults[kept.vault], gates[&kept.vault]);
            let plaintext = answered
                .plaintext
                .as_ref()
                .map(|text| Base64::decode_vec(text).expect("base64"));
            match (plaintext, &answered.error) {
                (Some(_), None) if !vault.may_have_opened(gate) => {
                    self.found.fault(
                        &self.found.though_disabled,
                        1,
                        "an item of a disabled vault opens",
                        &called,
                    );
                }
                (Some(plaintext), None)
                    if answered.item_id == self.items.of(item).item_id
                        && plaintext == self.items.plaintext(item, kept.version) =>
                {
                    self.found.opened.fetch_add(1, Ordering::Relaxed);
                }
                (Some(_), None) => self
                    .found
                    .fault(&self.found.wrong, 1, "an item opens as another", &called),
                (None, Some(problem)) if problem.is("wrong-vault-status") && vault.may_have_been_closed(gate) => {
                    self.found.disabled_refused.fetch_add(1, Ordering::Relaxed);
                }
                _ => self.found.fault(&self.found.lost, 1, "an item does not open", &called),
            }
        }
        called
    }

    /// Asks to open items as a member of another workspace. For that caller the vault does not exist.
    pub(crate) async fn open_as_stranger(&self, environment: &Environment, batch: &[usize]) -> Called {
        let kept: Vec<_> = batch
            .iter()
            .map(|&item| self.items.kept(item).expect("sealed"))
            .collect();
        let stranger = workspace_id((self.items.of(batch[0]).workspace + 1) % self.settings.workspaces);
        let body = self.sealed_items(batch, &kept);
        let called = call(&environment.decrypt_item, environment.region, &stranger, None, &body).await;
        let answer: ItemsAnswer = called.json();
        for item in answer.items {
            if item.plaintext.is_none() && item.error.is_some_and(|problem| problem.is("vault-not-found")) {
                self.found.strangers_refused.fetch_add(1, Ordering::Relaxed);
            } else {
                self.found.fault(
                    &self.found.of_others,
                    1,
                    "an item of another workspace is answered",
                    &called,
                );
            }
        }
        called
    }

    /// Seals the next version of items.
    pub(crate) async fn seal(&self, random: &mut Rng, vault: usize, batch: &[usize]) -> Called {
        let environment = &self.environments[random.usize(..self.environments.len())];
        let versions: Vec<_> = batch.iter().map(|&item| self.items.new_version(item)).collect();
        let requests: Vec<_> = batch
            .iter()
            .zip(&versions)
            .map(|(&item, &version)| ItemRequest {
                item_id: &self.items.of(item).item_id,
                plaintext: Some(Base64::encode_string(&self.items.plaintext(item, version))),
                sealed_item: None,
                context: context(version),
            })
            .collect();
        let body = json!({ "vault_id": self.vaults[vault].vault_id, "items": requests });
        let workspace = workspace_id(self.items.of(batch[0]).workspace);
        let gate = self.vaults[vault].gate();
        let called = call(&environment.encrypt_item, environment.region, &workspace, None, &body).await;
        match called.status {
            200 if !self.vaults[vault].may_have_opened(gate) => {
                self.found
                    .fault(&self.found.though_disabled, 1, "a disabled vault seals", &called);
            }
            200 => {
                let answer: ItemsAnswer = called.json();
                assert_eq!(answer.items.len(), batch.len(), "an answer for each item");
                for ((&item, version), answered) in batch.iter().zip(versions).zip(answer.items) {
                    assert_eq!(answered.item_id, self.items.of(item).item_id);
                    let sealed = Base64::decode_vec(&answered.sealed_item.expect("sealed")).expect("base64");
                    self.items.keep(item, version, vault, &sealed);
                    self.found.sealed.fetch_add(1, Ordering::Relaxed);
                }
            }
            409 if called.is_problem("wrong-vault-status") && self.vaults[vault].may_have_been_closed(gate) => {
                self.found.disabled_refused.fetch_add(batch.len(), Ordering::Relaxed);
            }
            _ => self.found.fault(&self.found.lost, 1, "a batch is not sealed", &called),
        }
        called
    }

    /// Moves items to another vault of their workspace.
    pub(crate) async fn reassign(&self, random: &mut Rng, environment: &Environment, batch: &[usize]) -> Called {
        let workspace = self.items.of(batch[0]).workspace;
        let of_workspace = (self.settings.vaults - workspace).div_ceil(self.settings.workspaces);
        let target = workspace + random.usize(..of_workspace) * self.settings.workspaces;
        let kept: Vec<_> = batch
            .iter()
            .map(|&item| self.items.kept(item).expect("sealed"))
            .collect();
        let gates: Vec<_> = kept.iter().map(|(kept, _)| self.vaults[kept.vault].gate()).collect();
        let target_gate = self.vaults[target].gate();
        let mut body = self.sealed_items(batch, &kept);
        body["to_vault_id"] = json!(self.vaults[target].vault_id);
        let workspace = workspace_id(workspace);
        let called = call(&environment.reassign_item, environment.region, &workspace, None, &body).await;
        let target = (target, self.vaults[target].may_have_been_closed(target_gate));
        match called.status {
            200 => {
                let answer: ItemsAnswer = called.json();
                for (place, answered) in answer.items.into_iter().enumerate() {
                    let (item, (kept, _)) = (batch[place], &kept[place]);
                    let may_be_closed = target.1 || self.vaults[kept.vault].may_have_been_closed(gates[place]);
                    match (answered.sealed_item, answered.error) {
                        (Some(sealed), None) => {
                            let sealed = Base64::decode_vec(&sealed).expect("base64");
                            self.items.keep(item, kept.version, target.0, &sealed);
                            self.found.moved.fetch_add(1, Ordering::Relaxed);
                        }
                        (None, Some(problem)) if problem.is("wrong-vault-status") && may_be_closed => {
                            self.found.disabled_refused.fetch_add(1, Ordering::Relaxed);
                        }
                        _ => self.found.fault(&self.found.lost, 1, "an item is not moved", &called),
                    }
                }
            }
            409 if called.is_problem("wrong-vault-status") && target.1 => {
                self.found.disabled_refused.fetch_add(batch.len(), Ordering::Relaxed);
            }
            _ => self.found.fault(&self.found.lost, 1, "a batch is not moved", &called),
        }
        called
    }

    fn sealed_items(&self, batch: &[usize], kept: &[(Kept, Vec<u8>)]) -> Value {
        let request = |(&item, (kept, sealed)): (&usize, &(Kept, Vec<u8>))| ItemRequest {
            item_id: &self.items.of(item).item_id,
            plaintext: None,
            sealed_item: Some(Base64::encode_string(sealed)),
            context: context(kept.version),
        };
        json!({ "items": batch.iter().zip(kept).map(request).collect::<Vec<_>>() })
    }
}

/// An item opens only in the context it was sealed in.
fn context(version: u32) -> Value {
    json!({ "version": version.to_string() })
}
