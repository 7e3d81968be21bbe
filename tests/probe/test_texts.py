import json

import pytest

from transferscope.core.errors import InputError
from transferscope.core.labels import Labels
from transferscope.core.records import ModelRef, Outcome, Response
from transferscope.core.suite import load_suite
from transferscope.probe.texts import (
    ResponseRow,
    Responses,
    Texts,
    open_prompts,
    open_responses,
    open_texts,
    read_responses,
    read_texts,
    run_responses,
)
from transferscope.runs import Manifest, RunWriter, read_run


def test_reads_what_is_there(tmp_path):
    file = tmp_path / "a.jsonl"
    file.write_text('{"text": "a\u2028b", "id": 1}\n\n{"text": "c"}', encoding="utf-8")
    assert read_texts(file) == Texts(["a\u2028b", "c"], Labels())
    file.write_text(
        '{"prompt": " p ", "response": ""}\n'
        '{"prompt": [{"role": "user", "content": "q"}], "response": "r"}\n'
    )
    rows = [ResponseRow(" p ", ""), ResponseRow([{"role": "user", "content": "q"}], "r")]
    assert read_responses(file) == Responses(rows, Labels())
    assert open_prompts(file).rows == [row._replace(response="") for row in rows]
    file.write_text('{"prompt": "p", "response": "r", "response_ids": [7, 0]}')
    assert read_responses(file).rows == [ResponseRow("p", "r", (7, 0))]


def test_hidden_reads_prompts_or_responses_of_lines(tmp_path):
    file = tmp_path / "a.jsonl"
    lines = [
        {"prompt": "p", "response": "r", "benchmark": "chains"},
        {"prompt": [{"role": "user", "content": "q"}], "response": " "},
        {"text": "t", "prompt": "", "response": "s", "benchmark": "ordering"},
    ]
    file.write_text("\n".join(map(json.dumps, lines)))

    def render(messages):
        return f"<{messages[0]['role']}>{messages[0]['content']}"

    names = Labels(("chains", "", "ordering"))
    assert open_texts(file, render=render) == Texts(["p", "<user>q", "t"], names)
    part = open_texts(file, part="prompt", render=render)
    assert part == Texts(["p", "<user>q"], Labels(("chains", "")), n_skipped=1)
    found = open_texts(file, part="response")
    assert found == Texts(["r", "s"], Labels(("chains", "ordering")), n_skipped=1)
    with pytest.raises(
        InputError,
        match=r"a\.jsonl:2: 'prompt' holds messages, which can't be rendered here; give the pr",
    ):
        open_texts(file)
    file.write_text('{"text": "t"}')
    with pytest.raises(InputError, match=r"a\.jsonl:1: no field 'response'"):
        open_texts(file, part="response")


def test_labels_of_lines(tmp_path):
    file = tmp_path / "a.jsonl"
    lines = [
        {"text": "1", "benchmark": "chains", "group": "math"},
        {"text": "2"},
        {"text": "3", "group": "law"},
    ]
    file.write_text("\n".join(map(json.dumps, lines)))
    found = read_texts(file)
    assert found.labels == Labels(("chains", "", "law"), {"chains": "math", "law": "law"})
    file.write_text("\n".join(map(json.dumps, [*lines, lines[0] | {"group": "other"}])))
    message = r"a\.jsonl:4: benchmark 'chains' is in group 'other' here and 'math' above"
    with pytest.raises(InputError, match=message):
        read_texts(file)


@pytest.mark.parametrize(
    ("content", "reader", "message"),
    [
        ("", read_texts, r"a\.jsonl: contains no rows"),
        ('{"text": "a"}\n{oops\n', read_texts, r"a\.jsonl:2: not valid JSON"),
        ("[1]\n", read_texts, r"a\.jsonl:1: not a JSON object"),
        ('{"txt": "a"}', read_texts, r"a\.jsonl:1: no field 'text'"),
        ('{"text": 3}', read_texts, r"a\.jsonl:1: 'text' is not a string"),
        ('{"text": " "}', read_texts, r"a\.jsonl:1: 'text' is empty"),
        ('{"prompt": "a"}', read_responses, r"a\.jsonl:1: no field 'response'"),
        ('{"prompt": [], "response": "a"}', read_responses, "'prompt' is not a list of messages"),
        ('{"prompt": ["a"], "response": "a"}', read_responses, "not a list of messages"),
        *(
            (
                f'{{"prompt": "a", "response": "a", "response_ids": {ids}}}',
                read_responses,
                r"a\.jsonl:1: 'response_ids' is not a list of token ids; remove the field",
            )
            for ids in ('"7"', "[-1]", "[1.5]", "[true]", "[99999999999]")
        ),
    ],
)
def test_names_file_and_line(tmp_path, content, reader, message):
    file = tmp_path / "a.jsonl"
    file.write_text(content)
    with pytest.raises(InputError, match=message):
        reader(file)


def test_unreadable_files(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_texts(tmp_path / "missing.jsonl")
    (tmp_path / "b").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(InputError, match="not UTF-8"):
        read_texts(tmp_path / "b")


def test_a_run_folder_gives_its_rendered_prompts_and_first_answers(tmp_path):
    manifest = Manifest(ModelRef("m"), load_suite("mini").model_dump(mode="json"), "hash")
    with RunWriter.open(tmp_path / "run", manifest) as writer:
        outcomes = [Outcome("chains", "1", 1.0, repeat=r) for r in (0, 1)]
        texts = [Response("1", r, "<user>1+1", f"answer {r}") for r in (0, 1)]
        writer.write_benchmark("chains", outcomes, texts)
        writer.write_benchmark("ordering", [Outcome("ordering", "1", 1.0)])
    found = run_responses(read_run(tmp_path / "run"))
    assert found.rows == [ResponseRow("<user>1+1", "answer 0")]
    assert found.labels.benchmarks == ("chains",)
    assert found.labels.groups["chains"] == "math"
    for part, text in (("prompt", "<user>1+1"), ("response", "answer 0")):
        texts = open_texts(tmp_path / "run", part=part)
        assert (texts.rows, list(texts.labels.benchmarks)) == ([text], ["chains"])
    assert open_responses(tmp_path / "run") == found
    assert open_prompts(tmp_path / "run").rows == [ResponseRow("<user>1+1", "")]


def test_empty_texts_of_a_run_are_counted(tmp_path):
    manifest = Manifest(ModelRef("m"), load_suite("mini").model_dump(mode="json"), "hash")
    answers = ["yes", "", " \n", "no"]
    with RunWriter.open(tmp_path / "run", manifest) as writer:
        outcomes = [Outcome("chains", str(i), 1.0) for i in range(4)]
        texts = [Response(str(i), 0, "<user>1+1", answer) for i, answer in enumerate(answers)]
        writer.write_benchmark("chains", outcomes, texts)
    found = open_texts(tmp_path / "run", part="response")
    assert (found.rows, found.n_skipped) == (["yes", "no"], 2)
    assert open_texts(tmp_path / "run", part="prompt").n_skipped == 0


def test_a_run_without_responses_is_named(tmp_path):
    manifest = Manifest(ModelRef("m"), load_suite("mini").model_dump(mode="json"), "hash")
    with RunWriter.open(tmp_path / "run", manifest) as writer:
        writer.write_benchmark("ordering", [Outcome("ordering", "1", 1.0)])
    with pytest.raises(InputError, match="has no responses"):
        run_responses(read_run(tmp_path / "run"))
