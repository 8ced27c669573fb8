"""Paths, and the names that all parts of the local AWS share."""

import os
from pathlib import Path

import boto3
from botocore.config import Config

REPOSITORY = Path(__file__).resolve().parents[2]
FIRST = REPOSITORY / ".local"  # the stack of `make up`
# Each lane of tests has its own stack. The first lane uses that of `make up`. Each other lane has this variable and a folder.
LANE = os.environ.get("LATCHKEY_LANE", "")
LOCAL = FIRST / f"lane-{LANE}" if LANE else FIRST
STACK_FILE = LOCAL / "stack.json"
PROCESSES_FILE = LOCAL / "processes.json"

PRIMARY_REGION = "us-east-2"
REPLICA_REGION = "us-west-2"
REGIONS = (PRIMARY_REGION, REPLICA_REGION)

SERVICE_ACCOUNT_ID = "111111111111"
CUSTOMER_ACCOUNT_ID = "222222222222"
WORKSPACE_ID = "ws-acme-0001"
STAGE = "production"
ALIAS = "live"  # of each function, as in template.yaml; every caller uses it


class StepFailed(Exception):
    """A step failed. The text is for the person at the terminal."""


def aws_client(endpoint: str, service: str, region: str, account_id: str):
    """A client that acts as the root of an account. The emulator takes a 12-digit access key id as an account id."""
    return boto3.client(
        service,
        region_name=region,
        endpoint_url=endpoint,
        aws_access_key_id=account_id,
        aws_secret_access_key="local",
        config=Config(retries={"total_max_attempts": 1}, connect_timeout=3, read_timeout=60),
    )
