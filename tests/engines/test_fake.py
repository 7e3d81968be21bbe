import subprocess
import sys

from transferscope.core.records import Decoding, Generation
from transferscope.engines import FakeEngine

ASK = [{"role": "user", "content": "2+2?"}]


def test_answers_from_a_dict_and_from_a_callable():
    prompt = "user: 2+2?\nassistant:"
    engine = FakeEngine({prompt: "four"})
    assert engine.render(ASK) == prompt
    assert engine.render([*ASK, {"role": "assistant", "content": "It is"}]) == (
        "user: 2+2?\nassistant: It is"
    )
    assert engine.generate([prompt, "?"], Decoding()) == [
        Generation("four", 1, "stop"),
        Generation("", 0, "stop"),
    ]
    assert FakeEngine(str.upper).generate(["a b"], Decoding()) == [Generation("A B", 2, "stop")]


def test_limits_and_stop_strings():
    engine = FakeEngine(lambda prompt: "one two three\nfour")
    assert engine.generate(["?"], Decoding(max_tokens=2)) == [Generation("one two", 2, "length")]
    assert engine.generate(["?"], Decoding(stop=("\n", "three"))) == [
        Generation("one two ", 2, "stop_string")
    ]


def test_loglikelihoods():
    assert FakeEngine({}).loglikelihoods([("p", "ab"), ("p", "a")]) == [-2.0, -1.0]
    assert FakeEngine({}, lambda p, c: float(p == c)).loglikelihoods([("a", "a")]) == [1.0]


def test_it_needs_neither_torch_nor_lm_eval():
    code = (
        "import sys; from transferscope.engines import FakeEngine; FakeEngine({});"
        "print(*{'torch', 'transformers', 'lm_eval'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
