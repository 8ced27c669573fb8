"""The story of one vault as people use it, against the stack of `make up`. One line per step; any ✗ makes the exit status 1.

Nothing is staged: tokens are verified, roles and keys belong to two AWS accounts on the emulator, and every answer is the API's.
"""

import base64
import json
import random
import sys
import textwrap
import time

from local_aws.client import Answer, Api, Customer, token_of
from local_aws.layout import PRIMARY_REGION, REGIONS, REPLICA_REGION, STACK_FILE
from local_aws.provision import provision_customer
from local_aws.schedule import Schedule

SECRET = b"correct horse battery staple"
CACHE_BOUND_SECONDS = 2


class Story:
    """Prints each step with its outcome and its time, and remembers whether all steps passed."""

    def __init__(self) -> None:
        self.failed = 0
        self.started_at = time.monotonic()

    def chapter(self, title: str) -> None:
        print(f"\n{title}", flush=True)

    def step(self, what: str, act) -> object:
        """Runs `act`, which returns (value, what came back). An exception in it makes the step a ✗."""
        started_at = time.monotonic()
        try:
            value, came_back = act()
        except Exception as error:  # on any failure the story must end with ✗ and status 1
            self.failed += 1
            print(f"✗ {what}: {type(error).__name__}: {error}", flush=True)
            return None
        print(f"✓ {what}: {came_back} ({(time.monotonic() - started_at) * 1000:.0f} ms)", flush=True)
        return value

    def detail(self, text: str) -> None:
        print(textwrap.indent(textwrap.fill(text, 116, break_long_words=False, break_on_hyphens=False), "    "), flush=True)


class Workspace:
    """One workspace, and the API calls that its people make."""

    def __init__(self, stack: dict, customer: Customer) -> None:
        self.stack = stack
        self.customer = customer

    def token(self, role: str) -> str:
        claims = {"workspace_id": self.customer.workspace_id, "role": role, "sub": f"{role}@demo"}
        return token_of(self.stack["issuer"], **claims)

    def post(self, path: str, body: dict, role: str = "admin", region: str = PRIMARY_REGION) -> Answer:
        return Api(self.stack["apis"][region]).post(path, body, token=self.token(role))

    def decrypt(self, items: list[dict], region: str) -> list[dict]:
        answer = self.post("/v1/items/decrypt", {"items": items}, "member", region)
        assert answer.status == 200, answer.text
        return answer.json["items"]


def main() -> int:
    stack = json.loads(STACK_FILE.read_text())
    run = f"{random.randrange(16**6):06x}"
    customer = Customer(stack["aws_endpoint"], **stack["customer"])
    workspace = Workspace(stack, customer)
    story = Story()

    story.chapter(f"{customer.workspace_id} brings its own key: RSA_4096 in {customer.aws_account_id}, in both Regions")
    vault_id = create(story, workspace, f"Demo {run}")
    refusals(story, workspace, stack, run)
    items = seal_and_open(story, workspace, vault_id)
    stranger(story, stack, vault_id, items)
    revocation(story, workspace, vault_id, items)
    deletion_found(story, workspace, vault_id)
    wide_trust_found(story, workspace, vault_id)
    disabling(story, workspace, vault_id, items)

    seconds = time.monotonic() - story.started_at
    if story.failed:
        print(f"\n✗ {story.failed} of the steps above went wrong ({seconds:.1f} s)")
        return 1
    print(f"\n✓ the whole story, in {seconds:.1f} s")
    try_next()
    return 0


def create(story: Story, workspace: Workspace, name: str) -> str:
    request = workspace.customer.vault_request(name, set_as_default=True, data_key_cache_seconds=CACHE_BOUND_SECONDS)

    def created():
        answer = workspace.post("/v1/vaults", request)
        assert answer.status == 201, answer.text
        vault = answer.json
        passed = [check for check in vault["validation"]["checks"] if check["result"] == "pass"]
        return vault, f"{vault['vault_id']}, {vault['status']}, default; {len(passed)} checks passed before it was stored"

    vault = story.step("vault created from account ID, key ID and role ARN", created)
    if vault is None:
        return ""

    def validated():
        answer = workspace.post(f"/v1/vaults/{vault['vault_id']}/validate", {}, region=REPLICA_REGION)
        assert answer.status == 200 and answer.json["result"] == "pass", answer.text
        return answer.json, "pass"

    report = story.step(f"vault validated again, from {REPLICA_REGION}", validated)
    if report:
        for place in (None, *REGIONS):
            names = [check["check"] for check in report["checks"] if check.get("region") == place and check["result"] == "pass"]
            story.detail(f"{place or 'role and both Regions'}: {', '.join(names)}")
    return vault["vault_id"]


def refusals(story: Story, workspace: Workspace, stack: dict, run: str) -> None:
    story.chapter("What is not as it must be is refused, with its remedy, and nothing is stored")
    customer = workspace.customer

    def refused(body: dict, check: str, who: Workspace = workspace):
        def act():
            answer = who.post("/v1/vaults", body)
            assert answer.status == 422, f"{answer.status} {answer.text}"
            finding = next(found for found in answer.json["findings"] if found["check"] == check)
            return finding, f"422, {check}"

        return act

    def tell(finding: dict | None) -> None:
        if finding:
            story.detail(f"{finding['message']} Remedy: {finding['remedy']}")

    other_account = f"4{random.randrange(10**11):011}"
    made = provision_customer(stack["aws_endpoint"], other_account, "ws-of-somebody-else", stack["service_account_id"])
    workspace_id = f"ws-demo-{run}"
    wrong = Workspace(stack, Customer(stack["aws_endpoint"], **made | {"workspace_id": workspace_id}))
    tell(story.step("role with a wrong external id", refused(wrong.customer.vault_request("W"), "role_assumable", wrong)))
    symmetric = key_of(customer, MultiRegion=True)
    tell(story.step("symmetric key", refused(customer.vault_request("S", kms_key_id=symmetric), "key_asymmetric_rsa")))
    single = key_of(customer, KeySpec="RSA_4096", KeyUsage="ENCRYPT_DECRYPT")
    tell(story.step("single-Region key", refused(customer.vault_request("R", kms_key_id=single), "key_multi_region")))


def key_of(customer: Customer, **settings) -> str:
    """Makes another key that the role may use. It stands for the wrong kind of key that a security admin might pick."""
    key_id = customer.kms().create_key(**settings)["KeyMetadata"]["KeyId"]
    arns = [f"arn:aws:kms:{region}:{customer.aws_account_id}:key/{key_id}" for region in REGIONS]
    actions = ["kms:Encrypt", "kms:Decrypt", "kms:GetPublicKey", "kms:DescribeKey"]
    statement = {"Effect": "Allow", "Action": actions, "Resource": arns}
    customer.iam.put_role_policy(
        RoleName=customer.role_name,
        PolicyName=f"demo-{key_id}",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
    )
    return key_id


def seal_and_open(story: Story, workspace: Workspace, vault_id: str) -> list[dict]:
    story.chapter("Items are sealed so that only the customer's key opens them")
    names = ["account-1/password", "account-1/recovery-code", "account-2/api-key"]
    plaintext = base64.b64encode(SECRET).decode()

    def sealed():
        items = [{"item_id": name, "plaintext": plaintext, "context": {"field": name.partition("/")[2]}} for name in names]
        answer = workspace.post("/v1/items/encrypt", {"items": items}, "member")
        assert answer.status == 200 and answer.json["vault_id"] == vault_id, answer.text
        made = [
            {"item_id": item["item_id"], "sealed_item": made["sealed_item"], "context": item["context"]}
            for item, made in zip(items, answer.json["items"], strict=True)
        ]
        return made, f"{len(made)} items, {len(base64.b64decode(made[0]['sealed_item']))} bytes each"

    items = story.step(f"items sealed in {PRIMARY_REGION} by a member, into the default vault", sealed) or []

    def opened():
        outcomes = workspace.decrypt(items, REPLICA_REGION)
        assert items and [base64.b64decode(outcome["plaintext"]) for outcome in outcomes] == [SECRET] * len(items)
        return None, "every plaintext is as it was"

    story.step(f"the same items opened in {REPLICA_REGION}", opened)

    def no_plaintext():
        sealed = [base64.b64decode(item["sealed_item"]) for item in items]
        assert sealed and not any(SECRET[n : n + 4] in it for it in sealed for n in range(len(SECRET) - 3))
        return None, f"{sealed[0][:16].hex(' ')} ... (an AWS Encryption SDK message, suite 0478)"

    story.step("sealed bytes hold no four bytes of the plaintext", no_plaintext)

    def wrong_item():
        error = workspace.decrypt([items[0] | {"item_id": "account-2/password"}], PRIMARY_REGION)[0]["error"]
        assert error["status"] == 422, error
        return None, f"{error['status']}, {error['title'].lower()}"

    story.step("an item put under another item's id", wrong_item)
    return items


def stranger(story: Story, stack: dict, vault_id: str, items: list[dict]) -> None:
    nobody = Workspace(stack, Customer(stack["aws_endpoint"], **stack["customer"] | {"workspace_id": "ws-stranger"}))

    def refused():
        error = nobody.decrypt(items[:1], PRIMARY_REGION)[0]["error"]
        answer = nobody.post(f"/v1/vaults/{vault_id}/validate", {}, "owner")
        assert (error["status"], answer.status) == (404, 404), f"{error} {answer.text}"
        return None, "404, as if there were neither vault nor item"

    story.step("the owner of another workspace, with a valid token", refused)


def revocation(story: Story, workspace: Workspace, vault_id: str, items: list[dict]) -> None:
    story.chapter("The customer ends the access, in its own account")
    customer = workspace.customer
    workspace.decrypt(items, PRIMARY_REGION)  # now a data key is cached, so the bound has something to bound

    def revoked():
        for region in REGIONS:
            customer.kms(region).disable_key(KeyId=customer.kms_key_id)
        revoked_at = last_success = time.monotonic()
        while "error" not in (outcome := workspace.decrypt(items[:1], PRIMARY_REGION)[0]):
            last_success = time.monotonic()
            assert last_success - revoked_at < CACHE_BOUND_SECONDS + 5, "access did not end"
        error = outcome["error"]
        assert error["status"] == 424, error
        return error, f"{error['status']} after {last_success - revoked_at:.1f} s (bound: {CACHE_BOUND_SECONDS} s)"

    error = story.step("key disabled: the last item opens, and then none does", revoked)
    if error:
        finding = error["findings"][0]
        story.detail(f"{finding['check']}, {finding['region']}: {finding['message']} Remedy: {finding['remedy']}")

    def not_sealed():
        body = {"items": [{"item_id": "new", "plaintext": ""}]}
        answer = workspace.post("/v1/items/encrypt", body, "member", REPLICA_REGION)
        assert answer.status == 409, answer.text
        assert answer.json["type"] == "urn:latchkey:problem:vault-unusable", answer.text
        return None, "409, vault unusable: nothing is sealed that could not be opened"

    story.step(f"a new item, in {REPLICA_REGION}", not_sealed)

    def mended():
        for region in REGIONS:
            customer.kms(region).enable_key(KeyId=customer.kms_key_id)
        outcome = workspace.decrypt(items[:1], PRIMARY_REGION)[0]
        assert base64.b64decode(outcome["plaintext"]) == SECRET
        return None, "the items open again"

    story.step("key enabled again", mended)

    def reopened():
        report = workspace.post(f"/v1/vaults/{vault_id}/validate", {})
        assert report.status == 200 and report.json["result"] == "pass", report.text
        answer = workspace.post("/v1/items/encrypt", {"items": [{"item_id": "new", "plaintext": ""}]}, "member")
        assert answer.status == 200, answer.text
        return None, "the vault takes new items again"

    story.step("vault validated, as the schedule would", reopened)


def deletion_found(story: Story, workspace: Workspace, vault_id: str) -> None:
    story.chapter("Sweeps check every vault, whether anybody uses it or not (here at once, on AWS each minute)")
    customer = workspace.customer
    replica = customer.kms(REPLICA_REGION)

    def scheduled():
        answer = replica.schedule_key_deletion(KeyId=customer.kms_key_id, PendingWindowInDays=7)
        return None, f"its last day is {answer['DeletionDate']:%Y-%m-%d}; nobody calls us meanwhile"

    story.step(f"replica scheduled for deletion, in {REPLICA_REGION}", scheduled)
    found_by_the_sweep(story, workspace, vault_id, "unusable", "key_not_pending_deletion")

    def not_sealed():
        answer = seal_new(workspace, vault_id)
        assert answer.status == 409, answer.text
        assert "key_not_pending_deletion" in [found["check"] for found in answer.json["findings"]], answer.text
        return None, "409, vault unusable: nothing is sealed that could be lost"

    story.step(f"a new item, in {PRIMARY_REGION}, whose key is well", not_sealed)

    def cancelled():
        replica.cancel_key_deletion(KeyId=customer.kms_key_id)
        replica.enable_key(KeyId=customer.kms_key_id)
        return None, "as the remedy says"

    story.step("deletion cancelled and key enabled", cancelled)
    mended_by_the_sweep(story, workspace, vault_id)


def wide_trust_found(story: Story, workspace: Workspace, vault_id: str) -> None:
    customer = workspace.customer
    trust = customer.trust_policy
    principal = trust["Statement"][0]["Principal"]["AWS"]
    root = f"arn:aws:iam::{workspace.stack['service_account_id']}:root"

    def widened():
        customer.set_trust_policy(json.loads(json.dumps(trust).replace(principal, root)))
        assert customer.trust_policy["Statement"][0]["Principal"]["AWS"] == root
        return None, root

    story.step("trust policy widened to the whole account of the service", widened)
    found_by_the_sweep(story, workspace, vault_id, "degraded", "role_trusts_only_service_role")

    def sealed():
        answer = seal_new(workspace, vault_id)
        assert answer.status == 200, answer.text
        return None, "sealed: what works is not stopped"

    story.step("a new item", sealed)

    def restored():
        customer.set_trust_policy(trust)
        return None, principal

    story.step("trust policy as it was", restored)
    mended_by_the_sweep(story, workspace, vault_id)


def found_by_the_sweep(story: Story, workspace: Workspace, vault_id: str, state: str, check: str) -> None:
    """The next sweep that makes a whole validation puts the vault into `state`, only because of `check`."""

    def swept():
        health = sweep(workspace, vault_id)
        assert (health["state"], [found["check"] for found in health["findings"]]) == (state, [check]), health
        finding = health["findings"][0]
        return finding, f"{state}, {check}" + (f" in {finding['region']}" if "region" in finding else "")

    finding = story.step(f"the next sweep, in {PRIMARY_REGION}", swept)
    if finding:
        story.detail(f"{finding['message']} Remedy: {finding['remedy']}")


def mended_by_the_sweep(story: Story, workspace: Workspace, vault_id: str) -> None:
    def swept():
        health = sweep(workspace, vault_id, REPLICA_REGION)
        assert (health["state"], health["findings"]) == ("healthy", []), health
        answer = seal_new(workspace, vault_id)
        assert answer.status == 200, answer.text
        return None, "healthy; the vault takes new items"

    story.step(f"the next sweep, in {REPLICA_REGION}", swept)


def sweep(workspace: Workspace, vault_id: str, region: str = PRIMARY_REGION) -> dict:
    return Schedule.of(workspace.stack).health_after_sweep(workspace.customer.workspace_id, vault_id, region)


def seal_new(workspace: Workspace, vault_id: str, region: str = PRIMARY_REGION) -> Answer:
    body = {"vault_id": vault_id, "items": [{"item_id": "new", "plaintext": ""}]}
    return workspace.post("/v1/items/encrypt", body, "member", region)


def disabling(story: Story, workspace: Workspace, vault_id: str, items: list[dict]) -> None:
    story.chapter("The workspace disables the vault")

    def disabled():
        workspace.decrypt(items, REPLICA_REGION)  # a data key is cached there, which must not matter
        answer = workspace.post(f"/v1/vaults/{vault_id}/disable", {})
        assert answer.status == 200 and answer.json["status"] == "disabled", answer.text
        return None, "disabled, and not the default any more"

    story.step(f"vault disabled through {PRIMARY_REGION}", disabled)

    def refused():
        errors = [workspace.decrypt(items[:1], region)[0]["error"] for region in REGIONS]
        assert [error["status"] for error in errors] == [409, 409], errors
        return None, f"{errors[0]['status']}, {errors[0]['title'].lower()}"

    story.step("the very next decrypt, in both Regions", refused)


def try_next() -> None:
    item = '{"items":[{"item_id":"account-1/password","plaintext":"aGVsbG8="}]}'
    sealed = '{"items":[{"item_id":"account-1/password","sealed_item":"<from the answer above>"}]}'
    call = 'curl -s -H "authorization: Bearer $(make -s token)" "$(make -s url)'
    print(
        "\nTo try it yourself, `make up`, then:\n\n"
        f'  {call}/v1/vaults" -d "$(make -s vault-request)"\n'
        f"  {call}/v1/items/encrypt\" -d '{item}'\n"
        f"  {call}/v1/items/decrypt\" -d '{sealed}'\n"
    )


if __name__ == "__main__":
    sys.exit(main())
