"""Makes a virtual environment that holds exactly what a requirements file pins, or does nothing if it already does. A package
of this repository can come with it; it is installed as it stands (editable), so it never goes stale.

    python3 local-aws/install.py .venv local-aws/requirements.txt [local-aws]

Needs the standard library only: it runs before anything is installed.
"""

import hashlib
import shutil
import subprocess
import sys
import time
import venv
from pathlib import Path


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
    print(f"  {environment}: installing {requirements} (once; about 30 s) ...", flush=True)
    shutil.rmtree(environment, ignore_errors=True)
    venv.create(environment, with_pip=True)
    pip = [environment / "bin" / "python", "-m", "pip", "--disable-pip-version-check", "--quiet"]
    # Everything is pinned, so pip has nothing to resolve; --no-deps keeps it from trying, the check proves that it fits.
    # A package is built by the back end that the requirements pin, not by one that pip would fetch for it.
    steps = [["install", "--no-deps", "--requirement", requirements]]
    steps += [["install", "--no-deps", "--no-build-isolation", "--editable", it] for it in packages]
    for arguments in (*steps, ["check"]):
        finished = subprocess.run([*pip, *arguments], stdout=subprocess.PIPE, text=True, check=False)
        if finished.returncode != 0:
            print(f"{finished.stdout}\n✗ {environment}: pip {arguments[0]} failed", file=sys.stderr)
            return 1
    stamp.write_text(wanted)
    print(f"✓ {environment} ({time.monotonic() - started:.0f} s)", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
