"""Processes that outlive the command that starts them, and that are stopped by exactly the id they were started with.

A process id alone may belong to somebody else by the time we come back, so each is kept with its start time.
"""

import contextlib
import json
import os
import signal
import subprocess
import time
from pathlib import Path

from local_aws.layout import LOCAL, PROCESSES_FILE

STOP_SECONDS = 5.0


def start(name: str, command: list, environment: dict[str, str]) -> None:
    """Starts a command in a session of its own, its output in .local/<name>.log, and records it."""
    with open(log_file(name), "ab") as log:
        process = subprocess.Popen(
            [str(part) for part in command],
            env=environment,
            cwd=LOCAL,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    recorded = read()
    recorded[name] = {"pid": process.pid, "started_at": start_time(process.pid)}
    PROCESSES_FILE.write_text(json.dumps(recorded, indent=2) + "\n")


def log_file(name: str) -> Path:
    return LOCAL / f"{name}.log"


def read(file: Path = PROCESSES_FILE) -> dict[str, dict]:
    try:
        return json.loads(file.read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return {}


def is_running(name: str) -> bool:
    return name in read() and is_ours(read()[name])


def is_ours(process: dict) -> bool:
    started_at = start_time(process["pid"])
    return started_at is not None and started_at == process["started_at"]


def stop_all(file: Path = PROCESSES_FILE) -> list[str]:
    """Stops what is on record and still ours, the last started first; answers with the names of what it stopped."""
    stopped = []
    for name, process in reversed(read(file).items()):
        if is_ours(process):
            stop(process)
            stopped.append(name)
    file.unlink(missing_ok=True)
    return stopped


def stop(process: dict) -> None:
    # The process leads its own group, in which nothing is but what it started itself (the functions' bootstraps).
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process["pid"], number)
            deadline = time.monotonic() + STOP_SECONDS
            while time.monotonic() < deadline:
                reap(process["pid"])
                os.killpg(process["pid"], 0)  # asks only; an error is the answer that the group is gone
                time.sleep(0.02)
        except ProcessLookupError:
            return


def reap(pid: int) -> None:
    """Lets go of a process that this very command started and that has ended: until then its group is not gone."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)


def start_time(pid: int) -> str | None:
    """When a process started, in whatever unit the system has for it; None if there is none (or only its remains)."""
    try:
        # After the command's name, which may hold anything but ends with the last parenthesis.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return None if fields[0] == "Z" else fields[19]
    except (FileNotFoundError, ProcessLookupError):
        if Path("/proc/self/stat").exists():
            return None
    listed = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return listed.stdout.strip() or None
