"""Makes a virtual environment that holds exactly what a requirements file pins. Does nothing if it is there already. A package of
this repository can be installed with it. That package is editable, so it is never out of date.

    python3 local-aws/install.py .venv local-aws/requirements.txt [local-aws]

Uses only the standard library, because it runs before anything is installed. uv installs in a fifth of pip's time. Where uv fails,
pip installs: for example, uv does not read pip's settings, such as a private index.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import time
import venv
from pathlib import Path

UV = "uv==0.13.8"
TOOLS = Path(__file__).resolve().parents[1] / ".tools"


def main() -> int:
    environment, requirements = Path(sys.argv[1]), Path(sys.argv[2])
    packages = [Path(it).resolve() for it in sys.argv[3:]]
    if sys.version_info < (3, 11):
        print(f"Python 3.11 or newer is needed; this is {sys.version.split()[0]}", file=sys.stderr)
        return 1
    parts = [requirements.read_bytes(), sys.version.encode()]
    parts += [str(it).encode() + (it / "pyproject.toml").read_bytes() for it in packages]
    wanted = hashlib.sha256(b"".join(parts)).hexdigest()
    stamp = environment / ".installed"
    if stamp.exists() and stamp.read_text() == wanted:
        return 0

    started = time.monotonic()
    print(f"  {environment}: installing {requirements} (once; about 10 s) ...", flush=True)
    # Everything is pinned, so nothing is resolved (--no-deps), and the check proves that the versions fit together.
    # The requirements also pin the back end that builds the package, so none is downloaded for it.
    steps = [["install", "--no-deps", "--requirement", requirements]]
    steps += [["install", "--no-deps", "--no-build-isolation", "--editable", it] for it in packages]
    steps += [["check"]]
    for installer in (with_uv, with_pip):
        failed = installer(environment, steps)
        if failed is None:
            break
        print(f"{failed}\n✗ {environment}: {installer.__name__.removeprefix('with_')} failed", file=sys.stderr)
    else:
        return 1
    stamp.write_text(wanted)
    print(f"✓ {environment} ({time.monotonic() - started:.0f} s)", flush=True)
    return 0


def with_uv(environment: Path, steps: list[list]) -> str | None:
    """Returns what went wrong, as `with_pip` does, or None."""
    uv = TOOLS / UV.replace("==", "-") / "bin" / "uv"
    if not uv.exists():
        home = uv.parents[1]
        failed = with_pip(home, [["install", "--no-deps", UV]])
        if failed is not None:
            shutil.rmtree(home, ignore_errors=True)
            return failed
    make(environment, with_pip=False)
    variables = os.environ | {"VIRTUAL_ENV": str(environment.resolve()), "UV_PYTHON_DOWNLOADS": "never"}
    return run([uv, "--quiet", "pip"], steps, variables)


def with_pip(environment: Path, steps: list[list]) -> str | None:
    make(environment, with_pip=True)
    return run([environment / "bin" / "python", "-m", "pip", "--disable-pip-version-check", "--quiet"], steps, os.environ)


def make(environment: Path, *, with_pip: bool) -> None:
    shutil.rmtree(environment, ignore_errors=True)
    venv.create(environment, with_pip=with_pip)


def run(command: list, steps: list[list], variables) -> str | None:
    for step in steps:
        finished = subprocess.run(
            [*command, *step], env=variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
        )
        if finished.returncode != 0:
            return finished.stdout
    return None


if __name__ == "__main__":
    sys.exit(main())
