"""The two sides of the local stack: the API as callers see it, and the customer's account as its admin sees it."""

import json
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass

from local_aws.layout import PRIMARY_REGION, aws_client

ROLE_POLICY = "use-vault-key"  # the name in customer-setup/key-and-role.yaml


@dataclass(frozen=True)
class Answer:
    """An answer of an API. `json` is the parsed body, or None if the body is not JSON."""

    status: int
    headers: dict[str, str]  # names in lower case
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

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
        """Sends a request. A body of text or bytes is sent as it is, any other body as JSON."""
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

    def patch(self, path: str, body=None, **options) -> Answer:
        return self.request("PATCH", path, body, **options)

    @staticmethod
    def read(answer) -> Answer:
        headers = {name.lower(): value for name, value in answer.headers.items()}
        return Answer(answer.status, headers, answer.read())


@dataclass(frozen=True)
class Customer:
    """A customer: the workspace, and the AWS account with the key and the role. The fields are those of stack.json."""

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

    @property
    def trust_policy(self) -> dict:
        return policy_of(self.iam.get_role(RoleName=self.role_name)["Role"]["AssumeRolePolicyDocument"])

    def set_trust_policy(self, policy: dict) -> None:
        self.iam.update_assume_role_policy(RoleName=self.role_name, PolicyDocument=json.dumps(policy))

    @property
    def role_policy(self) -> dict:
        """The inline policy of the role that customer-setup/ makes."""
        return policy_of(self.iam.get_role_policy(RoleName=self.role_name, PolicyName=ROLE_POLICY)["PolicyDocument"])

    def set_role_policy(self, policy: dict) -> None:
        self.iam.put_role_policy(RoleName=self.role_name, PolicyName=ROLE_POLICY, PolicyDocument=json.dumps(policy))

    def vault_request(self, name: str, **more) -> dict:
        """The body of create-vault for this customer's key."""
        return {
            "name": name,
            "strategy": "aws_kms",
            "aws_account_id": self.aws_account_id,
            "kms_key_id": self.kms_key_id,
            "aws_role_arn": self.aws_role_arn,
        } | more


def policy_of(document: dict | str) -> dict:
    """Parses a policy if boto3 has not done so: it parses those of IAM, not those of KMS."""
    return json.loads(document) if isinstance(document, str) else document


def token_of(issuer: str, **claims: str | int) -> str:
    """A token with exactly these claims. issuer.py names the parameters that are not claims."""
    with urllib.request.urlopen(f"{issuer}/token?{urllib.parse.urlencode(claims)}", timeout=10) as answer:
        return json.load(answer)["access_token"]
