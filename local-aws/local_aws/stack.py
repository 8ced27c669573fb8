"""Everything local: builds the functions, starts the emulator and the token issuer, makes a customer, deploys both Regions.

.venv/bin/python -m local_aws.stack up       start the stack, or bring a running one up to date; with BUILD=no in the
                                             environment it uses the functions of the last `make build`
.venv/bin/python -m local_aws.stack down     stop what `up` started
.venv/bin/python -m local_aws.stack status   exit status 0 if the stack is up
.venv/bin/python -m local_aws.stack url | token | vault-request
                                             for calls by hand: the API's address in us-east-2, a token of the customer's
                                             owner, and the body of create-vault for the customer's key
"""

import json
import os
import shutil
import signal
import socket
import sys
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

from local_aws import deploy, processes
from local_aws.client import Customer, token_of
from local_aws.issuer import AUDIENCE
from local_aws.layout import (
    CUSTOMER_ACCOUNT_ID,
    FIRST,
    LANE,
    LOCAL,
    PRIMARY_REGION,
    PROCESSES_FILE,
    REGIONS,
    REPOSITORY,
    SERVICE_ACCOUNT_ID,
    STACK_FILE,
    WORKSPACE_ID,
    StepFailed,
)
from local_aws.provision import provision_customer, provision_managed_key

DEPLOYED_FILE = LOCAL / "deployed"
HOST = "127.0.0.1"


def up() -> int:
    LOCAL.mkdir(exist_ok=True, parents=True)
    LOCAL.chmod(0o700)
    started_at = time.monotonic()
    was_up = is_up()
    try:
        if was_up:
            running = running_stack()
            endpoint, fault_proxy, issuer = running["aws_endpoint"], running["fault_proxy"], running["issuer"]
        else:
            clean()
        if LANE:
            digest = (FIRST / DEPLOYED_FILE.name).read_text()
        elif os.environ.get("BUILD") == "no":
            with step("functions as `make build` made them"):
                digest = deploy.stage(deploy.shipped_functions())
        else:
            with step("functions built"):
                digest = deploy.stage(deploy.build_functions())
        if was_up and DEPLOYED_FILE.exists() and DEPLOYED_FILE.read_text() == digest:
            print(f"✓ already up and up to date; {STACK_FILE.relative_to(REPOSITORY)} says where")
            return 0
        if not was_up:
            with step("AWS emulator started") as note:
                endpoint, fault_proxy = start_emulator()
                note(f"{endpoint}, for the functions {fault_proxy['endpoint']}")
            with step("token issuer started") as note:
                issuer = start_issuer()
                note(issuer)
        with step("customer's account set up") as note:
            customer = provision_customer(endpoint, CUSTOMER_ACCOUNT_ID, WORKSPACE_ID, SERVICE_ACCOUNT_ID)
            note(f"{customer['workspace_id']} in {customer['aws_account_id']}, key {customer['kms_key_id']}")
        with step("managed key made") as note:
            managed_key_id = provision_managed_key(endpoint)
            note(managed_key_id)
        # Removed while a deployment is under way, so that a broken one never counts as current.
        DEPLOYED_FILE.unlink(missing_ok=True)
        parameters = {
            "Architecture": "x86_64" if os.uname().machine == "x86_64" else "arm64",
            "JwtIssuer": issuer,
            "JwtAudience": AUDIENCE,
            "TableDeletionProtection": "false",
            "ManagedKeyId": managed_key_id,
        }
        with step("service deployed to both Regions") as note, ThreadPoolExecutor() as pool:
            deploying = {region: pool.submit(deploy_to, endpoint, region, parameters) for region in REGIONS}
            apis = {region: it.result() for region, it in deploying.items()}
            deploy.make_table_replica(endpoint)
            note(", ".join(apis.values()))
        with step("both APIs answer"):
            for url in apis.values():
                wait_until_serving(url, issuer)
        outputs = deploy.stack_outputs(endpoint, PRIMARY_REGION)
        stack = {
            "aws_endpoint": endpoint,
            "fault_proxy": fault_proxy,
            "issuer": issuer,
            "apis": apis,
            "service_account_id": SERVICE_ACCOUNT_ID,
            "customer_account_id": CUSTOMER_ACCOUNT_ID,
            "managed_key_id": managed_key_id,
            "table_name": outputs["TableName"],
            "access_role_arn": outputs["AccessRoleArn"],
            "customer": customer,
        }
        STACK_FILE.write_text(json.dumps(stack, indent=2) + "\n")
        DEPLOYED_FILE.write_text(digest)
    except BaseException as error:
        if not was_up:
            clean()
        if isinstance(error, KeyboardInterrupt):
            print("✗ interrupted; what was started is stopped", file=sys.stderr)
            return 130
        if isinstance(error, StepFailed):
            print(f"  {error}", file=sys.stderr)
        print(f"  logs: {LOCAL.relative_to(REPOSITORY)}/*.log", file=sys.stderr)
        if isinstance(error, StepFailed):
            return 1
        raise
    print(f"✓ up in {time.monotonic() - started_at:.1f} s; {STACK_FILE.relative_to(REPOSITORY)} says where; `make down` stops it")
    return 0


def deploy_to(endpoint: str, region: str, parameters: dict[str, str]) -> str:
    """Deploys to one Region. Returns the API's address."""
    deploy.sam_deploy(endpoint, region, parameters, minimal_environment())
    deploy.make_routes(endpoint, region, parameters)
    return deploy.api_url(endpoint, region)


def down() -> int:
    stopped = clean() + stop_lanes()
    print(f"✓ stopped: {', '.join(stopped)}" if stopped else "✓ nothing was up")
    return 0


def url() -> int:
    print(running_stack()["apis"][PRIMARY_REGION])
    return 0


def token() -> int:
    stack = running_stack()
    print(token_of(stack["issuer"], workspace_id=stack["customer"]["workspace_id"], role="owner", sub="me"))
    return 0


def vault_request() -> int:
    stack = running_stack()
    customer = Customer(stack["aws_endpoint"], **stack["customer"])
    print(json.dumps(customer.vault_request("My first vault", set_as_default=True)))
    return 0


def running_stack() -> dict:
    return json.loads(STACK_FILE.read_text())


def is_up() -> bool:
    return STACK_FILE.exists() and all(processes.is_running(name) for name in ("emulator", "fault-proxy", "issuer"))


def clean(folder: Path = LOCAL) -> list[str]:
    """Stops the stack of a folder. Its logs are kept."""
    stopped = processes.stop_all(folder / PROCESSES_FILE.name)
    (folder / STACK_FILE.name).unlink(missing_ok=True)
    (folder / DEPLOYED_FILE.name).unlink(missing_ok=True)
    shutil.rmtree(folder / "tmp", ignore_errors=True)
    return stopped


def stop_lanes() -> list[str]:
    """Stops the stacks of the other test lanes, see tests/lanes.py."""
    return [f"{folder.name} {name}" for folder in sorted(FIRST.glob("lane-*")) for name in clean(folder)]


@contextmanager
def step(what: str):
    """Prints one line per step, with the time it took. `note` adds its result to the line."""
    started_at = time.monotonic()
    notes: list[str] = []
    if sys.stdout.isatty():
        print(f"… {what}", end="\r", flush=True)
    try:
        yield notes.append
    except BaseException:
        print(f"✗ {what}, after {time.monotonic() - started_at:.1f} s", file=sys.stderr, flush=True)
        raise
    print(f"✓ {what} ({time.monotonic() - started_at:.1f} s){''.join(': ' + it for it in notes)}", flush=True)


def minimal_environment() -> dict[str, str]:
    """An environment without the caller's variables. The functions inherit the emulator's environment, and must not get the profile
    of a real AWS account."""
    scratch = LOCAL / "tmp"
    scratch.mkdir(exist_ok=True)
    return {"PATH": os.environ["PATH"], "HOME": str(scratch), "TMPDIR": str(scratch), "LANG": "C.UTF-8"}


def start_emulator() -> tuple[str, dict[str, str]]:
    """Starts the emulator, and the proxy through which only the functions call it, on free loopback ports. Returns the emulator's
    address and the proxy's two."""
    port, proxy_port, control_port = free_ports(3)
    endpoint = f"http://{HOST}:{port}"
    proxy = {"endpoint": f"http://{HOST}:{proxy_port}", "control": f"http://{HOST}:{control_port}"}
    environment = minimal_environment() | {
        "AUTH": "true",  # enforces policies, external ids and session policies
        "BIND_HOST": HOST,
        "GATEWAY_PORT": str(port),
        "MINISTACK_HOST": HOST,
        "MINISTACK_REGION": PRIMARY_REGION,
        "MINISTACK_ACCOUNT_ID": SERVICE_ACCOUNT_ID,
        "AWS_ENDPOINT_URL": proxy["endpoint"],  # for the functions: without it their SDK would call the real AWS
        "AWS_EC2_METADATA_DISABLED": "true",
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
    }
    processes.start("emulator", [sys.executable, "-m", "local_aws.launch"], environment)
    wait_until_answering("emulator", f"{endpoint}/_ministack/ready")
    command = [sys.executable, "-m", "local_aws.fault_proxy", "--emulator", endpoint]
    command += ["--port", str(proxy_port), "--control-port", str(control_port)]
    processes.start("fault-proxy", command, minimal_environment())
    wait_until_answering("fault-proxy", f"{proxy['control']}/rules")
    return endpoint, proxy


def start_issuer() -> str:
    port = free_port()
    issuer = f"http://{HOST}:{port}"
    command = [sys.executable, "-m", "local_aws.issuer", "--port", str(port)]
    processes.start("issuer", command, minimal_environment())
    wait_until_answering("issuer", f"{issuer}/.well-known/openid-configuration")
    return issuer


def free_port() -> int:
    return free_ports(1)[0]


def free_ports(count: int) -> list[int]:
    """Returns this many different free ports."""
    with ExitStack() as held:
        listeners = [held.enter_context(socket.socket()) for _ in range(count)]
        for listener in listeners:
            listener.bind((HOST, 0))
        return [listener.getsockname()[1] for listener in listeners]


def wait_until_answering(name: str, url: str) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if not processes.is_running(name):
            raise StepFailed(f"the {name} ended at once; see {processes.log_file(name).relative_to(REPOSITORY)}")
        if status_of(urllib.request.Request(url)) == 200:
            return
        time.sleep(0.05)
    raise StepFailed(f"the {name} did not answer at {url} within 30 s")


def wait_until_serving(url: str, issuer: str) -> None:
    """Waits until the API refuses a call without a token, and a function answers a call with one."""
    with urllib.request.urlopen(f"{issuer}/token?workspace_id={WORKSPACE_ID}&role=member&sub=make-up", timeout=10) as answer:
        token = json.load(answer)["access_token"]
    target = f"{url}/v1/items/decrypt"
    without_token = urllib.request.Request(target, data=b"{}", headers={"content-type": "application/json"})
    with_token = urllib.request.Request(
        target, data=b"{}", headers={"content-type": "application/json", "authorization": f"Bearer {token}"}
    )
    deadline = time.monotonic() + 15
    while True:
        refused, served = status_of(without_token), status_of(with_token)
        if refused == 401 and served is not None and served not in (401, 404) and served < 500:
            return
        if time.monotonic() > deadline:
            raise StepFailed(f"{target} answers {refused} without a token (401 expected) and {served} with one")
        time.sleep(0.1)


def status_of(request: urllib.request.Request) -> int | None:
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code
    except (urllib.error.URLError, OSError):
        return None


def main() -> int:
    by_hand = {"url": url, "token": token, "vault-request": vault_request}
    commands = by_hand | {"up": up, "down": down, "status": lambda: 0 if is_up() else 1}
    if len(sys.argv) != 2 or sys.argv[1] not in commands:
        print(__doc__, file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # acts like ctrl-C, so what was started is stopped
    if sys.argv[1] in by_hand and not is_up():
        print("nothing is up: run `make up` first", file=sys.stderr)
        return 1
    return commands[sys.argv[1]]()


if __name__ == "__main__":
    sys.exit(main())
