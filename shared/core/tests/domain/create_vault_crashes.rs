//! create-vault crashes, or loses an answer, at any of its writes. Nothing is left wrong, and a retry completes it.

use std::time::Duration;

use latchkey_core::Error;
use latchkey_core::operations::CreateVaultCommand;
use latchkey_core::ports::VaultStore;
use latchkey_in_memory::WriteFault;
use tokio::time::timeout;

use crate::create_vault::assert_one_vault;
use crate::fixtures::{Service, admin, command, request, settings, workspace};

/// The claim on the name, the vault, the default.
const WRITES: usize = 3;
const FAULTS: [WriteFault; 4] = [
    WriteFault::FailsBefore,
    WriteFault::FailsAfter,
    WriteFault::CrashesBefore,
    WriteFault::CrashesAfter,
];

/// Runs create-vault with the fault. If it crashes, it is dropped at that write.
async fn create_with_fault(service: &Service, nth: usize, fault: WriteFault) {
    service.records.order_write_fault(nth, fault);
    match timeout(Duration::from_secs(1), service.create(command("Acme"))).await {
        Ok(answer) => {
            assert!(matches!(fault, WriteFault::FailsBefore | WriteFault::FailsAfter));
            let error = answer.unwrap_err();
            assert!(matches!(error, Error::Unavailable) && error.retryable());
        }
        Err(_) => assert!(matches!(fault, WriteFault::CrashesBefore | WriteFault::CrashesAfter)),
    }
}

async fn assert_nothing_wrong(service: &Service) {
    for vault in service.records.vaults(&workspace()) {
        let claim = service.records.name_claim(&workspace(), &vault.name).await.unwrap();
        assert_eq!(claim.unwrap().vault_id, vault.vault_id);
    }
    if let Some(default) = service.records.default_vault_id(&workspace()).await.unwrap() {
        assert!(service.records.vault(&workspace(), &default).await.unwrap().is_some());
    }
}

#[tokio::test(start_paused = true)]
async fn a_create_has_as_many_writes_as_these_tests_break() {
    let service = Service::new();
    service.create(command("Acme")).await.unwrap();
    let writes = ["claim_name", "insert_vault", "set_default"].map(|write| service.records.calls_of(write));
    assert_eq!(writes, [1; WRITES]);
}

#[tokio::test(start_paused = true)]
async fn a_retry_completes_what_died_at_any_write() {
    for nth in 1..=WRITES {
        for fault in FAULTS {
            let service = Service::new();
            create_with_fault(&service, nth, fault).await;
            assert_nothing_wrong(&service).await;
            let (view, _) = service.create(command("Acme")).await.unwrap();
            let vault = assert_one_vault(&service, "Acme").await;
            assert_eq!(view.vault.vault_id, vault.vault_id, "write {nth}, {fault:?}");
            let environment = service.environment();
            let sealed = environment.seal("item").await.unwrap();
            environment.open("item", &sealed).await.unwrap();
        }
    }
}

/// The customer's CloudTrail and our audit log must agree (requirement E1).
#[tokio::test(start_paused = true)]
async fn a_retry_enters_the_role_under_the_id_that_the_vault_will_have() {
    let service = Service::new();
    create_with_fault(&service, 1, WriteFault::CrashesAfter).await;
    let request = request();
    let created = service.create_vault().run(&request, &admin(), command("Acme")).await;
    let vault_id = created.unwrap().0.vault.vault_id;
    let sessions = request.key_uses().into_iter().map(|key_use| key_use.role_session_name);
    assert!(
        sessions
            .into_iter()
            .all(|session| session.starts_with(vault_id.as_str()))
    );
}

#[tokio::test(start_paused = true)]
async fn a_retry_may_die_at_any_write_too() {
    for (first, second) in (1..=WRITES).flat_map(|first| (1..=WRITES).map(move |second| (first, second))) {
        let service = Service::new();
        create_with_fault(&service, first, WriteFault::CrashesAfter).await;
        service.records.order_write_fault(second, WriteFault::CrashesAfter);
        // The retry may have fewer writes left than that. Then it succeeds.
        let _ = timeout(Duration::from_secs(1), service.create(command("Acme"))).await;
        assert_nothing_wrong(&service).await;
        service.records.order_write_fault(usize::MAX, WriteFault::FailsBefore);
        service.create(command("Acme")).await.unwrap();
        assert_one_vault(&service, "Acme").await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_name_that_points_at_no_vault_belongs_to_nobody() {
    let service = Service::new();
    create_with_fault(&service, 1, WriteFault::CrashesAfter).await;
    let other_settings = CreateVaultCommand {
        settings: settings("Acme", 60),
        set_as_default: true,
    };
    service.create(other_settings).await.unwrap();
    let vault = assert_one_vault(&service, "Acme").await;
    assert_eq!(vault.data_key_cache.seconds(), 60);
    let late_retry = service.create(command("Acme")).await;
    assert!(matches!(late_retry, Err(Error::VaultNameTaken)));
}

#[tokio::test(start_paused = true)]
async fn a_data_key_whose_issue_died_is_used_by_the_next_request() {
    for fault in FAULTS {
        let (service, _) = Service::with_vault(30).await;
        service.records.order_write_fault(1, fault);
        let environment = service.environment();
        let died = timeout(Duration::from_secs(1), environment.seal("item")).await;
        assert!(died.is_err() || died.unwrap().is_err());
        let sealed = environment.seal("item").await.unwrap();
        assert_eq!(
            environment.open("item", &sealed).await.unwrap(),
            crate::fixtures::plaintext_of("item")
        );
        assert_eq!(service.records.data_keys().len(), 1, "{fault:?}");
    }
}
