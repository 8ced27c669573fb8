//! The load: which calls are made, and when.

use core::time::Duration;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use base64ct::{Base64, Encoding};
use fastrand::Rng;
use futures::future::join_all;
use futures::stream::{self, StreamExt};
use latchkey_core::values::Region;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, sleep_until};

use crate::api::call;
use crate::batches::{MAX_ITEMS, MAX_PLAINTEXT, batch_length, distribute, size_of_batch};
use crate::environment::{Environment, World};
use crate::found::Found;
use crate::items::Items;
use crate::measures::{Measures, Phase};
use crate::process::{memory, processor_seconds};
use crate::settings::Settings;
use crate::vaults::{GateState, LoadedVault, create_vault_request, customers, workspace_id};

/// How long a vault stays disabled, and how long no vault is.
const DISABLED_FOR: Duration = Duration::from_millis(500);
const ENABLED_FOR: Duration = Duration::from_millis(500);
const PROGRESS: Duration = Duration::from_secs(5);

pub struct Load {
    pub(crate) settings: Settings,
    pub(crate) world: World,
    pub(crate) environments: Vec<Environment>,
    pub(crate) vaults: Vec<LoadedVault>,
    pub(crate) items: Items,
    /// For each vault, the items that were first sealed in it.
    pub(crate) items_of: Vec<Vec<usize>>,
    pub(crate) found: Found,
}

impl Load {
    /// Creates the world and, through the API, the vaults.
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
                let (batch, rest) = left.split_at(batch_length(&self.items, left, size_of_batch(&mut random)));
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

    /// Opens every item, in a Region chosen without regard to where it was sealed, in environments with nothing in
    /// memory yet.
    pub async fn open_all(&self) {
        let fresh = Region::ALL.map(|region| Environment::new(&self.world, region));
        let mut batches = Vec::new();
        for (vault, items) in self.items_of.iter().enumerate() {
            let mut left = items.as_slice();
            while !left.is_empty() {
                let (batch, rest) = left.split_at(batch_length(&self.items, left, MAX_ITEMS));
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

    /// Runs one phase: at `rate` requests a second or, without a rate, as fast as the clients go. Vaults are disabled
    /// and enabled meanwhile.
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

    /// Prints progress, and takes samples of memory.
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

    /// Disables a vault and enables it again, then the next one, until `end`.
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
            // Opens items in both Regions at once, in addition to the other load.
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

    /// How long the largest batch takes to seal and to open, at the fastest. Nearly all of that is processor time.
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
}
