"""Line and branch coverage of the Rust workspace by its own tests, and the lines that no test runs.

    python3 tests/coverage/measure.py          runs the tests, then prints the table
    python3 tests/coverage/measure.py table    prints the table of the last run

The code that a function's `main` calls (shared/functions) is not included: only the end-to-end tests run it, in other processes.
"""

import json
import os
import shutil
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
FOLDER = REPOSITORY / "target" / "coverage"
PROFILES = FOLDER / "profiles"
BINARIES = FOLDER / "binaries.json"
CARGO_TEST = ["cargo", "test", "--workspace", "--profile", "local", "--lib", "--test", "*", "--bench", "load"]
# Not counted: the macros of dependencies, and test code.
NOT_COUNTED = (
    r"^/rustc/|/registry/src/|/tests/|/benches/|/shared/in-memory/|/shared/functions/"
    r"|/sealed-item/src/(memory_scan|official_vectors|secrets_in_memory)\.rs"
)


def llvm(tool: str) -> Path:
    """The tool that LLVM_PROFDATA or LLVM_COV names. Otherwise that of the toolchain's component llvm-tools, or the one that
    `make coverage` installs."""
    if named := os.environ.get(tool.upper().replace("-", "_")):
        return Path(named)
    answer = subprocess.run(["rustc", "--print", "sysroot"], capture_output=True, text=True, check=True)
    sysroot = Path(answer.stdout.strip())
    found = [*sysroot.glob(f"lib/rustlib/*/bin/{tool}"), *REPOSITORY.glob(f".tools/llvm/lib/python*/site-packages/**/bin/{tool}")]
    if not found:
        sys.exit(f"✗ {tool} is missing: `make coverage` installs it, as does `rustup component add llvm-tools`")
    return found[0]


def run_tests() -> None:
    shutil.rmtree(PROFILES, ignore_errors=True)
    environment = {
        **os.environ,
        "RUSTC_WORKSPACE_WRAPPER": str(REPOSITORY / "tests" / "coverage" / "rustc.sh"),
        # One file per binary and process, so that none waits for another.
        "LLVM_PROFILE_FILE": str(PROFILES / "%m-%p.profraw"),
    }
    build = [*CARGO_TEST, "--no-run", "--message-format=json"]
    built = subprocess.run(build, cwd=REPOSITORY, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    artifacts = [json.loads(line) for line in built.stdout.splitlines()]
    BINARIES.parent.mkdir(parents=True, exist_ok=True)
    BINARIES.write_text(json.dumps([artifact["executable"] for artifact in artifacts if artifact.get("executable")]))
    subprocess.run([*CARGO_TEST, "--no-fail-fast"], cwd=REPOSITORY, env=environment, check=True)


def merge_profiles() -> Path:
    merged, profiles = FOLDER / "merged.profdata", FOLDER / "profiles.txt"
    profiles.write_text("\n".join(map(str, PROFILES.glob("*.profraw"))))
    # A process that a test killed leaves a partial profile or none. The merge fails only if no file is readable.
    merge = [llvm("llvm-profdata"), "merge", "--sparse", "--failure-mode=all", f"--input-files={profiles}", "-o", merged]
    subprocess.run(merge, check=True)
    return merged


def export(profile: Path, binary: str, *format: str) -> str:
    """Exports one binary. llvm-cov does not combine them correctly: where one binary never calls a function that another calls, it
    trusts the first."""
    command = [llvm("llvm-cov"), "export", f"--instr-profile={profile}", f"--ignore-filename-regex={NOT_COUNTED}", *format, binary]
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True).stdout


class File:
    """How often each line was run, and how often each condition went each way."""

    def __init__(self, path: Path) -> None:
        self.path = path
        source = (REPOSITORY / path).read_text().splitlines()
        # The tests are at the end of the file.
        self.end = source.index("mod tests {") + 1 if "mod tests {" in source else len(source) + 1
        self.lines: dict[int, int] = defaultdict(int)
        self.ways: dict[tuple[int, ...], int] = defaultdict(int)

    def add_line(self, line: int, count: int) -> None:
        if line < self.end:
            self.lines[line] += count

    def add_condition(self, place: tuple[int, ...], yes: int, no: int) -> None:
        if place[0] < self.end:
            self.ways[*place, True] += yes
            self.ways[*place, False] += no

    def counts(self) -> list[int]:
        ran = [sum(count > 0 for count in counted.values()) for counted in (self.lines, self.ways)]
        return [ran[0], len(self.lines), ran[1], len(self.ways)]

    def missed_lines(self) -> str:
        spans: list[list[int]] = []
        for line in sorted(line for line, count in self.lines.items() if count == 0):
            if spans and line == spans[-1][1] + 1:
                spans[-1][1] = line
            else:
                spans.append([line, line])
        return " ".join(f"{first}" if first == last else f"{first}-{last}" for first, last in spans)

    def missed_ways(self) -> str:
        return " ".join(map(str, sorted({way[0] for way, count in self.ways.items() if count == 0})))


def read() -> list[File]:
    """The counts over all binaries, and over all instances of generic code."""
    profile, files = merge_profiles(), {}

    def file(name: str) -> File:
        path = Path(name).relative_to(REPOSITORY)
        return files.setdefault(path, File(path))

    for binary in json.loads(BINARIES.read_text()):
        for line in export(profile, binary, "--format=lcov").splitlines():
            kind, _, rest = line.partition(":")
            if kind == "SF":
                current = file(rest)
            elif kind == "DA":
                current.add_line(*map(int, rest.split(",")[:2]))
        for exported in json.loads(export(profile, binary, "--skip-expansions", "--skip-functions"))["data"][0]["files"]:
            for *place, yes, no, _file, _expanded, _kind in exported["branches"]:
                file(exported["filename"]).add_condition(tuple(place), yes, no)
    return sorted((file for file in files.values() if file.lines), key=lambda file: file.path)


def share(part: int, whole: int) -> str:
    return f"{100 * part / whole:5.1f} %" if whole else "      –"


def main() -> int:
    if sys.argv[1:] != ["table"]:
        run_tests()
    files = read()
    width = max(len(str(file.path)) for file in files)
    print(f"{'file':{width}}   lines  branches  lines that no test runs; lines with a way that no test goes")
    crates: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for file in files:
        counts = file.counts()
        crate = "/".join(file.path.parts[:2])
        crates[crate] = [before + more for before, more in zip(crates[crate], counts, strict=True)]
        missed = f"{file.missed_lines() or '-'}; {file.missed_ways() or '-'}"
        print(f"{file.path!s:{width}} {share(*counts[:2])}  {share(*counts[2:])}  {missed}")
    print()
    for crate, counts in crates.items():
        print(f"{crate:{width}} {share(*counts[:2])}  {share(*counts[2:])}  of {counts[1]} lines, {counts[3]} branches")
    print(
        "\nLook at the lines that no test runs: docs/quality.md says why those that are there are. Any other wants a test, or goes."
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
