//! Which vaults are called, and with how many items: some far more often than others, as in life.

use fastrand::Rng;

use crate::load::Load;
use crate::settings::Settings;

pub(crate) const MAX_ITEMS: usize = 100;
pub(crate) const MAX_PLAINTEXT: usize = 4 * 1024 * 1024;

impl Load {
    /// Some vaults are called far more often than others: one in a hundred gets a fifth of the calls.
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
        let length = self.batch_length(&batch, wanted);
        batch[..length].to_vec()
    }

    /// How many of the first `wanted` items one call takes.
    pub(crate) fn batch_length(&self, items: &[usize], wanted: usize) -> usize {
        let mut bytes = 0;
        let fit = items.iter().take_while(|&&item| {
            bytes += self.items.of(item).size();
            bytes <= MAX_PLAINTEXT
        });
        fit.count().min(wanted)
    }
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

/// The first far more often than the last.
fn skewed(random: &mut Rng, count: usize) -> usize {
    ((count as f64 * random.f64().powi(3)) as usize).min(count - 1)
}

/// 1 to 100; half of the batches are of 10 or fewer.
pub(crate) fn size_of_batch(random: &mut Rng) -> usize {
    (101_f64.powf(random.f64()) as usize).clamp(1, MAX_ITEMS)
}
