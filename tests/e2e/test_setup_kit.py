"""The setup kit as a customer uses it: downloaded, unpacked, and its commands run as written.

The customer's side is the real AWS CLI, curl and sh with the customer's credentials. At most three commands lead to a healthy
vault. By hand in AWS's console it takes some sixty steps.
"""

import hashlib
import io
import json
import os
import random
import subprocess
import zipfile

import pytest

from local_aws.client import ROLE_POLICY, Customer
from local_aws.layout import PRIMARY_REGION, REGIONS, REPOSITORY, aws_client
from local_aws.schedule import Schedule
from tests.e2e.e2e_support import Workspace, outcomes_of, problem_of

FOLDER = "latchkey-setup-kit"
# Every special character that a workspace id may have, and beginnings that some tool treats specially.
AWKWARD = ["-_+=,.@:/", "--version", "//etc", "@file", "0x10", "1e5", "12:30", "null", "a=b,c=d", "@external_id@", "=="]


class AdminShell:
    """A shell of the customer's security admin, in the folder of the unpacked kit."""

    def __init__(self, stack: dict, folder, token: str):
        self.account_id = f"4{random.randrange(10**11):011}"
        self.folder = folder
        self.stack = stack
        self.commands = 0
        self.environment = {
            "PATH": f"{REPOSITORY / '.venv' / 'bin'}:{os.environ['PATH']}",
            "HOME": str(folder),
            "AWS_ENDPOINT_URL": stack["aws_endpoint"],
            "AWS_ACCESS_KEY_ID": self.account_id,
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_EC2_METADATA_DISABLED": "true",
            "LATCHKEY_API": stack["apis"][PRIMARY_REGION],
            "LATCHKEY_TOKEN": token,
        }

    def run(self, command: str, **more: str) -> str:
        self.commands += 1
        ran = subprocess.run(
            ["sh", "-c", command], cwd=self.folder, env=self.environment | more, capture_output=True, text=True, timeout=180
        )
        assert ran.returncode == 0, f"{command}\n{ran.stdout}\n{ran.stderr}"
        return ran.stdout


@pytest.fixture
def workspace_id(stack):
    """A new workspace. Its id has every character that ids may have."""
    workspace_id = f"ws-_+=,.@:/{random.randrange(16**12):012x}"
    yield workspace_id
    Schedule.of(stack).forget(workspace_id)


@pytest.fixture
def admin_token(token, workspace_id) -> str:
    return token(workspace_id=workspace_id, role="owner", sub="security-admin")


@pytest.fixture
def kit(api, admin_token) -> dict:
    answer = api().get("/v1/setup-kit", token=admin_token)
    assert answer.status == 200 and answer.headers["content-type"] == "application/json", answer.text
    return answer.json


@pytest.fixture
def shell(stack, api, admin_token, tmp_path) -> AdminShell:
    archive(api, admin_token).extractall(tmp_path)
    return AdminShell(stack, tmp_path / FOLDER, admin_token)


def download(api, token: str, region: str = PRIMARY_REGION) -> bytes:
    answer = api(region).get("/v1/setup-kit", token=token, headers={"accept": "application/zip"})
    assert answer.status == 200 and answer.headers["content-type"] == "application/zip", answer.body[:200]
    return answer.body


def archive(api, token: str) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(download(api, token)))


def assert_healthy_vault(vault: dict, workspace_id: str, stack: dict, api, token, wait_for) -> None:
    """Asserts that every check passed, and that an item sealed in one Region opens in the other."""
    assert vault["status"] == "active" and vault["health"]["state"] == "healthy", vault
    outcomes = outcomes_of(vault["validation"])
    assert {check: it for check, it in outcomes.items() if it != "pass"} == {("public_key_unchanged", None): "skipped"}
    assert vault["key_spec"] == "RSA_4096"
    primary, replica = (key["arn"] for key in vault["keys"])
    customer = Customer(
        stack["aws_endpoint"], workspace_id, vault["aws_account_id"], vault["kms_key_id"], primary, replica, vault["aws_role_arn"]
    )
    workspace = Workspace(customer, api, token, wait_for)
    item = workspace.sealed(vault["vault_id"], "account-1/password", b"correct horse", "us-east-2")
    assert workspace.opened(item, "us-west-2") == b"correct horse"


def test_three_commands_from_nothing_to_a_healthy_vault(shell, kit, workspace_id, stack, api, token, wait_for):
    answers = [shell.run(command["run"]) for command in kit["commands"]]
    assert shell.commands <= 3
    assert_healthy_vault(json.loads(answers[-1]), workspace_id, stack, api, token, wait_for)


def test_the_script_and_the_one_command_that_it_prints(shell, workspace_id, stack, api, token, wait_for):
    said = shell.run("sh setup.sh", ROLE_NAME="latchkey-of-our-own")
    vault = json.loads(shell.run(said[said.rindex("\ncurl ") :]))
    assert shell.commands <= 3
    assert vault["aws_role_arn"] == f"arn:aws:iam::{shell.account_id}:role/latchkey-of-our-own"
    assert_healthy_vault(vault, workspace_id, stack, api, token, wait_for)

    # A second run creates nothing and returns the same vault.
    said = shell.run("sh setup.sh", ROLE_NAME="latchkey-of-our-own")
    assert json.loads(shell.run(said[said.rindex("\ncurl ") :]))["vault_id"] == vault["vault_id"]


def test_the_template_needs_no_parameters_and_makes_the_trust_policy_that_is_shown(shell, kit, stack):
    """As if someone uploads it in the console."""
    deploy = "aws cloudformation deploy --region us-east-2 --stack-name uploaded --capabilities CAPABILITY_NAMED_IAM"
    shell.run(f"{deploy} --template-file key-and-role.yaml")
    iam = aws_client(stack["aws_endpoint"], "iam", PRIMARY_REGION, shell.account_id)
    assert iam.get_role(RoleName="latchkey-byo-key")["Role"]["AssumeRolePolicyDocument"] == kit["trust_policy"]
    (statement,) = iam.get_role_policy(RoleName="latchkey-byo-key", PolicyName=ROLE_POLICY)["PolicyDocument"]["Statement"]
    (shown,) = kit["inline_policy"]["Statement"]
    assert statement | {"Resource": None} == shown | {"Resource": None}


def test_by_hand_with_the_two_policies(shell, kit, workspace_id, stack, api, token, wait_for):
    account_id = shell.account_id
    endpoint = stack["aws_endpoint"]
    kms = aws_client(endpoint, "kms", PRIMARY_REGION, account_id)
    key = kms.create_key(KeySpec="RSA_4096", KeyUsage="ENCRYPT_DECRYPT", MultiRegion=True)["KeyMetadata"]
    kms.replicate_key(KeyId=key["KeyId"], ReplicaRegion="us-west-2")
    iam = aws_client(endpoint, "iam", PRIMARY_REGION, account_id)
    role = iam.create_role(RoleName="by-hand", AssumeRolePolicyDocument=(shell.folder / "trust-policy.json").read_text())["Role"]
    request = {
        "name": "By hand",
        "strategy": "aws_kms",
        "aws_account_id": account_id,
        "kms_key_id": key["KeyId"],
        "aws_role_arn": role["Arn"],
    }
    admin = token(workspace_id=workspace_id, role="admin", sub="security-admin")

    unfilled = (shell.folder / "inline-policy.json").read_text()
    iam.put_role_policy(RoleName="by-hand", PolicyName="keys", PolicyDocument=unfilled)
    refused = api().post("/v1/vaults", request, token=admin)
    assert problem_of(refused) == (422, "validation-failed"), "the places to fill in allow nothing"

    filled = unfilled.replace("REPLACE-WITH-YOUR-ACCOUNT-ID", account_id).replace("REPLACE-WITH-YOUR-KEY-ID", key["KeyId"])
    iam.put_role_policy(RoleName="by-hand", PolicyName="keys", PolicyDocument=filled)
    created = api().post("/v1/vaults", request, token=admin)
    assert created.status == 201, created.text
    assert_healthy_vault(created.json, workspace_id, stack, api, token, wait_for)


def test_the_zip_is_the_same_bytes_each_time_in_both_regions(api, admin_token, kit):
    zips = {download(api, admin_token, region) for region in REGIONS for _ in range(2)}
    assert [hashlib.sha256(it).hexdigest() for it in zips] == [kit["zip_sha256"]]
    unpacked = zipfile.ZipFile(io.BytesIO(zips.pop()))
    assert unpacked.testzip() is None
    assert {it.filename.partition("/")[0] for it in unpacked.infolist()} == {FOLDER}
    modes = {it.filename: it.external_attr >> 16 & 0o777 for it in unpacked.infolist()}
    assert {name for name, mode in modes.items() if mode == 0o755} == {f"{FOLDER}/setup.sh"}
    text = {it.filename.partition("/")[2]: unpacked.read(it).decode() for it in unpacked.infolist()}
    assert text == {
        "STEPS.md": kit["steps"],
        "setup.sh": kit["setup_script"],
        "key-and-role.yaml": kit["cloudformation"]["key_and_role"],
        "replica.yaml": kit["cloudformation"]["replica"],
        "trust-policy.json": text["trust-policy.json"],
        "inline-policy.json": text["inline-policy.json"],
    }
    for name in ("trust", "inline"):
        assert json.loads(text[f"{name}-policy.json"]) == kit[f"{name}_policy"]


def test_the_templates_hold_to_cloudformation_whatever_the_workspace_is_called(api, token, tmp_path):
    for n, workspace_id in enumerate(AWKWARD):
        kit = api().get("/v1/setup-kit", token=token(workspace_id=workspace_id, role="owner", sub="s")).json
        assert kit["external_id"] == workspace_id
        (tmp_path / f"{n}.yaml").write_text(kit["cloudformation"]["key_and_role"])
    (tmp_path / "replica.yaml").write_text(kit["cloudformation"]["replica"])
    for region in REGIONS:
        lint = [REPOSITORY / ".venv-sam" / "bin" / "cfn-lint", "--regions", region, "--", *tmp_path.glob("*.yaml")]
        linted = subprocess.run(lint, capture_output=True, text=True, timeout=120)
        assert linted.returncode == 0, linted.stdout


def test_members_strangers_and_other_workspaces(api, token, workspace_id, kit):
    for headers in ({}, {"accept": "application/zip"}):
        member = token(workspace_id=workspace_id, role="member", sub="m")
        assert problem_of(api().get("/v1/setup-kit", token=member, headers=headers)) == (403, "forbidden")
        assert api().get("/v1/setup-kit", headers=headers).status == 401
    other = token(workspace_id="ws-of-somebody-else", role="owner", sub="s")
    path = f"/v1/setup-kit?workspace_id={workspace_id}&external_id={workspace_id}"
    answer = api().get(path, token=other)
    assert answer.json["external_id"] == "ws-of-somebody-else"
    assert workspace_id not in answer.text
