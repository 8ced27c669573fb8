"""What a function has done when it asks for its first event: everything that does not depend on the event, without a call. Checked
from outside, without a clock, on the deployed functions. `make bench-cold-start` measures how long it takes."""

import json
import socket
from pathlib import Path

import pytest

from benches.cold_start.loopback_tls import aws_over_tls
from local_aws.layout import REPOSITORY
from tests.e2e.e2e_support import base64_of
from tests.e2e.environments import api_event, started

FUNCTIONS = sorted(path.name for path in (REPOSITORY / "functions").iterdir())


@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_random_generator_is_seeded_ahead_of_the_first_event(stack, function):
    """AWS-LC seeds the generator when it is first asked for a byte. To detect forks, it then maps a page that a fork wipes (aws-lc,
    crypto/ube/fork_ube_detect.c), which shows as `wf` in proc_pid_smaps(5). Nothing else here maps such a page."""
    with started(stack, function) as environment:
        mapped = Path(f"/proc/{environment.process.pid}/smaps").read_text()
    flags = [line.split()[1:] for line in mapped.splitlines() if line.startswith("VmFlags:")]
    assert flags
    assert any("wf" in it for it in flags)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_nobody_is_called_ahead_of_the_first_event(stack, function):
    with socket.socket() as aws:
        aws.bind(("127.0.0.1", 0))
        aws.listen()
        aws.setblocking(False)
        with started(stack, function, AWS_ENDPOINT_URL=f"http://127.0.0.1:{aws.getsockname()[1]}"), pytest.raises(BlockingIOError):
            aws.accept()


def test_tls_is_ready_ahead_of_the_first_event(stack, new_workspace):
    """The file with the roots of trust is gone when the first event comes, and TLS to four services still works."""
    workspace = new_workspace()
    vault_id = workspace.new_vault()
    items = [{"item_id": "i", "plaintext": base64_of(b"sealed over TLS")}]
    event = api_event(workspace, "member", {"vault_id": vault_id, "items": items})
    with aws_over_tls(stack["aws_endpoint"]) as variables, started(stack, "encrypt-item", **variables) as environment:
        Path(variables["SSL_CERT_FILE"]).unlink()
        answer, _ = environment.invoke(event)
    assert answer["statusCode"] == 200, answer["body"]
    [sealed] = json.loads(answer["body"])["items"]
    assert workspace.opened(sealed) == b"sealed over TLS"
