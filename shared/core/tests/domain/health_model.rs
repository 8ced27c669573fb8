//! Random histories of observations, checked against a second implementation of the rules of docs/health.md. The model
//! keeps the whole history and derives the state from it, while the code keeps a state.

use std::time::Duration;

use jiff::Timestamp;
use latchkey_core::findings::{Check, Finding};
use latchkey_core::health::changes::HealthChange;
use latchkey_core::health::observation::{Observation, Outcome, Scope};
use latchkey_core::health::{Health, HealthState};
use latchkey_core::values::Region;
use latchkey_core::vault::announcement::{Announcement, News};
use proptest::prelude::*;

#[derive(Clone, Debug)]
struct Step {
    /// Seconds since the step before. A negative number is a result that comes late.
    seconds: i64,
    scope: Scope,
    outcome: Outcome,
    ends_access: bool,
    /// Whether all unanswered calls went to the same Region.
    one_region: bool,
    /// Whether the event bus takes announcements at that time.
    bus_takes: bool,
}

fn step() -> impl Strategy<Value = Step> {
    let scope = prop::sample::select(vec![Scope::Whole, Scope::Whole, Scope::Light, Scope::LiveCall]);
    let outcome = prop::sample::select(vec![
        Outcome::Passed,
        Outcome::Passed,
        Outcome::Warned,
        Outcome::Unanswered,
        Outcome::Unanswered,
        Outcome::Refused,
    ]);
    let seconds = prop_oneof![4 => 0..90_i64, 1 => -90..0_i64];
    let flags = (any::<bool>(), any::<bool>(), prop::bool::weighted(0.7));
    (seconds, scope, outcome, flags).prop_map(|(seconds, scope, outcome, (ends_access, one_region, bus_takes))| Step {
        seconds,
        scope,
        outcome,
        one_region,
        bus_takes,
        ends_access: ends_access && scope == Scope::Whole && outcome == Outcome::Refused,
    })
}

fn start() -> Timestamp {
    "2026-11-23T10:00:00Z".parse().unwrap()
}

fn observation(number: usize, step: &Step, asked_at: Timestamp) -> Observation {
    let wrong = matches!(step.outcome, Outcome::Warned | Outcome::Unanswered | Outcome::Refused);
    let finding = Finding {
        check: Check::KeyEnabled,
        region: (step.one_region && step.outcome == Outcome::Unanswered).then_some(Region::UsWest2),
        message: number.to_string(),
        remedy: None,
        since: None,
        deletion_at: None,
        unanswered: step.outcome == Outcome::Unanswered,
    };
    Observation {
        asked_at,
        scope: step.scope,
        outcome: step.outcome,
        findings: wrong.then_some(finding).into_iter().collect(),
        access_ends_by: step.ends_access.then_some(asked_at + Duration::from_secs(30)),
    }
}

/// The health expected after a history of the observations that count, the newest last. The first is the creation's.
struct Expected {
    state: HealthState,
    findings: Vec<Finding>,
    access_ends_by: Option<Timestamp>,
}

fn expected(history: &[Observation]) -> Expected {
    let cleared_at = history
        .iter()
        .rposition(|seen| seen.scope == Scope::Whole && matches!(seen.outcome, Outcome::Passed | Outcome::Warned))
        .unwrap();
    let since = &history[cleared_at + 1..];
    if let Some(first_refusal) = since.iter().position(|seen| seen.outcome == Outcome::Refused) {
        let mut refusals = since[first_refusal..]
            .iter()
            .filter(|seen| seen.outcome == Outcome::Refused);
        // In a row of refusals that show the end of access, the first one's time stays.
        let access_ends_by = refusals
            .clone()
            .fold(None, |stated, seen| seen.access_ends_by.map(|at| stated.unwrap_or(at)));
        return Expected {
            state: HealthState::Unusable,
            findings: refusals.next_back().unwrap().findings.clone(),
            access_ends_by,
        };
    }
    // The third unanswered check in a row counts, and so does each one after it.
    let counts = |last: &usize| {
        last.checked_sub(2).is_some_and(|first| {
            since[first..=*last]
                .iter()
                .all(|seen| seen.outcome == Outcome::Unanswered)
        })
    };
    let cleared = &history[cleared_at];
    let (state, findings) = if let Some(last) = (0..since.len()).rev().find(counts) {
        let findings = since[last].findings.clone();
        let one_region = findings.iter().all(|found| found.region.is_some());
        let state = if one_region {
            HealthState::Degraded
        } else {
            HealthState::Unknown
        };
        (state, findings)
    } else if cleared.outcome == Outcome::Warned {
        (HealthState::Degraded, cleared.findings.clone())
    } else {
        (HealthState::Healthy, Vec::new())
    };
    Expected {
        state,
        findings,
        access_ends_by: None,
    }
}

fn undated(findings: &[Finding]) -> Vec<Finding> {
    let undated = |found: &Finding| Finding {
        since: None,
        ..found.clone()
    };
    findings.iter().map(undated).collect()
}

/// Since when this finding has been there. In this model there is at most one finding for each Region, and one without
/// any.
fn found_since(history: &[Observation], finding: &Finding) -> Timestamp {
    let is_it = |found: &Finding| found.region == finding.region;
    let found = |count: &usize| expected(&history[..*count]).findings.iter().any(is_it);
    let first = (1..=history.len()).rev().take_while(found).last().unwrap();
    history[first - 1].asked_at
}

/// Announces all pending changes, as if the bus took them.
fn announced(health: &Health, told: &mut Vec<HealthChange>) -> Option<Health> {
    let announcements: Vec<_> = health.unannounced.iter().cloned().map(announcement).collect();
    told.extend(health.unannounced.iter().cloned());
    health.once_announced(&announcements, health.checked_at)
}

fn announcement(change: HealthChange) -> Announcement {
    Announcement {
        event_id: change.revision.to_string(),
        workspace_id: String::new(),
        vault_id: String::new(),
        vault_name: String::new(),
        aws_account_id: String::new(),
        kms_key_id: String::new(),
        aws_role_arn: String::new(),
        news: News::HealthChanged(change),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn every_history_follows_the_rules(created_warned in any::<bool>(), steps in prop::collection::vec(step(), 0..24)) {
        let outcome = if created_warned { Outcome::Warned } else { Outcome::Passed };
        let creation = Step { seconds: 0, scope: Scope::Whole, outcome, ends_access: false, one_region: false, bus_takes: false };
        let mut history = vec![observation(usize::MAX, &creation, start())];
        let mut health = Health::first(&history[0]);
        let created_as = health.state;
        let mut told = Vec::<HealthChange>::new();
        let mut now = start();
        for (number, step) in steps.iter().enumerate() {
            let asked_at = now + jiff::SignedDuration::from_secs(step.seconds);
            let observed = observation(number, step, asked_at);
            let before = health.clone();
            let after = before.after(&observed);
            if asked_at < before.checked_at {
                prop_assert!(after.is_none(), "a late result changes nothing");
                continue;
            }
            let light = step.scope != Scope::Whole && matches!(step.outcome, Outcome::Passed | Outcome::Warned);
            let stands = matches!(before.state, HealthState::Healthy | HealthState::Degraded);
            let known_already = step.scope == Scope::LiveCall
                && step.outcome == Outcome::Refused
                && before.state == HealthState::Unusable;
            prop_assert_eq!(after.is_none(), (light && !stands) || known_already, "only a whole validation clears");
            let Some(after) = after else { continue };
            now = asked_at;
            history.push(observed);
            health = after;
            let expected = expected(&history);
            prop_assert_eq!(health.state, expected.state);
            prop_assert_eq!(undated(&health.findings), expected.findings);
            for found in &health.findings {
                prop_assert_eq!(found.since, Some(found_since(&history, found)), "of its first check in a row that found it");
            }
            prop_assert_eq!(health.access_ends_by, expected.access_ends_by);
            prop_assert_eq!(health.checked_at, asked_at);
            prop_assert_eq!(health.revision, before.revision + 1);
            let since = if health.state == before.state { before.since } else { asked_at };
            prop_assert_eq!(health.since, since);

            let told_before = told.len();
            if step.bus_takes {
                health = announced(&health, &mut told).unwrap_or(health);
                prop_assert!(health.unannounced.is_empty());
                let known = told.last().map_or(created_as, |change| change.state);
                prop_assert_eq!(known, health.state, "who has heard everything knows the state");
                if before.unannounced.is_empty() {
                    let news = told.len() - told_before;
                    let same = health.state == before.state;
                    prop_assert!(if same { news <= 1 } else { news == 1 }, "one announcement a change");
                }
            }
            for (earlier, later) in told.iter().zip(told.iter().skip(1)) {
                prop_assert_eq!(earlier.state, later.previous_state, "no change is left out");
                prop_assert!(earlier.revision < later.revision, "and none is told twice");
            }
        }
    }
}
