"""Each cell of the matrix: what the caller gets, within which time, and that nothing is lost or done twice."""

import pytest

from tests.faults.matrix import ROWS, Cell, Row, is_in_the_sample

# No caller may see words of AWS, of its SDK, or of the fault proxy, which stands in for AWS.
OF_AWS = (
    "Said by",
    "Exception",
    "InternalFailure",
    "ServiceUnavailable",
    "Throttling",
    "00000000-0000",
    "127.0.0.1",
    "Sdk",
    "hyper",
)


def cells():
    for row in ROWS:
        for cell in row.cells():
            marks = () if is_in_the_sample(cell) else (pytest.mark.whole_matrix,)
            yield pytest.param(row, cell, id=cell.id, marks=marks)


@pytest.mark.parametrize(("row", "cell"), list(cells()))
def test_what_a_caller_gets(row: Row, cell: Cell, matrix, took):
    result = matrix.result(cell)
    answer, met = result.answer, result.met
    assert result.outcome in row.answers, f"{answer.status} {answer.text}"
    assert result.seconds <= row.seconds, f"{result.seconds:.1f} s"
    if answer.status >= 400:
        assert answer.json["request_id"] and answer.headers["content-type"] == "application/problem+json"
        assert ("retry-after" in answer.headers) == (answer.status in (429, 503)), answer.headers
    assert [word for word in OF_AWS if word in answer.text] == []
    assert not row.is_met or met > 0, "the fault has met no call"
    assert row.is_met or met == 0, f"the fault has met {met} calls"
    assert result.unsettled is None, f"once the fault was over: {result.unsettled}"
    took(row, result.seconds)
