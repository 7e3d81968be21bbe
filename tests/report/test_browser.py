"""Pages in a real browser: charts drawn, nothing cut, accessible, silent and without a request."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import cohort
import pytest
import sample

from transferscope.core.passages import Passage
from transferscope.published import cohort_checks, recompute
from transferscope.report import ReportInput, render_html
from transferscope.report.probe_pages import write_hidden, write_tokens
from transferscope.report.published import render_published

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
if CHROMIUM is None:
    pytest.skip("Chromium is not installed", allow_module_level=True)

WIDTHS = (1400, 900, 420)
PAPER = 688
"""CSS pixels between the margins of an A4 page."""

CUT = """() => {
  const found = [], room = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth > room) found.push("the page scrolls sideways");
  for (const e of document.querySelectorAll("main *, header *")) {
    const box = e.getBoundingClientRect();
    if (!box.width || e.closest("svg svg, svg > *") || e.closest("thead")) continue;
    // What lies in a box that scrolls is not cut.
    let scrolls = false;
    for (let up = e; up && up !== document.body; up = up.parentElement)
      if (["auto", "scroll"].includes(getComputedStyle(up).overflowX)) scrolls = true;
    if (scrolls) continue;
    const name = `${e.tagName} ${e.getAttribute("class")}: ${(e.textContent ?? "").slice(0, 40)}`;
    if (box.right > room + 1) found.push(`beyond the page: ${name}`);
    if (e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).overflowX !== "visible")
      found.push(`cut: ${name}`);
  }
  return found;
}"""
TEXT_CUT = """() => [...document.querySelectorAll(".live > svg, .live svg.marks")].filter((svg) => {
  const box = svg.getBoundingClientRect();
  return [...svg.querySelectorAll("text")].some((t) => {
    const own = t.getBoundingClientRect();
    return own.width && (own.left < box.left - 1 || own.right > box.right + 1);
  });
}).length"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


@cache
def page_of(models: int) -> str:
    """A comparison's page; the one of 3 models shows probes, training and costs as well."""
    compared = cohort.comparison(models)
    report = ReportInput(title=f"llama-3.2-1b and {models} tuned models", comparison=compared)
    if models == 3:
        names = [result.model for result in compared.tuned]
        report = replace(
            report,
            hidden={m: sample.hidden(at + 1.0) for at, m in enumerate(names)},
            tokens={m: sample.tokens(at + 1.0) for at, m in enumerate(names)},
            training={m: sample.steps(9, reward=True) for m in names},
            costs={m: {"seconds": 40.0} for m in names},
        )
    return render_html(report)


@pytest.fixture
def opened(browser: Any, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Any]:
    """``opened(html, width, **context)``: a page; it fails on any message and any request."""
    pages, heard = [], []

    def show(html: str, width: int = 1400, **settings: Any) -> Any:
        path = tmp_path / "page.html"
        path.write_text(html, encoding="utf-8")
        context = browser.new_context(viewport={"width": width, "height": 900}, **settings)
        page = context.new_page()
        page.on("console", lambda message: heard.append(message.text))
        page.on("pageerror", lambda error: heard.append(str(error)))
        page.on("request", lambda sent: None if sent.url == path.as_uri() else heard.append(sent))
        page.goto(path.as_uri())
        pages.append(context)
        return page

    yield show
    for context in pages:
        context.close()
    assert heard == []


def drawn(page: Any) -> int:
    """How many charts there are, after all of them were drawn."""
    count = page.locator("[data-chart]").count()
    until(page, f"document.querySelectorAll('.live svg').length === {count}")
    return int(count)


def until(page: Any, condition: str) -> None:
    """Wait for it, where Playwright would evaluate a string in the page: the policy forbids it."""
    for _ in range(400):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"never true: {condition}")


def faults(page: Any, leave_out: str = "") -> list[str]:
    """axe-core's violations of impact moderate or above, of all that is not folded."""
    context = {"exclude": [[leave_out]]} if leave_out else None
    options = {"resultTypes": ["violations"]}
    found = axe.Axe().run(page, context=context, options=options).response["violations"]
    return [
        f"{v['id']}: {node['target']} {node['failureSummary']}"
        for v in found
        if v["impact"] != "minor"
        for node in v["nodes"]
    ]


def test_faults_are_found(opened: Any) -> None:
    page = opened(
        "<html><body><h1 style='color:#aaa;background:#fff'>Faint</h1><h3>y</h3></body></html>"
    )
    found = " ".join(faults(page))
    for rule in ("color-contrast", "heading-order", "landmark-one-main", "html-has-lang"):
        assert rule in found


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("models", [1, 3, 24])
def test_page_at_three_widths(opened: Any, models: int, scheme: str) -> None:
    page = opened(page_of(models), color_scheme=scheme)
    assert drawn(page) >= 4
    if models == 3:
        page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
        assert faults(page) == []
    elif (models, scheme) in ((1, "light"), (24, "dark")):
        # 24 models have the same folded tables as 3, eight times; what is not folded is their own.
        assert faults(page, "details.fold" if models == 24 else "") == []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_timeout(150)
        assert page.evaluate(CUT) == [], width
        assert page.evaluate(TEXT_CUT) == 0, width
        # the first verdict is on the first screen
        assert page.locator(".badge, .say").first.bounding_box()["y"] < 900


@pytest.mark.parametrize("models", [1, 3, 24])
def test_page_on_paper(opened: Any, models: int) -> None:
    page = opened(page_of(models), PAPER)
    charts = drawn(page)
    page.emulate_media(media="print")
    folded = "details.fold:not([open]), details.warning:not([open])"
    until(page, f"!document.querySelector('{folded}')")
    assert page.locator(".still:visible").count() == charts
    assert page.locator(".live:visible").count() == 0
    assert page.evaluate(CUT) == []
    wide = (
        "[...document.querySelectorAll('table')].filter((t) => t.scrollWidth > innerWidth).length"
    )
    assert page.evaluate(wide) == 0
    page.emulate_media(media="screen")
    until(page, f"!!document.querySelector('{folded}')")
    assert page.locator(".still:visible").count() == 0


@pytest.mark.parametrize("models", [1, 3, 24])
def test_charts_without_scripts(opened: Any, models: int) -> None:
    page = opened(page_of(models), java_script_enabled=False)
    stills = page.locator(".still:visible")
    assert stills.count() == page.locator("[data-chart]").count() > 0
    names = [still.get_attribute("aria-label") for still in stills.all()]
    assert len(set(names)) == len(names)
    assert all(still.locator("path.dot, rect.bar, line.curve").count() for still in stills.all())


def test_every_chart_has_its_own_name(opened: Any) -> None:
    page = opened(page_of(3))
    charts = drawn(page)
    described = page.locator("[role=graphics-document]")
    names = described.evaluate_all("es => es.map(e => e.getAttribute('aria-label'))")
    assert len(set(names)) == charts
    assert "Vega visualization" not in names


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_tooltips_are_readable(opened: Any, scheme: str) -> None:
    page = opened(page_of(3), color_scheme=scheme)
    drawn(page)
    page.locator("#plane .live path[aria-roledescription=point]").first.hover()
    tip = page.locator("#vg-tooltip-element.visible")
    tip.wait_for(timeout=5_000)
    key = tip.locator("td.key", has_text="gain").first
    assert key.bounding_box()["width"] > 60
    paper = "e => getComputedStyle(e).backgroundColor"
    assert tip.evaluate(paper) == page.locator("#plane").evaluate(paper)


def test_a_click_sorts_the_table(opened: Any) -> None:
    page = opened(page_of(24))
    rows = page.locator("table.verdicts tbody tr")
    column = "rs => rs.map(r => parseFloat(r.cells[2].dataset.value))"
    head = page.locator("table.verdicts thead button", has_text="gain on math")
    head.click()
    values = rows.evaluate_all(column)
    assert values == sorted(values, reverse=True)
    assert page.locator("th[aria-sort=descending]").count() == 1
    head.press("Enter")
    assert rows.evaluate_all(column) == sorted(values)


def test_the_keyboard_skips_to_the_results(opened: Any) -> None:
    page = opened(page_of(1))
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the results"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.tagName") == "MAIN"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_other_pages(opened: Any, scheme: str, tmp_path: Path) -> None:
    write_hidden(tmp_path / "probe", sample.hidden(3.0), base="base", tuned="tuned")
    probe = (tmp_path / "probe" / "report.html").read_text(encoding="utf-8")
    levels = (0.0, 0.02, 0.05, 0.15, 0.3, 0.5)
    passage = Passage(0, "b", 0, 0.2, tuple((f"word{at} ", js) for at, js in enumerate(levels)))
    moved = replace(sample.tokens(4.0), passages=(passage,))
    write_tokens(tmp_path / "tokens", moved, base="base", tuned="tuned")
    tokens = (tmp_path / "tokens" / "report.html").read_text(encoding="utf-8")
    for html in (probe, tokens, render_published(recompute(), cohort_checks())):
        page = opened(html, color_scheme=scheme)
        assert drawn(page) > 0
        assert faults(page) == []
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            page.wait_for_timeout(150)
            assert page.evaluate(CUT) == [], width
