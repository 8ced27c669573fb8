//! Every operation that changes a vault, with each of its writes made to fail, or to be its last because of a crash.
//! The same request completes what was left half done.

use latchkey_core::operations::DisableMode;
use latchkey_core::ports::VaultStore;
use latchkey_in_memory::WriteFault;

use crate::fixtures::{admin, request, workspace};
use crate::lifecycle::{assert_never_wrong, assert_tidy};
use crate::lifecycle_world::{Operation, World, every_vault_can_still_live, now};

/// The operations in which each write is made to fail.
fn operations_to_break() -> Vec<Operation> {
    let rename = |is_default, careful| Operation::Update {
        vault: 0,
        name: Some(3),
        is_default,
        bound: Some(5),
        careful,
    };
    let default = |is_default, careful| Operation::Update {
        vault: 0,
        name: None,
        is_default: Some(is_default),
        bound: None,
        careful,
    };
    let disable = |vault, mode, careful| Operation::Disable { vault, mode, careful };
    vec![
        Operation::Create {
            name: 3,
            set_as_default: true,
        },
        rename(None, false),
        rename(None, true),
        rename(Some(true), false),
        rename(Some(true), true),
        default(true, true),
        default(false, false),
        disable(0, DisableMode::Disabled, false),
        disable(0, DisableMode::Disabled, true),
        disable(0, DisableMode::DecryptOnly, true),
        Operation::Enable {
            vault: 2,
            careful: false,
        },
        Operation::Enable {
            vault: 2,
            careful: true,
        },
    ]
}

/// Vault 0 is active, vault 1 is the default, and vault 2 is disabled but still the default, as a crash may leave it.
async fn world_to_break(operation: &Operation) -> World {
    let world = World::new().await;
    let mut precious = 1;
    if matches!(operation, Operation::Enable { .. }) {
        world.create("To enable", true).await.unwrap();
        world.service.records.order_write_fault(2, WriteFault::CrashesBefore);
        let disable = Operation::Disable {
            vault: 2,
            mode: DisableMode::Disabled,
            careful: false,
        };
        let died = tokio::time::timeout(std::time::Duration::from_secs(1), world.run(&disable)).await;
        assert!(died.is_err());
        world.see_anew().await;
        precious = 2;
    } else {
        let default = Operation::Update {
            vault: 1,
            name: None,
            is_default: Some(true),
            bound: None,
            careful: false,
        };
        world.run(&default).await.unwrap();
    }
    let default = world.service.records.default_vault_id(&workspace()).await.unwrap();
    assert_eq!(default, Some(world.vault(precious, false).0));
    world
}

/// The vaults as callers see them, without times and versions, because a retry may count one version more.
async fn told(world: &World) -> Vec<String> {
    let mut told = Vec::new();
    for vault in world.service.records.vaults(&workspace()) {
        let view = world
            .service
            .list_vaults()
            .read(&request(), &admin(), &vault.vault_id)
            .await
            .unwrap();
        told.push(format!(
            "{:?} {:?} {:?} {}",
            vault.name, vault.status, vault.data_key_cache, view.is_default
        ));
    }
    told
}

#[tokio::test(start_paused = true)]
async fn an_operation_that_dies_or_fails_at_any_of_its_writes_is_completed_by_its_retry() {
    for operation in operations_to_break() {
        let whole = world_to_break(&operation).await;
        let before = told(&whole).await;
        whole.run(&operation).await.unwrap();
        let wanted = told(&whole).await;
        if matches!(operation, Operation::Enable { .. }) {
            let default = whole.service.records.default_vault_id(&workspace()).await;
            assert_eq!(default, Ok(None), "nobody has asked for a default");
        }
        assert!(
            wanted != before
                || matches!(
                    operation,
                    Operation::Update {
                        is_default: Some(false),
                        ..
                    }
                ),
            "{operation:?}"
        );
        let mut writes = 0;
        loop {
            let nth = writes + 1;
            let mut struck = false;
            for fault in [
                WriteFault::FailsBefore,
                WriteFault::FailsAfter,
                WriteFault::CrashesBefore,
                WriteFault::CrashesAfter,
            ] {
                let world = world_to_break(&operation).await;
                world.service.records.order_write_fault(nth, fault);
                let seen = world.seen.borrow().clone();
                let first = tokio::time::timeout(std::time::Duration::from_secs(1), world.run(&operation)).await;
                struck |= !world.service.records.awaits_write_fault();
                drop(first);
                assert_never_wrong(&world.service.records).await;
                // The retry is the same request, including its precondition.
                *world.seen.borrow_mut() = seen;
                world
                    .service
                    .records
                    .order_write_fault(usize::MAX, WriteFault::FailsBefore);
                let retried = world.run(&operation).await;
                assert!(retried.is_ok(), "{operation:?}, write {nth}, {fault:?}: {retried:?}");
                assert_eq!(told(&world).await, wanted, "{operation:?}, write {nth}, {fault:?}");
                assert_tidy(&world.service.records).await;
                now(every_vault_can_still_live(&world));
            }
            if !struck {
                break;
            }
            writes = nth;
        }
        assert!(writes >= 1, "{operation:?} writes");
    }
}
