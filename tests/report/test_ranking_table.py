"""What a ranking prints."""

import io
from dataclasses import replace
from math import nan

from rich.console import Console

from transferscope.compare.router import FOLDS
from transferscope.core.attribution import Attribution, because
from transferscope.documents.ranking import (
    Contrast,
    ContrastPoint,
    Placement,
    PublishedContrast,
    RankedModel,
    Ranking,
    Router,
)
from transferscope.report.ranking_table import FEWEST, print_ranking, sentences


def ranking(router: Router | None) -> Ranking:
    place = Placement(3, 7, 19, (PublishedContrast("theirs", "RL", 1.5, -2.0),))
    unknown = (nan, nan)
    first = RankedModel("a" * 90, 5, (1, 9), -1, (-1.5, 0.5), "kept", "non", True, 12, place)
    second = RankedModel("[red]b", None, unknown, None, unknown, "open", "", False, None, None)
    contrast = Contrast(
        first.model,
        second.model,
        ContrastPoint(4, (-1, 9), 0.2, 0.2),
        ContrastPoint(3, (1, 5), 0.01, 0.01),
    )
    return Ranking(
        base="smollm2-135m",
        suite="mini",
        source="math",
        allowed_loss=2.0,
        order=(first, second),
        contrasts=(contrast,),
        router=router,
        base_tokens=None,
        differences=("b: limit max_tokens 256 against 320",),
    )


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
    assert "rank 3 of 19 by gain, rank 7 of 19 by retention" in text
    assert "Compared with theirs (RL, same base): gain +1.5, retention −2.0, no interval." in text
    assert "61.0 %, against 58.0 %" in text
    assert "+3.0 points (1.0 to 5.0): a router would gain. Left out: left." in text
    assert "Tokens per answer" in text


def test_a_model_is_open_because_of_what_nobody_judged() -> None:
    plain = ranking(None)
    names = {"not_judged": ("BoolQ", "TriviaQA"), "incomparable": ("chains",)}
    kept = replace(plain.order[0], model="a", kept="open", worst="", **names)
    missed = (
        "BoolQ and TriviaQA are not judged (in both inputs, but in no group; see --map); chains is "
        "not judged (in both inputs, but not comparable)"
    )
    assert f"a: open, because {missed}." in sentences(replace(plain, order=(kept,)))
    lost = replace(kept, kept="lost", worst="non")
    said = sentences(replace(plain, order=(lost,)))
    assert f"a: lost on non-reasoning; {missed}." in said
    assert not any(text.startswith("a: ") for text in sentences(plain))


def test_what_only_the_base_has_is_named_and_the_runs_differences_lead() -> None:
    plain = ranking(None)
    kept = replace(plain.order[0], model="a", kept="open", worst="", missing=("drop",))
    assert "a: open, because drop is not judged (only in the base)." in sentences(
        replace(plain, order=(kept,))
    )
    assert "Not like for like" in printed(None).split("What they kept")[0]


def test_a_loss_is_told_with_what_made_it() -> None:
    plain = ranking(None)
    cut = Attribution(-20.0, -18.0, {"empty": -18.0}, 30, 80, clean_p=0.5, standing="loss")
    lost = replace(plain.order[0], model="b", kept="lost", because=because(cut))
    assert (
        "b: lost on non-reasoning (20.0 points lost, 18.0 of them in answers that "
        "were empty and 2.0 in clean answers; on clean answers alone no loss is established)."
    ) in sentences(replace(plain, order=(lost,)))


def test_no_router_is_said() -> None:
    text = " ".join(printed(None).split())
    assert "item-level answers of all models and at least 5 independent items." in text
    assert FEWEST == FOLDS
