"""The fault proxy, for tests: which calls of the functions are to fail, and which calls they have made."""

import json
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True)
class Faults:
    """The control API of fault_proxy.py, which says what rules there are."""

    control: str

    @staticmethod
    def of(stack: dict) -> "Faults":
        """For the stack of .local/stack.json."""
        return Faults(stack["fault_proxy"]["control"])

    @contextmanager
    def rule(self, fault: str, **limits):
        """Has calls fail for as long as the context lasts. What limits it: see `Rule` of fault_proxy.py. Gives the rule's
        id, for `met`."""
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
        """How many calls a rule has met."""
        return next(rule["met"] for rule in self.ask("GET", "/rules")["rules"] if rule["id"] == rule_id)

    def calls(self, after: int = 0) -> list[dict]:
        """The calls of the functions, in the order in which they began, from the one after number `after`. What is told of
        each: see `Call` of fault_proxy.py."""
        return self.ask("GET", f"/calls?after={after}")["calls"]

    def last_call(self) -> int:
        """The number of the last call so far, for `calls`."""
        return self.ask("GET", f"/calls?after={2**62}")["last"]

    def ask(self, method: str, path: str, body: dict | None = None) -> dict:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.control}{path}", data=data, method=method)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)
