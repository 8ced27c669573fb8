"""Fixtures: the running stack, tokens, HTTP, the customer's side, the service's records and its logs."""

import json
import random
import subprocess
import time
from functools import partial
from pathlib import Path

import pytest

from local_aws.client import Answer, Api, Customer, token_of
from local_aws.layout import PRIMARY_REGION, REGIONS, STAGE, aws_client
from local_aws.provision import provision_customer
from tests.contract import openapi

STARTED_MS = int(time.time() * 1000)
REPOSITORY = Path(__file__).resolve().parent.parent

pytest_plugins = ["tests.lanes"]


@pytest.fixture(scope="session")
def started_ms() -> int:
    """When this test run began, in milliseconds of Unix time."""
    return STARTED_MS


@pytest.fixture(scope="session")
def token(stack):
    """token(workspace_id=..., role=..., sub=...): a token with exactly these claims. For other parameters see issuer.py."""
    return lambda **claims: token_of(stack["issuer"], **claims)


class StatedApi(Api):
    """An API that checks every answer against openapi.yaml."""

    def request(self, method: str, path: str, body=None, **options) -> Answer:
        answer = super().request(method, path, body, **options)
        openapi.hold(method, path, body, answer)
        return answer


@pytest.fixture(scope="session")
def api(stack):
    """api(region): the API of a Region."""
    return lambda region=PRIMARY_REGION: StatedApi(stack["apis"][region])


@pytest.fixture(scope="session")
def customer(stack) -> Customer:
    """The customer that `make up` made. A test that changes the key or the role makes its own with new_customer."""
    return Customer(stack["aws_endpoint"], **stack["customer"])


@pytest.fixture(scope="session")
def new_customer(stack):
    """new_customer(workspace_id=..., external_id=...): another customer with its own account, so that tests do not disturb each
    other. The external id defaults to the workspace id."""

    def new_customer(workspace_id: str | None = None, external_id: str | None = None) -> Customer:
        account_id = f"3{random.randrange(10**11):011}"
        workspace_id = workspace_id or f"ws-{account_id}"
        made = provision_customer(stack["aws_endpoint"], account_id, external_id or workspace_id, stack["service_account_id"])
        return Customer(stack["aws_endpoint"], **made | {"workspace_id": workspace_id})

    return new_customer


@pytest.fixture(scope="session")
def customer_kms(customer):
    """customer_kms(region): KMS as the root of the customer's account."""
    return customer.kms


@pytest.fixture(scope="session")
def customer_iam(customer):
    """IAM as the root of the customer's account."""
    return customer.iam


def service_client_of(stack: dict):
    return lambda service, region=PRIMARY_REGION: aws_client(stack["aws_endpoint"], service, region, stack["service_account_id"])


@pytest.fixture(scope="session")
def service_client(stack):
    """service_client(service, region): any client as the root of the service's account."""
    return service_client_of(stack)


@pytest.fixture(scope="session")
def service_dynamodb(service_client):
    """service_dynamodb(region): DynamoDB as the root of the service's account."""
    return lambda region=PRIMARY_REGION: service_client("dynamodb", region)


def lines_of(client, function: str | None = None, since_ms: int = STARTED_MS) -> list[str]:
    """The lines that functions logged in both Regions. `client` is service_client."""
    prefix = f"/aws/lambda/{STAGE}-latchkey-{function or ''}"
    lines = []
    for region in REGIONS:
        logs = client("logs", region)
        for page in logs.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=prefix):
            for group in page["logGroups"]:
                events = logs.get_paginator("filter_log_events")
                for found in events.paginate(logGroupName=group["logGroupName"], startTime=since_ms):
                    lines += [event["message"] for event in found["events"]]
    return lines


@pytest.fixture(scope="session")
def function_logs(service_client):
    """function_logs(function=None, since_ms=...): every line that the functions logged in both Regions since the run began, for one
    function (`create-vault`) or for all. A line can arrive up to 50 ms after the answer, so look for it with wait_for."""
    return partial(lines_of, service_client)


@pytest.fixture
def logs_of_the_run(stacks_of_the_run, started_ms) -> list[str]:
    """Every line that the functions logged in this run, in all its lanes. For the tests marked `looks_back`."""
    return [line for stack in stacks_of_the_run for line in lines_of(service_client_of(stack), since_ms=started_ms)]


@pytest.fixture(scope="session")
def built():
    """built("--bin", "move-items"): builds a program of this workspace and returns its path.

    It uses no `--package`, because cargo would then compile the dependencies again with the features of that package alone."""

    def built(*target: str) -> str:
        command = ["cargo", "build", "--workspace", "--profile", "local", "--quiet", *target, "--message-format", "json"]
        finished = subprocess.run(command, cwd=REPOSITORY, check=True, stdout=subprocess.PIPE, text=True)
        artifacts = [json.loads(line) for line in finished.stdout.splitlines()]
        [executable] = [artifact["executable"] for artifact in artifacts if artifact.get("executable")]
        return executable

    return built


@pytest.fixture(scope="session")
def message_tool(built):
    """Runs a command of the crate's example `message_tool`."""
    executable = built("--example", "message_tool")

    def run(command: str, **arguments) -> dict:
        request = json.dumps({"command": command} | arguments)
        ran = subprocess.run([executable], input=request, stdout=subprocess.PIPE, text=True, timeout=60)
        answer = json.loads(ran.stdout)
        assert (ran.returncode == 0) == ("error" not in answer)
        return answer

    return run


@pytest.fixture(scope="session")
def wait_for():
    """wait_for(condition, seconds=10): calls a function again and again, and returns its first true answer."""

    def wait_for(condition, seconds: float = 10.0):
        deadline = time.monotonic() + seconds
        while not (found := condition()):
            if time.monotonic() > deadline:
                pytest.fail(f"not true within {seconds} s: {condition.__doc__ or condition}")
            time.sleep(0.05)
        return found

    return wait_for
