//! create-vault: nothing is stored before everything is proved, and a name belongs to one vault.

use futures::future::join_all;
use latchkey_core::Error;
use latchkey_core::caller::WorkspaceRole;
use latchkey_core::customer::Outage;
use latchkey_core::error::Fault;
use latchkey_core::findings::Verdict;
use latchkey_core::health::HealthState;
use latchkey_core::operations::CreateVaultCommand;
use latchkey_core::ports::VaultStore;
use latchkey_core::values::{Region, VaultName};
use latchkey_core::vault::{VaultSettings, VaultStatus};
use latchkey_in_memory::{InMemoryCustomer, KeyState, RegionOutage};

use crate::fixtures::{
    KEY_PAIR, OTHER_KEY_PAIR, Service, admin, caller, command, customer_key, request, role_arn, settings, workspace,
};

type Breakage = (&'static str, fn(&InMemoryCustomer));

/// Every condition that create-vault refuses, in one Region where that is possible.
const BREAKAGES: &[Breakage] = &[
    ("role lets nobody in", |c| c.change_role(|role| role.lets_us_in = false)),
    ("no external id needed", |c| {
        c.change_role(|role| role.takes_missing_external_id = true);
    }),
    ("any external id taken", |c| {
        c.change_role(|role| role.takes_wrong_external_id = true);
    }),
    ("missing", |c| {
        c.change_key_in(Region::UsWest2, |key| key.state = KeyState::Missing)
    }),
    ("disabled", |c| {
        c.change_key_in(Region::UsWest2, |key| key.state = KeyState::Disabled)
    }),
    ("pending deletion", |c| {
        let date = "2026-12-01T00:00:00Z".parse().unwrap();
        c.change_key_in(Region::UsWest2, |key| key.state = KeyState::PendingDeletion(date));
    }),
    ("creating", |c| {
        c.change_key_in(Region::UsWest2, |key| key.state = KeyState::Creating)
    }),
    ("symmetric", |c| {
        c.change_key(|key| key.key_spec = "SYMMETRIC_DEFAULT".to_owned())
    }),
    ("signing", |c| {
        c.change_key(|key| key.key_usage = "SIGN_VERIFY".to_owned())
    }),
    ("imported", |c| c.change_key(|key| key.origin = "EXTERNAL".to_owned())),
    ("single-Region", |c| {
        c.change_key(|key| key.multi_region_key_type = None)
    }),
    ("wrong topology", |c| c.change_key(|key| key.replicas.clear())),
    ("different keys", |c| {
        c.change_key_in(Region::UsWest2, |key| key.key_pair = OTHER_KEY_PAIR.clone());
    }),
    ("no DescribeKey", |c| deny(c, "kms:DescribeKey")),
    ("no GetPublicKey", |c| deny(c, "kms:GetPublicKey")),
    ("no Encrypt", |c| deny(c, "kms:Encrypt")),
    ("no Decrypt", |c| deny(c, "kms:Decrypt")),
    ("outage", |c| {
        c.set_outage(Region::UsWest2, Some(RegionOutage::Fails(Outage::ServerError)));
    }),
    ("hanging", |c| c.set_outage(Region::UsWest2, Some(RegionOutage::Hangs))),
    ("throttled", |c| {
        c.set_outage(Region::UsEast2, Some(RegionOutage::Fails(Outage::Throttled)));
    }),
    ("our own set-up", |c| c.set_service_misconfigured(true)),
];

fn deny(customer: &InMemoryCustomer, action: &'static str) {
    customer.change_key_in(Region::UsEast2, |key| {
        key.allowed.remove(action);
    });
}

#[tokio::test(start_paused = true)]
async fn nothing_is_stored_when_anything_fails() {
    for (name, break_it) in BREAKAGES {
        let service = Service::new();
        break_it(&service.customer);
        let error = service.create(command("Acme")).await.unwrap_err();
        let Error::ValidationFailed(report) = &error else {
            panic!("{name}: {error}");
        };
        assert_eq!((report.verdict, report.checks.len()), (Verdict::Fail, 29), "{name}");
        assert!(service.records.is_empty(), "{name}");
        let of_an_outage = ["outage", "hanging", "throttled", "our own set-up"].contains(name);
        let fault = if of_an_outage {
            Fault::Dependency
        } else {
            Fault::CustomerKey
        };
        assert_eq!((error.fault(), error.retryable()), (fault, of_an_outage), "{name}");
    }
}

#[tokio::test]
async fn a_created_vault_is_on_record_as_asked_for() {
    let service = Service::new();
    let (view, report) = service.create(command("Acme")).await.unwrap();
    let vault = &view.vault;
    assert_eq!(report.verdict, Verdict::Pass);
    assert!(view.is_default);
    assert_eq!(
        (vault.status, vault.health.state),
        (VaultStatus::Active, HealthState::Healthy)
    );
    assert_eq!(
        (&vault.customer_key, &vault.public_key),
        (&customer_key(), KEY_PAIR.public_key())
    );
    assert_eq!(
        (vault.key_spec.as_str(), vault.created_by.as_str()),
        ("RSA_4096", "user-1")
    );
    assert_eq!(vault.workspace_id, workspace());
    let on_record = service.records.vaults(&workspace());
    assert_eq!(on_record.len(), 1);
    assert_eq!(on_record[0].vault_id, vault.vault_id);
    let by_name = service.records.name_claim(&workspace(), &vault.name).await.unwrap();
    assert_eq!(by_name.unwrap().vault_id, vault.vault_id);
    assert_eq!(vault.version, 1);
}

#[tokio::test]
async fn a_warning_does_not_stop_it_and_stays_visible() {
    let service = Service::new();
    service.customer.change_key(|key| key.key_spec = "RSA_2048".to_owned());
    let (view, report) = service.create(command("Acme")).await.unwrap();
    assert_eq!(report.verdict, Verdict::Warn);
    assert_eq!(view.vault.health.state, HealthState::Degraded);
    assert_eq!(view.vault.health.findings.len(), 1);
}

#[tokio::test]
async fn a_vault_becomes_the_default_only_when_asked_to() {
    let service = Service::new();
    let quiet = CreateVaultCommand {
        set_as_default: false,
        ..command("Quiet")
    };
    assert!(!service.create(quiet).await.unwrap().0.is_default);
    assert_eq!(service.records.default_vault_id(&workspace()).await, Ok(None));
    let (first, _) = service.create(command("First")).await.unwrap();
    let (second, _) = service.create(command("Second")).await.unwrap();
    assert!(first.is_default && second.is_default);
    let default = service.records.default_vault_id(&workspace()).await;
    assert_eq!(default, Ok(Some(second.vault.vault_id)));
}

#[tokio::test]
async fn the_same_request_twice_answers_the_first_vault() {
    let service = Service::new();
    let (first, _) = service.create(command("Acme")).await.unwrap();
    let (again, report) = service.create(command("Acme")).await.unwrap();
    assert_eq!(again.vault.vault_id, first.vault.vault_id);
    assert_eq!(again.vault.created_at, first.vault.created_at);
    assert_eq!(service.records.vaults(&workspace()).len(), 1);
    // The vault was validated again, this time with its pinned public key.
    assert!(report.checks.iter().all(|outcome| outcome.verdict == Verdict::Pass));
    service.customer.change_key(|key| key.key_pair = OTHER_KEY_PAIR.clone());
    let replaced = service.create(command("Acme")).await;
    assert!(matches!(replaced, Err(Error::ValidationFailed(_))));
}

#[tokio::test]
async fn the_same_name_with_other_settings_is_taken() {
    let service = Service::new();
    service.create(command("Acme")).await.unwrap();
    let calls = service.customer.calls();
    let base = || settings("Acme", 30);
    let others: [VaultSettings; 4] = [
        settings("Acme", 60),
        settings("  ACME".trim(), 30),
        VaultSettings {
            aws_role_arn: role_arn("arn:aws:iam::222222222222:role/another"),
            ..base()
        },
        VaultSettings {
            customer_key: latchkey_core::values::CustomerKey {
                key_id: latchkey_core::values::KmsKeyId::parse("mrk-00000000000000000000000000000000").unwrap(),
                ..customer_key()
            },
            ..base()
        },
    ];
    for settings in others {
        let answer = service
            .create(CreateVaultCommand {
                settings,
                set_as_default: true,
            })
            .await;
        assert!(matches!(answer, Err(Error::VaultNameTaken)));
    }
    assert_eq!(service.records.vaults(&workspace()).len(), 1);
    assert_eq!(service.customer.calls(), calls, "the customer was not bothered");
}

#[tokio::test]
async fn two_workspaces_may_use_one_name() {
    let service = Service::new();
    let (ours, _) = service.create(command("Acme")).await.unwrap();
    let other = caller("ws-other", WorkspaceRole::Owner);
    service
        .customer
        .change_role(|role| role.external_id = other.workspace_id.clone());
    let theirs = service
        .create_vault()
        .run(&request(), &other, command("Acme"))
        .await
        .unwrap();
    assert_ne!(ours.vault.vault_id, theirs.0.vault.vault_id);
    assert_eq!(theirs.0.vault.workspace_id, other.workspace_id);
}

#[tokio::test]
async fn a_member_is_refused_before_anything_is_asked() {
    let service = Service::new();
    let member = caller("ws-acme", WorkspaceRole::Member);
    let answer = service.create_vault().run(&request(), &member, command("Acme")).await;
    assert!(matches!(answer, Err(Error::Forbidden)));
    assert_eq!((service.records.calls(), service.customer.calls()), (0, 0));
}

#[tokio::test]
async fn creates_that_race_for_one_name_make_one_vault() {
    for racers in [2, 20] {
        let service = Service::new();
        let answers = join_all((0..racers).map(|_| service.create(command("Acme")))).await;
        let ids: Vec<_> = answers
            .into_iter()
            .map(|answer| answer.unwrap().0.vault.vault_id)
            .collect();
        assert!(ids.iter().all(|id| *id == ids[0]));
        assert_one_vault(&service, "Acme").await;
    }
}

#[tokio::test]
async fn of_creates_with_different_settings_one_kind_wins() {
    for racers in [2, 20] {
        let service = Service::new();
        let bounds: Vec<u64> = (0..racers).map(|racer| 30 + racer % 2).collect();
        let answers = join_all(bounds.iter().map(|&bound| {
            service.create(CreateVaultCommand {
                settings: settings("Acme", bound),
                set_as_default: true,
            })
        }))
        .await;
        let vault = assert_one_vault(&service, "Acme").await;
        for (bound, answer) in bounds.into_iter().zip(answers) {
            if bound == u64::from(vault.data_key_cache.seconds()) {
                assert_eq!(answer.unwrap().0.vault.vault_id, vault.vault_id);
            } else {
                assert!(matches!(answer, Err(Error::VaultNameTaken)));
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn creates_that_race_on_many_threads_make_one_vault() {
    let service = Service::new();
    let tasks: Vec<_> = (0..20)
        .map(|_| {
            let service = service.clone();
            tokio::spawn(async move { service.create_vault().run(&request(), &admin(), command("Acme")).await })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    assert_one_vault(&service, "Acme").await;
}

pub(crate) async fn assert_one_vault(service: &Service, name: &str) -> latchkey_core::vault::Vault {
    let vaults = service.records.vaults(&workspace());
    assert_eq!(vaults.len(), 1);
    let name = VaultName::parse(name).unwrap();
    let vault_id = Some(vaults[0].vault_id.clone());
    let by_name = service.records.name_claim(&workspace(), &name).await.unwrap();
    assert_eq!(by_name.map(|claim| claim.vault_id), vault_id);
    assert_eq!(service.records.default_vault_id(&workspace()).await, Ok(vault_id));
    vaults.into_iter().next().unwrap()
}
