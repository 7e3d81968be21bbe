"""Shards by hand, from a folder and over a local Ray cluster: always what one run gives."""

import shutil
from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transferscope.core.errors import InputError
from transferscope.core.hidden_shift import Features
from transferscope.core.labels import Labels
from transferscope.core.position_shifts import PositionShifts
from transferscope.core.shard import Shard, all_shards
from transferscope.core.worker_pool import Wants
from transferscope.probe.hidden import hidden_features
from transferscope.probe.jobs import Split, probe_hidden, probe_tokens
from transferscope.probe.shards import ShardFolder, task_resources
from transferscope.probe.texts import ResponseRow, Responses, Texts
from transferscope.probe.tokens import token_positions

from .conftest import tiny_llama, word_tokenizer

ROWS = [ResponseRow(f"w{i} w2", " ".join(f"w{j}" for j in range(i, 2 * i))) for i in range(1, 20)]


def same(one, two):
    return all(np.array_equal(getattr(one, f.name), getattr(two, f.name)) for f in fields(one))


def same_types(one, two):
    return all(getattr(one, f.name).dtype == getattr(two, f.name).dtype for f in fields(one))


@pytest.mark.parametrize("of", [2, 3, 50])
def test_shards_together_are_the_whole_bit_by_bit(base, tuned, texts, of):
    whole = token_positions(base, tuned, ROWS, batch_tokens=40)
    parts = [token_positions(base, tuned, ROWS, batch_tokens=40, shard=s) for s in all_shards(of)]
    assert same(PositionShifts.joined(parts), whole)
    nothing = PositionShifts.joined([])
    assert same_types(PositionShifts.joined([*parts, nothing]), whole)
    assert same_types(nothing, whole)
    whole = hidden_features(base, tuned, texts, batch_tokens=40)
    parts = [hidden_features(base, tuned, texts, batch_tokens=40, shard=s) for s in all_shards(of)]
    assert same(Features.joined(parts), whole)
    assert same_types(Features.joined(parts), whole)
    assert min(len(part.text_N) for part in parts) < len(texts)


@given(st.integers(1, 30), st.integers(1, 12))
def test_every_batch_is_in_one_shard(n, of):
    batches = list(range(n))
    found = [batch for shard in all_shards(of) for batch in shard.of_units(batches)]
    assert sorted(found) == batches


@pytest.mark.parametrize("text", ["", "0/2", "3/2", "1", "1/0", "-1/2", "a/b", "1/2/3", "1/10000"])
def test_a_shard_that_is_none_is_named(text):
    with pytest.raises(InputError, match="give i/n with 1 <= i <= n"):
        Shard.parse(text)


def test_finished_shards_are_put_together_without_a_model(paths, tmp_path, monkeypatch):
    rows = Responses(ROWS, Labels())
    whole = probe_tokens(*paths, rows, Split(), batch_tokens=40)
    for number in (2, 1, 3):
        split = Split(tmp_path, Shard(number, 3))
        assert probe_tokens(*paths, rows, split, batch_tokens=40) is None
    assert Split(tmp_path, Shard(1, 4)).missing() == ["1/4", "2/4", "3/4", "4/4"]
    assert Split(tmp_path, Shard(1, 3)).missing() == []
    monkeypatch.setattr("transferscope.probe.model_pairs.load_model", None)  # must not be called
    positions, shift = probe_tokens(*paths, rows, Split(tmp_path), batch_tokens=40)
    assert same(positions, whole[0])
    assert shift == whole[1]


def test_another_probe_s_shards_are_refused(paths, texts, tmp_path):
    rows = Texts(texts, Labels(), n_skipped=3)
    first = probe_hidden(*paths, rows, Split(tmp_path))
    assert first == probe_hidden(*paths, rows, Split(tmp_path))
    assert first.n_skipped == 3
    with pytest.raises(InputError, match="other models, texts or settings; choose another"):
        probe_hidden(*paths, rows, Split(tmp_path), pooling="last")


def test_missing_shards_are_named_and_nothing_is_measured(paths, texts, tmp_path, monkeypatch):
    rows = Responses(ROWS, Labels())
    assert probe_tokens(*paths, rows, Split(tmp_path, Shard(1, 3)), batch_tokens=40) is None
    monkeypatch.setattr("transferscope.probe.model_pairs.load_model", None)  # must not be called
    message = (
        r"1 of 3 shards are finished, missing: 2/3, 3/3; run each missing shard \(--shard 2/3\)"
    )
    with pytest.raises(InputError, match=message):
        probe_tokens(*paths, rows, Split(tmp_path), batch_tokens=40)
    with pytest.raises(InputError, match=r"\(--ray 3\); for a new probe, choose another --out"):
        probe_tokens(*paths, rows, Split(tmp_path, ray=2), batch_tokens=40)
    for split in (Split(tmp_path), Split(tmp_path, Shard(1, 3))):
        with pytest.raises(InputError, match=r"is a shard of another probe.*choose another --out"):
            probe_hidden(*paths, Texts(texts, Labels()), split)


def test_many_missing_shards_are_one_short_line(tmp_path):
    folder = ShardFolder(tmp_path, Features, "x")
    folder.save(Shard(2, 900), Features(np.arange(2), np.ones((1, 2, 2)), np.ones((1, 2, 2))))
    assert folder.complete(resumed=900) is None
    with pytest.raises(InputError, match=r"missing: 1/900, 3/900, .* and 891 more; run") as caught:
        folder.complete()
    assert len(str(caught.value)) < 400
    split = Split(tmp_path, Shard(2, 900))
    assert len(split.missing()) == 900  # in tmp_path / "shards", where there are none
    assert split.left() == f"still to do: {', '.join(f'{n}/900' for n in range(1, 9))} and 892 more"


def test_an_overwritten_model_is_measured_anew_and_a_moved_one_is_not(paths, texts, tmp_path):
    one, other = tmp_path / "one", tmp_path / "other"
    shutil.copytree(paths[1], one / "tuned")
    rows = Texts(texts, Labels())
    first = probe_hidden(paths[0], str(one / "tuned"), rows, Split(tmp_path / "out"))
    shutil.copytree(one / "tuned", other / "tuned")  # the same disk under another name
    assert probe_hidden(paths[0], str(other / "tuned"), rows, Split(tmp_path / "out")) == first
    tiny_llama(7).save_pretrained(one / "tuned")
    with pytest.raises(InputError, match="other models, texts or settings; choose another"):
        probe_hidden(paths[0], str(one / "tuned"), rows, Split(tmp_path / "out"))
    word_tokenizer(chat_template="other").save_pretrained(other / "tuned")
    with pytest.raises(InputError, match="other models, texts or settings; choose another"):
        probe_hidden(paths[0], str(other / "tuned"), rows, Split(tmp_path / "out"))


def test_a_damaged_or_pickled_shard_is_refused(tmp_path):
    folder = ShardFolder(tmp_path, Features, "x")
    file = folder.save(Shard(1, 1), Features(np.arange(2), np.ones((1, 2, 2)), np.ones((1, 2, 2))))
    assert same(folder.load(Shard(1, 1)), folder.complete()[0])
    file.write_bytes(file.read_bytes()[:90])
    with pytest.raises(InputError, match=r"shard-1-of-1\.npz: can't be read"):
        folder.load(Shard(1, 1))
    array = np.array([object()], dtype=object)
    with file.open("wb") as out:
        np.savez(out, text_N=array, base_LND=array, tuned_LND=array, settings=np.array("x"))
    with pytest.raises(InputError, match="can't be read"):
        folder.load(Shard(1, 1))


def test_choices_that_exclude_each_other(tmp_path):
    with pytest.raises(InputError, match="add --out DIR"):
        Split(shard=Shard(1, 2))
    with pytest.raises(InputError, match="leave one out"):
        Split(tmp_path, Shard(1, 2), ray=2)
    (tmp_path / "file").touch()
    for out in (tmp_path / "file", tmp_path / "file" / "sub" / "sub"):
        with pytest.raises(InputError, match="file: is a file, not a folder; name a folder"):
            Split(out)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "shards").touch()
    with pytest.raises(InputError, match="out/shards: is a file, not a folder; name a folder"):
        Split(tmp_path / "out")  # before hours of measuring
    with pytest.raises(InputError, match="--gpus-per-shard only applies with --ray; add --ray N"):
        Split(tmp_path, gpus_per_shard=2)


@pytest.mark.parametrize(
    ("machines", "of", "gpus", "expected"),
    [
        ([{"CPU": 8.0, "GPU": 4.0}], 4, None, Wants(1, 1)),
        ([{"CPU": 8.0, "GPU": 4.0}, {"CPU": 2.0}], 2, 4, Wants(1, 4)),
        ([{"CPU": 8.0, "GPU": 4.0}], 2, 0, Wants(4)),
        ([{"CPU": 8.0}], 3, None, Wants(2)),
        ([{"CPU": 8.0}, {"CPU": 4.0}], 1, None, Wants(8)),  # a task runs on one machine
        ([{"CPU": 2.0}], 8, None, Wants(1)),
    ],
)
def test_what_a_task_asks_ray_for(machines, of, gpus, expected):
    assert task_resources(machines, of, gpus) == expected


def test_more_gpus_than_any_machine_has_are_refused(tmp_path):
    told = (
        "--gpus-per-shard: no machine in the cluster has 4 GPUs; the largest has 2; request fewer"
    )
    with pytest.raises(InputError, match=told):  # Ray would wait for ever
        task_resources([{"CPU": 8.0, "GPU": 2.0}, {"CPU": 8.0, "GPU": 2.0}], 2, 4)


def test_a_folder_that_cant_be_written_is_named_at_once(tmp_path, monkeypatch):
    Split(tmp_path / "new" / "deep")
    assert list(tmp_path.iterdir()) == []

    def refuse(dir):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tempfile.TemporaryFile", refuse)
    with pytest.raises(InputError, match=r"can't be written to: Permission denied; name another"):
        Split(tmp_path / "new" / "deep")
