"""Lambda's Runtime API in Python: a loop that takes an event, hands it to the function and returns the answer."""

import http.client
import json
import os

from encrypt_item import handler  # importing it is the function's init

INVOCATION = "/2018-06-01/runtime/invocation"


def main() -> None:
    runtime = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    while True:
        runtime.request("GET", f"{INVOCATION}/next")
        invocation = runtime.getresponse()
        event = json.loads(invocation.read())
        answer = json.dumps(handler(event))
        request_id = invocation.headers["Lambda-Runtime-Aws-Request-Id"]
        runtime.request("POST", f"{INVOCATION}/{request_id}/response", answer)
        runtime.getresponse().read()


if __name__ == "__main__":
    main()
