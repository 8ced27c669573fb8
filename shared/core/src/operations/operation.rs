//! What the table of operations in `mod.rs` is made of.

use serde::Serialize;

/// What the table says about an operation.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Description {
    /// Its name, which is also its file's, its `operationId` and its `operation` in the audit log. There are two
    /// exceptions: get-vault shares the file of list-vaults, and sweep-vaults, which has no `operationId`, is
    /// validate-vault in the audit log.
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
