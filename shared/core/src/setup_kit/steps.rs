//! `STEPS.md`, with the kit's policies, commands and links filled in.

use crate::error::Error;
use crate::setup_kit::fill_in::fill_in;
use crate::setup_kit::{QuickCreateLinks, SetupKit};

const STEPS: &str = include_str!("../../../../customer-setup/STEPS.md");

pub(super) fn of(kit: &SetupKit) -> Result<String, Error> {
    let [key_and_role, replica, create_vault] = &kit.commands;
    fill_in(
        STEPS,
        &[
            ("service_account_id", &kit.service_account_id),
            ("external_id", &kit.external_id),
            ("access_role_arn", &kit.access_role_arn),
            ("trust_policy", &format!("{:#}", kit.trust_policy)),
            ("inline_policy", &format!("{:#}", kit.inline_policy)),
            ("deploy_key_and_role", &key_and_role.run),
            ("deploy_replica", &replica.run),
            ("create_vault", &create_vault.run),
            ("quick_create_links", &in_words(kit.quick_create_links.as_ref())),
        ],
    )
}

fn in_words(links: Option<&QuickCreateLinks>) -> String {
    match links {
        Some(links) => format!(
            "Each link opens CloudFormation with everything filled in; you review it and choose *Create stack*.\n\n\
             1. Key and role: <{}>\n\
             2. Replica, which asks for the output `PrimaryKeyArn` of the first: <{}>",
            links.key_and_role, links.replica
        ),
        None => "In CloudFormation, choose *Create stack* and *Upload a template file*: `key-and-role.yaml` in us-east-2, then \
                 `replica.yaml`\nin us-west-2, with the output `PrimaryKeyArn` of the first. All other fields are filled in."
            .to_owned(),
    }
}
