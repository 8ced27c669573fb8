//! The workspaces and their vaults: who owns them, and whether they open at the moment.

use std::sync::Mutex;
use std::thread;

use latchkey_core::values::{AwsAccountId, CustomerKey, KmsKeyId, RoleArn, WorkspaceId};
use latchkey_in_memory::{InMemoryCustomer, RsaKeyPair};
use serde_json::{Value, json};

/// A vault with its own key and role. Vault `n` is in the workspace `n` modulo the number of workspaces.
pub struct LoadedVault {
    pub vault_id: String,
    gate: Mutex<Gate>,
}

/// Whether a vault opens. From the epoch, a request can tell that the gate moved while it ran.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Gate {
    epoch: u64,
    state: GateState,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum GateState {
    /// The vault was enabled: the answer has come.
    Open,
    /// The vault is being enabled or disabled: there is no answer yet.
    Moving,
    /// The vault was disabled: the answer has come.
    Closed,
}

impl LoadedVault {
    pub fn new(vault_id: String) -> Self {
        let (epoch, state) = (0, GateState::Open);
        Self {
            vault_id,
            gate: Mutex::new(Gate { epoch, state }),
        }
    }

    pub fn gate(&self) -> Gate {
        *self.gate.lock().unwrap()
    }

    pub fn move_gate(&self, state: GateState) {
        let mut gate = self.gate.lock().unwrap();
        gate.epoch += 1;
        gate.state = state;
    }

    /// Whether a request that began at `gate` and is answered now may have been allowed.
    pub fn may_have_opened(&self, gate: Gate) -> bool {
        gate.state != GateState::Closed || self.gate() != gate
    }

    /// Whether such a request may have been refused.
    pub fn may_have_been_closed(&self, gate: Gate) -> bool {
        gate.state != GateState::Open || self.gate() != gate
    }
}

pub fn workspace_id(workspace: usize) -> String {
    format!("ws-load-{workspace:04}")
}

/// The body of create-vault for vault `vault`.
pub fn create_vault_request(vault: usize) -> Value {
    let key = key(vault);
    json!({
        "name": format!("Vault {vault}"),
        "strategy": "aws_kms",
        "aws_account_id": key.account_id.as_str(),
        "kms_key_id": key.key_id.to_string(),
        "aws_role_arn": role(vault).as_str(),
    })
}

/// The customers of this many vaults. Each workspace has its own key material, so no workspace's key opens another's
/// items.
pub fn customers(vaults: usize, workspaces: usize) -> Vec<InMemoryCustomer> {
    let generate = |_| thread::spawn(|| RsaKeyPair::generate().expect("a key pair"));
    let mut key_pairs = Vec::new();
    for of_both_processors in (0..workspaces).collect::<Vec<_>>().chunks(2) {
        let under_way: Vec<_> = of_both_processors.iter().map(generate).collect();
        key_pairs.extend(under_way.into_iter().map(|made| made.join().expect("no panic")));
    }
    let customer = |vault| {
        let workspace = vault % workspaces;
        let external_id = WorkspaceId::parse(&workspace_id(workspace)).expect("valid");
        InMemoryCustomer::new(key(vault), &key_pairs[workspace], role(vault), external_id)
    };
    (0..vaults).map(customer).collect()
}

fn key(vault: usize) -> CustomerKey {
    CustomerKey {
        account_id: AwsAccountId::parse(&account(vault)).expect("valid"),
        key_id: KmsKeyId::parse(&format!("mrk-{vault:032x}")).expect("valid"),
    }
}

fn role(vault: usize) -> RoleArn {
    RoleArn::parse(&format!("arn:aws:iam::{}:role/latchkey", account(vault))).expect("valid")
}

fn account(vault: usize) -> String {
    format!("{:012}", 300_000_000_000 + vault)
}
