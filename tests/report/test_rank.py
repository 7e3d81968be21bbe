"""What a ranking prints."""

import io

from rich.console import Console

from transferscope.compare.placement import Placement, PublishedContrast
from transferscope.compare.rank import Contrast, RankedModel, Ranking
from transferscope.compare.result import PlanePoint
from transferscope.compare.router import Router
from transferscope.report.rank import print_ranking

from .sample import comparison


def ranking(router: Router | None) -> Ranking:
    place = Placement(3, 7, 19, (PublishedContrast("theirs", "RL", 1.5, -2.0),))
    first = RankedModel(
        "a" * 90, PlanePoint(5, (1, 9)), PlanePoint(-1, (-1.5, 0.5)), "kept", "non", True, 12, place
    )
    second = RankedModel("[red]b", None, None, "open", "", False, None, None)
    contrast = Contrast(
        first.model,
        second.model,
        PlanePoint(4, (-1, 9), 0.2, 0.2),
        PlanePoint(3, (1, 5), 0.01, 0.01),
    )
    return Ranking(comparison(), 2.0, (first, second), (contrast,), router, None)


def printed(router: Router | None) -> str:
    out = io.StringIO()
    print_ranking(ranking(router), Console(file=out, width=80))
    text = out.getvalue()
    assert max(map(len, text.splitlines())) <= 80
    return " ".join(text.split())


def test_order_contrast_place_and_router_in_words() -> None:
    text = printed(Router(61.0, 58.0, 3.0, (1.0, 5.0), {}, {}, 5, ("left",)))
    assert "[red]b" in text  # a name, no markup
    assert "gain +4.0 (−1.0 to 9.0, no difference established); retention +3.0 (1.0 to 5.0)" in text
    assert "3 of 19 by gain, 7 of 19 by retention" in text
    assert "Against theirs (RL, same base): gain +1.5, retention −2.0, no interval." in text
    assert "61.0 % against 58.0 %" in text
    assert "+3.0 (1.0 to 5.0): a router would gain. Without left." in text
    assert "Tokens an answer" in text


def test_no_router_is_said() -> None:
    assert "Router: not estimated" in printed(None)
