"""The goals for a cold start: ratios within one run, and sizes. docs/cold-start.md has the results."""

from benches.cold_start.subjects import FUNCTIONS, NOTHING_IN_INIT, PYTHON

MB = 1e6
MIB_OF_MB = MB / (1 << 20)


def told(subjects, medians, fastest) -> int:
    """Prints each goal and its result. Returns 1 if a goal is missed by all measures: the medians, the fastest starts and, for
    times, the processor time.

    The fastest starts count because on a loaded machine a short start mostly waits for the processor. The processor time counts
    because the clock also includes the loopback's work, which takes as long again as a first invocation. And processor time is
    what a Lambda environment with a share of a processor waits for."""
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
