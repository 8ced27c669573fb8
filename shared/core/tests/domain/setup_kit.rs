//! The setup kit: for any workspace id, each of its files yields exactly that id when it is read.

use std::process::{Command, Output};

use latchkey_core::Error;
use latchkey_core::caller::{Caller, WorkspaceRole};
use latchkey_core::customer::policies::KEY_ACTIONS;
use latchkey_core::operations::GetSetupKit;
use latchkey_core::setup_kit::{SetupKit, TemplatesUrl};
use latchkey_core::values::{RoleArn, WorkspaceId};
use percent_encoding::percent_decode_str;
use proptest::prelude::*;
use serde_json::{Value, json};

const ACCESS_ROLE: &str = "arn:aws:iam::012345678901:role/production-kms-byo-key-access-role";
const ACCESS_ROLE_NAME: &str = "production-kms-byo-key-access-role";
const ACCOUNT: &str = "012345678901"; // a number unless it is quoted

fn kit_of(workspace_id: &str) -> SetupKit {
    let templates_url = TemplatesUrl::parse("https://bucket.s3.us-east-2.amazonaws.com/latchkey").unwrap();
    SetupKit::new(
        &WorkspaceId::parse(workspace_id).unwrap(),
        &RoleArn::parse(ACCESS_ROLE).unwrap(),
        Some(&templates_url),
    )
    .unwrap()
}

/// Any valid workspace id, most of them awkward.
fn any_workspace_id() -> impl Strategy<Value = String> {
    let awkward = prop::sample::select(vec![
        "--version",
        "-rf",
        "//",
        "@file",
        "==",
        "a=b,c=d",
        "1e9",
        "0x10",
        "0123456789",
        "12:30:45",
        "2026-11-24",
        "null",
        "true",
        "no",
        "..",
        "a:b",
        ":@",
        "file://x",
        "https://x/",
        "@external_id@",
        "+1",
        "._",
        ",,",
        "ws=",
    ]);
    let id = prop_oneof!["[a-zA-Z0-9_+=,.@:/-]{2,128}", awkward.prop_map(str::to_owned)];
    id.prop_filter("two characters at least", |id| id.len() >= 2)
}

/// Runs the script in a shell. Stand-ins for `aws`, `curl` and `cat` print each of their arguments on a line of its
/// own.
fn run_by_a_shell(script: &str) -> String {
    let stand_ins =
        "aws() { printf '%s\\n' aws \"$@\" >&2; echo from-aws; }\ncurl() { printf '%s\\n' curl \"$@\" >&2; }\n";
    let Output { stdout, stderr, status } = Command::new("sh")
        .args(["-euc", &format!("{stand_ins}{script}")])
        .env("LATCHKEY_API", "https://api.example")
        .env("LATCHKEY_TOKEN", "t")
        .output()
        .unwrap();
    assert!(status.success(), "{script}: {}", String::from_utf8_lossy(&stdout));
    String::from_utf8(stderr).unwrap()
}

fn default_of<'a>(template: &'a Value, parameter: &str) -> Option<&'a str> {
    template["Parameters"][parameter]["Default"].as_str()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn every_artefact_gives_back_exactly_the_workspace_id(workspace_id in any_workspace_id()) {
        let kit = kit_of(&workspace_id);

        let trusted = &kit.trust_policy["Statement"][0]["Condition"]["StringEquals"]["sts:ExternalId"];
        prop_assert_eq!(trusted, &json!(workspace_id));

        let template: Value = serde_saphyr::from_str(&kit.cloudformation.key_and_role).unwrap();
        prop_assert_eq!(default_of(&template, "ExternalId"), Some(workspace_id.as_str()));
        prop_assert_eq!(default_of(&template, "ServiceAccountId"), Some(ACCOUNT));
        prop_assert_eq!(default_of(&template, "AccessRoleName"), Some(ACCESS_ROLE_NAME));

        let expected = format!("ExternalId={workspace_id}");
        prop_assert!(run_by_a_shell(&kit.commands[0].run).lines().any(|argument| argument == expected));
        let (before_replica, _) = kit.setup_script.split_once("\necho \"2/2").unwrap();
        prop_assert!(run_by_a_shell(before_replica).lines().any(|argument| argument == expected));

        let link = kit.quick_create_links.unwrap().key_and_role;
        let (_, query) = link.split_once('?').and_then(|(_, rest)| rest.split_once('?')).unwrap();
        let values: Vec<_> = query.split('&').filter_map(|pair| pair.split_once('=')).collect();
        let given: Vec<_> = values.iter().filter(|(name, _)| *name == "param_ExternalId").collect();
        prop_assert_eq!(given.len(), 1);
        prop_assert_eq!(percent_decode_str(given[0].1).decode_utf8().unwrap(), workspace_id.as_str());

        let told = format!("| `{workspace_id}` |");
        prop_assert!(kit.steps.contains(&told));
    }
}

#[test]
fn only_those_who_administer_vaults_get_a_kit() {
    let operation = GetSetupKit {
        access_role: RoleArn::parse(ACCESS_ROLE).unwrap(),
        templates_url: None,
    };
    let kit_for = |role| {
        operation.run(&Caller {
            workspace_id: WorkspaceId::parse("ws-acme-0001").unwrap(),
            role,
            subject: "user-1".to_owned(),
        })
    };
    for role in [WorkspaceRole::Owner, WorkspaceRole::SuperAdmin, WorkspaceRole::Admin] {
        let kit = kit_for(role).unwrap();
        assert_eq!(kit.external_id, "ws-acme-0001");
        assert_eq!(kit.quick_create_links, None);
    }
    let refused = kit_for(WorkspaceRole::Member).unwrap_err();
    assert!(matches!(refused, Error::Forbidden));
}

#[test]
fn a_kit_trusts_the_access_role_alone_and_is_the_same_each_time() {
    let kit = kit_of("ws-acme-0001");
    assert_eq!(kit, kit_of("ws-acme-0001"));
    assert_eq!(
        kit.trust_policy,
        json!({
            "Version": "2012-10-17",
            "Statement": [{
                "Effect": "Allow",
                "Principal": { "AWS": ACCESS_ROLE },
                "Action": "sts:AssumeRole",
                "Condition": { "StringEquals": { "sts:ExternalId": "ws-acme-0001" } }
            }]
        })
    );
}

#[test]
fn the_inline_policy_is_valid_and_matches_no_key_until_it_is_filled_in() {
    let kit = kit_of("ws-acme-0001");
    let statement = &kit.inline_policy["Statement"][0];
    assert_eq!(statement["Action"], json!(KEY_ACTIONS));
    let resources: Vec<_> = statement["Resource"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_str)
        .collect();
    for (resource, region) in resources.iter().zip(["us-east-2", "us-west-2"]) {
        let parts: Vec<_> = resource.split(':').collect();
        assert_eq!(parts[..4], ["arn", "aws", "kms", region]);
        assert!(
            !parts[4].bytes().any(|byte| byte.is_ascii_digit()),
            "could be taken for an account: {resource}"
        );
        assert!(!resource.contains(['*', '?']), "would match keys: {resource}");
    }
    assert_eq!(resources.len(), 2);
}

#[test]
fn every_command_is_in_the_steps_and_every_policy_is_a_file_of_its_own() {
    let kit = kit_of("ws-acme-0001");
    for command in &kit.commands {
        assert!(
            kit.steps.contains(&format!("```sh\n{}\n```", command.run)),
            "{}",
            command.does
        );
    }
    let links = kit.quick_create_links.clone().unwrap();
    assert!(kit.steps.contains(&links.key_and_role) && kit.steps.contains(&links.replica));
    let files = kit.files();
    let text = |name: &str| &files.iter().find(|file| file.name == name).unwrap().text;
    for (name, policy) in [
        ("trust-policy.json", &kit.trust_policy),
        ("inline-policy.json", &kit.inline_policy),
    ] {
        assert_eq!(&serde_json::from_str::<Value>(text(name)).unwrap(), policy);
    }
    let executable: Vec<_> = files
        .iter()
        .filter(|file| file.executable)
        .map(|file| file.name)
        .collect();
    assert_eq!(executable, ["setup.sh"]);
}

#[test]
fn the_commands_find_what_they_need_of_the_ones_before() {
    let [_, replica, create_vault] = kit_of("ws-acme-0001").commands;
    let arguments = run_by_a_shell(&replica.run);
    assert!(
        arguments.lines().any(|argument| argument == "PrimaryKeyArn=from-aws"),
        "{arguments}"
    );
    let arguments = run_by_a_shell(&create_vault.run);
    for expected in ["https://api.example/v1/vaults", "authorization: Bearer t", "from-aws"] {
        assert!(arguments.lines().any(|argument| argument == expected), "{arguments}");
    }
}
