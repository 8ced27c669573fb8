"""Prints the results of `cargo bench -p sealed-item` as a table. It takes the fastest sample of each: slower ones were disturbed.

python3 benches/table.py [folder of criterion's results]
"""

import json
import sys
from pathlib import Path

SIZES = [64, 1 << 10, 64 << 10, 1 << 20]
ROWS = ["item", "primitives", "gcm", "item, fresh data key"]
FOLDER = Path(__file__).resolve().parents[1] / "target" / "criterion"


def fastest(folder: Path) -> dict[str, float]:
    """Microseconds by the benchmark's full name."""
    found = {}
    for benchmark in folder.glob("**/new/benchmark.json"):
        sample = json.loads(benchmark.with_name("sample.json").read_text())
        each = (time / count for time, count in zip(sample["times"], sample["iters"], strict=True))
        found[json.loads(benchmark.read_text())["full_id"]] = min(each) / 1000
    return found


def main(folder: Path) -> None:
    found = fastest(folder)
    for operation in ["seal", "open"]:
        print(f"| {operation}, µs | " + " | ".join(f"{size:,} B" for size in SIZES) + " |")
        print("| --- " * (len(SIZES) + 1) + "|")
        of = {(row, size): found[f"{operation}/{row}/{size}"] for row in ROWS for size in SIZES}
        for row in ROWS:
            print(f"| {row} | " + " | ".join(f"{of[row, size]:.2f}" for size in SIZES) + " |")
        for floor in ["primitives", "gcm"]:
            ratios = (f"{of['item', size] / of[floor, size]:.2f}" for size in SIZES)
            print(f"| item : {floor} | " + " | ".join(ratios) + " |")
        print()
    for name in ["wrap/RSA-4096", "primitives/HKDF"]:
        print(f"{name}: {found[name]:.2f} µs")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
