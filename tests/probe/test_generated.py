"""The model of the prefix answers: greedily, once, and for all shards alike."""

import json

import pytest

from transferscope.core.errors import InputError
from transferscope.core.labels import Labels
from transferscope.models import load_model, load_tokenizer
from transferscope.probe import generated
from transferscope.probe.generated import generate_responses, kept_responses
from transferscope.probe.texts import ResponseRow, Responses, open_responses
from transferscope.probe.tokens import token_positions

from .conftest import tiny_llama, word_tokenizer

CHAT = [{"role": "user", "content": "w5 w6"}]
PROMPTS = Responses(
    [ResponseRow("w1 w2", "an old answer"), ResponseRow("w3", ""), ResponseRow(CHAT, "")],
    Labels(("chains", "", "ordering"), {"chains": "math"}),
)


@pytest.fixture
def model(tmp_path):
    folder = tmp_path / "model"
    tiny_llama(0).save_pretrained(folder)
    word_tokenizer().save_pretrained(folder)
    return str(folder)


def by_hand(folder, prompt, max_tokens):
    """Greedy: the likeliest token, again and again, without a cache."""
    import torch

    words, model = word_tokenizer(), load_model(folder)
    ids = words(prompt)["input_ids"]
    start = len(ids)
    while len(ids) < start + max_tokens:
        with torch.inference_mode():
            ids.append(int(model(torch.tensor([ids])).logits[0, -1].argmax()))
        if ids[-1] == words.eos_token_id:
            break
    return words.decode(ids[start:], skip_special_tokens=True)


def test_answers_are_greedy_and_prompts_come_back_rendered(model):
    found = generate_responses(model, PROMPTS, max_tokens=5)
    prompts = ["w1 w2", "w3", "user w5 w6 w7"]
    assert [row.prompt for row in found.rows] == prompts
    assert [row.response.split() for row in found.rows] == [
        by_hand(model, prompt, 5).split() for prompt in prompts
    ]
    assert found.labels == PROMPTS.labels
    with pytest.raises(InputError, match="give 1 or more"):
        generate_responses(model, PROMPTS, max_tokens=0)


def test_the_probe_walks_along_the_ids_that_were_written(tiny_model, tmp_path):
    """A random model writes bytes that are no text: tokenised anew they would be other tokens."""
    name = str(tiny_model)
    prompts = Responses([ResponseRow(text, "") for text in ("2+2=", "a", "né")], Labels())
    found = kept_responses(tmp_path, name, prompts, max_tokens=8)
    tokenizer = load_tokenizer(name)
    anew = [tokenizer(row.response)["input_ids"] for row in found.rows]
    assert [list(row.ids) for row in found.rows] != anew
    positions = token_positions(name, name, found.rows, prefix="tuned")
    assert positions.token_N.tolist() == [token for row in found.rows for token in row.ids]
    assert set(positions.rank_tuned_N.tolist()) == {1}  # greedy: the likeliest at every place


def test_a_prompt_without_room_for_its_answer_is_named(tiny_model):
    prompts = Responses([ResponseRow("2+2=", ""), ResponseRow("a" * 2000, "")], Labels())
    told = (
        "prompt 2 has 2000 tokens; with an answer of 60 it exceeds .* 2048; lower --max-tokens, or"
    )
    with pytest.raises(InputError, match=told):
        generate_responses(str(tiny_model), prompts, max_tokens=60)


def test_kept_answers_are_drawn_once(model, tmp_path, monkeypatch):
    found = kept_responses(tmp_path / "out", model, PROMPTS, max_tokens=4)
    assert found == generate_responses(model, PROMPTS, max_tokens=4)
    monkeypatch.setattr(generated, "generate_responses", None)  # must not be called
    assert kept_responses(tmp_path / "out", model, PROMPTS, max_tokens=4) == found
    kept = tmp_path / "out" / "responses.jsonl"
    assert open_responses(kept) == found  # others may read them: --responses
    assert json.loads(kept.read_text().splitlines()[0]).items() >= {"group": "math"}.items()


def test_kept_answers_to_something_else_are_refused(model, tmp_path):
    kept_responses(tmp_path, model, PROMPTS, max_tokens=4)
    other = Responses(PROMPTS.rows[:2], Labels())
    message = r"responses\.jsonl: holds answers from another model, .*; name another --out"
    with pytest.raises(InputError, match=message):
        kept_responses(tmp_path, model, other, max_tokens=4)
    with pytest.raises(InputError, match=message):
        kept_responses(tmp_path, model, PROMPTS, max_tokens=5)
    tiny_llama(3).save_pretrained(model)
    with pytest.raises(InputError, match=message):
        kept_responses(tmp_path, model, PROMPTS, max_tokens=4)
