"""How fast each function starts, as it ships, beside its peers, all in one run: `make bench-cold-start`.

Prints the medians of ROUNDS fresh processes per subject, then the fastest of each, and whether the goals are met. Each round starts
every subject once, so other load on the machine slows all of them alike. The exit status is 1 if a goal is missed.
docs/cold-start.md explains the columns.
"""

import argparse
import json
import statistics
import sys
import tempfile
from dataclasses import astuple, dataclass

from benches import runtime_api
from benches.cold_start import goals
from benches.cold_start.loopback_tls import aws_over_tls
from benches.cold_start.subjects import Subject, subjects_of
from local_aws.layout import STACK_FILE
from local_aws.schedule import Schedule

WARM_INVOCATIONS = 5


@dataclass(frozen=True)
class Start:
    """One fresh process. Times in milliseconds, memory in MiB."""

    to_first_poll: float
    to_first_answer: float
    first_invoke: float
    warm_invoke: float
    init_processor: float
    first_invoke_processor: float
    peak_memory: float


def start(subject: Subject, log) -> Start:
    with runtime_api.running(subject.command, subject.environment, log) as environment:
        polled_at = environment.first_polled_at()
        init_processor = environment.processor_milliseconds()
        given_at, answered_at = invoke(subject, environment)
        environment.polls.get(timeout=60)  # until it asks for the next event
        first_invoke_processor = environment.processor_milliseconds() - init_processor
        warm = []
        for _ in range(WARM_INVOCATIONS):
            warm_given_at, warm_answered_at = invoke(subject, environment)
            warm.append(warm_answered_at - warm_given_at)
            environment.polls.get(timeout=60)
        return Start(
            to_first_poll=(polled_at - environment.started_at) * 1000,
            to_first_answer=(answered_at - environment.started_at) * 1000,
            first_invoke=(answered_at - given_at) * 1000,
            warm_invoke=statistics.median(warm) * 1000,
            init_processor=init_processor,
            first_invoke_processor=first_invoke_processor,
            peak_memory=environment.peak_memory_mib(),
        )


def invoke(subject: Subject, environment: runtime_api.Environment) -> tuple[float, float]:
    """Invokes the function and checks that it succeeds. Returns when it got the event and when it answered."""
    invocation = environment.begin(subject.event)
    answer, answered_at = invocation.answer()
    if answer.get("statusCode") not in (200, 201):
        sys.exit(f"✗ {subject.name} answers {answer}")
    return invocation.given_at, answered_at


def reduced(how, starts: list[Start]) -> Start:
    """Combines many starts into one, column by column."""
    return Start(**{name: how([getattr(it, name) for it in starts]) for name in Start.__dataclass_fields__})


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--only", nargs="*", help="subjects by name")
    arguments = parser.parse_args()
    if not STACK_FILE.exists():
        sys.exit("nothing is up: run `make up` first")
    stack = json.loads(STACK_FILE.read_text())
    aws = stack["aws_endpoint"]
    with aws_over_tls(aws) as reading, aws_over_tls(aws) as writing, Schedule.of(stack).paused(), tempfile.TemporaryFile() as log:
        subjects = [it for it in subjects_of(stack, reading, writing) if not arguments.only or it.name in arguments.only]
        starts: dict[str, list[Start]] = {it.name: [] for it in subjects}
        for _ in range(1 + arguments.rounds):
            for subject in subjects:
                starts[subject.name].append(start(subject, log))
    # The first round is left out: it fills the loopback's cache and the machine's file system cache.
    medians = {name: reduced(statistics.median, measured[1:]) for name, measured in starts.items()}
    fastest = {name: reduced(min, measured[1:]) for name, measured in starts.items()}
    print(table(f"Medians of {arguments.rounds} fresh processes each:", subjects, medians))
    print(table("The fastest of them, column by column:", subjects, fastest))
    return 0 if arguments.only else goals.told(subjects, medians, fastest)


def table(title: str, subjects: list[Subject], columns: dict[str, Start]) -> str:
    names = ["first poll", "first answer", "first invoke", "warm invoke", "init, processor", "first invoke, processor"]
    lines = [title, "", "| ms | " + " | ".join([*names, "peak memory", "binary", "zip"]) + " |", "| --- " + "| ---: " * 9 + "|"]
    for it in subjects:
        *times, peak_memory = astuple(columns[it.name])
        cells = [f"{time:.1f}" for time in times] + [f"{peak_memory:.1f} MiB"]
        cells += [f"{size / 1e6:.2f} MB" for size in (it.bytes, it.zipped_bytes)]
        lines.append(f"| {it.name} | " + " | ".join(cells) + " |")
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    sys.exit(main())
