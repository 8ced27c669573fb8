"""What is measured: each function as it ships, and its peers. Each comes with its environment, an event that succeeds, and its
size."""

import io
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path

from local_aws import sample_events, watch
from local_aws.client import Customer
from local_aws.layout import REPOSITORY, STAGE

HERE = Path(__file__).resolve().parent

# From the table of operations. The order matters: a round disables the vault and then enables it again.
OPERATIONS = json.loads((REPOSITORY / "operations.json").read_text())
FUNCTIONS = list(dict.fromkeys(row["function"] for row in OPERATIONS))
# These functions write, which drops cached answers of the loopback. So they have a loopback and a vault of their own.
WRITING = {row["function"] for row in OPERATIONS if not row["touches_items"] and row.get("method") != "GET"}
HELLO_WORLD, NOTHING_IN_INIT, PYTHON = "hello world", "nothing in init", "Python"
PROGRAMS = REPOSITORY / "target" / "lambda"  # cargo-lambda writes them here
PYTHON_SOURCE = HERE / "peers" / "python"
PYTHON_ENVIRONMENT = REPOSITORY / ".venv-cold-start"


@dataclass(frozen=True)
class Subject:
    name: str
    command: list
    environment: dict[str, str]
    event: dict
    bytes: int
    zipped_bytes: int


def subjects_of(stack: dict, reading: dict[str, str], writing: dict[str, str]) -> list[Subject]:
    """All subjects, in the order of a round. `reading` and `writing` tell the functions of each kind where AWS is."""
    customer = Customer(stack["aws_endpoint"], **stack["customer"])
    read, written = (sample_events.sample_values(stack, customer) for _ in range(2))
    subjects = []

    def add(name: str, program_name: str, function: str) -> None:
        program = PROGRAMS / program_name / "bootstrap"
        aws, values = (writing, written) if function in WRITING else (reading, read)
        environment = watch.function_environment(stack, f"{STAGE}-latchkey-{function}", function) | aws
        event = json.loads(sample_events.filled_in((REPOSITORY / "events" / function / "success.json").read_text(), values))
        size = program.stat().st_size
        subjects.append(Subject(name, [program], environment, event, size, zipped({"bootstrap": program})))

    for name in FUNCTIONS:
        add(name, name, name)
    add(NOTHING_IN_INIT, "nothing-in-init", "encrypt-item")
    add(HELLO_WORLD, "hello-world", "encrypt-item")
    encrypt_item = next(it for it in subjects if it.name == "encrypt-item")
    files = python_files()
    subjects.append(
        Subject(
            PYTHON,
            [PYTHON_ENVIRONMENT / "bin" / "python", PYTHON_SOURCE / "bootstrap.py"],
            encrypt_item.environment,
            encrypt_item.event,
            sum(file.stat().st_size for file in files.values()),
            zipped(files),
        )
    )
    return subjects


def python_files() -> dict[str, Path]:
    """The files of the Python peer's zip: its source and its dependencies, without byte code and installers."""
    [packages] = PYTHON_ENVIRONMENT.glob("lib/python*/site-packages")
    left_out = {"__pycache__", "pip", "setuptools", "wheel", "pkg_resources", "_distutils_hack"}
    files = {path.name: path for path in PYTHON_SOURCE.glob("*.py")}
    for path in sorted(packages.rglob("*")):
        relative = path.relative_to(packages)
        if path.is_file() and not left_out & {part.partition("-")[0] for part in relative.parts}:
            files[str(relative)] = path
    return files


def zipped(files: dict[str, Path]) -> int:
    """The size in bytes of a zip of these files at the best compression."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, path in files.items():
            archive.write(path, name)
    return len(made.getvalue())
