"""Starts the AWS emulator, with its differences from AWS fixed. `start_emulator` in stack.py sets its environment variables."""

import importlib
import json
import pkgutil
import re
import socketserver
import threading

# Sends answers to the functions at once. Without this a warm invocation takes 52 ms instead of 10.
socketserver.StreamRequestHandler.disable_nagle_algorithm = True

from ministack import app  # noqa: E402 (after the setting above)
from ministack.core import iam_actions, iam_evaluator, lambda_runtime  # noqa: E402
from ministack.core.responses import get_account_id, get_region, request_scope  # noqa: E402
from ministack.services import cloudformation, kms, lambda_svc, sts  # noqa: E402
from ministack.services.cloudformation import engine, provisioners  # noqa: E402


def conditions_know_where_they_are() -> None:
    """The emulator reads `!Ref AWS::Region` in a condition as the text "AWS::Region", so a condition on the Region is never true.
    This passes the pseudo parameters as if they were parameters."""
    evaluate = engine._evaluate_conditions

    def evaluate_with_pseudo_parameters(template: dict, parameters: dict) -> dict:
        pseudo = {"AWS::Region": get_region(), "AWS::AccountId": get_account_id(), "AWS::Partition": "aws"}
        return evaluate(template, {name: {"Value": value} for name, value in pseudo.items()} | parameters)

    for module in pkgutil.iter_modules(cloudformation.__path__, f"{cloudformation.__name__}."):
        module = importlib.import_module(module.name)
        if getattr(module, "_evaluate_conditions", None) is evaluate:
            module._evaluate_conditions = evaluate_with_pseudo_parameters


def sessions_are_their_roles() -> None:
    """On AWS the condition key aws:PrincipalArn of a role session is the role's ARN. The emulator uses the session's ARN
    (arn:aws:sts::...:assumed-role/...), so no role ever meets a condition on its ARN."""
    resolve = iam_evaluator._resolve_condition_key

    def resolve_with_roles(key: str, context):
        value = resolve(key, context)
        if key.lower() == "aws:principalarn" and isinstance(value, str):
            session = re.fullmatch(r"arn:([^:]+):sts::(\d{12}):assumed-role/([^/]+)/.+", value)
            return "arn:{}:iam::{}:role/{}".format(*session.groups()) if session else value
        return value

    iam_evaluator._resolve_condition_key = resolve_with_roles


def keys_are_deleted_as_on_aws() -> None:
    """On AWS a replica that is scheduled for deletion stays in its set until it is gone. The emulator removes it at once and for
    good. And on AWS a primary that waits for its replicas' deletion cannot be used. On the emulator it can.

    On AWS a key is gone when its waiting period ends. The emulator keeps it forever. A test cannot wait seven days, so here a
    waiting period of one day, which AWS refuses, deletes the key at once."""
    schedule, check_state = kms._schedule_key_deletion, kms._check_key_state

    def schedule_key_deletion(data: dict):
        key = kms._resolve_key(data.get("KeyId", ""))
        if not key:
            return schedule(data)
        others = [member for _, member in kms._mrk_members(key) if member is not key]
        before = [(member, {"KeyState": member["KeyState"], "_mrk_regions": member["_mrk_regions"]}) for member in others]
        regions = key.get("_mrk_regions")
        if data.get("PendingWindowInDays") == 1:
            answer = schedule(data | {"PendingWindowInDays": 7})
            if key["KeyState"] == "PendingDeletion":
                kms._keys.pop(key["KeyId"])
            return answer
        answer = schedule(data)
        if regions:
            key["_mrk_regions"] = regions
            for member, was in before:
                member.update(was)
        return answer

    def check_key_state(key: dict):
        waits = key["KeyState"] == "PendingReplicaDeletion"
        return check_state(key | {"KeyState": "PendingDeletion"} if waits else key)

    kms._schedule_key_deletion, kms._check_key_state = schedule_key_deletion, check_key_state


def stacks_can_have_replica_keys() -> None:
    """The emulator's CloudFormation does not know AWS::KMS::ReplicaKey. Its KMS has the call that makes one, ReplicateKey, in the
    primary's Region. After that a replica is a key like any other."""

    def create_replica_key(logical_id: str, properties: dict, stack_name: str):
        policy = properties["KeyPolicy"]
        request = {
            "KeyId": properties["PrimaryKeyArn"],
            "ReplicaRegion": get_region(),
            "Policy": policy if isinstance(policy, str) else json.dumps(policy),
            "Description": properties.get("Description", ""),
        }
        with request_scope(get_account_id(), properties["PrimaryKeyArn"].split(":")[3]):
            status, _, body = kms._replicate_key(request)
        if status != 200:
            raise ValueError(f"AWS::KMS::ReplicaKey {logical_id}: {json.loads(body)['message']}")
        replica = json.loads(body)["ReplicaKeyMetadata"]
        return replica["KeyId"], {"Arn": replica["Arn"], "KeyId": replica["KeyId"]}

    handlers = provisioners._RESOURCE_HANDLERS
    handlers["AWS::KMS::ReplicaKey"] = handlers["AWS::KMS::Key"] | {"create": create_replica_key}


def keys_can_have_the_id_of_a_former_one() -> None:
    """KMS never reuses a key id. A test checks that the service would notice another key under a vault's ARN. So the tag
    `_custom_id_` sets the id of a new key, as in LocalStack."""
    create = kms._create_key

    def create_key(data: dict):
        status, headers, body = answer = create(data)
        ids = [tag["TagValue"] for tag in data.get("Tags", []) if tag["TagKey"] == "_custom_id_"]
        if status != 200 or not ids:
            return answer
        key = kms._keys.pop(json.loads(body)["KeyMetadata"]["KeyId"])
        key.update(KeyId=ids[0], Arn=kms._arn(ids[0]))
        kms._keys[ids[0]] = key
        return status, headers, json.dumps({"KeyMetadata": kms._key_metadata(key)}).encode()

    kms._create_key = create_key


def environments_are_replaced_in_their_region() -> None:
    """On AWS a change of a function's configuration starts new execution environments in that Region, and running invocations
    finish in the old ones. The emulator ends the environments of that name in all Regions at once, with their invocations."""
    invalidate, release = lambda_svc.invalidate_worker, lambda_svc.release_worker
    replaced = set()

    def invalidate_worker(name: str, qualifier: str | None = None, account: str | None = None, region: str | None = None):
        if account is None and region is None:
            account, region = get_account_id(), get_region()
            key = f"{account}:{region}:{name}:{qualifier}"
            with lambda_runtime._lock:
                workers = lambda_runtime._workers.get(key, [])
                busy = [worker for worker in workers if worker.in_use]
                replaced.update(busy)
                workers[:] = [worker for worker in workers if not worker.in_use]
        invalidate(name, qualifier=qualifier, account=account, region=region)

    def release_worker(worker) -> None:
        # `worker` is None if there was none to get, or if it has ended.
        release(worker)
        if worker in replaced:
            replaced.discard(worker)
            lambda_runtime.kill_workers([worker])

    lambda_svc.invalidate_worker, lambda_svc.release_worker = invalidate_worker, release_worker


def sessions_are_made_side_by_side() -> None:
    """The emulator goes through all sessions when it makes one, and fails if another is made meanwhile. A function that starts then
    answers 502. So sessions are made one at a time."""
    register, one_at_a_time = sts.register_session, threading.Lock()

    def register_session(access_key: str, session: dict) -> None:
        with one_at_a_time:
            register(access_key, session)

    sts.register_session = register_session


def callers_can_be_asked_for() -> None:
    """Adds GET /_latchkey/callers/<access key id>, which answers whose session that is. The fault proxy uses it to name callers."""
    answer, prefix = app.app, "/_latchkey/callers/"

    async def answer_callers_too(scope, receive, send):
        if scope["type"] != "http" or not scope["path"].startswith(prefix):
            return await answer(scope, receive, send)
        session = sts._sessions.get(scope["path"].removeprefix(prefix))
        body = json.dumps({"arn": session["Arn"]} if session else {}).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200 if session else 404, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    app.app = answer_callers_too


def alarms_can_have_metric_math() -> None:
    """The emulator's CloudFormation refuses an alarm on an expression. Here such an alarm gets a metric that is named after the
    expression. That is enough: the emulator has no metrics of functions, so these alarms never fire."""
    record = provisioners._cw_metric_alarm_record

    def record_of_expression(name: str, properties: dict) -> dict:
        if "Metrics" not in properties:
            return record(name, properties)
        (expression,) = [it["Expression"] for it in properties["Metrics"] if it.get("ReturnData", True)]
        kept = {key: value for key, value in properties.items() if key != "Metrics"}
        return record(name, kept | {"Namespace": "MetricMath", "MetricName": expression})

    provisioners._cw_metric_alarm_record = record_of_expression


def an_alias_is_a_resource() -> None:
    """On AWS a call that names a function's alias or version has that as its resource, `...:function:name:alias` (Lambda developer
    guide, "Resources and conditions for Lambda actions"). The emulator uses the function instead."""
    resource_of = iam_actions.extract_resource_arn

    def resource_with_qualifier(service, method, path, headers, body, query, region, account_id):
        resource = resource_of(service, method, path, headers, body, query, region, account_id)
        qualifier = query.get("Qualifier") if service == "lambda" and ":function:" in resource else None
        qualifier = qualifier[0] if isinstance(qualifier, list) else qualifier
        return f"{resource}:{qualifier}" if qualifier else resource

    iam_actions.extract_resource_arn = resource_with_qualifier


conditions_know_where_they_are()
sessions_are_their_roles()
keys_are_deleted_as_on_aws()
stacks_can_have_replica_keys()
keys_can_have_the_id_of_a_former_one()
environments_are_replaced_in_their_region()
alarms_can_have_metric_math()
an_alias_is_a_resource()
sessions_are_made_side_by_side()
callers_can_be_asked_for()
app.main()
