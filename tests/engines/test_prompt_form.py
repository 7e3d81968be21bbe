"""Prompts with and without the chat template, and with thinking switched."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from transferscope.cli import main
from transferscope.compare import compare_runs
from transferscope.core.errors import InputError
from transferscope.core.records import Decoding, ModelRef
from transferscope.engines import HFEngine, OpenAIEngine, ServerOptions
from transferscope.engines.prompt_form import AS_USUAL, PromptForm
from transferscope.engines.rendering import rendered
from transferscope.grade.choice import letter, names_only
from transferscope.grade.maths import is_correct
from transferscope.grade.qa import f1
from transferscope.runs import read_run

from ..conftest import CHATML, byte_tokenizer, tiny_llama
from .serving import completion, serving

ASKED = [{"role": "system", "content": "w1"}, {"role": "user", "content": "w2"}]
PLAIN = PromptForm(template=False)
ON, OFF = PromptForm(thinking=True), PromptForm(thinking=False)
SWITCHED = (
    CHATML + "{% if enable_thinking is defined and not enable_thinking %}<think></think>{% endif %}"
)
SUITE = """name = "small"
source = "math"
scale = "unit"
[groups]
math = ["chains"]
[benchmarks.chains]
pack = "mini"
metric = "accuracy"
chance = 0.0
"""
GRANITE = CHATML + "{%- if thinking %}Think.{% endif %}"


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random Llama that reads any text byte by byte."""
    path = tmp_path_factory.mktemp("models") / "tiny"
    tokenizer = byte_tokenizer()
    tiny_llama(0, len(tokenizer), bos_token_id=1, eos_token_id=2).save_pretrained(path)
    tokenizer.save_pretrained(path)
    return path


def test_words_of_the_command_line() -> None:
    assert PromptForm.parse("on", "default") == AS_USUAL
    assert PromptForm.parse("off", "default") == PLAIN
    assert PromptForm.parse("on", "off") == OFF
    for words, told in {
        ("no", "on"): "--template: is 'no'; use on or off",
        ("on", "no"): "--thinking: is 'no'; use default, on or off",
        ("off", "on"): "switched by the chat template, which is off",
    }.items():
        with pytest.raises(InputError, match=told):
            PromptForm.parse(*words)


def test_what_is_recorded_leaves_out_defaults() -> None:
    assert AS_USUAL.described() == {}
    assert PLAIN.described() == {"chat_template": "off"}
    assert ON.described() == {"thinking": "on"}
    assert OFF.described() == {"thinking": "off"}


def test_without_a_template_the_contents_are_joined(tiny_tokenizer: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(tiny_tokenizer, "chat_template", SWITCHED)
    assert rendered(tiny_tokenizer, ASKED, PLAIN) == "w1\n\nw2"
    assert rendered(tiny_tokenizer, ASKED).startswith("<|im_start|>system")


@pytest.mark.parametrize(
    ("template", "form", "end"),
    [
        (SWITCHED, AS_USUAL, "assistant\n"),
        (SWITCHED, ON, "assistant\n"),
        (SWITCHED, OFF, "<think></think>"),
        (GRANITE, ON, "Think."),
        (GRANITE, OFF, "assistant\n"),
    ],
)
def test_thinking_is_switched(
    template: str, form: PromptForm, end: str, tiny_tokenizer: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(tiny_tokenizer, "chat_template", template)
    assert rendered(tiny_tokenizer, ASKED, form).endswith(end)


@pytest.mark.parametrize(
    "template",
    [
        CHATML,
        CHATML + "{{ '<thinking>' }}",
        CHATML + "{% if messages[0].thinking %}x{% endif %}",
        None,
    ],
)
def test_a_template_that_would_ignore_the_switch_is_refused(
    template: str | None, tiny_tokenizer: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(tiny_tokenizer, "chat_template", template)
    with pytest.raises(InputError, match="so thinking can't be switched off; leave out --thinking"):
        rendered(tiny_tokenizer, ASKED, OFF)


def test_a_broken_template_is_reported_as_such(tiny_tokenizer: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(tiny_tokenizer, "chat_template", "{% for thinking")
    with pytest.raises(InputError, match="can't render messages of system, user"):
        rendered(tiny_tokenizer, ASKED, OFF)


def test_a_server_is_told_by_fields_of_the_request(folder: Path) -> None:
    with serving(lambda *_: completion("so")) as server:
        options = ServerOptions(server.base_url)
        for form in (AS_USUAL, OFF, PLAIN):
            engine = OpenAIEngine("m", options, form=form)
            engine.generate([engine.render(ASKED)], Decoding())
        own = ServerOptions(server.base_url, tokenizer=str(folder))
        local = OpenAIEngine("m", own, form=PLAIN)
        local.generate([local.render(ASKED)], Decoding())
        abouts = [OpenAIEngine("m", options, form=form).describe() for form in (OFF, PLAIN)]
    usual, off, plain, ids = server.payloads
    assert "chat_template_kwargs" not in usual
    assert off["chat_template_kwargs"] == {"enable_thinking": False, "thinking": False}
    assert (plain["prompt"], "messages" in plain) == ("w1\n\nw2", False)
    assert ids["prompt"] == HFEngine(str(folder), dtype="float32").encode("w1\n\nw2")
    assert [path for path, _, payload in server.asked if payload] == [
        "/v1/chat/completions",
        "/v1/chat/completions",
        "/v1/completions",
        "/v1/completions",
    ]
    assert [(about["template"], about.get("thinking")) for about in abouts] == [
        ("server", "off"),
        ("off", None),
    ]


def test_runs_of_two_forms_differ_and_are_not_mixed(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    suite = tmp_path / "small.toml"
    suite.write_text(SUITE)
    command = ["eval", str(folder), "--suite", str(suite), "--limit", "2", "--dtype", "float32"]

    def run(*options: str) -> int:
        try:
            main([*command, *options])
        except SystemExit as stop:
            return int(stop.code or 0)
        return 0

    for form in ("on", "off"):
        assert run("--template", form, "--out", str(tmp_path / form)) == 0
    on, off = (read_run(tmp_path / form) for form in ("on", "off"))
    assert (off.manifest.template, off.manifest.engine["chat_template"]) == ("off", "off")
    assert "chat_template" not in on.manifest.engine
    assert all("<|im_start|>" not in asked.prompt for asked in off.responses("chains").values())
    capsys.readouterr()
    assert run("--template", "on", "--out", str(tmp_path / "off")) == 2
    assert "a different use of the chat template: it has off" in capsys.readouterr().err
    assert run("--thinking", "off", "--out", str(tmp_path / "new")) == 2
    assert "so thinking can't be switched off" in capsys.readouterr().err
    other = replace(off, manifest=replace(off.manifest, model=ModelRef("other")))
    noted = compare_runs(on, [other], replicates=200).differences
    assert any("engine chat_template: None / off" in note for note in noted)


THOUGHT = "<think>Is it 3, B, a dog or no? It may be.</think>"


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        (is_correct(f"{THOUGHT}It is 4.", "4"), is_correct(f"{THOUGHT}It is 4.", "3")),
        (letter(f"{THOUGHT}C", 4) == "C", letter(f"{THOUGHT}", 4) == "B"),
        (names_only(f"{THOUGHT}The cat.", "cat", ["dog"]), names_only(THOUGHT, "dog")),
        (f1(f"{THOUGHT}cat", "cat") == 1.0, f1(f"{THOUGHT}cat", "dog") > 0.0),
    ],
)
def test_no_grader_reads_what_was_only_thought(right: Any, wrong: Any) -> None:
    assert right
    assert not wrong
