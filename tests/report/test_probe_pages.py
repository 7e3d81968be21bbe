"""The pages of the probes: what is in them, and that nothing foreign gets through."""

import io
import json
import math
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from rich.console import Console

from transferscope.core.hidden_shift import Features, measure_parts
from transferscope.core.labels import Labels
from transferscope.core.position_shifts import PositionShifts
from transferscope.core.token_shift import ShiftedToken, measure_tokens
from transferscope.report.cloud import word_cloud
from transferscope.report.escaping import name
from transferscope.report.probe_pages import passage_views, write_hidden, write_tokens
from transferscope.report.terminal import print_shift

EVIL = "</script><script>alert(1)</script>"
LABELS = Labels(("chains", "chains", EVIL, EVIL, "", "chains", EVIL), {"chains": "math"})


@pytest.fixture(scope="module")
def tokens():
    rng = np.random.default_rng(0)
    text = np.repeat(np.arange(7), 30)
    n = len(text)
    values = {name: rng.uniform(0, 0.6, n) for name in ("js_N", "kl_tuned_base_N")}
    others = ("kl_base_tuned_N", "entropy_base_N", "entropy_tuned_N", "log_ratio_N", "lost_mass_N")
    positions = PositionShifts(
        text_N=text,
        token_N=rng.integers(0, 4, n),
        rank_base_N=rng.integers(1, 9, n),
        rank_tuned_N=rng.integers(1, 9, n),
        **values,
        **{name: rng.uniform(0, 1, n) for name in others},
    )
    words = [EVIL, " therefore", "x\u202ey", "\n"]
    kinds = {" therefore": "logical", "\n": "logical"}
    return measure_tokens(
        positions,
        prefix="base",
        decode=words.__getitem__,
        kind=lambda word: kinds.get(word, "content"),
        labels=LABELS,
        n_skipped=3,
    )


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.scripts = []
        self.images = []

    def handle_starttag(self, tag, attrs):
        if tag == "script":
            self.scripts.append(dict(attrs).get("type"))
        if tag == "img":
            self.images.append(dict(attrs)["src"][:22])


def read(path):
    page = path.read_text()
    tags = Tags()
    tags.feed(page)
    assert "alert(1)</script>" not in page
    assert not re.search(r"""(src|href)=["']?(https?:)?//""", page)
    return page, tags


def drawn(page, figure):
    """The rows of a chart's data, as the page hands them to the chart."""
    pattern = rf'<script type="application/json" id="spec-{figure}">(.*?)</script>'
    (spec,) = re.findall(pattern, page, re.S)
    rows = []

    def collect(part):
        for key, value in part.items() if isinstance(part, dict) else enumerate(part):
            if key == "values":
                rows.extend(row for row in value if "model" in row and row not in rows)
            elif isinstance(value, dict | list):
                collect(value)

    collect(json.loads(spec))
    return rows


def test_the_token_page(tmp_path, tokens):
    written = write_tokens(tmp_path, tokens, base="b", tuned=EVIL)
    assert [path.name for path in written] == ["shift.json", "report.html", "words.png"]
    page, tags = read(tmp_path / "report.html")
    assert tags.scripts == ["application/json", "application/json", None, None]
    assert tags.images == ["data:image/png;base64,"]
    assert json.loads((tmp_path / "shift.json").read_text()) == tokens.to_json()
    assert page.count('<p class="passage"') == len(tokens.passages) == 5
    assert "⟨U+202E⟩" in page
    assert "Shifted tokens: logical" in page
    assert "Shifted tokens: content" in page
    assert "Empty responses skipped: 3." in page
    for side in ("base", "tuned"):
        assert f"entropy, {side}" in page
        assert f"{getattr(tokens, f'entropy_{side}'):.3f}" in page


def test_the_token_charts_draw_what_was_measured(tmp_path, tokens):
    write_tokens(tmp_path, tokens, base="b", tuned="t")
    page, _ = read(tmp_path / "report.html")
    parts = {"all texts": tokens} | tokens.benchmarks
    assert set(parts) == {"all texts", "chains", EVIL}
    bars = {(row["row"], row["model"]): row["value"] for row in drawn(page, "token-benchmarks")}
    assert bars == {
        (name(label), title): getattr(part, key)
        for label, part in parts.items()
        for title, key in (
            ("KL(tuned ‖ base)", "kl_tuned_base"),
            ("KL(base ‖ tuned)", "kl_base_tuned"),
            ("Jensen–Shannon", "js"),
        )
    }
    curve = [(row["x"], row["y"]) for row in drawn(page, "token-positions")]
    assert curve == [(point.first, point.js) for point in tokens.curve]
    assert [x for x, _ in curve] == [0, 1, 2, 4, 8, 16]


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ({"writer": EVIL}, "written by &lt;/script&gt;&lt;script&gt;alert(1)&lt;/script&gt;"),
        ({}, "from a file"),
    ],
)
def test_the_page_says_whose_responses_they_are(tmp_path, tokens, document, told):
    write_tokens(tmp_path, replace(tokens, **document), base="b", tuned="t")
    page, _ = read(tmp_path / "report.html")
    assert f"The responses are {told} (prefix: base)." in page


def test_an_older_cloud_does_not_stay(tmp_path, tokens):
    (tmp_path / "words.png").write_bytes(b"another probe's")
    written = write_tokens(tmp_path, replace(tokens, shifted_tokens=()), base="b", tuned="t")
    assert [path.name for path in written] == ["shift.json", "report.html"]
    assert not (tmp_path / "words.png").exists()


def test_the_terminal_has_what_was_skipped_and_both_entropies(tokens):
    out = io.StringIO()
    print_shift(tokens, Console(file=out, width=100))
    lines = [line.split() for line in out.getvalue().splitlines()]
    assert ["n_skipped", "3"] in lines
    for side in ("base", "tuned"):
        assert [f"entropy_{side}", f"{getattr(tokens, f'entropy_{side}'):.3f}"] in lines


def test_an_infinite_kl_is_shown_as_such(tmp_path, tokens):
    infinite = {"kl_base_tuned": "inf"}
    document = replace(tokens, kl_base_tuned=None, n_infinite=7, infinite=infinite)
    out = io.StringIO()
    print_shift(document, Console(file=out, width=100))
    lines = [line.split() for line in out.getvalue().splitlines()]
    assert ["kl_base_tuned", "∞"] in lines
    assert "At n_infinite positions one model gives probability 0" in out.getvalue()
    write_tokens(tmp_path, document, base="b", tuned="t")
    page, _ = read(tmp_path / "report.html")
    assert "∞</td>" in page
    assert "n_infinite: 7. At n_infinite positions" in page


def test_tokens_are_coloured_by_js(tokens):
    views = passage_views(tokens.passages)
    assert [len(view.pieces) for view in views] == [30] * 5
    for view, passage in zip(views, tokens.passages, strict=True):
        for piece, (_, js) in zip(view.pieces, passage.tokens, strict=True):
            assert piece.level == (js >= 0.01) + (js >= 0.03) + (js >= 0.1) + (js >= 0.2) + (
                js >= 0.4
            )


def test_the_hidden_page(tmp_path):
    rng = np.random.default_rng(0)
    base, tuned = rng.normal(size=(2, 3, 7, 5))
    measured = measure_parts(Features(np.arange(7), base, tuned), LABELS)
    shift = replace(measured, n_skipped=2)
    written = write_hidden(tmp_path, shift, base="b", tuned="t")
    assert [path.name for path in written] == ["shift.json", "report.html"]
    page, _ = read(tmp_path / "report.html")
    specs = re.findall(r'<script type="application/json"[^>]*>(.*?)</script>', page, re.S)
    scatter = json.loads(specs[1])
    values = scatter["layer"][-1]["data"]["values"]
    assert [(v["x"], v["y"]) for v in values if v["model"] == "all texts"] == [
        (layer.dm1, layer.dm2) for layer in shift.layers
    ]
    assert len({v["model"] for v in values}) == 2  # all texts, and the one group with three
    layers = [(row["model"], row["x"], row["y"]) for row in drawn(page, "layers")]
    assert layers == [
        (label, layer.layer, math.hypot(layer.dm1, layer.dm2))
        for label, part in (("all texts", shift), ("math", shift.groups["math"]))
        for layer in part.layers
    ]
    assert "moved along the base&#39;s two principal axes" in page
    (folded,) = re.findall(r'<details class="fold">(.*?)</details>', page, re.S)
    assert "<summary>Layer by layer, math</summary>" in folded
    for layer in shift.groups["math"].layers:
        assert f">{layer.rel_l2:.3f}</td>" in folded
    assert "Layers averaged in the distances" not in page
    assert "By benchmark" in page
    assert "Empty texts skipped: 2." in page
    assert shift.n_skipped == 2


def test_what_is_undefined_is_told_with_its_reason(tmp_path):
    base = np.ones((2, 7, 5))
    tuned = np.random.default_rng(0).normal(size=(2, 7, 5))
    shift = measure_parts(Features(np.arange(7), base, tuned), LABELS)
    write_hidden(tmp_path, shift, base="b", tuned="t")
    page, tags = read(tmp_path / "report.html")
    told = "are undefined: the base&#39;s states are the same for all texts, so there is no axis"
    assert f"Distances of all texts, math {told}" in page
    assert tags.scripts == [None, None]  # nothing to draw
    assert json.loads((tmp_path / "shift.json").read_text())["d_paper"] is None
    out = io.StringIO()
    print_shift(shift, Console(file=out, width=100))
    lines = [line.split() for line in out.getvalue().splitlines()]
    for key in ("d_layerwise", "d_paper", "d_paper_max"):
        assert [key, "undefined"] in lines
    assert "undefined: the base's states are the same" in out.getvalue()


def test_a_layer_without_an_axis_is_not_drawn(tmp_path):
    base, tuned = np.random.default_rng(0).normal(size=(2, 3, 7, 5))
    base[0] = 1.0
    shift = measure_parts(Features(np.arange(7), base, tuned), Labels())
    assert shift.n_layers_averaged == 2
    write_hidden(tmp_path, shift, base="b", tuned="t")
    page, _ = read(tmp_path / "report.html")
    assert [row["x"] for row in drawn(page, "layers")] == [1, 2]
    assert [row["label"] for row in drawn(page, "pca")] == ["layer 1", "layer 2"]
    assert "Layers averaged in the distances: all texts 2 of 3." in page
    out = io.StringIO()
    print_shift(shift, Console(file=out, width=100))
    assert "Distances are means over 2 of 3 layers." in out.getvalue()
    assert ["0", "n/a", "n/a", "n/a"] in [line.split()[:4] for line in out.getvalue().splitlines()]


def test_the_cloud_is_the_same_every_time():
    entries = [
        ShiftedToken(" so", 4, 1.0, "logical"),
        ShiftedToken("apple", 2, 1.0, "content"),
    ]
    picture = word_cloud(entries)
    assert picture[:8] == b"\x89PNG\r\n\x1a\n"
    assert picture == word_cloud(entries)
    assert word_cloud([]) is None
