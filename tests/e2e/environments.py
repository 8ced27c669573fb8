"""Execution environments for a single test: the deployed program of a function gets its events from the Runtime API of
benches/runtime_api.py."""

import json
from contextlib import contextmanager

from benches import runtime_api
from local_aws import watch
from local_aws.layout import STAGE
from tests.e2e.e2e_support import Workspace


@contextmanager
def started(stack: dict, function: str, **variables: str):
    """An execution environment of a function. The function has asked for its first event."""
    environment = watch.function_environment(stack, f"{STAGE}-latchkey-{function}", function) | variables
    with open("/dev/null", "wb") as log, runtime_api.running([watch.programs()[function]], environment, log) as running:
        running.first_polled_at()
        yield running


def api_event(workspace: Workspace, role: str, body: dict) -> dict:
    """The event that API Gateway hands to a function for a call of the API."""
    claims = {"workspace_id": workspace.customer.workspace_id, "role": role, "sub": f"{role}-1"}
    return {
        "version": "2.0",
        "requestContext": {"requestId": "JKJaXmPLvHcESHA=", "authorizer": {"jwt": {"claims": claims}}},
        "body": json.dumps(body),
        "isBase64Encoded": False,
    }
