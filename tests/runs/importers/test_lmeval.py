"""lm-eval's files as lm-eval 0.4.13 wrote them (fixtures/make_lm_eval.py), and damaged copies."""

import json
import shutil
from collections import defaultdict
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from transferscope.core.errors import InputError
from transferscope.core.records import ModelRef, ScoreRow
from transferscope.core.taxonomy import Taxonomy, load_taxonomy, parse_taxonomy
from transferscope.runs.importers.lmeval import accepts, read
from transferscope.runs.importers.lmeval_samples import SampleFile, read_samples

FIXTURES = Path(__file__).parent / "fixtures" / "lm_eval"
DATE = "2026-11-24T08-00-00.000000"
BASE = f"base/acme__tiny-base/results_{DATE}.json"
MC_TACO = Path(__file__).resolve().parents[4] / "shared/data/responses/mctaco"


def results(name, mapping=""):
    taxonomy = parse_taxonomy(mapping, place="test") if mapping else load_taxonomy()
    return read(FIXTURES / name if isinstance(name, str) else name, taxonomy)


def samples_of(found, benchmark):
    return list(found.samples[benchmark]())


def outcomes(found, benchmark):
    return [sample.outcome for sample in found.samples[benchmark]()]


def rows(task, run="base/acme__tiny-base"):
    file = FIXTURES / run / f"samples_{task}_{DATE}.jsonl"
    return [json.loads(line) for line in file.read_text().splitlines()]


@pytest.fixture
def copy(tmp_path):
    """A folder with the base's results that a test may damage."""
    folder = tmp_path / "acme__tiny-base"
    shutil.copytree(FIXTURES / "base/acme__tiny-base", folder)
    return folder


def change_results(folder, change):
    file = next(folder.glob("results_*.json"))
    raw = json.loads(file.read_text())
    change(raw)
    file.write_text(json.dumps(raw))
    return file


def change_rows(folder, task, change):
    file = folder / f"samples_{task}_{DATE}.jsonl"
    changed = [json.loads(line) for line in file.read_text().splitlines()]
    change(changed)
    file.write_text("".join(json.dumps(row) + "\n" for row in changed))


def test_the_first_filter_is_read_and_what_the_second_rescued_is_flagged():
    samples = samples_of(results("base"), "gsm8k")
    assert [(s.outcome.id, s.outcome.score, s.outcome.flags) for s in samples] == [
        ("0", 1.0, ()),
        ("1", 0.0, ("extraction_failed",)),
        ("2", 0.0, ()),
        ("3", 0.0, ("empty",)),
        ("4", 0.0, ("looped",)),
        ("5", 1.0, ()),
    ]
    # What lm-eval recorded isn't inferred from the text, the others are.
    inferred = [s.outcome.flags_inferred for s in samples]
    assert inferred == [(), (), (), ("empty",), ("looped",), ()]
    assert samples[1].response.prompt == "Q: What is 12 - 5? A:"
    assert samples[1].response.response == "That leaves 7"


def test_a_map_names_another_filter():
    mapping = '[tasks.gsm8k]\ngroup = "math"\nmetrics = ["exact_match,flexible-extract"]'
    found = results("base", mapping)
    assert [o.score for o in outcomes(found, "gsm8k")] == [1.0, 1.0, 0.0, 0.0, 0.0, 1.0]
    assert not any("extraction_failed" in o.flags for o in outcomes(found, "gsm8k"))
    assert found.decoding["gsm8k"]["filter"] == "flexible-extract"


def test_means_are_lm_evals_own():
    """But for MC-TACO, whose F1 is per question here and over all pairs there."""
    found = results("base")
    raw = json.loads((FIXTURES / BASE).read_text())["results"]
    for name, settings_ in found.decoding.items():
        if name == "mc_taco":
            continue
        task = {"lambada": "lambada_openai"}.get(name, name)  # mmlu: the group's row
        per_item = outcomes(found, name)
        mean = sum(o.weight * o.score for o in per_item) / sum(o.weight for o in per_item)
        expected = raw[task][f"{settings_['metric']},{settings_['filter']}"]
        assert mean == pytest.approx(expected, abs=1e-12), name  # sums in another order


@pytest.mark.parametrize("metric", ["acc", "acc_norm"])
def test_the_response_to_a_choice_is_what_the_metric_chose(metric):
    mapping = f'[tasks.arc_easy]\ngroup = "other"\nmetrics = ["{metric}"]'
    found = samples_of(results("base", mapping), "arc_easy")
    golds = [row["doc"]["choices"][row["doc"]["gold"]] for row in rows("arc_easy")]
    right = [s.response.response == gold for s, gold in zip(found, golds, strict=True)]
    assert right == [s.outcome.score == 1.0 for s in found]
    assert right == [row[metric] == 1.0 for row in rows("arc_easy")]
    assert sum(right) == {"acc": 3, "acc_norm": 2}[metric]
    assert all(s.outcome.flags == () for s in found)


def test_where_the_choice_stands_in_the_context():
    found = samples_of(results("base"), "winogrande")
    assert [(s.outcome.score, s.response.response) for s in found] == [
        (1.0, "The cup"),
        (0.0, "The fence"),
    ]


def test_a_single_continuation_has_no_text():
    assert [s.response for s in samples_of(results("base"), "lambada")] == [None, None]


def test_ifeval_counts_instructions():
    found = outcomes(results("base"), "ifeval")
    assert [(o.score, o.weight) for o in found] == [(0.0, 2.0), (1.0, 1.0), (0.5, 2.0)]
    prompts = '[tasks.ifeval]\ngroup = "non"\nmetrics = ["prompt_level_strict_acc"]'
    found = outcomes(results("base", prompts), "ifeval")
    assert [(o.score, o.weight) for o in found] == [(0.0, 1.0), (1.0, 1.0), (0.0, 1.0)]


def test_mc_taco_is_f1_per_question():
    found = results("base")
    counts = defaultdict(lambda: [0, 0, 0])
    for row in rows("mc_taco"):
        gold, said = row["f1"]
        entry = counts[row["doc"]["sentence"], row["doc"]["question"]]
        for at, value in enumerate((gold, said, gold * said)):
            entry[at] += value
    expected = [2 * both / (gold + said) for gold, said, both in counts.values()]
    assert [o.score for o in outcomes(found, "mc_taco")] == pytest.approx(expected)
    assert expected == pytest.approx([2 / 3, 2 / 3, 0.0])
    first, second, third = outcomes(found, "mc_taco")
    assert (first.id, second.id, third.id) == ("0", "2", "4")
    assert first.cluster == second.cluster != third.cluster
    assert found.decoding["mc_taco"]["metric"] == "f1 by question"


def test_pairs_that_are_no_mc_taco_have_no_score_per_document(copy):
    change_rows(copy, "mc_taco", lambda found: [row["doc"].pop("question") for row in found])
    found = results(copy)
    # acc, the taxonomy's next, is one number per document
    assert [o.score for o in outcomes(found, "mc_taco")] == [r["acc"] for r in rows("mc_taco")]
    change_rows(copy, "mc_taco", lambda found: [row.update(acc=[1, 0]) for row in found])
    found = results(copy)
    assert "mc_taco" not in found.samples
    assert [row.score for row in found.scores if row.benchmark == "mc_taco"] == [0.5]
    assert any("mc_taco: samples not read, f1 has no score" in note for note in found.notes)


@pytest.mark.parametrize(
    ("predicted", "f1"), [("bert.norm.output.txt", 69.9), ("esim.elmo.output.txt", 54.9)]
)
def test_mc_taco_on_the_authors_predictions(tmp_path, predicted, f1):
    if not MC_TACO.is_dir():
        pytest.skip("../shared/data/responses/mctaco is absent")
    table = (MC_TACO / "test_9442.tsv").read_text().splitlines()
    said = (MC_TACO / predicted).read_text().splitlines()
    file = tmp_path / "samples.jsonl"
    with file.open("w") as out:
        for at, (line, answer) in enumerate(zip(table, said, strict=True)):
            sentence, question, _, label, _ = line.split("\t")
            pair = [int(label == "yes"), int(answer == "yes")]
            doc = {"sentence": sentence, "question": question}
            out.write(json.dumps({"doc_id": at, "doc": doc, "f1": pair}) + "\n")
    found = [s.outcome.score for s in read_samples(SampleFile(file, "mc_taco", "f1", None))]
    assert len(found) == 1332
    assert round(100 * sum(found) / len(found), 1) == f1


def test_subtasks_become_subsets_and_the_groups_row_is_not_read():
    found = results("base")
    assert [(o.id, o.subset, o.score, o.chance) for o in outcomes(found, "mmlu")] == [
        ("mmlu_anatomy:0", "mmlu_anatomy", 0.0, 0.25),
        ("mmlu_anatomy:1", "mmlu_anatomy", 1.0, 0.25),
        ("mmlu_anatomy:2", "mmlu_anatomy", 0.0, 0.25),
        ("mmlu_astronomy:0", "mmlu_astronomy", 0.0, 0.25),
        ("mmlu_astronomy:1", "mmlu_astronomy", 0.0, 0.25),
    ]
    assert [r.subset for r in results("scores").scores if r.benchmark == "mmlu"] == [
        "mmlu_anatomy",
        "mmlu_astronomy",
    ]


def test_a_group_without_its_members_is_a_score(copy):
    def only_the_group(raw):
        for name in ("mmlu_anatomy", "mmlu_astronomy"):
            del raw["results"][name]

    change_results(copy, only_the_group)
    rows_ = [row for row in results(copy).scores if row.benchmark == "mmlu"]
    assert [(row.subset, row.score, row.n) for row in rows_] == [("", 0.2, 5)]


def test_groups_that_name_each_other_end(copy):
    change_results(copy, lambda raw: raw["group_subtasks"].update(a=["b"], b=["a", "a"]))
    assert "gsm8k" in results(copy).samples


def test_repeats_of_which_lm_eval_scores_the_first():
    found = results("base")
    samples = samples_of(found, "sampled_sums")
    assert [(s.outcome.score, s.response.response) for s in samples] == [
        (1.0, "7"),
        (0.0, "8"),  # 8, 7, 7: the majority is right, but read other responses
        (1.0, "42"),
    ]
    assert all(s.outcome.flags == () for s in samples)
    assert found.decoding["sampled_sums"]["repeats"] == 3


def test_repeats_with_a_score_each():
    found = samples_of(results("base"), "all_repeats")
    assert [(s.outcome.id, s.outcome.repeat, s.outcome.score) for s in found[:4]] == [
        ("0", 0, 1.0),
        ("0", 1, 0.0),
        ("0", 2, 1.0),
        ("1", 0, 0.0),
    ]
    assert [s.response.response for s in found] == ["7", "8", "7", "8", "9", "6", "42", "42", "42"]
    assert [s.response.repeat for s in found[:3]] == [0, 1, 2]


def test_one_score_of_many_responses_flags_none_of_them(copy):
    mapping = '[tasks.sampled_sums]\ngroup = "math"\nmetrics = ["exact_match,%s"]'
    change_rows(copy, "sampled_sums", lambda found: [r.update(resps=[["", "", ""]]) for r in found])
    first, majority = (results(copy, mapping % name) for name in ("first", "maj@3"))
    assert {o.flags for o in outcomes(first, "sampled_sums")} == {("empty",)}
    assert {o.flags for o in outcomes(majority, "sampled_sums")} == {()}
    assert [o.score for o in outcomes(majority, "sampled_sums")] == [1.0, 1.0, 1.0]


def test_what_the_run_was():
    found = results("base")
    assert found.model == ModelRef("acme/tiny-base")
    assert found.provenance == "imported:lm-eval"
    assert found.unmapped == ("sampled_sums", "all_repeats")
    assert (found.notes, found.template, found.seed, found.limit) == ((), None, 0, None)
    assert found.engine == {
        "engine": "lm-eval CUSTOM",
        "dtype": "float32",
        "fewshot_as_multiturn": True,
    }
    assert found.decoding["gsm8k"] == {
        "until": ["Q:"],
        "do_sample": False,
        "max_gen_toks": 64,
        "method": "generate_until",
        "fewshot": 0,
        "repeats": 1,
        "metric": "exact_match",
        "filter": "strict-match",
    }
    assert found.versions["lm-eval"] == "0.4.13"
    assert found.versions["task mmlu"] == "1.0"


def test_a_chat_template_changes_the_rendered_hash_alone():
    plain, chat = results("tuned"), results("chat")
    raw = json.loads((FIXTURES / f"chat/acme__tiny-tuned/results_{DATE}.json").read_text())
    assert chat.template == raw["chat_template_sha"][:16]
    for a, b in zip(outcomes(plain, "gsm8k"), outcomes(chat, "gsm8k"), strict=True):
        assert a.message_hash == b.message_hash is not None
        assert a.rendered_hash != b.rendered_hash
    assert len({o.message_hash for o in outcomes(chat, "gsm8k")}) == 6


def test_examples_in_front_change_the_messages(copy):
    before = [o.message_hash for o in outcomes(results(copy), "gsm8k")]
    change_results(copy, lambda raw: raw["n-shot"].update(gsm8k=5))
    found = results(copy)
    assert not set(before) & {o.message_hash for o in outcomes(found, "gsm8k")}
    assert found.decoding["gsm8k"]["fewshot"] == 5


def test_without_hashes_nothing_is_claimed(copy):
    change_rows(
        copy, "gsm8k", lambda found: [(r.pop("doc_hash"), r.pop("prompt_hash")) for r in found]
    )
    assert {(o.message_hash, o.rendered_hash) for o in outcomes(results(copy), "gsm8k")} == {
        (None, None)
    }


def test_limits():
    limited, share = results("limited"), results("share")
    assert limited.limit == 3
    assert {name: len(outcomes(limited, name)) for name in limited.samples} == {
        "gsm8k": 3,
        "arc_easy": 3,
    }
    assert share.limit == 3  # half of 6 and of 4 items
    assert [len(outcomes(share, name)) for name in ("gsm8k", "arc_easy")] == [3, 2]
    assert share.notes == ("limit 0.5 is a fraction of each task: at most 3 items",)


def test_scores_without_samples():
    found = results("scores")
    assert found.samples == {}
    assert "scores without answers, compared unpaired: gsm8k, sampled_sums" in found.notes[0]
    by_name = {row.benchmark: row for row in found.scores}
    gsm8k = by_name["gsm8k"]
    assert gsm8k == ScoreRow("gsm8k", 1 / 3, stderr=gsm8k.stderr, n=6, proportion=True, chance=0.0)
    assert gsm8k.stderr == pytest.approx((1 / 3 * 2 / 3 / 5) ** 0.5)  # lm-eval divides by n - 1
    assert by_name["arc_easy"].chance == 0.25
    assert by_name["ifeval"].stderr is None  # "N/A"
    assert by_name["mc_taco"].proportion is False
    # Unmapped: the standard error tells whether outcomes are 0 or 1; here it is N/A.
    assert by_name["sampled_sums"].proportion is True
    assert by_name["all_repeats"].proportion is False


def test_tasks_that_lost_their_samples(copy):
    (copy / f"samples_mmlu_anatomy_{DATE}.jsonl").unlink()
    (copy / f"samples_arc_easy_{DATE}.jsonl").write_text("\n")
    found = results(copy)
    assert {o.subset for o in outcomes(found, "mmlu")} == {"mmlu_astronomy"}
    assert [row.benchmark for row in found.scores] == ["arc_easy"]
    assert found.notes == (
        f"arc_easy: samples_arc_easy_{DATE}.jsonl is empty",
        "mmlu: left out because they lack samples: mmlu_anatomy",
        "scores without answers, compared unpaired: arc_easy",
    )


def test_rows_that_dont_name_their_filter_come_in_its_order(copy):
    """lm-eval before 0.4.7: all documents under the first filter, then all under the second."""
    before = samples_of(results(copy), "gsm8k")
    for task in ("gsm8k", "arc_easy"):
        change_rows(copy, task, lambda found: [row.pop("filter") for row in found])
    found = results(copy)
    assert len(outcomes(found, "arc_easy")) == 4  # one filter: no doubt which
    assert samples_of(found, "gsm8k") == before  # strict-match, and what flexible-extract rescued
    mapping = '[tasks.gsm8k]\ngroup = "math"\nmetrics = ["exact_match,flexible-extract"]'
    flexible = [o.score for o in outcomes(results(copy, mapping), "gsm8k")]
    assert flexible == [1.0, 1.0, 0.0, 0.0, 0.0, 1.0]


def test_rows_whose_filter_nothing_tells(copy):
    def change(found):
        del found[-1]
        for row in found:
            del row["filter"]

    change_rows(copy, "gsm8k", change)
    found = results(copy)
    assert [row.benchmark for row in found.scores] == ["gsm8k"]
    assert found.notes[0].startswith("gsm8k: samples not read, they don't name filters")


def test_only_scores_are_read(copy):
    def change(raw):
        del raw["results"]["lambada_openai"]["acc,none"]
        raw["results"]["arc_easy"]["acc_norm,none"] = "N/A"
        raw["results"]["winogrande"]["acc,none"] = 50.0
        raw["results"]["gsm8k"]["exact_match,strict-match"] = float("nan")

    change_results(copy, change)
    found = results(copy)
    assert not {"lambada", "winogrande"} & set(found.samples)
    assert found.notes == (
        "lambada_openai: left out, not comparable: lower is better for perplexity, but higher for "
        "a score",
        "winogrande: left out, it has no score within 0..1",
    )
    assert found.decoding["arc_easy"]["metric"] == "acc"
    assert found.decoding["gsm8k"]["filter"] == "flexible-extract"


def test_metrics_that_the_taxonomy_does_not_expect():
    found = results("base", '[tasks.gsm8k]\ngroup = "math"\nmetrics = ["pass@1"]')
    assert "gsm8k: exact_match,strict-match is read, because it has none of pass@1" in found.notes


def test_two_tasks_of_one_benchmark_are_told():
    mapping = '[tasks.sums]\ngroup = "math"\nmatch = ["gsm8k", "sampled_sums"]'
    found = results("base", mapping)
    assert "sums: these tasks are read as its subsets: gsm8k, sampled_sums" in found.notes
    assert [o.id for o in outcomes(found, "sums")][5:7] == ["gsm8k:5", "sampled_sums:0"]
    assert set(found.decoding["sums"]) == {"gsm8k", "sampled_sums"}  # they differ


def test_names_that_are_no_file_names(copy):
    def rename(raw):
        for part in ("results", "configs", "versions", "n-samples", "n-shot"):
            raw[part]["sums: all/of them"] = raw[part].pop("sampled_sums")

    change_results(copy, rename)
    found = results(copy)
    assert found.unmapped == ("all_repeats", "sums: all/of them")
    assert [row.benchmark for row in found.scores] == ["sums_all_of_them"]


def test_the_newest_of_several_dates_is_read(copy):
    older = copy / "results_2026-01-02T03-04-05.678901.json"
    shutil.copy(FIXTURES / f"limited/acme__tiny-base/results_{DATE}.json", older)
    found = results(copy.parent)
    assert len(found.samples) == 9
    assert found.notes == (
        f"older results left out: {older.name} (gsm8k, arc_easy); name the file to import it",
    )
    assert results(older).limit == 3
    assert results(older).samples == {}  # samples of another date are not its own


def test_two_models_in_a_folder_are_refused(tmp_path):
    for name in ("base/acme__tiny-base", "tuned/acme__tiny-tuned"):
        shutil.copytree(FIXTURES / name, tmp_path / Path(name).name)
    with pytest.raises(InputError) as caught:
        results(tmp_path)
    assert "results of 2 models (acme/tiny-base, acme/tiny-tuned)" in str(caught.value)
    assert f"name one of them: {tmp_path}/acme__tiny-base" in str(caught.value)
    assert results(tmp_path / "acme__tiny-tuned").model.name == "acme/tiny-tuned"


def test_what_is_accepted(tmp_path):
    assert accepts(FIXTURES / "base")
    assert accepts(FIXTURES / "base/acme__tiny-base")
    assert accepts(FIXTURES / BASE)
    assert accepts(FIXTURES)  # OUT/TASK/MODEL
    assert not accepts(FIXTURES / "base/acme__tiny-base" / f"samples_gsm8k_{DATE}.jsonl")
    assert not accepts(tmp_path)
    other = tmp_path / "log.json"
    other.write_text('{"results": {"scores": []}, "eval": {}}')
    assert not accepts(other)
    assert not accepts(tmp_path / "absent.json")
    broken = tmp_path / "results_x.json"
    broken.write_text("{")
    assert accepts(broken)  # so that the message is about this file


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "not valid JSON"),
        ('{"config_general": {}, "results": {"all": {"acc": 0.5}}}', "not results of lm-eval"),
        ('{"results": [], "configs": {}}', "not results of lm-eval"),
        ('{"results": {"a": 1}, "configs": {}}', "not results of lm-eval"),
    ],
)
def test_what_is_refused(tmp_path, content, said):
    (tmp_path / "results_x.json").write_text(content)
    with pytest.raises(InputError, match=said) as caught:
        results(tmp_path)
    assert str(tmp_path / "results_x.json") in str(caught.value)


def test_a_folder_without_results(tmp_path):
    with pytest.raises(InputError, match=r"contains no results_\*\.json"):
        results(tmp_path)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda found: found.append(found[0]), ":13: document 0 is given twice"),
        (lambda found: found[2].update(exact_match=7), ":3: exact_match is 7, not a score within"),
        (lambda found: found[2].update(exact_match="N/A"), ':3: exact_match is "N/A"'),
        (lambda found: found[1].update(doc_id=None), ":2: doc_id is neither"),
        (lambda found: found[1].update(doc_id=True), ":2: doc_id is neither"),
        (lambda found: found.insert(1, []), ":2: not a JSON object"),
    ],
)
def test_bad_rows_are_named(copy, change, said):
    change_rows(copy, "gsm8k", change)
    with pytest.raises(InputError) as caught:
        outcomes(results(copy), "gsm8k")
    assert f"samples_gsm8k_{DATE}.jsonl{said}" in str(caught.value)


def test_documents_without_the_metric_are_skipped_as_lm_eval_does(copy):
    change_rows(copy, "gsm8k", lambda found: found[4].pop("exact_match"))
    assert [o.id for o in outcomes(results(copy), "gsm8k")] == ["0", "1", "2", "3", "5"]


def test_arguments_of_old_files_are_lists(copy):
    def change(found):
        for row in found:
            row["arguments"] = [list(a.values()) for a in row["arguments"].values()]

    before = samples_of(results(copy), "arc_easy")
    change_rows(copy, "arc_easy", change)
    assert samples_of(results(copy), "arc_easy") == before


def test_chat_servers_get_messages(copy):
    def change(found):
        for row in found:
            row["arguments"]["gen_args_0"]["arg_0"] = ['[{"role": "user", "content": "hi"}]']

    change_rows(copy, "gsm8k", change)
    prompts = {s.response.prompt for s in samples_of(results(copy), "gsm8k")}
    assert prompts == {'[{"role": "user", "content": "hi"}]'}


@pytest.mark.parametrize(
    "arguments",
    [
        "pretrained=acme/base,peft=acme/lora,api_key=secret,dtype=bfloat16,max_length=2048",
        {
            "pretrained": "acme/base",
            "peft": "acme/lora",
            "api_key": "secret",
            "dtype": "bfloat16",
            "max_length": 2048,
        },
    ],
)
def test_adapters_name_their_base_and_keys_stay_out(copy, arguments):
    def change(raw):
        del raw["model_name"]
        raw["config"]["model_args"] = arguments
        raw["config"] |= {"model_sha": "abc", "model_revision": "main", "random_seed": 7}
        raw["model_source"] = "hf"

    change_results(copy, change)
    found = results(copy)
    assert found.model == ModelRef("acme/lora", "acme/base", "main", "abc")
    assert found.engine == {
        "engine": "lm-eval hf",
        "dtype": "bfloat16",
        "max_length": "2048",
        "fewshot_as_multiturn": True,
    }
    assert found.seed == 7
    assert "secret" not in repr(found)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)
RESULT_KEYS = ["results", "groups", "group_subtasks", "configs", "versions", "n-shot", "config"]
RESULT_KEYS += ["higher_is_better", "n-samples", "model_name", "chat_template", "model_source"]
ROW_KEYS = ["doc_id", "doc", "arguments", "resps", "filter", "doc_hash", "prompt_hash", "f1"]
PLACES = st.sampled_from(RESULT_KEYS)
FUZZ = settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@FUZZ
@given(
    key=PLACES,
    inner=st.sampled_from(["gsm8k", "mc_taco", "model_args", "limit"]),
    value=json_values,
)
def test_damaged_results_end_in_one_line(copy, key, inner, value):
    raw = json.loads((FIXTURES / BASE).read_text())
    if isinstance(raw[key], dict) and inner in raw[key]:
        raw[key][inner] = value
    else:
        raw[key] = value
    file = copy / f"results_{DATE}.json"
    file.write_text(json.dumps(raw))
    said = ""
    try:
        found = read(file, load_taxonomy())
        assert all(samples_of(found, name) for name in found.samples)
    except InputError as err:
        said = str(err)
    assert "\n" not in said


@FUZZ
@given(
    task=st.sampled_from(["gsm8k", "arc_easy", "ifeval", "mc_taco", "all_repeats"]),
    changes=st.dictionaries(st.sampled_from([*ROW_KEYS, "exact_match", "acc"]), json_values),
)
def test_damaged_rows_end_in_one_line(tmp_path, task, changes):
    row = rows(task)[0] | changes
    file = tmp_path / "samples.jsonl"
    file.write_text(json.dumps(row) + "\n")
    for metric in set(row["metrics"]) | {"f1"}:
        found, said = [], f"{file}:1: "
        try:
            found = list(read_samples(SampleFile(file, task, metric, None, rivals=("x", "first"))))
        except InputError as err:
            said = str(err)
        assert said.startswith(f"{file}:1: ")
        assert all(0.0 <= sample.outcome.score <= 1.0 for sample in found)


def test_an_empty_taxonomy_maps_nothing():
    found = read(FIXTURES / "tuned", Taxonomy(tasks={}))
    assert set(found.unmapped) == set(found.samples)
    assert "mmlu_anatomy" in found.samples


def scored(strict, flexible, n=300, **more):
    """The results of a task that two filters read, and of a family of two subjects."""
    task = {"exact_match,strict-match": strict, "exact_match,flexible-extract": flexible}
    subjects = {
        f"mmlu_{name}": {"acc,none": acc, "acc_stderr,none": 0.01, "acc_norm,none": norm}
        for name, acc, norm in (("anatomy", 0.4, 0.5), ("virology", 0.8, 0.6))
    }
    sizes = {"gsm8k": n, "mmlu_anatomy": 300, "mmlu_virology": 100}
    return {
        "results": {"gsm8k": {"alias": "gsm8k", **task, **more}, **subjects},
        "configs": {},
        "n-shot": {},
        "n-samples": {name: {"effective": size} for name, size in sizes.items()},
        "lm_eval_version": "0.4.9",
        "model_name": "acme/m",
    }


def test_every_metric_of_a_task_is_kept_the_one_read_first(tmp_path):
    file = tmp_path / f"results_{DATE}.json"
    file.write_text(json.dumps(scored(0.6, 0.7, perplexity=9.0, **{"brier_score,none": 0.2})))
    found = results(file)
    kept = found.metrics["gsm8k"]
    assert next(iter(kept)) == "exact_match,strict-match"
    assert kept["exact_match,flexible-extract"] == 0.7
    assert not any("perplexity" in key for key in kept)
    # By number of documents: (300 * 0.4 + 100 * 0.8) / 400, and of acc_norm 0.525.
    assert found.metrics["mmlu"] == pytest.approx({"acc,none": 0.5, "acc_norm,none": 0.525})


def test_a_single_metric_needs_no_table(tmp_path):
    raw = scored(0.6, 0.7)
    del raw["results"]["gsm8k"]["exact_match,flexible-extract"]
    file = tmp_path / f"results_{DATE}.json"
    file.write_text(json.dumps(raw))
    assert "gsm8k" not in results(file).metrics


def test_samples_keep_the_table_too():
    kept = results("base").metrics["gsm8k"]
    assert next(iter(kept)) == "exact_match,strict-match"
    assert "exact_match,flexible-extract" in kept
