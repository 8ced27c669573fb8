"""Deploys the service's stack in both Regions from template.yaml, with `sam deploy`."""

import hashlib
import json
import platform
import re
import shutil
import subprocess
from pathlib import Path

from samtranslator.yaml_helper import yaml_parse

from local_aws.layout import (
    ALIAS,
    FIRST,
    LOCAL,
    PRIMARY_REGION,
    REPLICA_REGION,
    REPOSITORY,
    SERVICE_ACCOUNT_ID,
    STAGE,
    StepFailed,
    aws_client,
)

STACK_NAME = f"{STAGE}-latchkey"  # as in samconfig.toml
STAGED = FIRST / "deploy"  # all lanes deploy the same files
SHIPPED = REPOSITORY / ".aws-sam" / "build"
ELF_MACHINES = {"x86_64": 62, "aarch64": 183}  # e_machine (elf(5))


def template() -> dict:
    """template.yaml, parsed anew on each call, so the caller may change it."""
    return yaml_parse((REPOSITORY / "template.yaml").read_text())


def functions_of(template: dict) -> dict[str, dict]:
    return {name: it for name, it in template["Resources"].items() if it["Type"] == "AWS::Serverless::Function"}


def shipped_functions() -> dict[str, Path]:
    """The path of each function's program from `make build`, by logical id."""
    programs = {logical_id: SHIPPED / logical_id / "bootstrap" for logical_id in functions_of(template())}
    missing = [str(program.relative_to(REPOSITORY)) for program in programs.values() if not program.exists()]
    if missing:
        raise StepFailed(f"BUILD=no, and not there: {', '.join(missing)}; `make build`, for this machine's ARCH, makes them")
    here = platform.machine()
    if any(elf_machine(program) != ELF_MACHINES.get(here) for program in programs.values()):
        raise StepFailed(f"BUILD=no, and what is built is not for this machine, {here}: `make build ARCH=...` first")
    return programs


def elf_machine(program: Path) -> int:
    """The machine that a program was built for."""
    with open(program, "rb") as file:
        return int.from_bytes(file.read(20)[18:20], "little")


def build_functions() -> dict[str, Path]:
    """Builds the functions of the template in one cargo call. Returns the path of each program, by logical id."""
    functions = functions_of(template()).items()
    names = {logical_id: it["Metadata"]["BuildProperties"]["Binary"] for logical_id, it in functions}
    command = ["cargo", "build", "--workspace", "--profile", "local", "--message-format", "json-render-diagnostics"]
    for name in names.values():
        command += ["--bin", name]
    # cargo prints its progress to the terminal, and the files that it made as JSON to stdout.
    built = subprocess.run(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True, check=False)
    if built.returncode != 0:
        raise StepFailed("cargo build failed; its messages are above")
    messages = [json.loads(line) for line in built.stdout.splitlines() if line.startswith("{")]
    programs = {it["target"]["name"]: Path(it["executable"]) for it in messages if it.get("executable")}
    return {logical_id: programs[name] for logical_id, name in names.items()}


def stage(programs: dict[str, Path]) -> str:
    """Writes the template and the code that `sam deploy` takes. The template changes in two ways only: it says where each
    function's code is, and it leaves out CodeDeploy, which the emulator does not know. Returns a digest of everything."""
    staged = template()
    del staged["Globals"]["Function"]["DeploymentPreference"]
    digest = hashlib.sha256()
    shutil.rmtree(STAGED, ignore_errors=True)
    for logical_id, function in functions_of(staged).items():
        folder = STAGED / logical_id
        folder.mkdir(parents=True)
        shutil.copy(programs[logical_id], folder / "bootstrap")
        digest.update((folder / "bootstrap").read_bytes())
        function["Properties"]["CodeUri"] = logical_id
        del function["Properties"]["DeploymentPreference"]
    (STAGED / "template.json").write_text(json.dumps(staged, indent=1))
    digest.update((STAGED / "template.json").read_bytes())
    return digest.hexdigest()


def sam_deploy(endpoint: str, region: str, parameters: dict[str, str], environment: dict[str, str]) -> None:
    bucket = f"latchkey-local-{SERVICE_ACCOUNT_ID}-{region}"
    s3 = aws_client(endpoint, "s3", region, SERVICE_ACCOUNT_ID)
    if bucket not in [it["Name"] for it in s3.list_buckets()["Buckets"]]:
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": region})
    log = LOCAL / f"sam-deploy-{region}.log"
    with open(log, "wb") as output:
        deployed = subprocess.run(
            [
                REPOSITORY / ".venv-sam" / "bin" / "sam",
                "deploy",
                "--template-file",
                STAGED / "template.json",
                "--config-file",
                REPOSITORY / "samconfig.toml",
                "--config-env",
                region,
                "--no-resolve-s3",
                "--s3-bucket",
                bucket,
                "--no-confirm-changeset",
                "--parameter-overrides",
                *(f"{key}={value}" for key, value in parameters.items()),
            ],
            env=environment
            | {
                "AWS_ENDPOINT_URL": endpoint,
                "AWS_ACCESS_KEY_ID": SERVICE_ACCOUNT_ID,
                "AWS_SECRET_ACCESS_KEY": "local",
                "SAM_CLI_TELEMETRY": "0",
                "SAM_CLI_POLL_DELAY": "0.2",
            },
            cwd=LOCAL,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if deployed.returncode != 0:
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-12:])
        raise StepFailed(f"sam deploy to {region} failed; its last lines (all of it: {log.relative_to(REPOSITORY)}):\n{tail}")


def api_url(endpoint: str, region: str) -> str:
    return f"{endpoint}/_aws/execute-api/{resource_ids(endpoint, region)['Api']}/$default"


def resource_ids(endpoint: str, region: str) -> dict[str, str]:
    cloudformation = aws_client(endpoint, "cloudformation", region, SERVICE_ACCOUNT_ID)
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=STACK_NAME)
    return {it["LogicalResourceId"]: it["PhysicalResourceId"] for page in pages for it in page["StackResourceSummaries"]}


def make_routes(endpoint: str, region: str, parameters: dict[str, str]) -> None:
    """Makes the API's authorizer, and an integration and a route for each path. AWS makes them from the API's OpenAPI body, which
    the emulator ignores. They come from the stack's processed template, so the API serves what was deployed."""
    cloudformation = aws_client(endpoint, "cloudformation", region, SERVICE_ACCOUNT_ID)
    processed = cloudformation.get_template(StackName=STACK_NAME, TemplateStage="Processed")["TemplateBody"]
    processed = processed if isinstance(processed, dict) else json.loads(processed)
    body = processed["Resources"]["Api"]["Properties"]["Body"]
    ids = resource_ids(endpoint, region)
    gateway = aws_client(endpoint, "apigatewayv2", region, SERVICE_ACCOUNT_ID)
    api = {"ApiId": ids["Api"]}

    authorizers = {it["Name"]: it["AuthorizerId"] for it in gateway.get_authorizers(**api)["Items"]}
    for name, scheme in body["components"]["securitySchemes"].items():
        settings = scheme["x-amazon-apigateway-authorizer"]
        wanted = {
            "AuthorizerType": "JWT",
            "IdentitySource": [settings["identitySource"]],
            "JwtConfiguration": {
                "Issuer": resolve(settings["jwtConfiguration"]["issuer"], parameters),
                "Audience": [resolve(it, parameters) for it in settings["jwtConfiguration"]["audience"]],
            },
        }
        if name in authorizers:
            gateway.update_authorizer(**api, AuthorizerId=authorizers[name], **wanted)
        else:
            authorizers[name] = gateway.create_authorizer(**api, Name=name, **wanted)["AuthorizerId"]

    integrations = {it["IntegrationUri"]: it["IntegrationId"] for it in gateway.get_integrations(**api)["Items"]}
    routes = {it["RouteKey"]: it["RouteId"] for it in gateway.get_routes(**api)["Items"]}
    wanted_routes = set()
    for path, methods in body["paths"].items():
        for method, operation in methods.items():
            uri = alias_arn(operation["x-amazon-apigateway-integration"]["uri"], ids)
            if uri not in integrations:
                integrations[uri] = gateway.create_integration(
                    **api, IntegrationType="AWS_PROXY", IntegrationUri=uri, PayloadFormatVersion="2.0"
                )["IntegrationId"]
            wanted = {"Target": f"integrations/{integrations[uri]}", "AuthorizationType": "NONE"}
            for requirement in operation.get("security", []):
                name = next(iter(requirement))
                wanted |= {"AuthorizationType": "JWT", "AuthorizerId": authorizers[name]}
            key = f"{method.upper()} {path}"
            wanted_routes.add(key)
            if key in routes:
                gateway.update_route(**api, RouteId=routes[key], **wanted)
            else:
                gateway.create_route(**api, RouteKey=key, **wanted)
    for key in routes.keys() - wanted_routes:
        gateway.delete_route(**api, RouteId=routes[key])


def resolve(value, parameters: dict[str, str]) -> str:
    return parameters[value["Ref"]] if isinstance(value, dict) else value


def alias_arn(uri, ids: dict[str, str]) -> str:
    """The ARN of the function alias that an integration calls. CloudFormation uses it as the alias's id in the stack."""
    logical_id = re.search(r"/functions/\$\{(\w+)\}/", json.dumps(uri))
    if logical_id is None:
        raise StepFailed(f"an integration of the API names no alias of a function: {uri}")
    return ids[logical_id[1]]


def replace_environments(functions, name: str) -> None:
    """Gives a function new, empty execution environments. For that it publishes a version that equals the last one. The last
    version stays and finishes its invocations. Older versions are deleted, and their environments end."""
    timeout = functions.get_function_configuration(FunctionName=name)["Timeout"]
    functions.update_function_configuration(FunctionName=name, Timeout=timeout)
    alias = {"FunctionName": name, "Name": ALIAS}
    before = functions.get_alias(**alias)["FunctionVersion"]
    now = functions.publish_version(FunctionName=name)["Version"]
    functions.update_alias(**alias, FunctionVersion=now)
    for version in functions.list_versions_by_function(FunctionName=name)["Versions"]:
        if version["Version"] not in ("$LATEST", before, now):
            functions.delete_function(FunctionName=name, Qualifier=version["Version"])


def make_table_replica(endpoint: str) -> None:
    """Makes the table's replica. AWS makes it from the global table's `Replicas`, which the emulator ignores."""
    dynamodb = aws_client(endpoint, "dynamodb", PRIMARY_REGION, SERVICE_ACCOUNT_ID)
    table_name = f"{STAGE}-latchkey"
    replicas = dynamodb.describe_table(TableName=table_name)["Table"].get("Replicas", [])
    if REPLICA_REGION not in [it["RegionName"] for it in replicas]:
        dynamodb.update_table(TableName=table_name, ReplicaUpdates=[{"Create": {"RegionName": REPLICA_REGION}}])


def stack_outputs(endpoint: str, region: str) -> dict[str, str]:
    cloudformation = aws_client(endpoint, "cloudformation", region, SERVICE_ACCOUNT_ID)
    outputs = cloudformation.describe_stacks(StackName=STACK_NAME)["Stacks"][0]["Outputs"]
    return {it["OutputKey"]: it["OutputValue"] for it in outputs}
