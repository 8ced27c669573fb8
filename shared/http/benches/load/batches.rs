//! Chooses which vaults are called, and with how many items. Some are chosen far more often than others, as in
//! production.

use fastrand::Rng;

use crate::items::Items;
use crate::settings::Settings;

pub(crate) const MAX_ITEMS: usize = 100;
pub(crate) const MAX_PLAINTEXT: usize = 4 * 1024 * 1024;

/// How many of the first `wanted` items fit in one call.
pub(crate) fn batch_length(all: &Items, items: &[usize], wanted: usize) -> usize {
    let mut bytes = 0;
    let fit = items.iter().take_while(|&&item| {
        bytes += all.of(item).size();
        bytes <= MAX_PLAINTEXT
    });
    fit.count().min(wanted)
}

/// The items of each vault, and the workspace of each item.
pub(crate) fn distribute(settings: &Settings) -> (Vec<Vec<usize>>, Vec<usize>) {
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

/// A random number below `count`. Low numbers come far more often than high ones.
pub(crate) fn skewed(random: &mut Rng, count: usize) -> usize {
    ((count as f64 * random.f64().powi(3)) as usize).min(count - 1)
}

/// A random batch size from 1 to 100. Half of the batches have 10 items or fewer.
pub(crate) fn size_of_batch(random: &mut Rng) -> usize {
    (101_f64.powf(random.f64()) as usize).clamp(1, MAX_ITEMS)
}
