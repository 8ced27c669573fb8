//! How much memory an operation's future takes. It contains the futures of everything that the operation may wait for,
//! and each layer that moves a future contains it once more. The memory is allocated for each request, and a large
//! allocation comes fresh from the kernel, with a page fault for every 4 KiB.
//!
//! Futures that an operation boxes are allocated on their own, when they are needed: the data keys of decrypt-item, and
//! the calls of a validation and of a sweep's checks. They are measured as well.

use latchkey_aws::Aws;
use latchkey_core::customer::CustomerAccess;
use latchkey_core::operations::{CreateVaultCommand, DisableMode, Service, UpdateVaultCommand, VaultFilter};
use latchkey_core::ports::{CustomerKeys, RoleAttempt};
use latchkey_core::values::{DataKeyCacheBound, Region, RoleArn, Strategy, VaultId};
use latchkey_core::vault::{Precondition, VaultSettings};

use crate::fixtures::{CUSTOMER_ROLE, context, customer_key, settings};
use crate::record_fixtures::{data_key, name, vault};
use crate::service::admin;

/// In bytes: a quarter of the size from which on an allocation comes from the kernel and is returned to it (mallopt(3),
/// `M_MMAP_THRESHOLD`).
const LARGEST: usize = 32 * 1024;

#[tokio::test]
async fn no_operation_is_so_large_that_its_memory_is_fetched_from_the_kernel() {
    let aws = Aws::connect(&settings()).await;
    let (context, admin, vault_id) = (context(), admin(), VaultId::generate());
    let service = service_on(&aws);
    let (encrypt_one, decrypt_one, reassign_item) =
        (service.encrypt_item(), service.decrypt_item(), service.reassign_item());
    let (create_vault, validate_one, sweep_vaults) =
        (service.create_vault(), service.validate_vault(), service.sweep_vaults());
    let (enable_vault, disable_vault) = (service.enable_vault(), service.disable_vault());
    let (update_vault, list_vaults) = (service.update_vault(), service.list_vaults());
    let to_create = CreateVaultCommand {
        settings: VaultSettings {
            name: name("Acme"),
            aws_role_arn: RoleArn::parse(CUSTOMER_ROLE).expect("valid"),
            customer_key: customer_key(),
            strategy: Strategy::AwsKms,
            data_key_cache: DataKeyCacheBound::default(),
        },
        set_as_default: true,
    };
    let update = UpdateVaultCommand {
        name: None,
        is_default: None,
        data_key_cache: None,
    };
    let any = Precondition::default();
    let sizes = [
        (
            "create-vault",
            size_of_val(&create_vault.run(&context, &admin, to_create)),
        ),
        (
            "validate-vault",
            size_of_val(&validate_one.run(&context, &admin, &vault_id)),
        ),
        (
            "validate-vault, sweep",
            size_of_val(&sweep_vaults.run(&context, &[], &|_| Ok(()))),
        ),
        (
            "encrypt-item",
            size_of_val(&encrypt_one.run(&context, &admin, None, Vec::new())),
        ),
        (
            "decrypt-item",
            size_of_val(&decrypt_one.run(&context, &admin, Vec::new())),
        ),
        (
            "reassign-item",
            size_of_val(&reassign_item.run(&context, &admin, &vault_id, Vec::new(), false)),
        ),
        (
            "disable-vault",
            size_of_val(&disable_vault.run_if(&context, &admin, &vault_id, DisableMode::Disabled, &any)),
        ),
        (
            "enable-vault",
            size_of_val(&enable_vault.run(&context, &admin, &vault_id, &any)),
        ),
        (
            "update-vault",
            size_of_val(&update_vault.run(&context, &admin, &vault_id, &update, &any)),
        ),
        (
            "list-vaults",
            size_of_val(&list_vaults.run(&context, &admin, VaultFilter::NONE, None, 10)),
        ),
    ];
    assert_small(&sizes);
}

#[tokio::test]
async fn nor_is_what_operations_box() {
    let aws = Aws::connect(&settings()).await;
    let (keys, context, vault, region) = (aws.customer_keys(), context(), vault(), Region::UsEast2);
    let data_keys = service_on(&aws).data_keys();
    let (issued, access) = (data_key(b"wrapped"), CustomerAccess::to_unwrap(&vault));
    let attempt = RoleAttempt::AsAgreed;
    assert_small(&[
        (
            "a data key to seal under",
            size_of_val(&data_keys.current(&context, &vault, 1)),
        ),
        (
            "a data key to open with",
            size_of_val(&data_keys.on_record(&context, &vault, &issued.data_key_id, &issued.encrypted_data_key)),
        ),
        ("what is prepared", size_of_val(&keys.prepare(region))),
        (
            "sts:AssumeRole",
            size_of_val(&keys.attempt_role(&context, &access, attempt, region)),
        ),
        (
            "kms:DescribeKey",
            size_of_val(&keys.describe_key(&context, &access, region)),
        ),
        (
            "kms:GetPublicKey",
            size_of_val(&keys.public_key(&context, &access, region)),
        ),
        (
            "kms:Encrypt",
            size_of_val(&keys.encrypt(&context, &access, region, b"x")),
        ),
        (
            "kms:Decrypt",
            size_of_val(&keys.decrypt(&context, &access, region, b"x")),
        ),
    ]);
}

fn service_on(aws: &Aws) -> Service<Aws> {
    Service {
        ports: aws.clone(),
        settings: settings().service(),
    }
}

fn assert_small(sizes: &[(&str, usize)]) {
    let too_large: Vec<_> = sizes.iter().filter(|(_, bytes)| *bytes >= LARGEST).collect();
    assert!(too_large.is_empty(), "{too_large:?}, of {sizes:?}");
}
