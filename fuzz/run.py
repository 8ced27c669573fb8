"""Builds the fuzz targets and runs each for its share of the time: `make fuzz FUZZ_SECONDS=3600`.

    python3 fuzz/run.py SECONDS [TARGET ...]

The vectors of shared/sealed-item/vectors are the first seeds. New inputs stay in fuzz/target/corpus/TARGET, and the next run starts
from them. An input that fails is written to fuzz/target/failures.
"""

import base64
import json
import os
import subprocess
import sys
from pathlib import Path

FUZZ = Path(__file__).resolve().parent
VECTORS = FUZZ.parent / "shared" / "sealed-item" / "vectors"
WORK = FUZZ / "target"
TARGETS = ["parse", "open", "seal"]
LONGEST_INPUT = 4096


def vectors(file: str) -> list[bytes]:
    """The messages that a file holds in full."""
    found = json.loads((VECTORS / file).read_text())["vectors"]
    return [base64.b64decode(vector["message"]) for vector in found if "message" in vector]


def write(folder: Path, messages: list[bytes]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for index, message in enumerate(messages):
        (folder / f"{index:03}").write_bytes(message)
    return folder


def build() -> Path:
    """Builds the targets and returns their folder. Naming a target triple keeps the coverage flags out of build scripts."""
    version = subprocess.run(["rustc", "-vV"], stdout=subprocess.PIPE, text=True, check=True).stdout
    [host] = [line.removeprefix("host: ") for line in version.splitlines() if line.startswith("host: ")]
    build = ["cargo", "build", "--release", "--locked", "--quiet", "--target", host]
    subprocess.run(build, cwd=FUZZ, check=True)
    return Path(os.environ.get("CARGO_TARGET_DIR", WORK)) / host / "release"


def main(seconds: int, targets: list[str]) -> None:
    if sys.platform != "linux":
        print("✓ fuzzing skipped: Linux only")
        return
    binaries = build()
    seeds = [message for file in sorted(VECTORS.glob("*.json")) for message in vectors(file.name)]
    whole = base64.b64decode(json.loads((VECTORS / "malformed.json").read_text())["whole"])
    seeds_folder = write(WORK / "seeds", [message for message in [whole, *seeds] if len(message) <= LONGEST_INPUT])
    (WORK / "failures").mkdir(exist_ok=True)
    for target in targets:
        corpus = WORK / "corpus" / target
        corpus.mkdir(parents=True, exist_ok=True)
        print(f"  fuzzing {target} for {max(1, seconds // len(targets))} s ...", flush=True)
        run = [str(binaries / target), str(corpus), str(seeds_folder), f"-max_len={LONGEST_INPUT}"]
        run += [f"-max_total_time={max(1, seconds // len(targets))}", "-timeout=10", "-rss_limit_mb=512"]
        run += [f"-artifact_prefix={WORK / 'failures'}/{target}-", "-print_final_stats=1"]
        ran = subprocess.run(run, stderr=subprocess.PIPE, text=True, errors="replace")
        if ran.returncode != 0:
            sys.exit(f"{ran.stderr}\n✗ {target} failed; the input is in {WORK / 'failures'}")
        statistics = dict(line.split(": ") for line in ran.stderr.splitlines() if line.startswith("stat::"))
        [coverage] = [line.split("DONE")[1].strip() for line in ran.stderr.splitlines() if "\tDONE" in line]
        executions = int(statistics["stat::number_of_executed_units"])
        print(f"✓ {target}: {executions:,} inputs, {coverage}", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:] or TARGETS)
