"""What SAM makes of template.yaml: traffic moves to a new version of a function gradually, an alarm watches, and every caller of
the function moves too."""

import json
import re
from functools import cache
from pathlib import Path

import pytest
from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

from deployment.deploy_service import with_description

REPOSITORY = Path(__file__).resolve().parents[2]
OPERATIONS = json.loads((REPOSITORY / "operations.json").read_text())

PARAMETERS = {"Stage": "production", "JwtIssuer": "https://issuer.example", "JwtAudience": "latchkey"}


class NoManagedPolicies:
    """Stands in for SAM's managed policies. The template names none."""

    def load(self) -> dict:
        return {}


def template() -> dict:
    template = yaml_parse((REPOSITORY / "template.yaml").read_text())
    for function in functions_of(template):
        function["CodeUri"] = "s3://bucket/code"
    return template


def functions_of(template: dict) -> list[dict]:
    return [it["Properties"] for it in template["Resources"].values() if it["Type"] == "AWS::Serverless::Function"]


def processed(template: dict, **parameters: str) -> dict:
    return transform(template, PARAMETERS | parameters, NoManagedPolicies())["Resources"]


@cache
def resources() -> dict:
    return processed(template())


@pytest.fixture(autouse=True)
def region(monkeypatch):
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-2")


def of_type(type_: str, found: dict | None = None) -> dict[str, dict]:
    return {name: it for name, it in (found or resources()).items() if it["Type"] == type_}


def versions(found: dict) -> set[str]:
    return set(of_type("AWS::Lambda::Version", found))


def test_each_functions_alias_is_moved_by_codedeploy_and_its_alarm_moves_it_back():
    aliases, groups = of_type("AWS::Lambda::Alias"), of_type("AWS::CodeDeploy::DeploymentGroup")
    functions = of_type("AWS::Lambda::Function")
    assert len(aliases) == len(groups) == len(functions) == len({row["function"] for row in OPERATIONS} | {"canary"})
    for name in functions:
        alias = aliases[f"{name}Aliaslive"]
        assert alias["Properties"]["Name"] == "live"
        assert alias["UpdatePolicy"]["CodeDeployLambdaAliasUpdate"]["DeploymentGroupName"] == {"Ref": f"{name}DeploymentGroup"}
        group = groups[f"{name}DeploymentGroup"]["Properties"]
        assert group["AutoRollbackConfiguration"]["Enabled"] is True
        assert {"DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM"} <= set(group["AutoRollbackConfiguration"]["Events"])
        alarms = group["AlarmConfiguration"]
        assert alarms["Enabled"] is True
        names = [it["Name"]["Ref"] for it in alarms["Alarms"]]
        assert f"{name.removesuffix('Function')}ErrorsAlarm" in names
        assert group["ServiceRoleArn"] == {"Fn::GetAtt": ["RollOutRole", "Arn"]}


def test_each_functions_alarm_counts_the_errors_of_its_alias():
    for name, function in of_type("AWS::Lambda::Function").items():
        function_name = function["Properties"]["FunctionName"]["Fn::Sub"]
        alarm = resources()[f"{name.removesuffix('Function')}ErrorsAlarm"]["Properties"]
        assert (alarm["Namespace"], alarm["MetricName"], alarm["Statistic"]) == ("AWS/Lambda", "Errors", "Sum")
        assert {it["Name"]: it["Value"]["Fn::Sub"] for it in alarm["Dimensions"]} == {
            "FunctionName": function_name,
            "Resource": f"{function_name}:live",
        }
        assert (alarm["Threshold"], alarm["Period"], alarm["TreatMissingData"]) == (1, 60, "notBreaching")
        assert alarm["AlarmActions"] == [{"Ref": "Notices"}]


def test_codedeploy_has_the_role_of_the_template_and_none_with_a_managed_policy():
    roles = of_type("AWS::IAM::Role")
    assert not [name for name, role in roles.items() if "ManagedPolicyArns" in role["Properties"]]
    trusting = [name for name, role in roles.items() if "codedeploy" in json.dumps(role["Properties"]["AssumeRolePolicyDocument"])]
    assert trusting == ["RollOutRole"]


def test_whoever_calls_a_function_calls_its_alias():
    operations = [it for path in resources()["Api"]["Properties"]["Body"]["paths"].values() for it in path.values()]
    uris = [it["x-amazon-apigateway-integration"]["uri"]["Fn::Sub"] for it in operations]
    calls = [row for row in OPERATIONS if "path" in row]
    assert len(uris) == len(calls)
    assert all(re.search(r"/functions/\$\{\w+Aliaslive\}/invocations$", uri) for uri in uris), uris
    permissions = [it["Properties"] for it in of_type("AWS::Lambda::Permission").values()]
    assert len(permissions) == len(calls)
    assert all(it["FunctionName"]["Ref"].endswith("Aliaslive") for it in permissions)
    schedules = [it["Properties"] for it in of_type("AWS::Scheduler::Schedule").values()]
    assert {(it["Target"]["Arn"]["Ref"], it["Name"]["Fn::Sub"]) for it in schedules} == {
        ("ValidateVaultFunctionAliaslive", "${Stage}-latchkey-sweep"),  # named explicitly, because two stages share an account
        ("CanaryFunctionAliaslive", "${Stage}-latchkey-canary"),
    }


def test_how_fast_traffic_moves_is_the_parameters():
    speeds = yaml_parse((REPOSITORY / "template.yaml").read_text())["Parameters"]["RollOut"]["AllowedValues"]
    assert len(speeds) > 5
    for speed in speeds:
        groups = of_type("AWS::CodeDeploy::DeploymentGroup", processed(template(), RollOut=speed)).values()
        for group in groups:
            config = json.dumps(group["Properties"]["DeploymentConfigName"])
            assert f'"{speed}"' in config and "CodeDeployDefault.Lambda" in config, config


@pytest.mark.parametrize(
    ("setting", "value"),
    [("CodeUri", "s3://bucket/other"), ("Timeout", 20), ("Architectures", ["x86_64"]), ("Tracing", "Active")],
)
def test_a_change_of_code_or_configuration_makes_a_version(setting, value):
    changed = template()
    for function in functions_of(changed):
        function[setting] = value
    assert not versions(processed(changed)) & versions(resources())


def test_a_change_of_a_parameter_alone_makes_a_version():
    """SAM alone would not make one."""

    def deployed(parameters: dict[str, str]) -> dict:
        return processed(with_description(template(), parameters), **parameters)

    before = deployed(PARAMETERS | {"RoleClaim": "role"})
    assert versions(before) == versions(deployed({"RoleClaim": "role"} | PARAMETERS))
    assert not versions(before) & versions(deployed(PARAMETERS | {"RoleClaim": "part"}))
    for function in of_type("AWS::Lambda::Function", before).values():
        assert re.fullmatch(r"Latchkey \d+\.\d+\.\d+, settings [0-9a-f]{12}", function["Properties"]["Description"])


def test_older_versions_stay_to_go_back_to():
    assert all(it["DeletionPolicy"] == "Retain" for it in of_type("AWS::Lambda::Version").values())
