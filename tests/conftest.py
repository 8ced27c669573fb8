"""What the tests are given: the running stack, tokens, HTTP, the customer's side, the service's records and its logs."""

import json
import random
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY / "local-aws"))

from layout import PRIMARY_REGION, REGIONS, STACK_FILE, STAGE, aws_client  # noqa: E402
from provision import provision_customer  # noqa: E402


@dataclass(frozen=True)
class Answer:
    """What an API answered. `json` is the parsed body, None if it is not JSON."""

    status: int
    headers: dict[str, str]  # names in lower case
    text: str

    @property
    def json(self):
        try:
            return json.loads(self.text)
        except ValueError:
            return None


@dataclass(frozen=True)
class Api:
    """One Region's API."""

    url: str

    def request(self, method: str, path: str, body=None, *, token: str | None = None, headers=None) -> Answer:
        """A body that is text or bytes is sent as it is, anything else as JSON."""
        sent = {"content-type": "application/json"} | (headers or {})
        if token is not None:
            sent["authorization"] = f"Bearer {token}"
        if body is not None and not isinstance(body, bytes):
            body = (body if isinstance(body, str) else json.dumps(body)).encode()
        request = urllib.request.Request(f"{self.url}{path}", data=body, headers=sent, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return Api.read(answer)
        except urllib.error.HTTPError as error:
            with error:
                return Api.read(error)

    def get(self, path: str, **options) -> Answer:
        return self.request("GET", path, **options)

    def post(self, path: str, body=None, **options) -> Answer:
        return self.request("POST", path, body, **options)

    @staticmethod
    def read(answer) -> Answer:
        headers = {name.lower(): value for name, value in answer.headers.items()}
        return Answer(answer.status, headers, answer.read().decode())


@dataclass(frozen=True)
class Customer:
    """A customer: the workspace, and the account with the key and the role, as stack.json has it."""

    endpoint: str
    workspace_id: str
    aws_account_id: str
    kms_key_id: str
    primary_key_arn: str
    replica_key_arn: str
    aws_role_arn: str

    def kms(self, region: str = PRIMARY_REGION):
        """KMS as the root of the customer's account."""
        return aws_client(self.endpoint, "kms", region, self.aws_account_id)

    @property
    def iam(self):
        """IAM as the root of the customer's account."""
        return aws_client(self.endpoint, "iam", PRIMARY_REGION, self.aws_account_id)

    @property
    def role_name(self) -> str:
        return self.aws_role_arn.rpartition("/")[2]

    def vault_request(self, name: str, **more) -> dict:
        """The body of create-vault for this customer's key."""
        return {
            "name": name,
            "strategy": "aws_kms",
            "aws_account_id": self.aws_account_id,
            "kms_key_id": self.kms_key_id,
            "aws_role_arn": self.aws_role_arn,
        } | more


@pytest.fixture(scope="session")
def stack() -> dict:
    """.local/stack.json of the stack that is up."""
    if not STACK_FILE.exists():
        pytest.fail("nothing is up: run `make up` first, or `make test`, which does", pytrace=False)
    return json.loads(STACK_FILE.read_text())


@pytest.fixture(scope="session")
def token(stack):
    """token(workspace_id=..., role=..., sub=...): a token with these claims and no others. Further names: see issuer.py."""

    def token(**claims: str | int) -> str:
        url = f"{stack['issuer']}/token?{urllib.parse.urlencode(claims)}"
        with urllib.request.urlopen(url, timeout=10) as answer:
            return json.load(answer)["access_token"]

    return token


@pytest.fixture(scope="session")
def api(stack):
    """api(region): the API of a Region."""
    return lambda region=PRIMARY_REGION: Api(stack["apis"][region])


@pytest.fixture(scope="session")
def customer(stack) -> Customer:
    """The customer that `make up` made. Tests that change the key or the role make their own: new_customer."""
    return Customer(stack["aws_endpoint"], **stack["customer"])


@pytest.fixture(scope="session")
def new_customer(stack):
    """new_customer(workspace_id=..., external_id=...): a further customer in an account of its own, so that tests do not
    disturb each other. The external id is the workspace id unless given."""

    def new_customer(workspace_id: str | None = None, external_id: str | None = None) -> Customer:
        account_id = f"3{random.randrange(10**11):011}"
        workspace_id = workspace_id or f"ws-{account_id}"
        made = provision_customer(
            stack["aws_endpoint"], account_id, external_id or workspace_id, stack["service_account_id"]
        )
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


@pytest.fixture(scope="session")
def service_client(stack):
    """service_client(service, region): any client as the root of the service's account."""
    return lambda service, region=PRIMARY_REGION: aws_client(
        stack["aws_endpoint"], service, region, stack["service_account_id"]
    )


@pytest.fixture(scope="session")
def service_dynamodb(service_client):
    """service_dynamodb(region): DynamoDB as the root of the service's account."""
    return lambda region=PRIMARY_REGION: service_client("dynamodb", region)


@pytest.fixture(scope="session")
def function_logs(service_client):
    """function_logs(function=None, since_ms=0): every line that the functions logged in both Regions, of one function
    (`create-vault`) or of all. A line can come up to 50 ms after the answer: to find one, use wait_for."""

    def function_logs(function: str | None = None, since_ms: int = 0) -> list[str]:
        prefix = f"/aws/lambda/{STAGE}-latchkey-{function or ''}"
        lines = []
        for region in REGIONS:
            logs = service_client("logs", region)
            for page in logs.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=prefix):
                for group in page["logGroups"]:
                    events = logs.get_paginator("filter_log_events")
                    for found in events.paginate(logGroupName=group["logGroupName"], startTime=since_ms):
                        lines += [event["message"] for event in found["events"]]
        return lines

    return function_logs


@pytest.fixture(scope="session")
def wait_for():
    """wait_for(condition, seconds=10): the first true answer of a function that is asked again and again."""

    def wait_for(condition, seconds: float = 10.0):
        deadline = time.monotonic() + seconds
        while not (found := condition()):
            if time.monotonic() > deadline:
                pytest.fail(f"not true within {seconds} s: {condition.__doc__ or condition}")
            time.sleep(0.05)
        return found

    return wait_for
