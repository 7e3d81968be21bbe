"""Downloads by the hub's own client from a server on loopback that answers as the hub does."""

from __future__ import annotations

import hashlib
import io
import json
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

pytest.importorskip("huggingface_hub")
pytest.importorskip("pyarrow")

import pyarrow
from pyarrow import parquet

from transferscope.core.errors import InputError
from transferscope.tasks.paper.data_sources import SOURCES, Source
from transferscope.tasks.paper.hub_download import PARTS, Unreachable, download, download_all

COMMIT = "0123456789abcdef0123456789abcdef01234567"
ROWS = b'{"question": "Two and two?", "answer": "#### 4"}\n'


def source(**changed: object) -> Source:
    plain = Source(
        benchmark="GSM8K",
        target="gsm8k.jsonl",
        start="gsm8k",
        dataset="me/gsm8k",
        revision=COMMIT,
        files=("main/test.jsonl",),
        licence="MIT",
    )
    return replace(plain, **changed)  # type: ignore[arg-type]


def table(rows: list[dict[str, object]]) -> bytes:
    sink = io.BytesIO()
    parquet.write_table(pyarrow.Table.from_pylist(rows), sink)
    return sink.getvalue()


@dataclass
class Hub:
    """What the server has, by path, and which error it gives for others."""

    files: dict[str, bytes] = field(default_factory=dict)
    errors: dict[str, tuple[int, str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def add(self, given: Source, contents: Mapping[str, bytes]) -> None:
        for name, content in contents.items():
            revision = given.revision.replace("/", "%2F")
            self.files[f"/datasets/{given.dataset}/resolve/{revision}/{name}"] = content


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    state = Hub()

    class Handler(BaseHTTPRequestHandler):
        def answer(self, *, body: bool) -> None:
            state.asked.append(f"{self.command} {self.path.rpartition('/')[2]}")
            content = state.files.get(self.path)
            dataset = "/".join(self.path.split("/")[2:4])
            status, code = state.errors.get(dataset, (404, "EntryNotFound"))
            self.send_response(200 if content is not None else status)
            if content is None:
                self.send_header("X-Error-Code", code)
            else:
                self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
                self.send_header("X-Repo-Commit", COMMIT)
            self.send_header("Content-Length", str(len(content or b"")))
            self.end_headers()
            if body and content is not None:
                self.wfile.write(content)

        def do_HEAD(self) -> None:
            self.answer(body=False)

        def do_GET(self) -> None:
            self.answer(body=True)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        threading.Thread(target=http.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{http.server_port}"
        template = url + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", url)
        monkeypatch.setattr("huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE", template)
        yield state
        http.shutdown()


def test_a_file_arrives_unchanged_and_nothing_else_is_left(server: Hub, tmp_path: Path) -> None:
    wanted = source()
    server.add(wanted, {"main/test.jsonl": ROWS})
    folder = tmp_path / "deep" / "data"
    assert download(wanted, folder) == folder / "gsm8k.jsonl"
    assert (folder / "gsm8k.jsonl").read_bytes() == ROWS
    assert [file.name for file in folder.iterdir()] == ["gsm8k.jsonl"]


def test_several_files_become_one_of_json_lines(server: Hub, tmp_path: Path) -> None:
    wanted = source(files=("a/test.parquet", "b/test.parquet"))
    choices = {"text": ["x", "y"], "label": ["A", "B"]}
    server.add(
        wanted,
        {
            "a/test.parquet": table([{"id": 1, "choices": choices}]),
            "b/test.parquet": table([{"id": 2, "choices": choices}]),
        },
    )
    lines = download(wanted, tmp_path).read_text().splitlines()
    assert [json.loads(line) for line in lines] == [
        {"id": 1, "choices": choices},
        {"id": 2, "choices": choices},
    ]


def test_a_rerun_fetches_only_what_is_lacking(server: Hub, tmp_path: Path) -> None:
    wanted = source(files=("a/1.parquet", "b/2.parquet"))
    server.add(wanted, {"a/1.parquet": table([{"id": 1}])})
    with pytest.raises(InputError, match="no such file"):
        download(wanted, tmp_path)
    assert not (tmp_path / "gsm8k.jsonl").exists()
    server.add(wanted, {"b/2.parquet": table([{"id": 2}])})
    download(wanted, tmp_path)
    assert [asked for asked in server.asked if "GET" in asked] == ["GET 1.parquet", "GET 2.parquet"]
    assert (tmp_path / "gsm8k.jsonl").read_text() == '{"id": 1}\n{"id": 2}\n'


def test_an_image_becomes_whether_there_is_one(server: Hub, tmp_path: Path) -> None:
    wanted = source(revision="refs/convert/parquet", files=("en/test/0000.parquet",))
    images = [{"bytes": b"\x89PNG", "path": None}, {"bytes": None, "path": ""}, None]
    rows: list[dict[str, object]] = [{"qtext": "?", "image": image} for image in images]
    server.add(wanted, {"en/test/0000.parquet": table(rows)})
    lines = download(wanted, tmp_path).read_text().splitlines()
    assert [json.loads(line)["image"] for line in lines] == [True, False, None]


def test_refusals_are_one_line_and_do_not_stop_the_others(server: Hub, tmp_path: Path) -> None:
    gated = source(target="gpqa.csv", dataset="them/gpqa", gated=True)
    gone = source(target="coqa.jsonl", dataset="them/coqa")
    broken = source(target="ifeval.jsonl", dataset="them/ifeval")
    server.errors["them/gpqa"] = (403, "GatedRepo")
    server.errors["them/ifeval"] = (418, "")
    there = source()
    server.add(there, {"main/test.jsonl": ROWS})
    written: list[Path] = []
    refused = download_all([gated, gone, broken, there], tmp_path, tell=written.append)
    assert written == [tmp_path / "gsm8k.jsonl"]
    assert list(refused) == ["gpqa.csv", "coqa.jsonl", "ifeval.jsonl"]
    assert refused["gpqa.csv"] == (
        "https://huggingface.co/datasets/them/gpqa: access to the data set is restricted; accept "
        "the terms on that page with your account, then set HF_TOKEN to its token"
    )
    assert "no such file at revision 0123456789abcdef0123" in refused["coqa.jsonl"]
    assert "the hub refuses the file: " in refused["ifeval.jsonl"]
    assert not any("\n" in why for why in refused.values())


def test_without_a_connection_no_further_file_is_tried(
    server: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(Unreachable, match="the hub can't be reached; set HF_ENDPOINT to a mirror"):
        download(source(), tmp_path)
    refused = download_all(SOURCES, tmp_path, tell=pytest.fail)
    assert list(refused) == [each.target for each in SOURCES]
    assert len(set(refused.values())) == 1
    assert server.asked == []


def test_a_damaged_file_leaves_no_target(server: Hub, tmp_path: Path) -> None:
    wanted = source(files=("a.parquet", "b.parquet"))
    server.add(wanted, {"a.parquet": table([{"id": 1}]), "b.parquet": b"PAR1 cut"})
    with pytest.raises(InputError, match="not parquet"):
        download(wanted, tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == [PARTS]


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="name another folder: --data DIR"):
        download(source(), tmp_path / "file")
