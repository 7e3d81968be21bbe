"""Probes over a local Ray cluster give what one run gives."""

import warnings
from dataclasses import fields

import numpy as np
import pytest

from transferscope.core.errors import InputError
from transferscope.core.labels import Labels
from transferscope.core.position_shifts import PositionShifts
from transferscope.probe.jobs import Split, probe_hidden, probe_tokens
from transferscope.probe.texts import ResponseRow, Responses, Texts

from .conftest import rounded

ROWS = [ResponseRow(f"w{i} w2", " ".join(f"w{j}" for j in range(i, 2 * i))) for i in range(1, 20)]


@pytest.fixture(scope="module")
def cluster():
    ray = pytest.importorskip("ray", reason="Ray is not installed")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # Beside the clusters of other tests, not one that they started.
        quiet = {"include_dashboard": False, "log_to_driver": False, "logging_level": "ERROR"}
        ray.init(address="local", num_cpus=2, **quiet)
        yield ray
        ray.shutdown()


@pytest.mark.filterwarnings("ignore")
def test_ray_workers_give_the_same_result(cluster, paths, texts, tmp_path):
    rows = Responses(ROWS, Labels())
    whole, shift = probe_tokens(*paths, rows, Split(), batch_tokens=40)
    ticks = []
    positions, found = probe_tokens(
        *paths,
        rows,
        Split(tmp_path / "tokens", ray=3),
        batch_tokens=40,
        tick=lambda *given: ticks.append(given),
    )
    # Workers have another number of threads, so sums may be split differently: float32 rounding.
    for field in fields(PositionShifts):
        ours, theirs = getattr(positions, field.name), getattr(whole, field.name)
        np.testing.assert_allclose(ours, theirs, rtol=2e-5, atol=1e-5, err_msg=field.name)
    assert found.n_tokens == shift.n_tokens
    assert ticks[-1] == ("shards", 3, 3)
    assert len(list((tmp_path / "tokens" / "shards").glob("*-of-3.npz"))) == 3
    ours = probe_hidden(*paths, Texts(texts, Labels()), Split(ray=2), batch_tokens=40)
    whole = probe_hidden(*paths, Texts(texts, Labels()), Split(), batch_tokens=40)
    assert ours.d_layerwise == pytest.approx(whole.d_layerwise, rel=1e-5)


@pytest.mark.filterwarnings("ignore")
def test_an_error_in_a_worker_is_the_same_one_line(cluster, paths):
    rows = Responses([ResponseRow("", "w1")], Labels())
    with pytest.raises(InputError, match="the prompt of response 1 has no tokens"):
        probe_tokens(*paths, rows, Split(ray=2))


@pytest.mark.filterwarnings("ignore")
def test_ray_shards_are_put_together(cluster, probe, rows, tmp_path):
    given = ("--responses", rows, "--batch-tokens", 10, "--json")
    whole, _ = probe("tokens", *given)
    found, _ = probe("tokens", *given, "--ray", 2, "--out", tmp_path)
    assert found == rounded(whole)
    assert len(list((tmp_path / "shards").glob("*-of-2.npz"))) == 2
    assert (tmp_path / "positions.parquet").stat().st_size > 0


@pytest.mark.filterwarnings("ignore")
def test_gpus_that_the_cluster_lacks_are_named_at_once(cluster, paths, texts):
    rows = Texts(texts, Labels())
    with pytest.raises(InputError, match="no machine in the cluster has 2 GPUs; the largest has 0"):
        probe_hidden(*paths, rows, Split(ray=2, gpus_per_shard=2))
    found = probe_hidden(*paths, rows, Split(ray=2, gpus_per_shard=0))
    assert found.n_texts == len(texts)
