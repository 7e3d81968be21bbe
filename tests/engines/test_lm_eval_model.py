import pytest

from transferscope.core.errors import InputError
from transferscope.core.records import Decoding
from transferscope.engines import FakeEngine
from transferscope.engines.lm_eval_model import EngineLM, decoding_of


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"max_gen_toks": 9}, Decoding(max_tokens=9, seed=5)),
        (
            {"do_sample": False, "temperature": 0.6, "max_gen_toks": 9, "until": "\n"},
            Decoding(max_tokens=9, stop=("\n",), seed=5),
        ),
        (
            {"temperature": 0.6, "top_p": 0.95, "max_new_tokens": 9, "until": ["a", "b"]},
            Decoding(0.6, 0.95, 9, ("a", "b"), 5),
        ),
        ({"do_sample": True, "max_tokens": 9, "until": None}, Decoding(1.0, 1.0, 9, (), 5)),
        ({"do_sample": False, "until": []}, Decoding(max_tokens=256, seed=5)),  # lm-eval's own
    ],
)
def test_decoding_of(settings, expected):
    assert decoding_of(settings, seed=5, place="x") == expected


def test_settings_that_are_refused():
    with pytest.raises(InputError, match="x: states two token limits"):
        decoding_of({"max_gen_toks": 1, "max_tokens": 2}, seed=0, place="x")
    with pytest.raises(InputError, match="'top_k' is not supported"):
        decoding_of({"max_gen_toks": 1, "top_k": 3}, seed=0, place="x")
    with pytest.raises(InputError, match="rolling"):
        EngineLM(FakeEngine({}), benchmark="x", documents={}).loglikelihood_rolling([])
