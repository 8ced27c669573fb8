"""The alarms, the dashboard and the canary of template.yaml: they watch things that exist, and people are told."""

import json
import re

import pytest

from tests.deploy.test_template import (
    ACCOUNT_ID,
    KEY_ID,
    REGIONS,
    REPOSITORY,
    as_list,
    granted,
    logical_id,
    of_type,
    parsed,
    service_in,
)

SOURCES = REPOSITORY / "shared" / "http" / "src" / "telemetry" / "metrics"
STAGE = {"Name": "stage", "Value": "production"}
# AWS's own metrics that are watched. Source: the pages "... metrics" of each service's guide.
OF_AWS = {
    "AWS/Lambda": {"Errors", "Throttles", "ConcurrentExecutions"},
    "AWS/DynamoDB": {"ReadThrottleEvents", "WriteThrottleEvents", "ConsumedReadCapacityUnits", "ConsumedWriteCapacityUnits"},
    "AWS/ApiGateway": {"Count", "4xx", "5xx"},
}


def our_metrics() -> set[str]:
    """Every metric that the code names: those with a unit, and the counts of errors by who is at fault."""
    source = "".join(path.read_text() for path in SOURCES.glob("*.rs"))
    return set(re.findall(r'\("(\w+)",\s+"(?:Count|Seconds|Milliseconds)"\)', source)) | set(
        re.findall(r'=> "(errors_\w+)"', source)
    )


@pytest.fixture(params=REGIONS)
def region(request) -> str:
    return request.param


@pytest.fixture
def service(region) -> dict:
    """The resources of a deployment that has a managed key, and therefore a canary."""
    return service_in(region, ManagedKeyId=KEY_ID)["Resources"]


@pytest.fixture
def alarms(service) -> dict[str, dict]:
    """Each alarm's properties, by its name without the stage."""
    found = [it["Properties"] for it in of_type(service, "AWS::CloudWatch::Alarm").values()]
    return {it["AlarmName"].removeprefix("production-latchkey-"): it for it in found}


def watched(alarm: dict) -> list[dict]:
    """The metrics of an alarm."""
    if "Metrics" not in alarm:
        return [{"Namespace": alarm["Namespace"], "MetricName": alarm["MetricName"], "Dimensions": alarm["Dimensions"]}]
    expressions = [it for it in alarm["Metrics"] if "Expression" in it]
    assert [it.get("ReturnData", True) for it in expressions] == [True], "one expression is what the alarm goes by"
    queries = [it for it in alarm["Metrics"] if "MetricStat" in it]
    assert len(queries) <= 10, "an alarm takes no more"
    assert len({it["Id"] for it in alarm["Metrics"]}) == len(alarm["Metrics"])
    assert not any(it["ReturnData"] for it in queries)
    return [it["MetricStat"]["Metric"] for it in queries]


def test_the_metrics_of_the_code_are_found():
    assert our_metrics() >= {
        "duration_ms",
        "errors_service",
        "items_sealed",
        "vaults_unusable",
        "sweep_lag_seconds",
        "canary_failed",
    }


def test_every_metric_is_told_of():
    documented = "".join((REPOSITORY / "docs" / name).read_text() for name in ("operations.md", "events.md"))
    assert not [name for name in our_metrics() if f"`{name}`" not in documented]


def test_a_broken_vault_rings_at_once_and_until_neither_region_can_have_it(alarms):
    """Each minute one of the Regions checks the vault, and the other's sweep finds nothing."""
    alarm = alarms["vaults-unusable"]
    assert (alarm["Period"], alarm["DatapointsToAlarm"], alarm["EvaluationPeriods"]) == (60, 1, 15)


def test_every_alarm_is_told_of_and_says_what_it_means(alarms):
    documented = (REPOSITORY / "docs" / "operations.md").read_text() + (REPOSITORY / "docs" / "events.md").read_text()
    for name, alarm in alarms.items():
        assert alarm["AlarmActions"] == alarm["OKActions"] == ["<Notices>"]
        assert len(alarm["AlarmDescription"]) > 30, name
        assert alarm["TreatMissingData"] == ("breaching" if name.endswith("-missing") else "notBreaching"), name
        assert alarm.get("DatapointsToAlarm", 1) <= alarm["EvaluationPeriods"], name
        documented_as = re.sub("^(function-errors-).*", r"\1<operation>", re.sub("^functions-throttled-.*", "functions-throttled", name))
        assert f"`<stage>-latchkey-{documented_as}`" in documented, name


def test_every_alarm_watches_a_metric_that_there_is(alarms, service):
    named = of_type(service, "AWS::Serverless::Function")
    functions = {f"<{name}>" for name in named} | {it["Properties"]["FunctionName"] for it in named.values()}
    for name, alarm in alarms.items():
        for metric in watched(alarm):
            if metric["Namespace"] == "Latchkey":
                assert metric["MetricName"] in our_metrics(), name
                assert metric["Dimensions"][0] == STAGE, name
                assert [it["Name"] for it in metric["Dimensions"][1:]] in ([], ["operation"]), name
            else:
                assert metric["MetricName"] in OF_AWS[metric["Namespace"]], name
            for dimension in metric["Dimensions"]:
                assert dimension["Name"] != "FunctionName" or dimension["Value"] in functions, name


def test_every_function_of_the_api_is_watched_for_throttles(alarms, service):
    """The canary has its own alarms. An alarm takes at most ten metrics, so the eleventh function starts
    `functions-throttled-more`. For a function's errors see test_roll_out.py."""
    functions = of_type(service, "AWS::Serverless::Function").keys() - {"CanaryFunction"}
    metrics = [metric for name, alarm in alarms.items() if name.startswith("functions-throttled") for metric in watched(alarm)]
    assert {it["MetricName"] for it in metrics} == {"Throttles"}
    assert sorted(it["Dimensions"][0]["Value"] for it in metrics) == sorted(f"<{it}>" for it in functions)


def test_a_data_keys_number_of_messages_is_far_when_its_alarm_rings(alarms):
    """The calculation in docs/runbooks/data-keys-near-limit.md: all items of both Regions in a day, if one data key sealed them."""
    alarm = alarms["data-keys-near-limit"]
    assert (alarm["Statistic"], alarm["Period"], alarm["EvaluationPeriods"]) == ("Sum", 86400, 1)
    assert len(REGIONS) * alarm["Threshold"] * 8 == 2**32


@pytest.fixture
def widgets(service) -> list[dict]:
    (dashboard,) = of_type(service, "AWS::CloudWatch::Dashboard").values()
    return json.loads(dashboard["Properties"]["DashboardBody"])["widgets"]


def test_the_dashboard_shows_every_alarm_of_its_region(widgets, alarms, region):
    (shown,) = [it["properties"]["alarms"] for it in widgets if it["type"] == "alarm"]
    prefix = f"arn:aws:cloudwatch:{region}:{ACCOUNT_ID}:alarm:production-latchkey-"
    # Not every deployment has the canary's alarms. They have their own widget.
    assert sorted(shown) == sorted(prefix + name for name in alarms if "canary" not in name)


def test_the_dashboard_shows_metrics_that_there_are(widgets, region):
    shown = set()
    for properties in (it["properties"] for it in widgets if it["type"] == "metric"):
        assert properties["region"] == region
        namespace = name = None
        for row in properties["metrics"]:
            texts = [it for it in row if isinstance(it, str)]
            if not texts:
                searched = re.findall(r'\{(\w+),stage,operation\} MetricName="(\w+)" stage="production"', row[0]["expression"])
                namespace, name = searched[0]
            elif texts[0] != "...":
                namespace, name = texts[:2]
            assert name in (our_metrics() if namespace == "Latchkey" else OF_AWS[namespace]), name
            shown.add(name)
    assert our_metrics() - shown <= {"vaults_changed", "events_announced"}, "a metric that nobody sees"


def test_no_two_widgets_are_in_one_place(widgets):
    cells = [
        (x, y) for it in widgets for x in range(it["x"], it["x"] + it["width"]) for y in range(it["y"], it["y"] + it["height"])
    ]
    assert len(cells) == len(set(cells)) and max(x for x, _ in cells) < 24


def test_there_is_a_canary_where_there_is_a_managed_key_and_nowhere_else(region, service):
    assert "CanaryFunction" in service
    without = service_in(region)["Resources"]
    assert not [name for name in without if name.startswith("Canary")]
    assert service.keys() - without.keys() == {name for name in service if name.startswith("Canary")}


def test_the_canary_may_invoke_what_it_tries_and_nothing_else(service, region):
    function = service["CanaryFunction"]["Properties"]
    assert function["FunctionName"] == "production-latchkey-canary"
    role = service[logical_id(function["Role"])]["Properties"]
    assert role["RoleName"] == f"production-latchkey-canary-{region}"
    (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert trust == {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    tried = [(region, "create-vault"), (region, "encrypt-item"), *((it, "decrypt-item") for it in REGIONS)]
    arns = {f"arn:aws:lambda:{where}:{ACCOUNT_ID}:function:production-latchkey-{operation}:live" for where, operation in tried}
    expected = {("lambda:InvokeFunction", arn) for arn in arns}
    expected |= {(action, "<CanaryLogGroup.Arn>") for action in ("logs:CreateLogStream", "logs:PutLogEvents")}
    assert granted(role) == expected
    assert "ManagedPolicyArns" not in role and "Policies" not in function


def test_nobody_but_the_canary_and_the_schedules_may_invoke_a_function(service):
    """A caller that invokes a function directly could claim any identity."""
    may = {
        (name, resource.split(":function:")[1])
        for name, role in of_type(service, "AWS::IAM::Role").items()
        for action, resource in granted(role["Properties"])
        if action == "lambda:InvokeFunction"
    }
    expected = {
        ("SweepScheduleRole", "production-latchkey-validate-vault:live"),
        ("CanaryScheduleRole", "production-latchkey-canary:live"),
    }
    expected |= {("CanaryRole", f"production-latchkey-{it}:live") for it in ("create-vault", "encrypt-item", "decrypt-item")}
    assert may == expected


def test_the_canary_sings_each_five_minutes(service):
    ((event,),) = [[it["Properties"]] for it in service["CanaryFunction"]["Properties"]["Events"].values()]
    assert event["ScheduleExpression"] == "rate(5 minutes)"
    assert event["RetryPolicy"] == {"MaximumRetryAttempts": 0}
    ((action, resource),) = granted(service[logical_id(event["RoleArn"])]["Properties"])
    assert (action, resource.split(":function:")[1]) == ("lambda:InvokeFunction", "production-latchkey-canary:live")


def test_the_canarys_names_are_those_of_the_template():
    """The canary's program finds the functions by the names in the template."""
    source = (REPOSITORY / "shared" / "aws" / "src" / "deployed_functions.rs").read_text()
    assert 'format!("{}-latchkey-{operation}", self.stage)' in source
    alias = parsed("template.yaml")["Globals"]["Function"]["AutoPublishAlias"]
    assert f'const ALIAS: &str = "{alias}";' in source and ".qualifier(ALIAS)" in source
    functions = of_type(parsed("template.yaml")["Resources"], "AWS::Serverless::Function").values()
    for function in functions:
        operation = function["Metadata"]["BuildProperties"]["Binary"]
        assert as_list(function["Properties"]["FunctionName"]["Fn::Sub"]) == [f"${{Stage}}-latchkey-{operation}"]
