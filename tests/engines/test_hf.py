import pytest
import torch
from transformers import GenerationConfig

from transferscope.core.errors import InputError
from transferscope.core.records import Decoding
from transferscope.engines import HFEngine

PROMPTS = ["w1 w2 w3", "w4", "w5 w6 w7 w8 w9 w10 w11", "w12 w13", "w1 w1 w1 w1 w1"]


@pytest.fixture
def engine(tiny_model, tiny_tokenizer):
    return HFEngine.from_loaded(tiny_model, tiny_tokenizer, name="tiny")


def greedy_by_hand(engine, prompt, steps):
    """One forward pass per token, no cache, no padding."""
    ids = engine.encode(prompt)
    written = []
    for _ in range(steps):
        with torch.no_grad():
            token = int(engine.model(torch.tensor([ids])).logits[0, -1].argmax())
        if token == 1:
            return written, "stop"
        ids, written = [*ids, token], [*written, token]
    return written, "length"


@pytest.mark.parametrize("limits", [(64, 16_384), (1, 16_384), (3, 16_384), (64, 40)])
def test_batches_equal_a_loop_without_padding(tiny_model, tiny_tokenizer, limits):
    engine = HFEngine.from_loaded(
        tiny_model, tiny_tokenizer, name="tiny", batch_size=limits[0], token_budget=limits[1]
    )
    ticks = []
    answers = engine.generate(
        PROMPTS, Decoding(max_tokens=12), tick=lambda *args: ticks.append(args)
    )
    for prompt, answer in zip(PROMPTS, answers, strict=True):
        written, finish = greedy_by_hand(engine, prompt, 12)
        assert answer.text == tiny_tokenizer.decode(written)
        assert (answer.tokens, answer.finish) == (len(written), finish)
    assert ticks[-1] == ("generate", 5, 5)


def biased_to(model, token):
    """The model now writes ``token`` whatever it reads."""
    with torch.no_grad():
        model.model.norm.weight.zero_()
    head = model.lm_head
    model.lm_head = torch.nn.Linear(head.in_features, head.out_features)
    with torch.no_grad():
        model.lm_head.bias.zero_()
        model.lm_head.bias[token] = 9.0


def test_the_end_token_is_a_stop_and_not_counted(engine):
    biased_to(engine.model, 1)
    (answer,) = engine.generate(["w1"], Decoding(max_tokens=5))
    assert (answer.text, answer.tokens, answer.finish) == ("", 0, "stop")


def test_the_token_limit_is_a_length(engine):
    biased_to(engine.model, 7)
    (answer,) = engine.generate(["w1"], Decoding(max_tokens=3))
    assert (answer.text, answer.tokens, answer.finish) == ("w4 w4 w4", 3, "length")


def test_a_stop_string_ends_its_row_only(engine, tiny_tokenizer):
    plain = engine.generate(PROMPTS, Decoding(max_tokens=12))
    words = plain[0].text.split()
    stop = next(word for word in words[1:] if word != words[0])
    at = words.index(stop)
    stopped = engine.generate(PROMPTS, Decoding(max_tokens=12, stop=(f" {stop}",)))
    assert stopped[0].text == " ".join(words[:at])
    assert (stopped[0].tokens, stopped[0].finish) == (at + 1, "stop_string")
    for before, after in zip(plain, stopped, strict=True):
        if f" {stop}" not in before.text:
            assert after == before


def test_a_stop_string_may_straddle_tokens(engine):
    biased_to(engine.model, 7)
    (answer,) = engine.generate(["w1"], Decoding(max_tokens=9, stop=("4 w4 w",)))
    assert (answer.text, answer.tokens, answer.finish) == ("w", 3, "stop_string")


def test_a_padding_that_is_the_end_token(engine):
    """Then a padded row must not look ended earlier than it was."""
    engine.pad_id = 1
    for prompt, answer in zip(
        PROMPTS, engine.generate(PROMPTS, Decoding(max_tokens=12)), strict=True
    ):
        assert answer.tokens == len(greedy_by_hand(engine, prompt, 12)[0])


def test_the_authors_decoding_defaults_do_not_leak(engine):
    before = engine.generate(PROMPTS, Decoding(max_tokens=8))
    defaults = GenerationConfig(
        eos_token_id=1, repetition_penalty=50.0, do_sample=True, top_k=1, max_length=4
    )
    engine.model.generation_config = defaults
    assert engine.generate(PROMPTS, Decoding(max_tokens=8)) == before
    assert engine.model.generation_config is defaults


def test_sampling_follows_its_seed_and_leaves_the_global_generator(engine):
    state = torch.random.get_rng_state()
    hot = {"temperature": 2.0, "max_tokens": 12}
    one = engine.generate(["w1"] * 4, Decoding(seed=1, **hot))
    assert one == engine.generate(["w1"] * 4, Decoding(seed=1, **hot))
    assert one != engine.generate(["w1"] * 4, Decoding(seed=2, **hot))
    assert len({answer.text for answer in one}) > 1  # repeats of a prompt are drawn apart
    assert torch.equal(state, torch.random.get_rng_state())


def test_a_sample_does_not_depend_on_what_is_asked_beside_it(engine):
    hot = Decoding(temperature=1.0, top_p=0.9, max_tokens=12, seed=3)
    prompts, nth = [*PROMPTS, *PROMPTS], [n for n in (5, 11) for _ in PROMPTS]
    whole = dict(engine.generate_each(prompts, hot, nth=nth))
    assert len({answer.text for answer in whole.values()}) > len(PROMPTS)
    engine.batch_size = 3
    chosen = list(range(len(prompts)))[::-2]
    parts = engine.generate_each([prompts[i] for i in chosen], hot, nth=[nth[i] for i in chosen])
    for at, answer in parts:
        assert answer == whole[chosen[at]]


def test_a_consumer_of_answers_is_not_in_evaluation_mode(engine):
    engine.model.train()
    for _ in engine.generate_each(PROMPTS, Decoding(max_tokens=2), nth=[0] * len(PROMPTS)):
        assert engine.model.training
        assert torch.is_grad_enabled()
    engine.model.eval()


def test_top_p_keeps_the_likeliest(engine):
    cold = engine.generate(PROMPTS, Decoding(max_tokens=6))
    assert engine.generate(PROMPTS, Decoding(1.0, top_p=1e-6, max_tokens=6)) == cold


def test_prompts_are_never_cut(engine):
    with pytest.raises(
        InputError, match="60 tokens and an answer of 5 exceed the model's context length of 64"
    ):
        engine.generate([" ".join(["w1"] * 60)], Decoding(max_tokens=5))
    engine.generate([" ".join(["w1"] * 60)], Decoding(max_tokens=4))
    with pytest.raises(InputError, match="65 tokens exceeds the model"):
        engine.loglikelihoods([(" ".join(["w1"] * 60), " w1 w1 w1 w1 w1")])


PAIRS = [
    ("w1 w2", " w3"),
    ("w1 w2", " w4 w5"),
    ("w9", " w9"),
    ("w1 w2 w3 w4", " w5"),
    ("w9 ", "w8 w7 w6 w5 w4 w3"),
    ("w1 w2", " w9"),
]


def test_loglikelihoods_equal_a_hand_computation(engine):
    expected = []
    for prompt, continuation in PAIRS:
        context, whole = engine.encode(prompt), engine.encode(prompt + continuation)
        with torch.no_grad():
            logp = engine.model(torch.tensor([whole])).logits[0].double().log_softmax(-1)
        expected.append(sum(float(logp[i - 1, whole[i]]) for i in range(len(context), len(whole))))
    assert engine.loglikelihoods(PAIRS) == pytest.approx(expected, abs=1e-5)
    engine.batch_size = 1
    assert engine.loglikelihoods(PAIRS) == pytest.approx(expected, abs=1e-5)
    engine.batch_size, engine.token_budget = 64, 9
    assert engine.loglikelihoods(PAIRS) == pytest.approx(expected, abs=1e-5)
    assert engine.loglikelihoods([]) == []


def test_bf16_heads_are_computed_in_float32(engine):
    exact = engine.loglikelihoods(PAIRS)
    engine.model.to(torch.bfloat16)
    with torch.no_grad():
        ids = torch.tensor([engine.encode("w1 w2")])
        hidden = engine.model.model(ids).last_hidden_state[0, -1].float()
        logp = (hidden @ engine.model.lm_head.weight.float().T).log_softmax(-1)
    rounded = engine.loglikelihoods(PAIRS)
    assert rounded[0] == pytest.approx(float(logp[engine.encode("w3")[0]]), abs=1e-5)
    assert rounded == pytest.approx(exact, abs=0.2)
    assert engine.model(ids).logits.dtype == torch.bfloat16  # the hook is gone


def test_training_goes_on_where_it_was(engine):
    engine.model.train()
    engine.generate(PROMPTS[:2], Decoding(max_tokens=2))
    engine.loglikelihoods(PAIRS[:1])
    assert engine.model.training
    loss = engine.model(torch.tensor([[3, 4, 5]]), labels=torch.tensor([[3, 4, 5]])).loss
    loss.backward()
    assert engine.model.lm_head.weight.grad is not None


TEMPLATE = (
    "{% for m in messages %}{{ m['role'] }} {{ m['content'] }} <end> {% endfor %}"
    "{% if add_generation_prompt %}assistant {% endif %}"
)


def test_render_with_and_without_a_template(engine, monkeypatch):
    ask = [{"role": "system", "content": "w1"}, {"role": "user", "content": "w2"}]
    assert engine.render(ask) == "w1\n\nw2"
    assert engine.describe()["template"] == "none"
    monkeypatch.setattr(engine.tokenizer, "chat_template", TEMPLATE)
    assert engine.render(ask) == "system w1 <end> user w2 <end> assistant "
    begun = [*ask, {"role": "assistant", "content": "w3"}]
    assert engine.render(begun) == "system w1 <end> user w2 <end> assistant w3"
    assert len(engine.describe()["template"]) == 16


def test_describe(engine):
    about = engine.describe()
    assert (about["engine"], about["dtype"], about["device"]) == ("hf", "float32", "cpu")
    assert set(about["versions"]) == {"torch", "transformers"}
