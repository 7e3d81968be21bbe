"""What several importers' tests share."""

import json

import pytest


@pytest.fixture
def put_results(tmp_path):
    """Writes one task's results, and samples by their scores, as lm-eval does; the folder."""

    def written(name, raw, samples=None, date="2026-01-01T00-00-00.000000"):
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        (folder / f"results_{date}.json").write_text(json.dumps(raw))
        if samples is not None:
            (task,) = raw["results"]
            rows = [{"doc_id": n, "acc": float(s), "filter": "none"} for n, s in enumerate(samples)]
            text = "".join(json.dumps(row) + "\n" for row in rows)
            (folder / f"samples_{task}_{date}.jsonl").write_text(text)
        return folder

    return written
