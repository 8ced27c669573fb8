"""Deploys one stage of the service to one Region of AWS with `sam deploy`. First it names what is missing, at the end what to do
next. `make deploy` runs it. Its settings are environment variables, which make passes on.

    STAGE         prefix of every name (production, staging, ...)
    REGION        us-east-2, or us-west-2 once the primary's stack is there
    JWT_ISSUER    the OIDC issuer     } the first deployment needs both;
    JWT_AUDIENCE  the tokens' aud     } later ones keep what is not set
    ARCH          arm64 (default) or x86_64: what is built and what Lambda runs
    ROLL_OUT      how traffic moves to the new version (the template's parameter RollOut)
    PARAMETERS    further parameters of template.yaml, as Name=value Name=value
    BUILD         no: deploys the last build
    CONFIRM       no: changes without asking first
    TEMPLATE      a built template to deploy instead of .aws-sam/build/template.yaml
"""

import hashlib
import json
import os
import re
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from samtranslator.yaml_helper import yaml_parse

REPOSITORY = Path(__file__).resolve().parent.parent
SAM = REPOSITORY / ".venv-sam" / "bin" / "sam"
BUILT = REPOSITORY / ".aws-sam" / "build" / "template.yaml"
REGIONS = ("us-east-2", "us-west-2")
ARCHITECTURES = ("arm64", "x86_64")
# The template's names for these settings.
NAMES = {"JWT_ISSUER": "JwtIssuer", "JWT_AUDIENCE": "JwtAudience", "ROLL_OUT": "RollOut"}
THERE = {"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE"}


class Refused(Exception):
    """The deployment was refused. The text has one line per reason."""


@dataclass(frozen=True)
class Deployment:
    """What to deploy, and how."""

    stage: str
    region: str
    primary: str
    architecture: str
    parameters: dict[str, str]
    build: bool
    confirm: bool
    template: Path

    @staticmethod
    def of(settings: dict[str, str]) -> "Deployment":
        reasons = []
        stage, region = settings.get("STAGE", ""), settings.get("REGION", "")
        architecture = settings.get("ARCH") or "arm64"
        if not re.fullmatch(r"[a-z][a-z0-9-]{0,19}", stage):
            reasons.append("STAGE: a name such as production, of up to 20 small letters, digits and hyphens. It never changes")
        if region not in REGIONS:
            reasons.append(f"REGION: one of {' and '.join(REGIONS)}")
        if architecture not in ARCHITECTURES:
            reasons.append(f"ARCH: one of {' and '.join(ARCHITECTURES)}")
        more = [pair.partition("=") for pair in settings.get("PARAMETERS", "").split()]
        reasons += [f"PARAMETERS: {name} is no Name=value" for name, equals, _ in more if not equals]
        given = {NAMES[name]: settings[name] for name in NAMES if settings.get(name)}
        parameters = given | {name: value for name, _, value in more}
        if not re.fullmatch(r"https?://.+", parameters.get("JwtIssuer", "https://to.come")):
            reasons.append("JWT_ISSUER: an address such as https://login.example.com, exactly as in the tokens' iss claim")
        for name in ("BUILD", "CONFIRM"):
            if settings.get(name, "") not in ("", "yes", "no"):
                reasons.append(f"{name}: yes or no")
        build = settings.get("BUILD") != "no" and not settings.get("TEMPLATE")
        template = Path(settings.get("TEMPLATE") or BUILT)
        if not build and not template.exists():
            reasons.append(f"BUILD=no, and nothing is built: {template} is not there")
        if reasons:
            raise Refused("\n".join(reasons))
        primary = parameters.get("PrimaryRegion", REGIONS[0])
        confirm = settings.get("CONFIRM") != "no"
        return Deployment(stage, region, primary, architecture, parameters, build, confirm, template)

    @property
    def stack_name(self) -> str:
        return f"{self.stage}-latchkey"

    @property
    def other_region(self) -> str:
        return next(region for region in REGIONS if region != self.region)

    def stack(self, region: str) -> dict | None:
        """The stage's stack in a Region, or None. A stack under review counts as none: it has only a change set that nobody has
        confirmed."""
        cloudformation = boto3.client("cloudformation", region_name=region)
        described = unless_missing(lambda: cloudformation.describe_stacks(StackName=self.stack_name))
        [stack] = described["Stacks"] if described else [None]
        return stack if stack and stack["StackStatus"] != "REVIEW_IN_PROGRESS" else None

    def waiting_changes(self) -> set[str]:
        """The change sets that are ready but were not executed."""
        cloudformation = boto3.client("cloudformation", region_name=self.region)
        listed = unless_missing(lambda: cloudformation.list_change_sets(StackName=self.stack_name)) or {"Summaries": []}
        return {it["ChangeSetId"] for it in listed["Summaries"] if it["ExecutionStatus"] == "AVAILABLE"}

    def parameters_there(self) -> dict[str, str]:
        """The parameters of the current stack. A deployment keeps those that it does not set."""
        return {it["ParameterKey"]: it["ParameterValue"] for it in (self.stack(self.region) or {}).get("Parameters", [])}

    def status(self, region: str) -> str | None:
        return (self.stack(region) or {}).get("StackStatus")

    def check(self) -> None:
        """Refuses the deployment if the stacks in AWS are in the wrong state for it."""
        reasons, here, there = [], self.status(self.region), self.status(self.other_region)
        known = self.parameters_there() | self.parameters
        missing = [name for name in ("JWT_ISSUER", "JWT_AUDIENCE") if NAMES[name] not in known]
        reasons += [f"{name}: is required: the stack has no earlier value to keep" for name in missing]
        if here is None:
            if self.region != self.primary and there not in THERE:
                again = f"make deploy STAGE={self.stage} REGION={self.primary}"
                reasons.append(
                    f"{self.primary} comes first: its stack makes the table and the access role for both Regions. {again}"
                )
        elif here not in THERE:
            reasons.append(f"the stack {self.stack_name} in {self.region} is {here}: docs/deploy.md says what to do then")
        if there is not None and there.endswith("_IN_PROGRESS"):
            reasons.append(f"one Region at a time: {self.stack_name} in {self.other_region} is {there}")
        if reasons:
            raise Refused("\n".join(reasons))

    def deploy(self) -> None:
        parameters = {"Stage": self.stage, "Architecture": self.architecture} | self.parameters
        # Written next to the template, because the template's paths are relative.
        described = self.template.with_name("template.described.json")
        template = with_description(yaml_parse(self.template.read_text()), self.parameters_there() | parameters)
        described.write_text(json.dumps(template, indent=1))
        command = [SAM, "deploy", "--template-file", described.resolve(), "--stack-name", self.stack_name]
        command += ["--config-file", REPOSITORY / "samconfig.toml", "--config-env", self.region]
        command += [] if self.confirm else ["--no-confirm-changeset"]
        command += ["--parameter-overrides", *(f"{name}={value}" for name, value in parameters.items())]
        waiting = self.waiting_changes()
        run(command)
        # SAM also exits with 0 when the user declines the change set.
        if self.waiting_changes() - waiting:
            raise Refused("not confirmed, so nothing was changed")

    def api_url(self) -> str:
        outputs = self.stack(self.region)["Outputs"]
        return next(it["OutputValue"] for it in outputs if it["OutputKey"] == "ApiUrl")

    def say_what_is_next(self) -> None:
        url = self.api_url()
        print(f"✓ {self.stack_name} is deployed to {self.region}: {url}")
        print(f"  A call without a token is refused:  curl -i {url}/v1/vaults")
        print(f'  With one it lists your vaults:      curl -H "authorization: Bearer $TOKEN" {url}/v1/vaults')
        if self.status(self.other_region) is None:
            print(f"  Then the other Region:              make deploy STAGE={self.stage} REGION={self.other_region}")
        else:
            print(f"  The other Region, when this one has stood its time: {self.other_region} (docs/upgrading.md)")


def unless_missing(ask):
    """Returns what CloudFormation answers, or None if there is no such stack."""
    try:
        return ask()
    except ClientError as error:
        if "does not exist" in str(error):
            return None
        raise


def with_description(template: dict, parameters: dict[str, str]) -> dict:
    """Adds the release and a digest of the settings to the description of every function.

    SAM makes a new version of a function when its properties in the template change, but there a parameter is only a name. Without
    the digest a new parameter value would make no new version, and traffic would stay with the old one (samtranslator,
    `_construct_version`)."""
    version = tomllib.loads((REPOSITORY / "Cargo.toml").read_text())["workspace"]["package"]["version"]
    # As CloudFormation reports them for a stack: every parameter, as text.
    defaults = {name: it["Default"] for name, it in template["Parameters"].items() if "Default" in it}
    all_of_them = {
        name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in defaults.items()
    } | parameters
    settings = hashlib.sha256(json.dumps(all_of_them, sort_keys=True).encode()).hexdigest()[:12]
    template["Globals"]["Function"]["Description"] = f"Latchkey {version}, settings {settings}"
    return template


def run(command: list) -> None:
    environment = os.environ | {"SAM_CLI_TELEMETRY": "0"}
    done = subprocess.run([str(part) for part in command], cwd=REPOSITORY, env=environment, check=False)
    if done.returncode != 0:
        raise Refused(f"{Path(command[0]).name} {command[1]} failed; its messages are above")


def main() -> int:
    try:
        deployment = Deployment.of(dict(os.environ))
        account_id = boto3.client("sts", region_name=deployment.region).get_caller_identity()["Account"]
        deployment.check()
        print(f"  {deployment.stack_name} to {deployment.region} of account {account_id}, {deployment.architecture}", flush=True)
        if deployment.build:
            run(["make", "build", f"ARCH={deployment.architecture}"])
        deployment.deploy()
        deployment.say_what_is_next()
    except Refused as refused:
        for reason in str(refused).splitlines():
            print(f"✗ {reason}", file=sys.stderr)
        return 2
    except (BotoCoreError, ClientError) as error:
        print(f"✗ AWS: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
