"""The fault proxy's client for tests: makes calls of the functions fail, and lists the calls that they made."""

import json
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True)
class Faults:
    """The control API of fault_proxy.py, which documents the rules."""

    control: str

    @staticmethod
    def of(stack: dict) -> "Faults":
        """The proxy of the stack in .local/stack.json."""
        return Faults(stack["fault_proxy"]["control"])

    @contextmanager
    def rule(self, fault: str, **limits):
        """Makes calls fail while the context is open. `limits` are fields of `Rule` in fault_proxy.py. Yields the rule's id, for
        `met`."""
        rule_id = self.add(fault, **limits)
        try:
            yield rule_id
        finally:
            self.remove(rule_id)

    def add(self, fault: str, **limits) -> int:
        return self.ask("POST", "/rules", {"fault": fault} | limits)["id"]

    def remove(self, rule_id: int) -> None:
        self.ask("DELETE", f"/rules/{rule_id}")

    def met(self, rule_id: int) -> int:
        """The number of calls that a rule has met."""
        return next(rule["met"] for rule in self.ask("GET", "/rules")["rules"] if rule["id"] == rule_id)

    def calls(self, after: int = 0) -> list[dict]:
        """The functions' calls after number `after`, in the order in which they began. Their fields are those of `Call` in
        fault_proxy.py."""
        return self.ask("GET", f"/calls?after={after}")["calls"]

    def last_call(self) -> int:
        """The number of the latest call, for `calls`."""
        return self.ask("GET", f"/calls?after={2**62}")["last"]

    def ask(self, method: str, path: str, body: dict | None = None) -> dict:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.control}{path}", data=data, method=method)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)
