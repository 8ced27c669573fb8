//! create-vault: validates the key and role with live calls, then stores the vault (requirements V1, V2).

use jiff::Timestamp;

use crate::caller::Caller;
use crate::customer::{CustomerAccess, ManagedKey};
use crate::error::{Cause, Error};
use crate::findings::{Report, Verdict};
use crate::health::due::Due;
use crate::health::observation::Observation;
use crate::health::{Health, HealthState};
use crate::operations::health_record;
use crate::ports::{Clock, CustomerKeys, NameClaim, VaultStore};
use crate::request::RequestContext;
use crate::validation::{Validation, validate};
use crate::values::{Region, RoleArn, VaultId};
use crate::vault::{Vault, VaultSettings, VaultStatus};

use crate::operations::name_claims::{Claimed, NameHolder};
use crate::operations::{ATTEMPTS, Operation, Ports, Service, VaultView, default_vault, name_claims, outpaced, view};

/// Creates vaults.
///
/// ```
/// # use latchkey_in_memory::Example;
/// # use latchkey_core::findings::Verdict;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let example = Example::new()?;
/// let create_vault = example.service().create_vault();
/// let (view, report) = create_vault.run(&example.request(), &example.admin, example.command.clone()).await?;
/// assert!(view.is_default);
/// assert_eq!(report.verdict, Verdict::Pass);
/// # Ok(())
/// # }
/// ```
pub struct CreateVault<S, K, C> {
    /// The vault records.
    pub store: S,
    /// The customers' keys and roles.
    pub customer_keys: K,
    /// The time.
    pub clock: C,
    /// The service's access role, for the policies in remedies.
    pub access_role: RoleArn,
    /// The key for vaults of strategy `managed`, if the service offers them.
    pub managed_key: Option<ManagedKey>,
    /// The Region we run in.
    pub home: Region,
}

impl<P: Ports> Service<P> {
    /// create-vault.
    pub fn create_vault(&self) -> CreateVault<P::Store, P::CustomerKeys, P::Clock> {
        CreateVault {
            store: self.ports.store(),
            customer_keys: self.ports.customer_keys(),
            clock: self.ports.clock(),
            access_role: self.settings.access_role.clone(),
            managed_key: self.settings.managed_key.clone(),
            home: self.settings.region,
        }
    }
}

/// The vault to create.
#[derive(Clone, Debug)]
pub struct CreateVaultCommand {
    /// Its settings.
    pub settings: VaultSettings,
    /// Whether it becomes the workspace's default vault.
    pub set_as_default: bool,
}

impl<S: VaultStore, K: CustomerKeys, C: Clock> CreateVault<S, K, C> {
    /// Validates the key and role. If nothing failed, creates the vault. Returns the vault and the report.
    ///
    /// A crash between any two writes leaves nothing wrong, and a retry completes them. First the name is pointed at an
    /// id, then the vault is written under that id, then the default is set. A name that points at no vault yet belongs
    /// to nobody: the next create with that name uses the same id, and whoever writes the vault first has created it.
    /// Creating the same vault again returns the existing one, validated again.
    ///
    /// # Errors
    /// [`Error::ValidationFailed`] with the whole report; nothing is stored then. [`Error::VaultNameTaken`] if a vault
    /// with that name has other settings.
    pub async fn run(
        &self,
        context: &RequestContext,
        caller: &Caller,
        command: CreateVaultCommand,
    ) -> Result<(VaultView, Report), Error> {
        Operation::CreateVault.admit(caller)?;
        let CreateVaultCommand {
            settings,
            set_as_default,
        } = command;
        let (vault_id, existing) = match name_claims::holder(&self.store, &caller.workspace_id, &settings.name).await? {
            NameHolder::Vault(vault) if !vault.has_settings(&settings) => return Err(Error::VaultNameTaken),
            NameHolder::Vault(vault) => (vault.vault_id.clone(), Some(*vault)),
            NameHolder::VaultToBe(vault_id) => (vault_id, None),
            NameHolder::Nobody => (VaultId::generate(), None),
        };
        let access = CustomerAccess::to_validate(&vault_id, &caller.workspace_id, &settings);
        let asked_at = self.clock.now().wall;
        let pinned = existing.as_ref().map(|vault| &vault.public_key);
        let validation = validate(
            &self.customer_keys,
            context,
            &access,
            &self.access_role,
            self.home,
            asked_at,
            pinned,
        )
        .await;
        if validation.report.verdict == Verdict::Fail {
            return Err(Error::ValidationFailed(Box::new(validation.report)));
        }
        let vault = match existing {
            // Only an `unusable` or `unknown` vault needs this result on record. Recording it for every vault would
            // make creates that race for one name race for the health record too.
            Some(mut vault) if matches!(vault.health.state, HealthState::Unusable | HealthState::Unknown) => {
                let answered_at = self.clock.now().wall;
                let observation = Observation::of_validation(&validation, asked_at, answered_at, vault.data_key_cache);
                vault.health = health_record::record(&self.store, &vault, &observation).await?;
                vault
            }
            Some(vault) => vault,
            None => {
                self.put_on_record(caller, vault_id, settings, &validation, asked_at)
                    .await?
            }
        };
        let vault = if set_as_default && vault.status.seals() {
            default_vault::set(&self.store, &vault).await?
        } else {
            vault
        };
        Ok((view(&self.store, vault).await?, validation.report))
    }

    async fn put_on_record(
        &self,
        caller: &Caller,
        vault_id: VaultId,
        settings: VaultSettings,
        validation: &Validation,
        asked_at: Timestamp,
    ) -> Result<Vault, Error> {
        let (Some(public_key), Some(key_spec)) = (validation.public_key.clone(), validation.key_spec.clone()) else {
            return Err(Error::Internal(Cause::ValidationIncomplete));
        };
        let now = self.clock.now().wall;
        let observation = Observation::of_validation(validation, asked_at, now, settings.data_key_cache);
        let mut vault = Vault {
            vault_id,
            workspace_id: caller.workspace_id.clone(),
            name: settings.name.clone(),
            strategy: settings.strategy,
            status: VaultStatus::Active,
            customer_key: settings.customer_key.clone(),
            aws_role_arn: settings.aws_role_arn.clone(),
            public_key,
            key_spec,
            data_key_cache: settings.data_key_cache,
            health: Health::first(&observation),
            due: Due::first(&observation, settings.strategy),
            created_at: now,
            created_by: caller.subject.clone(),
            version: 1,
            updated_at: now,
        };
        for _ in 0..ATTEMPTS {
            let claim = NameClaim {
                vault_id: vault.vault_id.clone(),
                version: vault.version,
            };
            match name_claims::claim(&self.store, &vault.workspace_id, &vault.name, &claim).await? {
                Claimed::Ours => {}
                Claimed::VaultToBe(vault_id) => vault.vault_id = vault_id,
                // Another request created a vault with this name first. If it has the settings asked for, it is the
                // answer.
                Claimed::Vault(first) if first.has_settings(&settings) => return Ok(*first),
                Claimed::Vault(_) => return Err(Error::VaultNameTaken),
                // The vault with this id was created, renamed, and renamed back since. Try another id.
                Claimed::Outdated => vault.vault_id = VaultId::generate(),
            }
            if self.store.insert_vault(&vault).await? {
                return Ok(vault);
            }
            // The id was used since we looked up the name: by a vault that has this name, or had it.
            let first = self.store.vault(&vault.workspace_id, &vault.vault_id).await?;
            match first.ok_or(Error::Internal(Cause::RecordMissing))? {
                first if first.has_settings(&settings) => return Ok(first),
                first if first.is_called(&settings.name) => return Err(Error::VaultNameTaken),
                _ => vault.vault_id = VaultId::generate(),
            }
        }
        Err(outpaced(ATTEMPTS))
    }
}
