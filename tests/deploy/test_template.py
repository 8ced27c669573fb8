"""template.yaml and customer-setup/ allow each function and each side only what it needs.

The templates are read as CloudFormation reads them: in both Regions, with parameters filled in and intrinsics resolved.
"""

import json
import re
from functools import cache
from pathlib import Path

import pytest
from samtranslator.yaml_helper import yaml_parse

REPOSITORY = Path(__file__).resolve().parent.parent.parent
REGIONS = ("us-east-2", "us-west-2")
ACCOUNT_ID = "111111111111"
CUSTOMER_ACCOUNT_ID = "222222222222"
KEY_ID = "mrk-1234abcd12ab34cd56ef1234567890ab"
ACCESS_ROLE_ARN = f"arn:aws:iam::{ACCOUNT_ID}:role/production-kms-byo-key-access-role"

# The table of operations, and from it the routes of each function.
OPERATIONS = json.loads((REPOSITORY / "operations.json").read_text())
ROUTES = {
    row["function"]: [f"{it['method']} {it['path']}" for it in OPERATIONS if "path" in it and it["function"] == row["function"]]
    for row in OPERATIONS
}
# The most that a function may do to records. tests/e2e/test_least_privilege.py checks that it needs each action it has.
READ, WRITE = {"GetItem", "Query"}, {"PutItem", "UpdateItem", "DeleteItem"}
# The functions that reach the customer's account, and those that also make the attempt that must fail.
ASSUME_ACCESS_ROLE = {"create-vault", "validate-vault", "enable-vault", "encrypt-item", "decrypt-item", "reassign-item"}
PROBE_CUSTOMER_ROLES = {"create-vault", "validate-vault", "enable-vault"}
# The function that finds the due vaults.
QUERY_DUE_INDEX = {"validate-vault"}
# The function that announces its findings.
PUT_EVENTS = {"validate-vault"}
MANAGED_KEY_ROLE_ARN = f"arn:aws:iam::{ACCOUNT_ID}:role/production-latchkey-managed-key"
ANY_ROLE = "arn:aws:iam::*:role/*"


@cache
def parsed(path: str) -> dict:
    """A parsed template. Callers must not change it; `rendered` makes a copy."""
    return yaml_parse((REPOSITORY / path).read_text())


def rendered(path: str, region: str, parameters: dict[str, str], known: dict[str, str] | None = None) -> dict:
    """The template with every intrinsic resolved. A value that is unknown before deployment stays as `<Resource.Attribute>`, which
    looks like no real value."""
    template = parsed(path)
    account_id = parameters.pop("AWS::AccountId")
    values = {name: str(it["Default"]) for name, it in template["Parameters"].items() if "Default" in it}
    values |= parameters | {"AWS::Region": region, "AWS::AccountId": account_id, "AWS::Partition": "aws"} | (known or {})

    def value_of(name: str) -> str:
        return values.get(name, f"<{name}>")

    def resolve(node):
        match node:
            case {"Ref": name}:
                return value_of(name)
            case {"Fn::GetAtt": [resource, attribute]}:
                return value_of(f"{resource}.{attribute}")
            case {"Fn::Sub": str(text)}:
                return re.sub(r"\$\{([^}]+)\}", lambda found: value_of(found[1]), text)
            case {"Fn::Equals": [one, other]}:
                return resolve(one) == resolve(other)
            case {"Fn::Not": [condition]}:
                return not resolve(condition)
            case dict():
                return {key: resolve(it) for key, it in node.items()}
            case list():
                return [resolve(it) for it in node]
        return node

    resolved = resolve(template)
    conditions = resolved.get("Conditions", {})
    resolved["Resources"] = {name: it for name, it in resolved["Resources"].items() if conditions.get(it.get("Condition"), True)}
    return resolved


@pytest.fixture(params=REGIONS)
def region(request) -> str:
    return request.param


@pytest.fixture
def service(region) -> dict:
    """The service's resources in a Region, by logical id."""
    return service_in(region)["Resources"]


@pytest.fixture
def functions(service) -> dict[str, dict]:
    """Each function's properties, by its name without the stage."""
    globals_ = parsed("template.yaml")["Globals"]["Function"]
    found = of_type(service, "AWS::Serverless::Function")
    return {it["Metadata"]["BuildProperties"]["Binary"]: globals_ | it["Properties"] for it in found.values()}


@pytest.fixture
def roles(service, functions) -> dict[str, dict]:
    """Each function's execution role, by the same name."""
    return {operation: service[logical_id(it["Role"])]["Properties"] for operation, it in functions.items()}


@pytest.fixture
def customer() -> dict:
    parameters = {"AWS::AccountId": CUSTOMER_ACCOUNT_ID, "ServiceAccountId": ACCOUNT_ID, "ExternalId": "ws-acme-0001"}
    return rendered("customer-setup/key-and-role.yaml", "us-east-2", parameters, {"Key": KEY_ID})["Resources"]


def service_in(region: str, **parameters: str) -> dict:
    parameters |= {"AWS::AccountId": ACCOUNT_ID, "JwtIssuer": "https://issuer.example", "JwtAudience": "latchkey"}
    return rendered("template.yaml", region, parameters)


def of_type(resources: dict, type_: str) -> dict:
    return {name: it for name, it in resources.items() if it["Type"] == type_}


def logical_id(reference: str) -> str:
    """`<CreateVaultRole.Arn>` -> `CreateVaultRole`"""
    return re.fullmatch(r"<(\w+)(\.\w+)?>", reference)[1]


def as_list(value) -> list:
    return value if isinstance(value, list) else [value]


def statements(role: dict) -> list[dict]:
    return [statement for policy in role["Policies"] for statement in as_list(policy["PolicyDocument"]["Statement"])]


def granted(role: dict) -> set[tuple[str, str]]:
    """Every (action, resource) that a role's policies allow."""
    return {
        (action, resource)
        for statement in statements(role)
        for action in as_list(statement["Action"])
        for resource in as_list(statement["Resource"])
    }


def test_there_is_a_function_for_each_operation(functions):
    assert functions.keys() == ROUTES.keys()


def test_every_function_answers_its_routes_and_no_other(functions):
    served = {
        operation: [
            f"{event['Properties']['Method']} {event['Properties']['Path']}"
            for event in properties["Events"].values()
            if event["Type"] == "HttpApi"
        ]
        for operation, properties in functions.items()
    }
    assert served == ROUTES


def test_no_route_is_open(service, functions):
    auth = service["Api"]["Properties"]["Auth"]
    assert auth["DefaultAuthorizer"] in auth["Authorizers"]
    assert auth["Authorizers"]["Jwt"]["JwtConfiguration"] == {"issuer": "https://issuer.example", "audience": ["latchkey"]}
    events = [event for properties in functions.values() for event in properties["Events"].values()]
    assert not [event for event in events if "Auth" in event["Properties"]], "an event overrides the default authorizer"


def test_every_function_has_a_role_of_its_own(functions, roles, region):
    assert len({it["Role"] for it in functions.values()}) == len(functions)
    for operation, role in roles.items():
        assert role["RoleName"] == f"production-latchkey-{operation}-{region}"
        assert "ManagedPolicyArns" not in role, "a managed policy allows what nobody wrote here"
        (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
        assert trust == {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}


def test_no_function_has_policies_beside_its_role(functions):
    assert not [operation for operation, it in functions.items() if "Policies" in it]


def record_actions(function: str) -> set[str]:
    """Upper limits: operations that only read write nothing, those on items delete nothing, and the setup kit uses no records."""
    served = [row for row in OPERATIONS if row["function"] == function]
    if function == "get-setup-kit":
        return set()
    if all(row.get("method") == "GET" for row in served):
        return READ
    return (READ | WRITE) - ({"DeleteItem", "Query"} if served[0]["touches_items"] else set())


@pytest.mark.parametrize("operation", ROUTES)
def test_a_role_allows_exactly_what_its_function_does(operation, roles, functions, region):
    table = f"arn:aws:dynamodb:{region}:{ACCOUNT_ID}:table/production-latchkey"
    index = {("dynamodb:Query", f"{table}/index/due")} if operation in QUERY_DUE_INDEX else set()
    log_group = f"<{logical_id(functions[operation]['LoggingConfig']['LogGroup'])}.Arn>"
    records = {(action, resource) for action, resource in granted(roles[operation]) if resource == table}
    assert {action.removeprefix("dynamodb:") for action, _ in records} <= record_actions(operation)
    expected = records | index
    expected |= {(action, log_group) for action in ("logs:CreateLogStream", "logs:PutLogEvents")}
    if operation in PUT_EVENTS:
        expected |= {("events:PutEvents", "<EventBus.Arn>")}
    if operation in ASSUME_ACCESS_ROLE:
        expected |= {("sts:AssumeRole", ACCESS_ROLE_ARN)}
    if operation in PROBE_CUSTOMER_ROLES:
        expected |= {("sts:AssumeRole", ANY_ROLE)}
    assert granted(roles[operation]) == expected


def test_wildcards_stand_only_where_no_arn_can(service):
    """Only two kinds of wildcard exist: the customers' roles, whose names we do not know, and what CodeDeploy reads and moves."""
    wild = {
        (name, statement["Sid"])
        for name, role in of_type(service, "AWS::IAM::Role").items()
        for statement in statements(role["Properties"])
        for text in as_list(statement["Action"]) + as_list(statement["Resource"])
        if "*" in text
    }
    allowed = {(f"{it}VaultRole", "ProbeTrustOnRoot") for it in ("Create", "Validate", "Enable")}
    allowed |= {("RollOutRole", "MoveAliases"), ("RollOutRole", "WatchAlarms")}
    if "AccessRole" in service:
        allowed |= {("AccessRole", "AssumeCustomerRoles")}
    assert wild == allowed


def test_our_own_account_is_out_of_reach_of_every_open_assume_role(service):
    """Otherwise a customer could name one of our roles as theirs."""
    found = [
        statement
        for role in of_type(service, "AWS::IAM::Role").values()
        for statement in statements(role["Properties"])
        if ANY_ROLE in as_list(statement["Resource"])
    ]
    assert found
    for statement in found:
        assert statement["Condition"] == {"StringNotEquals": {"aws:ResourceAccount": ACCOUNT_ID}}


def test_the_access_role_is_made_in_the_primary_only_and_kept(service, region):
    if region != "us-east-2":
        assert "AccessRole" not in service
        return
    role = service["AccessRole"]
    assert role["Properties"]["RoleName"] == "production-kms-byo-key-access-role"
    assert (role["DeletionPolicy"], role["UpdateReplacePolicy"]) == ("Retain", "Retain")
    assert granted(role["Properties"]) == {("sts:AssumeRole", ANY_ROLE), ("sts:AssumeRole", MANAGED_KEY_ROLE_ARN)}


def test_the_access_role_trusts_the_functions_that_need_it_of_both_regions_and_nobody_else():
    access_role = service_in("us-east-2")["Resources"]["AccessRole"]
    (trust,) = access_role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"AWS": f"arn:aws:iam::{ACCOUNT_ID}:root"}
    assert trust["Action"] == "sts:AssumeRole"
    trusted = trust["Condition"].pop("StringEquals").pop("aws:PrincipalArn")
    assert trust["Condition"] == {}
    assert sorted(trusted) == sorted(
        f"arn:aws:iam::{ACCOUNT_ID}:role/production-latchkey-{operation}-{region}"
        for operation in ASSUME_ACCESS_ROLE
        for region in REGIONS
    )


def test_functions_are_told_the_role_and_the_table_that_exist(region):
    variables = service_in(region)["Globals"]["Function"]["Environment"]["Variables"]
    assert variables == {
        "LATCHKEY_STAGE": "production",
        "LATCHKEY_TABLE_NAME": "production-latchkey",
        "LATCHKEY_EVENT_BUS_NAME": "production-latchkey",
        "LATCHKEY_ACCESS_ROLE_ARN": ACCESS_ROLE_ARN,
        "LATCHKEY_MANAGED_KEY_ID": "",
        "LATCHKEY_MANAGED_KEY_ROLE_ARN": MANAGED_KEY_ROLE_ARN,
        "LATCHKEY_WORKSPACE_CLAIM": "workspace_id",
        "LATCHKEY_ROLE_CLAIM": "role",
        "LATCHKEY_SUBJECT_CLAIM": "sub",
        "LATCHKEY_REST_CLAIMS_PLACE": "authorizer.claims",
    }


def test_get_setup_kit_alone_is_told_where_the_templates_are(functions):
    """By default there is no such place."""
    told = {operation: it["Environment"] for operation, it in functions.items() if "Variables" in it.get("Environment", {})}
    own = {operation: it["Variables"] for operation, it in told.items() if "LATCHKEY_STAGE" not in it["Variables"]}
    assert own == {"get-setup-kit": {"LATCHKEY_SETUP_KIT_TEMPLATES_URL": ""}}


def test_the_table_is_one_strong_global_table(service, region):
    tables = of_type(service, "AWS::DynamoDB::GlobalTable") | of_type(service, "AWS::DynamoDB::Table")
    if region != "us-east-2":
        assert not tables
        return
    (table,) = tables.values()
    assert (table["DeletionPolicy"], table["UpdateReplacePolicy"]) == ("Retain", "Retain")
    properties = table["Properties"]
    assert properties["TableName"] == "production-latchkey"
    assert properties["MultiRegionConsistency"] == "STRONG"
    assert properties["SSESpecification"] == {"SSEEnabled": True}
    assert [it["Region"] for it in properties["Replicas"]] == list(REGIONS)
    assert [it["Region"] for it in properties["GlobalTableWitnesses"]] == ["us-east-1"]
    for replica in properties["Replicas"]:
        assert replica["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
        assert replica["DeletionProtectionEnabled"] == "true"


def test_the_table_has_nothing_that_strong_consistency_excludes(service, region):
    """Strong multi-Region tables have no TTL and no local indexes. cfn-lint does not check this."""
    for table in of_type(service, "AWS::DynamoDB::GlobalTable").values():
        assert not {"TimeToLiveSpecification", "LocalSecondaryIndexes"} & table["Properties"].keys()


def test_the_index_of_due_vaults_holds_keys_alone(service, region):
    for table in of_type(service, "AWS::DynamoDB::GlobalTable").values():
        properties = table["Properties"]
        (index,) = properties["GlobalSecondaryIndexes"]
        assert index["IndexName"] == "due"
        assert index["Projection"] == {"ProjectionType": "KEYS_ONLY"}
        keys = [key["AttributeName"] for key in properties["KeySchema"] + index["KeySchema"]]
        assert keys == ["pk", "sk", "due_partition", "due_at"]
        assert sorted(keys) == sorted(it["AttributeName"] for it in properties["AttributeDefinitions"])


def test_every_log_group_is_kept_for_a_stated_time(service, functions):
    groups = of_type(service, "AWS::Logs::LogGroup")
    assert all(int(it["Properties"]["RetentionInDays"]) == 90 for it in groups.values())
    for operation, function in functions.items():
        group = groups[logical_id(function["LoggingConfig"]["LogGroup"])]["Properties"]
        assert function["FunctionName"] == f"production-latchkey-{operation}"
        assert group["LogGroupName"] == f"/aws/lambda/production-latchkey-{operation}"


def test_functions_answer_before_the_api_gives_up(functions):
    for operation, function in functions.items():
        assert function["Timeout"] < 30, operation


def test_the_sweep_starts_each_minute_and_may_start_nothing_else(functions, service):
    (sweep,) = [it["Properties"] for it in functions["validate-vault"]["Events"].values() if it["Type"] == "ScheduleV2"]
    assert sweep["ScheduleExpression"] == "rate(1 minute)"
    assert json.loads(sweep["Input"]) == {"sweep": {"shard": 0}}
    role = service[logical_id(sweep["RoleArn"])]["Properties"]
    ((action, resource),) = granted(role)
    assert action == "lambda:InvokeFunction"
    assert resource.endswith(f":{ACCOUNT_ID}:function:production-latchkey-validate-vault:live")


def test_a_roll_out_moves_this_stages_aliases_and_nothing_else(service, region):
    role = service["RollOutRole"]["Properties"]
    (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "codedeploy.amazonaws.com"}
    assert trust["Condition"] == {"StringEquals": {"aws:SourceAccount": ACCOUNT_ID}}
    functions = f"arn:aws:lambda:{region}:{ACCOUNT_ID}:function:production-latchkey-*"
    moves = {f"lambda:{action}" for action in ("GetAlias", "UpdateAlias", "GetProvisionedConcurrencyConfig")}
    assert granted(role) == {(action, functions) for action in moves} | {("cloudwatch:DescribeAlarms", "*")}


def test_every_announcement_goes_to_the_topic_and_only_aws_may_publish_there(service):
    assert service["EventBus"]["Properties"]["Name"] == "production-latchkey"
    rule = service["NoticesRule"]["Properties"]
    assert (rule["EventBusName"], rule["EventPattern"]) == ("<EventBus>", {"source": ["latchkey"]})
    assert [target["Arn"] for target in rule["Targets"]] == ["<Notices>"]
    policy = service["NoticesPolicy"]["Properties"]
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert (policy["Topics"], statement["Action"], statement["Resource"]) == (["<Notices>"], "sns:Publish", "<Notices>")
    assert statement["Principal"] == {"Service": ["events.amazonaws.com", "cloudwatch.amazonaws.com"]}
    assert statement["Condition"] == {"StringEquals": {"aws:SourceAccount": ACCOUNT_ID}}


def test_the_customer_trusts_the_access_role_with_its_workspace_id_and_nobody_else(customer):
    assert customer["Role"]["Properties"]["AssumeRolePolicyDocument"]["Statement"] == [
        {
            "Effect": "Allow",
            "Principal": {"AWS": ACCESS_ROLE_ARN},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"sts:ExternalId": "ws-acme-0001"}},
        }
    ]


def test_the_customers_role_allows_four_actions_on_two_keys(customer):
    role = customer["Role"]["Properties"]
    keys = [f"arn:aws:kms:{region}:{CUSTOMER_ACCOUNT_ID}:key/{KEY_ID}" for region in REGIONS]
    actions = ("kms:Encrypt", "kms:Decrypt", "kms:GetPublicKey", "kms:DescribeKey")
    assert granted(role) == {(action, key) for action in actions for key in keys}
    assert "ManagedPolicyArns" not in role


def test_an_output_of_the_customers_stack_is_the_body_that_creates_the_vault():
    parameters = {"AWS::AccountId": CUSTOMER_ACCOUNT_ID, "ServiceAccountId": ACCOUNT_ID, "ExternalId": "ws-acme-0001"}
    role_arn = f"arn:aws:iam::{CUSTOMER_ACCOUNT_ID}:role/latchkey-byo-key"
    known = {"Key": KEY_ID, "Role.Arn": role_arn}
    outputs = rendered("customer-setup/key-and-role.yaml", "us-east-2", parameters, known)["Outputs"]
    assert json.loads(outputs["CreateVaultRequest"]["Value"]) == {
        "name": "Our key in AWS KMS",
        "strategy": "aws_kms",
        "aws_account_id": CUSTOMER_ACCOUNT_ID,
        "kms_key_id": KEY_ID,
        "aws_role_arn": role_arn,
    }


def test_the_customers_key_is_what_we_recommend_and_is_kept(customer):
    key = customer["Key"]
    assert (key["DeletionPolicy"], key["UpdateReplacePolicy"]) == ("Retain", "Retain")
    expected = {"KeySpec": "RSA_4096", "KeyUsage": "ENCRYPT_DECRYPT", "MultiRegion": True, "PendingWindowInDays": 30}
    assert expected.items() <= key["Properties"].items()
    assert key["Properties"].get("Origin", "AWS_KMS") == "AWS_KMS"


def test_both_keys_have_the_default_policy(customer):
    primary_key_arn = f"arn:aws:kms:us-east-2:{CUSTOMER_ACCOUNT_ID}:key/{KEY_ID}"
    parameters = {"AWS::AccountId": CUSTOMER_ACCOUNT_ID, "PrimaryKeyArn": primary_key_arn}
    replica = rendered("customer-setup/replica.yaml", "us-west-2", parameters)["Resources"]["ReplicaKey"]
    assert (replica["DeletionPolicy"], replica["UpdateReplacePolicy"]) == ("Retain", "Retain")
    default = [
        {
            "Sid": "Enable IAM User Permissions",
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{CUSTOMER_ACCOUNT_ID}:root"},
            "Action": "kms:*",
            "Resource": "*",
        }
    ]
    assert replica["Properties"]["KeyPolicy"]["Statement"] == default
    assert customer["Key"]["Properties"]["KeyPolicy"]["Statement"] == default


def test_the_managed_keys_role_lets_in_the_access_role_alone_and_allows_four_actions_on_its_two_keys():
    parameters = {"AWS::AccountId": ACCOUNT_ID}
    resources = rendered("managed-key/key-and-role.yaml", "us-east-2", parameters, {"Key": KEY_ID})["Resources"]
    role = resources["Role"]["Properties"]
    assert f"arn:aws:iam::{ACCOUNT_ID}:role/{role['RoleName']}" == MANAGED_KEY_ROLE_ARN
    (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"AWS": f"arn:aws:iam::{ACCOUNT_ID}:root"}
    assert trust["Condition"] == {"StringEquals": {"aws:PrincipalArn": ACCESS_ROLE_ARN}}
    keys = [f"arn:aws:kms:{region}:{ACCOUNT_ID}:key/{KEY_ID}" for region in REGIONS]
    actions = ("kms:Encrypt", "kms:Decrypt", "kms:GetPublicKey", "kms:DescribeKey")
    assert granted(role) == {(action, key) for action in actions for key in keys}
    key = resources["Key"]
    assert (key["DeletionPolicy"], key["UpdateReplacePolicy"]) == ("Retain", "Retain")
    expected = {"KeySpec": "RSA_4096", "KeyUsage": "ENCRYPT_DECRYPT", "MultiRegion": True}
    assert expected.items() <= key["Properties"].items()


def test_every_policy_renders_to_plain_json(service, customer):
    """Valid JSON, with nothing unresolved in a customer's policy, no comments, and the current policy language."""
    documents = [customer["Key"]["Properties"]["KeyPolicy"]]
    for resources in (service, customer):
        for role in of_type(resources, "AWS::IAM::Role").values():
            documents.append(role["Properties"]["AssumeRolePolicyDocument"])
            documents += [policy["PolicyDocument"] for policy in role["Properties"]["Policies"]]
    for document in documents:
        text = json.dumps(document)
        assert json.loads(text) == document
        assert document["Version"] == "2012-10-17"
        assert "//" not in text and "${" not in text and "Fn::" not in text and "#" not in text
    customers = json.dumps(customer["Role"]["Properties"])
    assert not re.search(r"<\w+", customers), "something is unresolved"
