"""The page: self-contained, under a strict policy, and unmoved by hostile text."""

from __future__ import annotations

import hashlib
import json
import math
import re
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from importlib.resources import files
from typing import Any

import pytest
import sample

from transferscope.core.forgetting import Rate
from transferscope.core.token_shift import ShiftedToken
from transferscope.documents.comparison import Comparison, FlippedItem, Flips
from transferscope.report import ReportInput, render_html
from transferscope.report.html import script_hash
from transferscope.report.views import model_views

EVIL = "</script><script>alert(1)</script><img src=x onerror=alert(2)>"
BUNDLE_SHA256 = "373b1f84072b31010f15ceb787be6b415c53936411aae267c8c2b2b6ccde46e7"


class Page(HTMLParser):
    """Elements, text outside scripts, and the contents of every script."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self.text = ""
        self._in: str | None = None
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag in ("script", "style"):
            self._in = tag
        if tag == "script":
            self.scripts.append((dict(attrs), ""))

    def handle_endtag(self, tag: str) -> None:
        if tag in ("script", "style"):
            self._in = None

    def handle_data(self, data: str) -> None:
        if self._in == "script":
            attrs, text = self.scripts[-1]
            self.scripts[-1] = (attrs, text + data)
        elif self._in is None:
            self.text += data

    @property
    def words(self) -> str:
        return " ".join(self.text.split())

    @property
    def code(self) -> list[str]:
        return [text for attrs, text in self.scripts if attrs.get("type") is None]

    @property
    def specs(self) -> dict[str, Any]:
        kind = "application/json"
        return {
            str(attrs["id"]): json.loads(text)
            for attrs, text in self.scripts
            if attrs.get("type") == kind
        }


@pytest.fixture(scope="module")
def page() -> Page:
    return Page(render_html(sample.sample()))


def section(html: str, name: str) -> str:
    found = re.search(rf'<section[^>]*id="{name}".*?</section>', html, re.DOTALL)
    assert found, name
    return unescape(found[0])


def hostile() -> ReportInput:
    """Every text that a model, a file or a run can bring is an attack."""
    report = sample.sample()
    whole = report.comparison
    first = whole.tuned[0]
    row = first.benchmarks[0]
    item = FlippedItem(
        EVIL, EVIL, "lost", f"{EVIL}\u202egnp\u202c \x00 \u2066x\u2069", EVIL, "a" * 5000 + EVIL
    )
    bad = replace(
        first,
        model=EVIL,
        benchmarks=(
            replace(
                row,
                benchmark=EVIL,
                test=EVIL,
                flags=replace(row.flags, tuned={EVIL: 1}),
            ),
        ),
        not_compared={EVIL: EVIL},
        flipped=(item,),
        index=replace(first.index, undefined_reason={"other": EVIL}, ti={"other": None})
        if first.index
        else None,
    )
    evil = (ShiftedToken(EVIL, 1, 1.0, EVIL),)
    shift = replace(sample.tokens(1.0), prefix=EVIL, shifted_tokens=evil)
    comparison = replace(
        whole,
        base=EVIL,
        tuned=(bad,),
        differences=(EVIL,),
        provenance={"base": {EVIL: EVIL}, EVIL: EVIL},
    )
    return ReportInput(
        title=EVIL,
        comparison=comparison,
        hidden={EVIL: sample.hidden(1.0)},
        tokens={EVIL: shift},
        training={EVIL: sample.steps(3, reward=True)},
        costs={EVIL: {EVIL: EVIL}},
        created=EVIL,
        notes=(EVIL,),
    )


def test_nothing_is_loaded_from_anywhere(page: Page) -> None:
    for tag, attrs in page.tags:
        assert tag not in ("link", "img", "iframe", "object", "embed", "base", "form")
        for key in ("src", "srcset", "data", "action", "poster"):
            assert key not in attrs, (tag, attrs)
        assert (attrs.get("href") or "#").startswith("#")
    assert "http" not in json.dumps(page.specs)
    css = (files("transferscope.report") / "static" / "page.css").read_text()
    assert "url(" not in css
    assert "@import" not in css


def test_policy_names_exactly_the_scripts(page: Page) -> None:
    policy = next(
        attrs["content"] or ""
        for tag, attrs in page.tags
        if tag == "meta" and attrs.get("http-equiv") == "Content-Security-Policy"
    )
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert set(rules["script-src"].split()) == {f"'{script_hash(code)}'" for code in page.code}
    assert len(page.code) == 2
    assert "unsafe-eval" not in policy
    assert "ast: true" in page.code[1]
    handlers = [k for _, attrs in page.tags for k in attrs if k.startswith("on")]
    assert handlers == []


def test_the_bundle_is_the_one_its_readme_names() -> None:
    static = files("transferscope.report") / "static"
    bundle = (static / "vega-bundle.js").read_bytes()
    assert hashlib.sha256(bundle).hexdigest() == BUNDLE_SHA256
    assert BUNDLE_SHA256 in (static / "README.md").read_text()
    assert script_hash("x") == "sha256-LXEWQrcmsEQBYnyp+6wy9chTD7GQPMTbAiWHF5IaSIE="


def test_hostile_text_stays_text(page: Page) -> None:
    html = render_html(hostile())
    attacked = Page(html)
    assert len(attacked.code) == 2
    assert attacked.code == page.code
    assert "alert(" not in "".join(attacked.code)
    assert not any(tag == "img" for tag, _ in attacked.tags)
    assert "<script>alert" not in html
    assert "alert(1)" in attacked.text
    for name, spec in attacked.specs.items():
        assert spec["width"] == "container", name
    for hidden in "\x00\u202e\u202c\u2066\u2069":
        assert hidden not in html
    assert "⟨U+202E⟩gnp" in attacked.text
    assert "⟨U+0000⟩" in attacked.text


def test_long_answers_are_cut_and_say_so() -> None:
    text = Page(render_html(hostile())).words
    assert "a" * 1400 in text
    assert "a" * 2000 not in text
    total = 5000 + len(EVIL)
    assert f"[… cut here: {total - 2000:,} of {total:,} characters not shown …]" in text


def test_all_flipped_questions_are_counted_not_only_those_kept_as_examples() -> None:
    # a benchmark with 300 lost and 326 won, of which 48 came with their answers and 24 are shown
    comparison = sample.sample().comparison
    first = comparison.tuned[0]
    row = replace(first.benchmarks[0], flips=Flips(300, 326, 100, 100))
    flipped = tuple(replace(first.flipped[0], id=str(at)) for at in range(48))
    result = replace(first, benchmarks=(row,), flipped=flipped)
    one = replace(comparison, tuned=(result,))
    (view,) = model_views(one, ["m"], [0])
    assert (len(view.examples), view.examples_left_out) == (24, 602)
    bare = replace(one, tuned=(replace(result, flipped=()),))
    assert model_views(bare, ["m"], [0])[0].examples_left_out == 0


def test_forgetting_without_a_chance_level_is_labelled() -> None:
    report = sample.sample()
    first = report.comparison.tuned[0]
    plain = Rate(9.3, (4.0, 15.0))
    for adjusted, said in ((Rate(4.4, (0.0, 9.0)), "4.4 ("), (None, "chance level unknown")):
        moved = replace(
            first.benchmarks[0],
            forgetting=plain,
            backward=plain,
            forgetting_adjusted=adjusted,
            backward_adjusted=adjusted,
        )
        rows = (moved, *first.benchmarks[1:])
        whole = replace(report.comparison, tuned=(replace(first, benchmarks=rows),))
        page = render_html(replace(report, comparison=whole))
        assert said in page
        assert ("9.3 (" in page) == (adjusted is None)


def test_order_of_the_page() -> None:
    html = render_html(sample.sample())
    order = ["differences", "verdict", "plane", "index", "benchmarks", "artefacts", "flips"]
    order += ["hidden", "tokens", "training", "provenance"]
    places = [html.index(f'id="{name}"') for name in order]
    assert places == sorted(places)


def test_headlines_and_verdicts_in_plain_words(page: Page) -> None:
    assert "Better on math, no change established elsewhere." in page.words
    assert "No change established on math, worse elsewhere." in page.words
    assert (
        "Gained 20.6 points on math (95 % interval 12.0 to 29.3): gain established." in page.words
    )
    lost = "Lost 20.0 points on non-reasoning (change −20.0, 95 % interval −28.5 to −11.5)"
    assert lost in page.words
    assert "not significant" not in page.words.lower()
    assert "no loss" not in page.words.lower()


def test_an_interval_stands_beside_every_change() -> None:
    html = render_html(sample.sample())
    number, around = r"[+−]?\d+\.\d", r"[−]?\d+\.\d to [−]?\d+\.\d"
    groups = re.findall(
        rf'<td class="n">({number})</td><td class="n">({around})</td>', section(html, "plane")
    )
    assert len(groups) == 2 * 4
    rows = re.findall(
        rf'<td class="n">{number}</td><td class="n">{around}</td><td class="w">mcnemar',
        section(html, "benchmarks"),
    )
    assert len(rows) == 2 * 12
    # The artefacts' own interval stood here; now the change stands beside its two parts.
    split = re.findall(
        rf'<td class="n">({number})</td><td class="n">({number})</td><td class="n">({number})</td>',
        section(html, "artefacts"),
    )
    assert len(split) >= 2 * 12
    for values in split:
        change, flagged, clean = (float(v.replace("−", "-")) for v in values)
        assert change == pytest.approx(flagged + clean, abs=1e-9)  # shown, so to the last digit
    for value in re.findall(r"−?\d+ % \(([^)]*)\)", section(html, "index")):
        assert re.fullmatch(r"95 % interval −?\d+ to −?\d+", value)


def test_undefined_index_says_why_and_shows_no_number() -> None:
    text = " ".join(section(render_html(sample.sample()), "index").split())
    why = "undefined: the gain on the source group math is not established"
    assert text.count(why) == 4
    assert "mini-TI" in text
    assert "can't be compared with the published models" in text


def test_the_papers_suite_has_ti_and_no_mini_note() -> None:
    report = sample.bare()
    paper = replace(report, comparison=replace(report.comparison, suite="paper"))
    text = Page(render_html(paper)).words
    assert "mini-TI" not in text
    assert "Transferability Index" in text


def test_an_unbounded_interval_is_called_so() -> None:
    report = sample.bare()
    one = report.comparison.tuned[0]
    assert one.index is not None
    wide = replace(one.index, ci={"other": (-math.inf, 78.0), "non": (1.0, math.inf)})
    comparison = replace(report.comparison, tuned=(replace(one, index=wide),))
    text = Page(render_html(replace(report, comparison=comparison))).words
    assert "95 % interval unbounded to 78" in text
    assert "95 % interval 1 to unbounded" in text


def test_what_was_not_measured_is_absent() -> None:
    html = render_html(sample.bare())
    for name in ("differences", "hidden", "tokens", "training", "notes"):
        assert f'id="{name}"' not in html
    assert {*Page(html).specs} == {
        "spec-plane",
        "spec-groups",
        "spec-deltas-0",
        "spec-deltas-1",
        "spec-deltas-2",
    }


def test_a_model_without_source_benchmarks() -> None:
    report = sample.bare()
    one = report.comparison.tuned[0]
    plane = {g: p for g, p in one.plane.items() if g != "math"}
    rows = tuple(row for row in one.benchmarks if row.group != "math")
    missing = {"chains": "fewer items than the base"}
    cut = replace(
        one, plane=plane, benchmarks=rows, index=None, index_linear=None, not_compared=missing
    )
    comparison: Comparison = replace(report.comparison, tuned=(cut,))
    text = Page(render_html(replace(report, comparison=comparison))).words
    assert "No math benchmark could be compared" in text
    assert "undefined: no benchmark of the source group math could be compared" in text
    assert "chains (fewer items than the base)" in text


def test_charts_have_no_address_and_carry_their_data(page: Page) -> None:
    plane = page.specs["spec-plane"]
    values = [v for data in plane["datasets"].values() for v in data] if "datasets" in plane else []
    text = json.dumps(plane)
    assert "$schema" not in text
    assert "20.625" in text
    assert values or '"values"' in text
    charts = {str(attrs["data-chart"]) for _, attrs in page.tags if "data-chart" in attrs}
    assert charts == set(page.specs)


def test_same_input_same_page() -> None:
    assert render_html(sample.sample()) == render_html(sample.sample())
