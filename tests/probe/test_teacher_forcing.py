"""What is forced: prompts as an engine gives them, responses as they follow them."""

import pytest
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast

from transferscope.engines import HFEngine
from transferscope.probe.teacher_forcing import continuation_ids, teacher_forced

from ..conftest import byte_tokenizer, tiny_llama

TEMPLATE = (
    "{% for m in messages %}[{{ m['role'] }}]{{ m['content'] }}"
    "{% if not (loop.last and continue_final_message) %}[end]{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}[assistant]{% endif %}"
)
ASKED = [{"role": "system", "content": "brief"}, {"role": "user", "content": "2+2?"}]
BEGUN = [*ASKED, {"role": "assistant", "content": "It is"}]


def metaspace(style):
    """Llama 2's ways to begin a text with a space: by a normaliser, or by a pre-tokeniser."""
    pieces = [
        "<unk>",
        "<s>",
        "▁",
        "4",
        "▁4",
        "=",
        ")",
        "a",
        "▁a",
        "b",
        "ab",
        "▁ab",
        ")b",
        ")=",
        "\n",
    ]
    if style == "no newline":
        pieces.remove("\n")
    vocab = {piece: i for i, piece in enumerate(pieces)}
    merges = [("▁", "4"), ("a", "b"), ("▁", "ab"), ("▁", "a"), (")", "b"), (")", "=")]
    raw = Tokenizer(models.BPE(vocab, merges, unk_token="<unk>", fuse_unk=True))
    if style == "normaliser":
        spaces = [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
        raw.normalizer = normalizers.Sequence(spaces)
    else:
        raw.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first", split=False)
    raw.decoder = decoders.Metaspace()
    return PreTrainedTokenizerFast(tokenizer_object=raw, unk_token="<unk>", bos_token="<s>")


@pytest.mark.parametrize("style", ["normaliser", "pre-tokeniser", "no newline"])
@pytest.mark.parametrize(
    ("response", "pieces"),
    [
        ("4", ["4"]),
        (" 4", ["▁4"]),
        ("ab 4", ["ab", "▁4"]),
        ("=4", ["=", "4"]),  # runs together with the anchor ")"
        ("", []),
    ],
)
def test_no_space_is_put_before_a_response(style, response, pieces):
    tokenizer = metaspace(style)
    assert tokenizer.tokenize("4") == ["▁4"]  # what standing alone would give
    found = continuation_ids(tokenizer, response)
    assert tokenizer.convert_ids_to_tokens(found) == pieces
    (forced,) = teacher_forced(tokenizer, tokenizer, [("a=", response or "4")], own_template=True)
    head = tokenizer.convert_ids_to_tokens(forced.ids[: -forced.n_response])
    assert head == ["▁a", "="]  # a prompt begins the text and keeps its space


def test_a_response_that_runs_together_with_every_anchor_stands_alone():
    tokenizer = metaspace("no newline")
    assert tokenizer.convert_ids_to_tokens(continuation_ids(tokenizer, "b")) == ["▁", "b"]


@pytest.mark.parametrize("text", ["4", " 4", "\n4", "ab", "\n\n", "né", ")"])
def test_tokenizers_that_add_nothing_are_as_they_were(text):
    tokenizer = byte_tokenizer()
    assert continuation_ids(tokenizer, text) == tokenizer(text)["input_ids"]


@pytest.fixture(params=["template", "carries start", "none"])
def starting(request):
    """A tokenizer that begins every text with its start token."""
    tokenizer = byte_tokenizer()
    start = tokenizer.bos_token
    tokenizer.backend_tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{start} $A", special_tokens=[(start, tokenizer.bos_token_id)]
    )
    templates = {"template": TEMPLATE, "carries start": start + TEMPLATE, "none": None}
    tokenizer.chat_template = templates[request.param]
    return tokenizer


@pytest.mark.parametrize("messages", [ASKED, BEGUN], ids=["asked", "begun"])
def test_messages_reach_both_as_they_reach_an_evaluated_model(starting, messages):
    engine = HFEngine.from_loaded(tiny_llama(0, len(starting)), starting, name="m")
    seen = engine.encode(engine.render(messages))
    (found,) = teacher_forced(starting, starting, [(messages, " 4")], own_template=False)
    assert found.ids == seen + starting(" 4", add_special_tokens=False)["input_ids"]
    as_text = [(engine.render(messages), " 4")]
    assert teacher_forced(starting, starting, as_text, own_template=False) == [found]


def test_a_string_is_taken_verbatim():
    tokenizer = byte_tokenizer()
    (found,) = teacher_forced(tokenizer, tokenizer, [(" 2+2 = ", " 4 ")], own_template=False)
    assert tokenizer.decode(found.ids) == " 2+2 =  4 "


def test_ids_are_forced_where_they_spell_the_response():
    tokenizer = metaspace("pre-tokeniser")
    a, b, whole = tokenizer.convert_tokens_to_ids(["a", "b", "ab"])
    # The model wrote "ab" in two pieces, and an end token that the text doesn't show.
    rows = [("a", "ab"), ("a", "ab", (a, b)), ("a", "ab", (whole, 1)), ("a", "ab", (a,))]
    found = teacher_forced(tokenizer, tokenizer, rows, own_template=True)
    tails = [row.ids[-row.n_response :] for row in found]
    assert tails == [[whole], [a, b], [whole, 1], [whole]]  # the last ones spell "a"
    foreign = teacher_forced(tokenizer, tokenizer, [("a", "ab", (10**6,))], own_template=True)
    assert foreign[0].ids[-1] == whole
