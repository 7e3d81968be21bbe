"""Score tables: every refusal names the place and the remedy; numbers by hand."""

import random

import pytest

from transferscope.core.errors import InputError
from transferscope.core.scoretable import cohort_index, parse_table
from transferscope.core.suite import load_suite
from transferscope.published import read_table

HEADER = "model,base,group,benchmark,score\n"
ROWS = [
    "b,,math,x,40",
    "b,,other,y,50",
    "t,b,math,x,56",
    "t,b,other,y,46",
]
GOOD = HEADER + "\n".join(ROWS) + "\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "t.csv: the file is empty; columns: model,base,group,benchmark,score[,n]"),
        (HEADER, "t.csv: no rows below the header"),
        (HEADER + "x" * 200_000 + ",,a,b,1\n", "t.csv:1: not CSV: field larger than field limit"),
        ("score," + HEADER + "1,b,,math,x,40\n", "t.csv:1: two columns named 'score'; keep one"),
        ("model,base,group,score\nb,,math,40\n", "t.csv:1: missing column benchmark; columns:"),
        (GOOD + "t,b,other,z,130\n", "t.csv:6: score '130' is not a percentage; use 0 to 100"),
        (GOOD + "t,b,other,z,nan\n", "t.csv:6: score 'nan' is not a percentage"),
        (GOOD + "t,b,other,z,-1\n", "t.csv:6: score '-1' is not a percentage"),
        (GOOD + "t,b,other,z,\n", "t.csv:6: score '' is not a percentage"),
        (GOOD + "t,b,math,x,56\n", "t.csv:6: second row for t on x; keep one"),
        (GOOD + "t,,math,z,56\n", "t.csv:6: t has two bases; name one base per model"),
        (GOOD + "t,b,other,x2,5\n", "t.csv: b has no score for x2; add it, or remove"),
        (GOOD + "u,b,math,y,5\n", "t.csv:6: y is in groups other and math; assign it to one group"),
        (GOOD + "u,c,math,x,5\nu,c,other,y,5\n", "t.csv: base 'c' of 'u' is not in the table"),
        (GOOD + "u,b,math\n", "t.csv:6: wrong number of fields; write one value per column"),
        (GOOD + "u,b,math,x,5,6,7\n", "t.csv:6: wrong number of fields"),
        (GOOD + ",b,math,x,5\n", "t.csv:6: model, group and benchmark must not be empty"),
        (GOOD.replace("math", "law"), "t.csv: no source group 'math'; --source law|other"),
    ],
)
def test_refusals(text: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_table(text, place="t.csv")
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("n", ["0", "-3", "1.5", "many", "9" * 30, "9" * 5001])
def test_n_must_be_a_count(n: str) -> None:
    text = "model,base,group,benchmark,score,n\nb,,math,x,40," + n + "\n"
    with pytest.raises(InputError, match="is not a whole number above 0"):
        parse_table(text, place="t.csv")


def test_index_by_hand() -> None:
    (result,) = cohort_index(parse_table(GOOD, place="t.csv")).models
    assert result.gain == {"math": 16.0, "other": -4.0}
    assert result.di == {"math": 4.0, "other": -2.0}
    assert result.ti == {"other": -50.0}
    assert result.ci == {"other": None}


def test_no_tuned_model() -> None:
    table = parse_table(HEADER + "\n".join(ROWS[:2]), place="t.csv")
    with pytest.raises(InputError, match="no tuned model in the table; fill column 'base'"):
        cohort_index(table)


def test_unpaired_interval_needs_every_n() -> None:
    header = "model,base,group,benchmark,score,n\n"
    counted = header + "\n".join(row + ",1000" for row in ROWS) + "\n"
    (result,) = cohort_index(parse_table(counted, place="t.csv"), seed=0).models
    assert result.ci["other"] is not None
    assert result.interval == "percentile, unpaired"
    low, high = result.ci["other"]
    # DI(other): sqrt of a 4-point fall known to +-4.4 points; the bounds bracket -50
    assert low < -50.0 < high
    assert -90.0 < low < -65.0
    partly = header + ROWS[0] + ",1000\n" + "\n".join(row + "," for row in ROWS[1:]) + "\n"
    (bare,) = cohort_index(parse_table(partly, place="t.csv"), seed=0).models
    assert bare.ci["other"] is None


def paper_rows() -> list[str]:
    base_of = {row["model"]: row["base"] for row in read_table("models")}
    wanted = {*base_of, *base_of.values()}
    return [
        f"{r['model']},{base_of.get(r['model'], '')},{r['group']},{r['benchmark']},{r['score']}"
        for r in read_table("scores")
        if r["model"] in wanted
    ]


def test_published_scale_equals_the_cohort_scale_on_the_papers_table() -> None:
    table = parse_table(HEADER + "\n".join(paper_rows()), place="p.csv")
    paper = load_suite("paper")
    assert table.is_suite(paper)
    pooled = cohort_index(table, scale="cohort")
    fixed = cohort_index(table, scale="published", published=paper.sigma)
    for a, b in zip(pooled.models, fixed.models, strict=True):
        assert a.ti == pytest.approx(b.ti, rel=1e-4)  # sigmas are stored to three decimals


def test_order_of_rows_does_not_matter() -> None:
    rows = paper_rows()
    straight = cohort_index(parse_table(HEADER + "\n".join(rows), place="p.csv"))
    random.Random(3).shuffle(rows)
    shuffled = cohort_index(parse_table(HEADER + "\n".join(rows), place="p.csv"))
    expected = {r.model: dict(r.ti) for r in straight.models}
    assert {r.model for r in shuffled.models} == set(expected)
    for result in shuffled.models:
        assert dict(result.ti) == pytest.approx(expected[result.model], rel=1e-12)


def test_intervals_do_not_depend_on_order_or_company() -> None:
    header = "model,base,group,benchmark,score,n\n"
    rows = [row + ",1000" for row in ROWS]
    other = ["u,b,math,x,60,1000", "u,b,other,y,40,1000"]
    whole = cohort_index(parse_table(header + "\n".join(rows + other), place="t.csv"), seed=0)
    alone = cohort_index(parse_table(header + "\n".join(rows[::-1]), place="t.csv"), seed=0)
    assert {m.model: m.ci for m in whole.models}["t"] == alone.models[0].ci


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("t,t,math,m,50", "t.csv:2: t is its own base"),
        ("t,b,math,m,5_0", "t.csv:2: score '5_0' is not a percentage"),
        ("t\0x,b,math,m,50", "t.csv:2: a name contains unprintable characters"),
    ],
)
def test_names_and_numbers_are_read_strictly(row: str, said: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_table(HEADER + row + "\n", place="t.csv")
    assert str(caught.value).startswith(said)
