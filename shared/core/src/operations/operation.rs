//! What the table of operations says about each, and the questions that it answers. The table itself is in `mod.rs`.
//! `operations.json` is the same table for code that is not Rust.
//!
//! These use the table: the check of the caller's role, the audit log, the functions, and the tests that compare
//! `openapi.yaml`, `template.yaml`, `docs/` and `events/` with it. docs/adding-an-operation.md walks through adding an
//! operation.

use serde::Serialize;

use crate::caller::{Caller, WorkspaceRole};
use crate::error::Error;
use crate::operations::Operation;

/// What the table says about an operation.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Description {
    /// Its name, which is also its file's, its `operationId` and its `operation` in the audit log.
    pub name: &'static str,
    /// The HTTP API call that starts it. `None` if the schedule starts it.
    #[serde(flatten)]
    pub call: Option<Call>,
    /// Who may start it.
    pub may: May,
    /// Whether it seals or opens items.
    pub touches_items: bool,
    /// The function that serves it.
    pub function: &'static str,
}

/// A call of the HTTP API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Call {
    /// The HTTP method.
    pub method: &'static str,
    /// The path, as in `openapi.yaml`.
    pub path: &'static str,
}

/// Who may start an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum May {
    /// Everyone in the workspace.
    AnyMember,
    /// The workspace's owners, super admins and admins.
    VaultAdmins,
    /// Only the schedule.
    Schedule,
}

/// Makes the enum, its list and its look-up from one table, so that none of them can lack an operation.
macro_rules! operations {
    ($($(#[$words:meta])* $operation:ident = $description:expr;)+) => {
        /// An operation of the service.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Operation {
            $($(#[$words])* $operation,)+
        }

        impl Operation {
            /// Every operation.
            pub const ALL: &[Self] = &[$(Self::$operation),+];

            /// What the table says about it.
            pub const fn description(self) -> Description {
                match self {
                    $(Self::$operation => $description,)+
                }
            }
        }
    };
}
pub(super) use operations;

/// An operation on vaults, served by the function of the same name.
pub(super) const fn vaults(name: &'static str, method: &'static str, path: &'static str, may: May) -> Description {
    Description {
        name,
        call: Some(Call { method, path }),
        may,
        touches_items: false,
        function: name,
    }
}

/// An operation on items.
pub(super) const fn items(name: &'static str, method: &'static str, path: &'static str) -> Description {
    Description {
        touches_items: true,
        ..vaults(name, method, path, May::AnyMember)
    }
}

/// An operation that only the schedule starts.
pub(super) const fn scheduled(name: &'static str) -> Description {
    Description {
        name,
        call: None,
        may: May::Schedule,
        touches_items: false,
        function: name,
    }
}

impl Description {
    /// Names the function that serves it, if that has another name than the operation.
    pub(super) const fn served_by(self, function: &'static str) -> Self {
        Self { function, ..self }
    }
}

impl Operation {
    /// Its name, the same everywhere.
    pub const fn name(self) -> &'static str {
        self.description().name
    }

    /// Whether a role may start it.
    pub fn admits(self, role: WorkspaceRole) -> bool {
        match self.description().may {
            May::AnyMember => true,
            May::VaultAdmins => role.administers_vaults(),
            May::Schedule => false,
        }
    }

    /// Checks that the caller may start it (requirement W1).
    ///
    /// # Errors
    /// [`Error::Forbidden`] if not.
    pub fn admit(self, caller: &Caller) -> Result<(), Error> {
        if self.admits(caller.role) {
            Ok(())
        } else {
            Err(Error::Forbidden)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Python tests, and everything else that builds no Rust, read the file.
    #[test]
    fn the_table_is_in_operations_json() {
        let table: Vec<_> = Operation::ALL.iter().map(|operation| operation.description()).collect();
        let table = serde_json::to_string_pretty(&table).unwrap() + "\n";
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../operations.json");
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(path, &table).unwrap();
        }
        let written = std::fs::read_to_string(path).unwrap_or_default();
        assert_eq!(
            written, table,
            "UPDATE=1 cargo test -p latchkey-core operations_json writes it anew"
        );
    }

    #[test]
    fn each_name_and_each_call_stands_once() {
        let names: BTreeSet<_> = Operation::ALL.iter().map(|operation| operation.name()).collect();
        assert_eq!(names.len(), Operation::ALL.len());
        let calls = Operation::ALL
            .iter()
            .filter_map(|operation| operation.description().call);
        let calls: Vec<_> = calls.map(|call| (call.method, call.path)).collect();
        assert_eq!(calls.iter().collect::<BTreeSet<_>>().len(), calls.len());
    }
}
