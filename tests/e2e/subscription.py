"""A subscriber to the service's event buses: a queue in each Region, with a rule that sends it every event."""

import json
import time
import uuid
from pathlib import Path

import jsonschema

from local_aws.layout import REGIONS, STAGE

REPOSITORY = Path(__file__).resolve().parent.parent.parent
SCHEMAS = {
    schema["properties"]["detail-type"]["const"]: schema
    for schema in (json.loads(path.read_text()) for path in (REPOSITORY / "docs" / "events").glob("*.schema.json"))
}


class Subscription:
    """The events received so far, by vault. Every event is checked against its schema."""

    def __init__(self, service_client):
        name = f"announcements-{uuid.uuid4().hex}"
        self.queues = []
        self.arrived: list[dict] = []
        for region in REGIONS:
            sqs, events = service_client("sqs", region), service_client("events", region)
            queue = sqs.create_queue(QueueName=name)["QueueUrl"]
            arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
            bus = f"{STAGE}-latchkey"
            events.put_rule(Name=name, EventBusName=bus, EventPattern=json.dumps({"source": ["latchkey"]}))
            events.put_targets(Rule=name, EventBusName=bus, Targets=[{"Id": "queue", "Arn": arn}])
            self.queues.append((sqs, queue))

    def of_vault(self, vault_id: str, *, at_least: int = 0) -> list[dict]:
        """The events about a vault, in the order in which they arrived. Waits until there are at least `at_least`."""
        deadline = time.monotonic() + 10
        while True:
            self.receive()
            events = [event for event in self.arrived if event["detail"]["vault_id"] == vault_id]
            if len(events) >= at_least:
                return events
            assert time.monotonic() < deadline, f"{len(events)} of {at_least} events arrived within 10 s: {events}"

    def receive(self) -> None:
        for sqs, queue in self.queues:
            while messages := sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
                for message in messages:
                    sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
                    event = json.loads(message["Body"])
                    validate(event)
                    self.arrived.append(event)


def validate(event: dict) -> None:
    """Checks an event against the schema of its detail-type."""
    checker = jsonschema.Draft202012Validator.FORMAT_CHECKER
    jsonschema.validate(event, SCHEMAS[event["detail-type"]], format_checker=checker)
