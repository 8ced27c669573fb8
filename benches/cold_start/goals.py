"""What is wanted of a start, as ratios within one run, and sizes; docs/cold-start.md says what came of it."""

from benches.cold_start.subjects import FUNCTIONS, NOTHING_IN_INIT, PYTHON

MB = 1e6
MIB_OF_MB = MB / (1 << 20)


def told(subjects, medians, fastest) -> int:
    """Prints each goal and what came of it. Answers 1 if one is missed in every way of looking at it: by the medians; by the
    fastest, for with a load on the machine a start of some milliseconds waits for the processor for longer than it works; and by
    the processor time. The clock has the loopback's own work in it, as much again as a first invocation's; the processor time has
    not, and is what an environment waits for that Lambda gives a share of a processor."""
    met = []

    def tell(goal: str, is_met, values: list[float]) -> None:
        met.append(any(is_met(value) for value in values))
        print(f"{'✓' if met[-1] else '✗'} {goal}: {' or '.join(f'{value:.2f}' for value in values)}")

    def ratios(of: str, to: str, clock, processor) -> list[float]:
        looks = [(medians, clock), (fastest, clock), (medians, processor)]
        return [time_of(starts[of]) / time_of(starts[to]) for starts, time_of in looks]

    first_invoke = (lambda it: it.first_invoke, lambda it: it.first_invoke_processor)
    first_answer = (lambda it: it.to_first_answer, lambda it: it.init_processor + it.first_invoke_processor)
    print("By the medians, by the fastest, or by the processor time:")
    tell(
        "first invoke, at most a quarter of that with nothing in init",
        lambda ratio: ratio <= 0.25,
        ratios("encrypt-item", NOTHING_IN_INIT, *first_invoke),
    )
    tell(
        "first invoke, at least 30 times faster than Python",
        lambda ratio: ratio >= 30,
        ratios(PYTHON, "encrypt-item", *first_invoke),
    )
    tell(
        "first answer, at least 10 times faster than Python",
        lambda ratio: ratio >= 10,
        ratios(PYTHON, "encrypt-item", *first_answer),
    )
    for name in ("encrypt-item", "decrypt-item"):
        tell(f"peak memory of {name}, at most 15 MB", lambda peak: peak <= 15, [medians[name].peak_memory / MIB_OF_MB])
    for it in subjects:
        if it.name in FUNCTIONS:
            tell(f"zip of {it.name}, at most 5 MB", lambda size: size <= 5, [it.zipped_bytes / MB])
    return 0 if all(met) else 1
