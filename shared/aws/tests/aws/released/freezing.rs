//! Freezes what this release writes: it runs the operations that a workspace needs in a day or two, and saves what is
//! in the table then.

use std::env;
use std::time::Duration;

use latchkey_core::operations::DisableMode;
use latchkey_core::ports::Clock;
use latchkey_core::values::{Region, Strategy};

use super::past::{ItemToSeal, Past};
use super::{Release, folder_of_releases};
use crate::scenarios::sweep;

/// A frame has 4096 bytes.
const ITEMS: [ItemToSeal; 9] = [
    ItemToSeal::new("empty", 0, "item-1", &[]),
    ItemToSeal::new("one byte", 1, "item-1", &[("owner", "ann")]),
    ItemToSeal::new(
        "a password",
        24,
        "account-1/password",
        &[("owner", "ann"), ("purpose", "recovery")],
    ),
    ItemToSeal::new("a frame less one", 4095, "item-2", &[]),
    ItemToSeal::new("a frame", 4096, "item-2", &[]),
    ItemToSeal::new("a frame and one", 4097, "item-2", &[]),
    ItemToSeal::new("five frames", 20_000, "item-3", &[("owner", "bob")]),
    ItemToSeal::new(
        "an id beyond the basic plane",
        16,
        "Kontö-\u{1f511}",
        &[("é", "ü"), ("", "")],
    ),
    ItemToSeal::new("an id of 256 bytes", 16, LONG_ID, &[]),
];
const NEXT_DAYS: ItemToSeal = ItemToSeal::new("under the next data key", 24, "item-4", &[]);
const LONG_ID: &str = "ääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääää\
ääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääää";

#[tokio::test]
#[ignore = "makes tests/compat/<version>; `make freeze-release` does"]
async fn freeze_release() {
    let version = env::var("VERSION").expect("VERSION, the release to freeze");
    assert_eq!(
        version,
        env!("CARGO_PKG_VERSION"),
        "the code is of the version that Cargo.toml states"
    );
    let there = folder_of_releases().join(&version);
    assert!(
        !there.exists(),
        "{version} is frozen: what a release wrote is never written anew"
    );
    let past = Past::begin().await;
    past.live().await.freeze().expect("written");
}

impl Past {
    async fn live(mut self) -> Release {
        let acme = self.create("Acme", Strategy::AwsKms, 30, true).await;
        let renamed = self.create("To be renamed", Strategy::AwsKms, 0, false).await;
        let decrypt_only = self.create("Ärger & Söhne #1", Strategy::AwsKms, 300, false).await;
        let disabled = self.create("Disabled", Strategy::AwsKms, 30, false).await;
        let managed = self.create("Managed", Strategy::Managed, 30, false).await;
        let refused = self.create("Key disabled", Strategy::AwsKms, 30, false).await;
        let doomed = self.create("Key pending deletion", Strategy::AwsKms, 30, false).await;
        let degraded = self.create("Small key", Strategy::AwsKms, 30, false).await;
        let unknown = self.create("Silence", Strategy::AwsKms, 30, false).await;
        let mut items = Vec::new();
        for item in &ITEMS {
            items.push(self.seal(&acme, item).await);
        }
        for vault in [
            &renamed,
            &decrypt_only,
            &disabled,
            &managed,
            &refused,
            &doomed,
            &degraded,
            &unknown,
        ] {
            items.push(self.seal(vault, &ITEMS[2]).await);
        }
        // Each vault is checked once, and so claimed. Then the period of the next data key begins.
        self.world.clock.advance(Duration::from_secs(3601));
        sweep(&self.world.environment(Region::UsWest2)).await;
        self.world.clock.advance(Duration::from_secs(24 * 3600));
        items.push(self.seal(&acme, &NEXT_DAYS).await);
        self.rename(&renamed, "Renamed").await;
        self.disable(&decrypt_only, DisableMode::DecryptOnly).await;
        self.disable(&disabled, DisableMode::Disabled).await;
        self.wrong(Self::small_key).find(&degraded).await;
        self.wrong(Self::key_disabled).find(&refused).await;
        self.wrong(Self::key_doomed).announce(&doomed).await;
        for _ in 0..3 {
            self.wrong(Self::silence).find(&unknown).await;
        }
        self.service.frozen_at = self.world.clock.now().wall.to_string();
        Release {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            vaults: self.vaults().await,
            records: self.world.db.items().await,
            service: self.service,
            items,
        }
    }
}
