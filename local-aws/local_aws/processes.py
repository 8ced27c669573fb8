"""Processes that outlive the command that starts them. Only the very processes that were started are stopped.

A process id alone may belong to another process later, so each id is kept with the process's start time.
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
    """Starts a command in its own session, with its output in .local/<name>.log, and records it."""
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
    """Stops the recorded processes that are still ours, the last started first. Returns the names of those it stopped."""
    stopped = []
    for name, process in reversed(read(file).items()):
        if is_ours(process):
            stop(process)
            stopped.append(name)
    file.unlink(missing_ok=True)
    return stopped


def stop(process: dict) -> None:
    # The process leads its own group. Nothing else is in it but its children (the functions' bootstraps).
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process["pid"], number)
            deadline = time.monotonic() + STOP_SECONDS
            while time.monotonic() < deadline:
                reap(process["pid"])
                os.killpg(process["pid"], 0)  # signal 0 only asks; an error means that the group is gone
                time.sleep(0.02)
        except ProcessLookupError:
            return


def reap(pid: int) -> None:
    """Reaps a child of this command that has ended. Until then its group still exists."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)


def start_time(pid: int) -> str | None:
    """When a process started, in the system's own unit. None if there is no such process, or only a zombie."""
    try:
        # The fields after the command's name. The name may hold any character, and ends at the last parenthesis.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return None if fields[0] == "Z" else fields[19]
    except (FileNotFoundError, ProcessLookupError):
        if Path("/proc/self/stat").exists():
            return None
    listed = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return listed.stdout.strip() or None
