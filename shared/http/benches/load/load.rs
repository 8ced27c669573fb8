//! The load: who calls what and when, and what must be answered.

use core::time::Duration;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use base64ct::{Base64, Encoding};
use fastrand::Rng;
use futures::future::join_all;
use futures::stream::{self, StreamExt};
use latchkey_core::region::Region;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, sleep_until};

use crate::api::{Called, Problem, call};
use crate::environment::{Environment, World};
use crate::items::{Items, Kept};
use crate::measures::{Measures, Phase};
use crate::process::{memory, processor_seconds};
use crate::settings::Settings;
use crate::vaults::{GateState, LoadedVault, create_vault_request, customers, workspace_id};

const MAX_ITEMS: usize = 100;
const MAX_PLAINTEXT: usize = 4 * 1024 * 1024;
/// How long a vault stays disabled, and how long none is.
const DISABLED_FOR: Duration = Duration::from_millis(500);
const ENABLED_FOR: Duration = Duration::from_millis(500);
const PROGRESS: Duration = Duration::from_secs(5);

pub struct Load {
    settings: Settings,
    world: World,
    environments: Vec<Environment>,
    vaults: Vec<LoadedVault>,
    items: Items,
    /// The items that were first sealed in each vault.
    items_of: Vec<Vec<usize>>,
    found: Found,
}

/// What the answers were.
#[derive(Default)]
struct Found {
    opened: AtomicUsize,
    sealed: AtomicUsize,
    moved: AtomicUsize,
    strangers_refused: AtomicUsize,
    disabled_refused: AtomicUsize,
    lost: AtomicUsize,
    wrong: AtomicUsize,
    of_others: AtomicUsize,
    though_disabled: AtomicUsize,
}

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
    /// Creates the vaults, through the API.
    pub async fn new(settings: Settings) -> Self {
        let world = World::new(customers(settings.vaults, settings.workspaces), settings.seed);
        let environments: Vec<_> = (0..settings.environments)
            .flat_map(|_| Region::ALL)
            .map(|region| Environment::new(&world, region))
            .collect();
        let create = |vault: usize| {
            let environment = &environments[vault % environments.len()];
            async move {
                let (workspace, body) = (workspace_id(vault % settings.workspaces), create_vault_request(vault));
                let created = call(&environment.create_vault, environment.region, &workspace, None, &body).await;
                let answer = String::from_utf8_lossy(&created.body);
                assert_eq!(created.status, 201, "{answer}");
                let vault_id = created.json::<Value>()["vault_id"].as_str().expect("an id").to_owned();
                LoadedVault::new(vault_id)
            }
        };
        let vaults: Vec<_> = stream::iter(0..settings.vaults)
            .map(create)
            .buffered(settings.clients)
            .collect()
            .await;
        let (items_of, workspaces) = distribute(&settings);
        Self {
            items: Items::new(&workspaces, settings.seed),
            found: Found::default(),
            settings,
            world,
            environments,
            vaults,
            items_of,
        }
    }

    /// Seals every item for the first time.
    pub async fn seal_all(&self) {
        let mut random = Rng::with_seed(self.settings.seed);
        let mut batches = Vec::new();
        for (vault, items) in self.items_of.iter().enumerate() {
            let mut left = items.as_slice();
            while !left.is_empty() {
                let (batch, rest) = left.split_at(self.batch_length(left, size_of_batch(&mut random)));
                batches.push((vault, batch.to_vec(), random.fork()));
                left = rest;
            }
        }
        let seal = |(vault, batch, mut random): (usize, Vec<usize>, Rng)| async move {
            self.seal(&mut random, vault, &batch).await
        };
        stream::iter(batches)
            .for_each_concurrent(self.settings.clients, |batch| async { drop(seal(batch).await) })
            .await;
    }

    /// Opens every item in the Region that it was not first sealed in or in the other, in environments that hold nothing yet.
    pub async fn open_all(&self) {
        let fresh = Region::ALL.map(|region| Environment::new(&self.world, region));
        let mut batches = Vec::new();
        for (vault, items) in self.items_of.iter().enumerate() {
            let mut left = items.as_slice();
            while !left.is_empty() {
                let (batch, rest) = left.split_at(self.batch_length(left, MAX_ITEMS));
                batches.push((&fresh[vault % fresh.len()], batch));
                left = rest;
            }
        }
        let before = self.found.opened.load(Ordering::Relaxed);
        stream::iter(batches)
            .for_each_concurrent(self.settings.clients, |(environment, batch)| async move {
                self.open(environment, batch).await;
            })
            .await;
        let missing = (before + self.items.count()).saturating_sub(self.found.opened.load(Ordering::Relaxed));
        self.found.lost.fetch_max(missing, Ordering::Relaxed);
    }

    /// One phase: at `rate` requests a second, or as fast as the clients go; vaults are disabled and enabled meanwhile.
    pub async fn run(self: Arc<Self>, seconds: f64, rate: Option<f64>) -> Phase {
        let measures = Arc::new(Measures::default());
        let (processor_before, started) = (processor_seconds(), Instant::now());
        let end = started + Duration::from_secs_f64(seconds);
        let tickets = Arc::new(AtomicU64::new(0));
        let clients: Vec<_> = (0..self.settings.clients)
            .map(|client| {
                let (load, measures, tickets) = (self.clone(), measures.clone(), tickets.clone());
                let mut random = Rng::with_seed(self.settings.seed + 1 + client as u64);
                tokio::spawn(async move {
                    loop {
                        let ticket = tickets.fetch_add(1, Ordering::Relaxed) as f64;
                        let due =
                            rate.map_or_else(Instant::now, |rate| started + Duration::from_secs_f64(ticket / rate));
                        if due >= end {
                            return;
                        }
                        sleep_until(due).await;
                        load.one_request(&mut random, &measures, due).await;
                    }
                })
            })
            .collect();
        let switching = tokio::spawn(self.clone().switch_vaults(measures.clone(), end));
        let memory = self.watch(&measures, started, end).await;
        for task in clients.into_iter().chain([switching]) {
            task.await.expect("no panic");
        }
        measures.finish(
            started.elapsed().as_secs_f64(),
            processor_seconds() - processor_before,
            memory,
        )
    }

    /// Says how far it is, and takes samples of memory.
    async fn watch(&self, measures: &Measures, started: Instant, end: Instant) -> Vec<(Duration, f64)> {
        let every = (end - started) / 28;
        let (mut samples, mut told) = (vec![(Duration::ZERO, memory())], started);
        while Instant::now() < end {
            sleep_until(end.min(Instant::now() + every.min(PROGRESS))).await;
            let (now, memory) = (started.elapsed(), memory());
            if samples.last().is_some_and(|(at, _)| now - *at >= every) {
                samples.push((now, memory));
            }
            if told.elapsed() >= PROGRESS {
                told = Instant::now();
                println!(
                    "{:4.0} s  {:7} requests  {:9} items opened  {memory:5.0} MiB  {} faults",
                    now.as_secs_f64(),
                    measures.requests(),
                    self.found.opened.load(Ordering::Relaxed),
                    self.found.faults(),
                );
            }
        }
        samples
    }

    async fn one_request(&self, random: &mut Rng, measures: &Measures, due: Instant) {
        let vault = self.any_vault(random);
        let batch = self.any_batch(random, vault);
        let environment = &self.environments[random.usize(..self.environments.len())];
        let late = due.elapsed();
        let (operation, called) = match random.u8(..100) {
            ..72 => ("decrypt-item", self.open(environment, &batch).await),
            72..92 => ("encrypt-item", self.seal(random, vault, &batch).await),
            92..97 => ("reassign-item", self.reassign(random, environment, &batch).await),
            97.. => (
                "decrypt-item, another's",
                self.open_as_stranger(environment, &batch).await,
            ),
        };
        measures.note(operation, &called, late, batch.len());
    }

    /// Opens items and compares what comes.
    async fn open(&self, environment: &Environment, batch: &[usize]) -> Called {
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
            self.fault(&self.found.lost, batch.len(), "a batch does not open", &called);
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
                    self.fault(
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
                (Some(_), None) => self.fault(&self.found.wrong, 1, "an item opens as another", &called),
                (None, Some(problem)) if problem.is("wrong-vault-status") && vault.may_have_been_closed(gate) => {
                    self.found.disabled_refused.fetch_add(1, Ordering::Relaxed);
                }
                _ => self.fault(&self.found.lost, 1, "an item does not open", &called),
            }
        }
        called
    }

    /// Asks, as a member of another workspace, for items to be opened: there is no such vault.
    async fn open_as_stranger(&self, environment: &Environment, batch: &[usize]) -> Called {
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
                self.fault(
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
    async fn seal(&self, random: &mut Rng, vault: usize, batch: &[usize]) -> Called {
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
                self.fault(&self.found.though_disabled, 1, "a disabled vault seals", &called);
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
            _ => self.fault(&self.found.lost, 1, "a batch is not sealed", &called),
        }
        called
    }

    /// Moves items to another vault of their workspace.
    async fn reassign(&self, random: &mut Rng, environment: &Environment, batch: &[usize]) -> Called {
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
                        _ => self.fault(&self.found.lost, 1, "an item is not moved", &called),
                    }
                }
            }
            409 if called.is_problem("wrong-vault-status") && target.1 => {
                self.found.disabled_refused.fetch_add(batch.len(), Ordering::Relaxed);
            }
            _ => self.fault(&self.found.lost, 1, "a batch is not moved", &called),
        }
        called
    }

    /// Disables a vault, and enables it again, one after the other, to the end.
    async fn switch_vaults(self: Arc<Self>, measures: Arc<Measures>, end: Instant) {
        let mut random = Rng::with_seed(self.settings.seed);
        while Instant::now() + DISABLED_FOR < end {
            let vault = self.any_vault(&mut random);
            let workspace = workspace_id(vault % self.settings.workspaces);
            let loaded = &self.vaults[vault];
            let environment = &self.environments[random.usize(..self.environments.len())];
            let (region, vault_id) = (environment.region, Some(loaded.vault_id.as_str()));
            loaded.move_gate(GateState::Moving);
            let disabled = call(&environment.disable_vault, region, &workspace, vault_id, &json!({})).await;
            assert_eq!(disabled.status, 200, "{}", String::from_utf8_lossy(&disabled.body));
            loaded.move_gate(GateState::Closed);
            // Beside whoever happens to come: both Regions, at once.
            let batch = self.any_batch(&mut random, vault);
            join_all(
                self.environments
                    .iter()
                    .map(|environment| self.open(environment, &batch)),
            )
            .await;
            sleep(DISABLED_FOR).await;
            loaded.move_gate(GateState::Moving);
            let enabled = call(&environment.enable_vault, region, &workspace, vault_id, &json!({})).await;
            assert_eq!(enabled.status, 200, "{}", String::from_utf8_lossy(&enabled.body));
            loaded.move_gate(GateState::Open);
            measures.note("disable-vault", &disabled, Duration::ZERO, 0);
            measures.note("enable-vault", &enabled, Duration::ZERO, 0);
            sleep(ENABLED_FOR).await;
        }
    }

    /// How long the largest batch takes to seal and to open, at the quickest: nearly all of it is work of the processor.
    pub async fn largest_batch(&self) -> (Duration, Duration) {
        let (environment, workspace) = (&self.environments[0], workspace_id(0));
        let of_64_kib =
            |number: usize| json!({ "item_id": format!("{number}"), "plaintext": Base64::encode_string(&[1; 65_536]) });
        let items: Vec<_> = (0..MAX_PLAINTEXT / 65_536).map(of_64_kib).collect();
        let body = json!({ "vault_id": self.vaults[0].vault_id, "items": items });
        let (mut sealing, mut opening) = (Vec::new(), Vec::new());
        for _ in 0..20 {
            let sealed = call(&environment.encrypt_item, environment.region, &workspace, None, &body).await;
            let body = json!({ "items": sealed.json::<Value>()["items"] });
            let opened = call(&environment.decrypt_item, environment.region, &workspace, None, &body).await;
            assert_eq!(opened.json::<Value>()["items"], json!(items));
            sealing.push(sealed.took);
            opening.push(opened.took);
        }
        (
            sealing.into_iter().min().expect("one"),
            opening.into_iter().min().expect("one"),
        )
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

    /// Some vaults are called far more often than others: one in a hundred gets a fifth of the calls.
    fn any_vault(&self, random: &mut Rng) -> usize {
        skewed(random, self.vaults.len())
    }

    fn any_batch(&self, random: &mut Rng, vault: usize) -> Vec<usize> {
        let items = &self.items_of[vault];
        let first = random.usize(..items.len());
        let wanted = size_of_batch(random).min(items.len());
        let batch: Vec<_> = (first..first + wanted)
            .map(|place| items[place % items.len()])
            .collect();
        let length = self.batch_length(&batch, wanted);
        batch[..length].to_vec()
    }

    /// How many of the first `wanted` items one call takes.
    fn batch_length(&self, items: &[usize], wanted: usize) -> usize {
        let mut bytes = 0;
        let fit = items.iter().take_while(|&&item| {
            bytes += self.items.of(item).size();
            bytes <= MAX_PLAINTEXT
        });
        fit.count().min(wanted)
    }

    fn fault(&self, count: &AtomicUsize, items: usize, what: &str, called: &Called) {
        count.fetch_add(items, Ordering::Relaxed);
        if self.found.faults() < 20 {
            let body = String::from_utf8_lossy(&called.body);
            let told: String = body.chars().take(500).collect();
            println!("✗ {what}: {} {told}", called.status);
        }
    }

    /// Says what was found; whether all of it is as it must be.
    pub fn verdict(&self) -> bool {
        let Found {
            opened,
            sealed,
            moved,
            strangers_refused,
            disabled_refused,
            lost,
            wrong,
            of_others,
            though_disabled,
        } = &self.found;
        println!(
            "{opened:?} items opened and compared, {sealed:?} sealed, {moved:?} moved; {strangers_refused:?} refused to \
             strangers, {disabled_refused:?} while their vault was disabled."
        );
        println!(
            "{lost:?} lost, {wrong:?} wrong, {of_others:?} of another workspace, {though_disabled:?} though disabled."
        );
        let done = [opened, sealed, moved, strangers_refused, disabled_refused];
        self.found.faults() == 0 && done.iter().all(|count| count.load(Ordering::Relaxed) > 0)
    }
}

impl Found {
    fn faults(&self) -> usize {
        let faults = [&self.lost, &self.wrong, &self.of_others, &self.though_disabled];
        faults.iter().map(|count| count.load(Ordering::Relaxed)).sum()
    }
}

/// The items of each vault, and the workspace of each item.
fn distribute(settings: &Settings) -> (Vec<Vec<usize>>, Vec<usize>) {
    let mut random = Rng::with_seed(settings.seed);
    let mut of_vaults = vec![Vec::new(); settings.vaults];
    let mut workspaces = Vec::new();
    for item in 0..settings.items {
        let vault = if item < settings.vaults {
            item
        } else {
            skewed(&mut random, settings.vaults)
        };
        of_vaults[vault].push(item);
        workspaces.push(vault % settings.workspaces);
    }
    (of_vaults, workspaces)
}

/// The first far more often than the last.
fn skewed(random: &mut Rng, count: usize) -> usize {
    ((count as f64 * random.f64().powi(3)) as usize).min(count - 1)
}

/// 1 to 100; half of the batches are of 10 or fewer.
fn size_of_batch(random: &mut Rng) -> usize {
    (101_f64.powf(random.f64()) as usize).clamp(1, MAX_ITEMS)
}

/// An item opens only in the context it was sealed in.
fn context(version: u32) -> Value {
    json!({ "version": version.to_string() })
}
