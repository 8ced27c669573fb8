"""What is wanted of a start, as ratios within one run, and sizes; docs/cold-start.md says what came of it."""

from subjects import FUNCTIONS, NOTHING_IN_INIT, PYTHON

MB = 1e6
MIB_OF_MB = 1e6 / (1 << 20)


def told(subjects, medians) -> int:
    """Prints each goal and what came of it. Answers 1 if one is missed."""
    met = []

    def tell(goal: str, value: float, bound: float, at_least: bool = False) -> None:
        met.append(value >= bound if at_least else value <= bound)
        print(f"{'✓' if met[-1] else '✗'} {goal}: {value:.2f}")

    ours, lazy, python = (medians[name] for name in ("encrypt-item", NOTHING_IN_INIT, PYTHON))
    print()
    tell("first invoke, at most a quarter of that with nothing in init", ours.first_invoke / lazy.first_invoke, 0.25)
    tell("first invoke, at least 30 times faster than Python", python.first_invoke / ours.first_invoke, 30, at_least=True)
    tell("first answer, at least 10 times faster than Python", python.to_first_answer / ours.to_first_answer, 10, at_least=True)
    for name in ("encrypt-item", "decrypt-item"):
        tell(f"peak memory of {name}, at most 15 MB", medians[name].peak_memory / MIB_OF_MB, 15)
    for it in subjects:
        if it.name in FUNCTIONS:
            tell(f"zip of {it.name}, at most 5 MB", it.zipped_bytes / MB, 5)
    return 0 if all(met) else 1
