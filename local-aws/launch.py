"""Starts the AWS emulator. Its settings come from the environment; `start_emulator` in stack.py makes it."""

import importlib
import pkgutil
import re
import socketserver

# Answers to the functions go out at once: without this, a warm invoke takes 52 ms instead of 10.
socketserver.StreamRequestHandler.disable_nagle_algorithm = True

from ministack import app  # noqa: E402 (after the setting above)
from ministack.core import iam_evaluator  # noqa: E402
from ministack.core.responses import get_account_id, get_region  # noqa: E402
from ministack.services import cloudformation  # noqa: E402
from ministack.services.cloudformation import engine  # noqa: E402


def conditions_know_where_they_are() -> None:
    """In a condition the emulator takes `!Ref AWS::Region` for the text "AWS::Region", so that a condition on the Region is
    never true. Here the pseudo parameters are handed to it as if they were parameters."""
    evaluate = engine._evaluate_conditions

    def evaluate_with_pseudo_parameters(template: dict, parameters: dict) -> dict:
        pseudo = {"AWS::Region": get_region(), "AWS::AccountId": get_account_id(), "AWS::Partition": "aws"}
        return evaluate(template, {name: {"Value": value} for name, value in pseudo.items()} | parameters)

    for module in pkgutil.iter_modules(cloudformation.__path__, f"{cloudformation.__name__}."):
        module = importlib.import_module(module.name)
        if getattr(module, "_evaluate_conditions", None) is evaluate:
            module._evaluate_conditions = evaluate_with_pseudo_parameters


def sessions_are_their_roles() -> None:
    """On AWS the condition key aws:PrincipalArn of a role's session is the role's ARN; the emulator compares the session's
    (arn:aws:sts::...:assumed-role/...), so that no role ever meets a condition on its ARN."""
    resolve = iam_evaluator._resolve_condition_key

    def resolve_with_roles(key: str, context):
        value = resolve(key, context)
        if key.lower() == "aws:principalarn" and isinstance(value, str):
            session = re.fullmatch(r"arn:([^:]+):sts::(\d{12}):assumed-role/([^/]+)/.+", value)
            return "arn:{}:iam::{}:role/{}".format(*session.groups()) if session else value
        return value

    iam_evaluator._resolve_condition_key = resolve_with_roles


conditions_know_where_they_are()
sessions_are_their_roles()
app.main()
