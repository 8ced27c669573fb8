"""A local build compiles each dependency once, with the same features for the functions and for the tests.

In each build cargo enables the features that the selected packages ask for. The tests' own dependencies ask for more than the
functions do, which would compile the SDKs again. `tests/local-features` asks for the same features and is part of every local
build.
"""

import subprocess
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]


def features(edges: str, *packages: str) -> dict[str, set[str]]:
    """The features of each dependency, by its name and version."""
    command = ["cargo", "tree", "--locked", "--offline", "--prefix", "none", "--edges", edges, "--format", "{p}|{f}", *packages]
    lines = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout.splitlines()
    found = {}
    for line in filter(None, lines):
        package, _, names = line.removesuffix(" (*)").partition("|")
        found.setdefault(package, set()).update(name for name in names.split(",") if name)
    return found


def test_tests_turn_on_no_feature_that_the_local_build_has_not():
    tests, built = features("normal,build,dev", "--workspace"), features("normal,build", "--workspace")
    differ = {package: tests[package] - built[package] for package in built if tests[package] != built[package]}
    assert not differ, f"to be turned on in tests/local-features/Cargo.toml: {differ}"


def test_what_ships_has_none_of_them():
    shipped = features("normal,build")
    assert "local-features" not in {package.split()[0] for package in shipped}
    tokio = next(names for package, names in shipped.items() if package.startswith("tokio v"))
    assert "test-util" not in tokio
