//! What is announced about a vault's health: every change, and a daily reminder while a deletion of its key is pending.
//! docs/events.md has the schema.

use core::time::Duration;

use jiff::Timestamp;
use serde::Serialize;

use crate::findings::{Check, Finding};
use crate::health::Health;
use crate::health::changes::HealthChange;
use crate::health::observation::after;
use crate::vault::Vault;

/// The time between two reminders of the same pending deletion.
const BETWEEN_REMINDERS: Duration = Duration::from_secs(24 * 3600);

/// One announcement about one vault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Announcement {
    /// Stays the same when the same news is announced again because the first attempt may have failed.
    pub event_id: String,
    /// The vault's workspace.
    pub workspace_id: String,
    /// The vault.
    pub vault_id: String,
    /// Its name.
    pub vault_name: String,
    /// The customer's account.
    pub aws_account_id: String,
    /// The customer's key.
    pub kms_key_id: String,
    /// The customer's role.
    pub aws_role_arn: String,
    /// What is announced.
    #[serde(flatten)]
    pub news: News,
}

/// What is announced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum News {
    /// The vault's health has changed.
    HealthChanged(HealthChange),
    /// The vault's key is scheduled for deletion.
    DeletionPending(DeletionPending),
}

/// A reminder that a vault's key is scheduled for deletion. The first is due at once, then one a day until the deletion
/// is cancelled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DeletionPending {
    /// When this reminder was made.
    pub announced_at: Timestamp,
    /// When KMS deletes the first of the keys. Absent when KMS states no date.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deletion_at: Option<Timestamp>,
    /// How many whole days are left until then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub days_left: Option<i64>,
    /// The findings, one for each affected Region.
    pub findings: Vec<Finding>,
}

impl Announcement {
    /// What to announce about `vault`, whose health is now `health`: the changes in order, then a pending deletion.
    ///
    /// The changes end before the first one that no check has looked at yet. A sweep whose check began before live
    /// traffic met a refusal must not announce that refusal half explained. It leaves it, and all later changes, to the
    /// next sweep.
    pub fn due(vault: &Vault, health: &Health, now: Timestamp) -> Vec<Self> {
        let explained = health.unannounced.iter().take_while(|change| !change.unexplained);
        let changes = explained.cloned().map(News::HealthChanged);
        let deletion = DeletionPending::due(health, now);
        let reminder_number = deletion.as_ref().map(|(number, _)| *number).unwrap_or_default();
        let reminder = deletion.map(|(_, deletion)| News::DeletionPending(deletion));
        let event_id = |news: &News| match news {
            News::HealthChanged(change) => format!("{}-{}", vault.vault_id, change.revision),
            News::DeletionPending(_) => format!("{}-deletion-{reminder_number}", vault.vault_id),
        };
        changes
            .chain(reminder)
            .map(|news| Self {
                event_id: event_id(&news),
                workspace_id: vault.workspace_id.as_str().to_owned(),
                vault_id: vault.vault_id.as_str().to_owned(),
                vault_name: vault.name.as_str().to_owned(),
                aws_account_id: vault.customer_key.account_id.as_str().to_owned(),
                kms_key_id: vault.customer_key.key_id.as_str().to_owned(),
                aws_role_arn: vault.aws_role_arn.as_str().to_owned(),
                news,
            })
            .collect()
    }

    /// The event's type.
    pub const fn detail_type(&self) -> &'static str {
        match self.news {
            News::HealthChanged(_) => "Vault Health Changed",
            News::DeletionPending(_) => "Vault Key Deletion Pending",
        }
    }
}

impl DeletionPending {
    /// The reminder that is due at `now`, if any, and the second at which it became due.
    fn due(health: &Health, now: Timestamp) -> Option<(i64, Self)> {
        let pending = |finding: &&Finding| finding.check == Check::KeyNotPendingDeletion;
        let findings: Vec<_> = health.findings.iter().filter(pending).cloned().collect();
        let since = findings.iter().filter_map(|finding| finding.since).min()?;
        let waited = Duration::try_from(now.duration_since(since)).unwrap_or_default();
        let reminders_before = waited.as_secs().checked_div(BETWEEN_REMINDERS.as_secs())?;
        let due_at = after(
            since,
            BETWEEN_REMINDERS.checked_mul(u32::try_from(reminders_before).ok()?)?,
        );
        if health
            .deletion_announced_at
            .is_some_and(|announced_at| announced_at >= due_at)
        {
            return None;
        }
        let deletion_at = findings.iter().filter_map(|finding| finding.deletion_at).min();
        let reminder = Self {
            announced_at: now,
            deletion_at,
            days_left: deletion_at.map(|at| days_between(now, at)),
            findings,
        };
        Some((due_at.as_second(), reminder))
    }
}

/// Whole days from `now` to `then`: 0 when less than one is left.
fn days_between(now: Timestamp, then: Timestamp) -> i64 {
    then.duration_since(now).as_hours().max(0) / 24
}

impl Health {
    /// This health after `announced` were announced at `now`; `None` if that changes nothing.
    #[must_use]
    pub fn once_announced(&self, announced: &[Announcement], now: Timestamp) -> Option<Self> {
        let revisions: Vec<_> = announced.iter().filter_map(Announcement::revision).collect();
        let unannounced: Vec<_> = self
            .unannounced
            .iter()
            .filter(|change| !revisions.contains(&change.revision))
            .cloned()
            .collect();
        let reminded = announced.iter().any(|it| matches!(it.news, News::DeletionPending(_)));
        if !reminded && unannounced.len() == self.unannounced.len() {
            return None;
        }
        Some(Self {
            unannounced,
            deletion_announced_at: if reminded {
                Some(now)
            } else {
                self.deletion_announced_at
            },
            revision: self.revision.saturating_add(1),
            ..self.clone()
        })
    }
}

impl Announcement {
    const fn revision(&self) -> Option<u64> {
        match &self.news {
            News::HealthChanged(change) => Some(change.revision),
            News::DeletionPending(_) => None,
        }
    }
}
