"""What a check costs validate-vault. Runs the function as it ships against the running stack.

    make bench-sweep

Prints the processor time and the memory per check, for the check of each minute and for whole validations.
"""

import json
import sys
import tempfile
import uuid

from benches import runtime_api
from local_aws import watch
from local_aws.client import Api, Customer, token_of
from local_aws.layout import PRIMARY_REGION, STACK_FILE, STAGE
from local_aws.provision import provision_customer
from local_aws.schedule import PAST, SWEEP, Schedule, key_of

VAULTS = 300
MINUTE, WHOLE = ["due_at"], ["due_at", "whole_due_from"]
# A vault's first check makes two more calls, which open the sessions in its role. They last for the next ten.
CHECKS = [("each minute, first", MINUTE), ("each minute", MINUTE), ("whole", WHOLE), ("each minute", MINUTE), ("whole", WHOLE)]


def main() -> None:
    if not STACK_FILE.exists():
        sys.exit("nothing is up: run `make up` first")
    [program] = sys.argv[1:]
    stack = json.loads(STACK_FILE.read_text())
    schedule = Schedule.of(stack)
    workspace_id = f"ws-bench-{uuid.uuid4().hex[:12]}"
    account_id = f"4{uuid.uuid4().int % 10**11:011}"
    made = provision_customer(stack["aws_endpoint"], account_id, workspace_id, stack["service_account_id"])
    customer = Customer(stack["aws_endpoint"], **made)
    api = Api(stack["apis"][PRIMARY_REGION])
    token = token_of(stack["issuer"], workspace_id=workspace_id, role="owner", sub="bench")
    vault_id = api.post("/v1/vaults", customer.vault_request("bench"), token=token).json["vault_id"]
    dynamodb, table = schedule.client("dynamodb"), schedule.table_name
    pattern = dynamodb.get_item(TableName=table, Key=key_of(workspace_id, vault_id))["Item"]
    digits = "0123456789abcdefghjkmnpqrstvwxyz"
    copies = [f"{vault_id[:-3]}{digits[n // 1024 % 32]}{digits[n // 32 % 32]}{digits[n % 32]}" for n in range(VAULTS)]

    environment = watch.function_environment(stack, f"{STAGE}-latchkey-validate-vault", "validate-vault")
    try:
        measure(schedule, pattern, workspace_id, copies, [program], environment)
    finally:
        schedule.forget(workspace_id)


def measure(schedule, pattern, workspace_id, copies, command, environment) -> None:
    dynamodb, table = schedule.client("dynamodb"), schedule.table_name
    print("| check | processor time | peak memory of the process |\n| --- | --- | --- |")
    with tempfile.TemporaryFile() as log, runtime_api.running(command, environment, log) as function:
        function.first_polled_at()
        function.invoke(SWEEP)  # opens the connections and clears what was due
        for name, due in CHECKS:
            for copy in copies:
                item = pattern | key_of(workspace_id, copy) | {"vault_id": {"S": copy}}
                dynamodb.put_item(TableName=table, Item=item | {field: {"S": PAST} for field in due})
            checked, before = 0, function.cpu_seconds()
            while checked < VAULTS * 0.9:  # the stack's own schedule may check some
                answer, _ = function.invoke(SWEEP)
                checked += json.loads(answer["body"])["vaults_checked"]
            cost = (function.cpu_seconds() - before) / checked * 1000
            print(f"| {name} | {cost:.1f} ms | {function.peak_memory_mib():.0f} MiB |", flush=True)


if __name__ == "__main__":
    main()
