"""The cohort's page and its tables."""

import re

import pytest

from transferscope.published import cohort_checks, read_table, recompute
from transferscope.report.published import (
    ablation_grid,
    cohort_notes,
    contrast_grid,
    disagreements,
    index_grid,
    left_out_grid,
    pca_grid,
    render_published,
)

COHORT, CHECKS = recompute(), cohort_checks()


def test_ablation_is_recomputed_from_its_means() -> None:
    grid = ablation_grid(read_table("ablation"))
    rows = {row[0]: row[1:] for row in grid.rows}
    # off-policy SFT: math 41.9 - 27.6, other 34.4 - 23.6, non 26.6 - 33.6
    assert rows["off-policy SFT"] == ("+14.3", "+10.8", "−7.0", "75.5", "18.3", "−49.0", "−40.5")
    assert len(rows) == 5


def test_the_seven_disagreements_with_both_figures() -> None:
    said = disagreements(COHORT)
    assert len(said) == 7
    assert "Llama3.1-8B-SimpleRL, other reasoning: 168.0 recomputed, 72.6 published." in said
    grid = index_grid(COHORT, ["other", "non"])
    assert sum(cell.endswith("*") for row in grid.rows for cell in row) == 7
    assert len(grid.rows) == 18


def test_pca_ratios_are_within_one_base_only() -> None:
    rows = {row[0]: row for row in pca_grid(read_table("pca_shift")).rows}
    assert rows["UniReason-Qwen3-14B-no-think (SFT)"][-1] == "3.1 x"  # 113.7 / 36.9
    assert rows["OpenThinker2-7B"][-1] == ""
    assert rows["UniReason-Qwen3-14B (RL)"][-1] == ""


def test_contrasts_are_between_models_of_one_base() -> None:
    grid = contrast_grid(CHECKS)
    assert len(grid.rows) == 3 * 2
    row = next(r for r in grid.rows if r[0].endswith("no-think (SFT)") and r[1].startswith("Uni"))
    one, two = CHECKS.plane[row[0]], CHECKS.plane[row[1]]
    assert float(row[3].replace("−", "-")) == pytest.approx(one[0] - two[0], abs=0.051)
    assert float(row[4].replace("−", "-")) == pytest.approx(one[1] - two[1], abs=0.051)


def test_notes_say_what_confounds_and_what_was_not_read() -> None:
    text = " ".join(cohort_notes(COHORT, CHECKS))
    assert "7 of 11 SFT models and 0 of 7 RL models start" in text
    assert "HaluEval 10 of 18" in text
    assert "have 52 to 65 % of the weight of math" in text
    assert "No intervals are available" in text


def test_ranges_hold_the_estimate() -> None:
    for row in left_out_grid(COHORT, CHECKS, ["other", "non"]).rows:
        for at in (1, 4):
            low, high = (float(x.replace("−", "-")) for x in row[at + 2].split(" to "))
            assert low <= float(row[at].replace("−", "-")) <= high


def test_the_page_holds_every_table_and_loads_nothing() -> None:
    page = render_published(COHORT, CHECKS)
    assert page == render_published(COHORT, CHECKS)
    sections = ("figure1", "figure2", "table4", "table5", "table6", "same", "released")
    for section in (*sections, "robustness"):
        assert f'<section id="{section}">' in page
    assert "default-src" in page
    outside = page[: page.index("<script>")]
    assert not re.search(r"(?:src|href)=[\"\'](?!#)", outside)
    assert "168.0 recomputed, 72.6 published" in page
    assert page.count('type="application/json"') == 3
