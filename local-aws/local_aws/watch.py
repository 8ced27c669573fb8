"""Runs the functions under `cargo lambda watch`, against the running stack, each with its deployed environment and role.

    .venv/bin/python -m local_aws.watch [--port 9000]

In another terminal:

    .venv/bin/cargo-lambda lambda invoke create-vault -A 127.0.0.1 -P 9000 --data-file .local/events/create-vault/success.json
"""

import argparse
import json
import os
import socket
import subprocess
import sys
import time
from contextlib import contextmanager

from local_aws import deploy, sample_events
from local_aws.client import Customer
from local_aws.layout import PRIMARY_REGION, REPOSITORY, SERVICE_ACCOUNT_ID, STACK_FILE, STAGE, StepFailed, aws_client

CARGO_LAMBDA = REPOSITORY / ".venv" / "bin" / "cargo-lambda"
HOST = "127.0.0.1"


@contextmanager
def watched(stack: dict, port: int, output):
    """Runs cargo-lambda's Runtime API on `port` and every function of the stack against it. Stops them at the end."""
    environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    # Only the Runtime API: the functions are built already, and an invocation of a missing one must time out.
    command = [CARGO_LAMBDA, "lambda", "watch", "--only-lambda-apis", "--timeout", "20", "-A", HOST, "-P", str(port)]
    started = [subprocess.Popen(command, cwd=REPOSITORY, env=environment, stdout=output, stderr=output)]
    try:
        wait_until_listening(port, started[0])
        for name, program in programs().items():
            function = f"{STAGE}-latchkey-{name}"
            started.append(
                subprocess.Popen(
                    [program],
                    env=function_environment(stack, function, name)
                    | {"AWS_LAMBDA_RUNTIME_API": f"http://{HOST}:{port}/.rt/{name}"},
                    stdout=output,
                    stderr=output,
                )
            )
        yield
    finally:
        for process in reversed(started):
            process.terminate()
        for process in started:
            process.wait(timeout=10)


def programs() -> dict[str, object]:
    """Every function's program, as staged for deployment."""
    names = {}
    for logical_id, function in deploy.functions_of(deploy.template()).items():
        names[function["Metadata"]["BuildProperties"]["Binary"]] = deploy.STAGED / logical_id / "bootstrap"
    return names


def function_environment(stack: dict, function: str, name: str) -> dict[str, str]:
    """What Lambda gives the function: its variables, its Region and a session of its role."""
    endpoint = stack["aws_endpoint"]
    configuration = aws_client(endpoint, "lambda", PRIMARY_REGION, SERVICE_ACCOUNT_ID).get_function_configuration(
        FunctionName=function
    )
    credentials = session_of(endpoint, configuration["Role"])
    return configuration["Environment"]["Variables"] | {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_REGION": PRIMARY_REGION,
        "AWS_DEFAULT_REGION": PRIMARY_REGION,
        "AWS_ACCESS_KEY_ID": credentials["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": credentials["SecretAccessKey"],
        "AWS_SESSION_TOKEN": credentials["SessionToken"],
        "AWS_LAMBDA_FUNCTION_NAME": name,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(configuration["MemorySize"]),
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function}",
        "AWS_LAMBDA_LOG_STREAM_NAME": "watch",
    }


def session_of(endpoint: str, role_arn: str) -> dict[str, str]:
    """A session of a function's role. The role trusts only Lambda. Lambda does not start these processes, so on the emulator the
    role is made to trust its own account too."""
    iam = aws_client(endpoint, "iam", PRIMARY_REGION, SERVICE_ACCOUNT_ID)
    role_name = role_arn.rpartition("/")[2]
    policy = iam.get_role(RoleName=role_name)["Role"]["AssumeRolePolicyDocument"]
    account = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{SERVICE_ACCOUNT_ID}:root"}, "Action": "sts:AssumeRole"}
    if account not in policy["Statement"]:
        policy["Statement"].append(account)
        iam.update_assume_role_policy(RoleName=role_name, PolicyDocument=json.dumps(policy))
    sts = aws_client(endpoint, "sts", PRIMARY_REGION, SERVICE_ACCOUNT_ID)
    return sts.assume_role(RoleArn=role_arn, RoleSessionName="watch")["Credentials"]


def wait_until_listening(port: int, process: subprocess.Popen) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise StepFailed(f"cargo lambda watch ended at once with status {process.returncode}")
        try:
            socket.create_connection((HOST, port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise StepFailed(f"cargo lambda watch does not listen on port {port}")


def invoke(name: str, event_file, port: int) -> dict:
    """Runs `cargo lambda invoke`. Returns the function's response."""
    command = [CARGO_LAMBDA, "lambda", "invoke", name, "-A", HOST, "-P", str(port), "--data-file", event_file]
    answered = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=60, check=False)
    if answered.returncode != 0:
        raise StepFailed(f"cargo lambda invoke {name} failed: {answered.stderr}")
    return json.loads(answered.stdout)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=9000)
    port = parser.parse_args().port
    if not STACK_FILE.exists():
        print("✗ nothing is up: run `make up` first", file=sys.stderr)
        return 1
    stack = json.loads(STACK_FILE.read_text())
    try:
        with watched(stack, port, None):
            customer = Customer(stack["aws_endpoint"], **stack["customer"])
            events = sample_events.make_ready(stack, customer)
            print(f"✓ {len(events)} sample events are ready in .local/events; Ctrl-C ends. To invoke, for example:")
            print(
                f"  .venv/bin/cargo-lambda lambda invoke create-vault -A {HOST} -P {port} "
                "--data-file .local/events/create-vault/success.json"
            )
            while True:
                time.sleep(3600)
    except KeyboardInterrupt:
        return 0
    except StepFailed as error:
        print(f"✗ {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
