"""Kinds of documents: each cell of the table in docs/documents.md, on a real file of the kind; and what each kind
keeps.

A test of a cell is named `test_<column>[<kind>]`; `test_table_lists_all_cells` reads the table.
"""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import json
import lzma
import os
import pickle
import random
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from conftest import ROOT
from hypothesis import given
from hypothesis import strategies as st

import restore
from restore import pipeline, targets
from restore.documents import DocumentError, Options, Restored, open_reader
from restore.documents.base import listing
from restore.documents.csv import cells, stays_open
from restore.documents.jsonl import LinesItem, offsets, strings
from restore.documents.streams import Input, Output
from restore.documents.text import TextItem
from restore.journal import Journal
from restore.vectors import ModelError
from restore.work import Engine

WORK = Engine.__call__
FIELDS = {"jsonl": ("body",), "csv": ("body",), "parquet": ("body",), "arrow": ("body",)}


def rows_of(spun: str, clean: str, n: int = 12) -> list[dict]:
    return [
        {"id": i, "title": "Café — x", "body": spun if i % 3 == 0 else clean, "price": 1.50, "note": None}
        for i in range(n)
    ]


def make_text(spun: str, clean: str) -> bytes:
    return spun.encode()


def make_html(spun: str, clean: str) -> bytes:
    body = "".join(f"<p>{p}</p>\n" for p in spun.split("\n\n"))
    return f"<!doctype html><meta charset=utf-8><body><nav>local weather</nav>{body}</body>".encode()


def make_jsonl(spun: str, clean: str) -> bytes:
    return "".join(json.dumps(r, ensure_ascii=i % 2 == 0) + "\n" for i, r in enumerate(rows_of(spun, clean))).encode()


def make_csv(spun: str, clean: str) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, ["id", "title", "body", "price", "note"], lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows_of(spun, clean))
    return out.getvalue().encode()


def make_parquet(spun: str, clean: str) -> bytes:
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet

    out = io.BytesIO()
    pyarrow.parquet.write_table(pa.Table.from_pylist(rows_of(spun, clean)), out, row_group_size=5, compression="zstd")
    return out.getvalue()


def make_arrow(spun: str, clean: str) -> bytes:
    pa = pytest.importorskip("pyarrow")
    out = io.BytesIO()
    table = pa.Table.from_pylist(rows_of(spun, clean))
    with pa.ipc.new_file(out, table.schema) as writer:
        writer.write_table(table, max_chunksize=5)
    return out.getvalue()


def make_warc(spun: str, clean: str) -> bytes:
    pytest.importorskip("warcio")
    from warcio.statusandheaders import StatusAndHeaders
    from warcio.warcwriter import WARCWriter

    out = io.BytesIO()
    writer = WARCWriter(out, gzip=False)
    writer.write_record(writer.create_warcinfo_record("a.warc", {"software": "test"}))
    for i in range(4):
        page = make_html(spun, clean) if i % 2 == 0 else b"GIF89a local weather"
        kind = "text/html; charset=utf-8" if i % 2 == 0 else "image/gif"
        coded = gzip.compress(page) if i == 2 else page
        headers = [("Content-Type", kind), ("Content-Length", str(len(coded))), ("X-A", "b")]
        headers += [("Content-Encoding", "gzip")] if i == 2 else []
        http = StatusAndHeaders("200 OK", headers, protocol="HTTP/1.1")
        url = f"http://example.org/{i}"
        writer.write_record(writer.create_warc_record(url, "request", payload=io.BytesIO(b"GET / HTTP/1.1\r\n\r\n")))
        writer.write_record(writer.create_warc_record(url, "response", payload=io.BytesIO(coded), http_headers=http))
    return out.getvalue()


MAKERS: dict[str, tuple[str, Callable[[str, str], bytes]]] = {
    "text": ("page.txt", make_text),
    "html": ("page.html", make_html),
    "jsonl": ("feed.jsonl", make_jsonl),
    "csv": ("table.csv", make_csv),
    "parquet": ("table.parquet", make_parquet),
    "arrow": ("table.arrow", make_arrow),
    "warc": ("crawl.warc", make_warc),
}


class Bench:
    """A folder, the engine, and a plan with the defaults of the command line."""

    def __init__(self, folder: Path, engine: restore.Restorer, capfdbinary):
        self.folder, self.engine, self.capture = folder, engine, capfdbinary

    def make(self, kind: str, spun: str, clean: str, pack: str = "") -> Path:
        name, maker = MAKERS[kind]
        data = maker(spun, clean)
        path = self.folder / (name + pack)
        path.write_bytes(PACK[pack](data) if pack else data)
        return path

    def run(self, path: Path | str, output: Path | None = None, write: bool = False, **more):
        fields = more.pop("fields", FIELDS.get(more.pop("of", ""), ()))
        options = Options(fields, **{k: more.pop(k) for k in list(more) if k in Options.__dataclass_fields__})
        names = [str(path)]
        to = more.get("to", "")
        sources = targets.planned(names, more.pop("glob", ""), output, write, lambda name: to)
        journal = targets.journal_path(sources, names, output)
        self.plan = pipeline.Plan(sources, self.engine, options, journal=journal, **more)
        return pipeline.run(self.plan)

    def printed(self) -> bytes:
        return self.capture.readouterr().out


@pytest.fixture
def bench(tmp_path, engine, capfdbinary) -> Bench:
    return Bench(tmp_path, engine, capfdbinary)


def zstd(data: bytes) -> bytes:
    return pytest.importorskip("zstandard").ZstdCompressor().compress(data)


def unzstd(data: bytes) -> bytes:
    zstandard = pytest.importorskip("zstandard")
    return zstandard.ZstdDecompressor().stream_reader(io.BytesIO(data), read_across_frames=True).read()


PACK = {".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress, ".zst": zstd}
UNPACK = {".gz": gzip.decompress, ".bz2": bz2.decompress, ".xz": lzma.decompress, ".zst": unzstd}


def check(kind: str, before: bytes, after: bytes, restored: str) -> None:
    """`after` is `before` with its spun texts restored, everything else as it was."""
    if kind == "text":
        assert after.decode() == restored
    elif kind == "html":
        assert b"<nav>local weather</nav>" in after
        assert b"climate" in after
        assert after.count(b"<p>") == before.count(b"<p>")
    elif kind == "jsonl":
        for old, new in zip(before.splitlines(), after.splitlines(), strict=True):
            record = json.loads(old)
            if record["id"] % 3:
                assert new == old
            else:
                assert json.loads(new) == record | {"body": restored}
                assert new.partition(b'"body"')[0] == old.partition(b'"body"')[0]
                assert new.rpartition(b'"price"')[2] == old.rpartition(b'"price"')[2]
    elif kind == "csv":
        old, new = (list(csv.DictReader(io.StringIO(x.decode(), newline=""))) for x in (before, after))
        assert new == [r | {"body": restored} if i % 3 == 0 else r for i, r in enumerate(old)]
        assert after.count(b"\r\n") == before.count(b"\r\n")
    elif kind in ("parquet", "arrow"):
        old, new = table_of(kind, before), table_of(kind, after)
        assert new.schema == old.schema
        assert new.to_pylist() == [r | {"body": restored} if i % 3 == 0 else r for i, r in enumerate(old.to_pylist())]
        assert groups_of(kind, after) == groups_of(kind, before)
    else:
        check_archive(before, after)


def table_of(kind: str, data: bytes):
    import pyarrow as pa
    import pyarrow.parquet

    return pyarrow.parquet.read_table(io.BytesIO(data)) if kind == "parquet" else pa.ipc.open_file(data).read_all()


def groups_of(kind: str, data: bytes) -> list:
    import pyarrow as pa
    import pyarrow.parquet

    if kind == "arrow":
        return [pa.ipc.open_file(data).get_batch(i).num_rows for i in range(pa.ipc.open_file(data).num_record_batches)]
    meta = pyarrow.parquet.ParquetFile(io.BytesIO(data)).metadata
    return [(meta.row_group(i).num_rows, meta.row_group(i).column(2).compression) for i in range(meta.num_row_groups)]


def check_archive(before: bytes, after: bytes) -> None:
    from warcio.archiveiterator import ArchiveIterator

    def records(data: bytes):
        found = []
        for r in ArchiveIterator(io.BytesIO(data), check_digests="raise"):
            found.append((r.rec_type, r.rec_headers.get_header("WARC-Record-ID"), r.content_stream().read()))
        return found

    old, new = records(before), records(after)
    assert len(old) == len(new) == 9
    for (kind, name, payload), (new_kind, new_name, new_payload) in zip(old, new, strict=True):
        assert (new_kind, new_name) == (kind, name)
        if payload.startswith(b"<!doctype"):
            assert b"climate" in new_payload
            assert b"<nav>local weather</nav>" in new_payload
        else:
            assert new_payload == payload


@pytest.fixture(scope="session")
def restored(engine, spun) -> str:
    return engine.restore(spun).text


# --- the table ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", MAKERS)
def test_stream(bench, spun, clean, restored, kind):
    """To standard output."""
    path = bench.make(kind, spun, clean)
    tally = bench.run(path, of=kind)
    assert (tally.failed, tally.rejected) == (0, 0)
    check(kind, path.read_bytes(), bench.printed(), restored)


@pytest.mark.parametrize("kind", MAKERS)
def test_standard_input(bench, spun, clean, restored, kind, monkeypatch):
    """From standard input, compressed or not, to standard output."""
    data = MAKERS[kind][1](spun, clean)
    for sent in (data, gzip.compress(data)):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(sent))))
        tally = bench.run("-", of=kind, kind=kind)
        assert (tally.failed, tally.rejected) == (0, 0)
        check(kind, data, bench.printed(), restored)


@pytest.mark.parametrize("kind", MAKERS)
def test_in_place(bench, spun, clean, restored, kind):
    """The file is replaced, its permissions kept, and nothing is left beside it but the copy that was asked for."""
    path = bench.make(kind, spun, clean)
    path.chmod(0o640)
    before = path.read_bytes()
    bench.run(path, write=True, of=kind, backup=".old")
    check(kind, before, path.read_bytes(), restored)
    assert path.with_name(path.name + ".old").read_bytes() == before
    assert path.stat().st_mode & 0o777 == 0o640
    assert sorted(p.name for p in bench.folder.iterdir()) == sorted([path.name, path.name + ".old"])


@pytest.mark.parametrize("kind", MAKERS)
def test_in_place_where_nothing_changes(bench, clean, kind):
    """A clean file is not even touched."""
    path = bench.make(kind, clean, clean)
    before = path.stat()
    tally = bench.run(path, write=True, of=kind)
    assert tally.edits == 0
    assert path.stat().st_mtime_ns == before.st_mtime_ns
    assert path.stat().st_ino == before.st_ino


@pytest.mark.parametrize("kind", MAKERS)
def test_resume(bench, spun, clean, kind, monkeypatch):
    """Stopped after every item in turn, and resumed: the same bytes as in one go, and no record done twice."""
    if kind == "text":
        monkeypatch.setattr("restore.documents.text.CHUNK", 300)
        monkeypatch.setattr("restore.documents.text.cut", lambda text: 300)
    for module in ("jsonl", "csv"):
        monkeypatch.setattr(f"restore.documents.{module}.ITEM_RECORDS", 2)
    monkeypatch.setattr("restore.documents.arrow.BATCH", 2)
    monkeypatch.setattr(pipeline, "CHECKPOINT", 1)
    path = bench.make(kind, spun, clean)
    once, out = bench.folder / "once.bin", bench.folder / "out.bin"
    whole = bench.run(path, once, of=kind)
    for stop in range(1, 12):
        done: list[int] = []
        stopping(monkeypatch, stop, done)
        try:
            tally = bench.run(path, out, of=kind)
            break
        except KeyboardInterrupt:
            assert not out.exists()
        first, done[:] = sum(done), []
        stopping(monkeypatch, 1000, done)
        tally = bench.run(path, out, of=kind, resume=True)
        assert (tally.documents, tally.edits) == (whole.documents, whole.edits)
        assert first + sum(done) <= len_of(path, kind) + 2  # what was not yet written is done again, no more
        assert out.read_bytes() == once.read_bytes()
        assert sorted(p.name for p in bench.folder.iterdir()) == sorted([path.name, "once.bin", "out.bin"])
        out.unlink()
    assert tally.documents == whole.documents


def len_of(path: Path, kind: str) -> int:
    reader = open_reader(str(path), kind, Options(FIELDS.get(kind, ())))
    return sum(1 for _ in reader.items())


def stopping(monkeypatch, at: int, done: list[int]) -> None:
    """Let the run end, as by Ctrl-C, at an item."""

    def run(self, item):
        done.append(1)
        if len(done) > at:
            raise KeyboardInterrupt
        return WORK(self, item)

    monkeypatch.setattr(Engine, "__call__", run)


@pytest.mark.parametrize("kind", ["html", "warc"])
def test_extract(bench, spun, clean, restored, kind):
    """The article's text; of an archive, its pages' texts as rows."""
    pytest.importorskip("trafilatura")
    path = bench.make(kind, spun, clean)
    if kind == "html":
        bench.run(path, html="extract")
        text = bench.printed().decode()
    else:
        bench.run(path, to="jsonl")
        rows = [json.loads(line) for line in bench.printed().splitlines()]
        text = next(r["text"] for r in rows if r)
    paragraphs = [p.strip() for p in restored.split("\n\n")][1:]
    kept = sum(p in text for p in paragraphs)
    assert kept >= len(paragraphs) - 1
    assert "local weather" not in text


def test_table_lists_all_cells():
    """docs/documents.md names a test in each cell, and there is one."""
    page = (ROOT / "docs" / "documents.md").read_text(encoding="utf-8")
    table = [line for line in page.splitlines() if line.startswith("| ")]
    head = [c.strip() for c in table[0].strip("|").split("|")]
    listed = {r[0].strip(): r[1:] for r in (line.strip("|").split("|") for line in table[1:]) if r[0].strip() in MAKERS}
    assert set(listed) == set(MAKERS)
    assert head[1:] == ["keep", "extract", "stream", "in place", "resume"]
    for kind, row in listed.items():
        marks = [c.strip() for c in row[:5]]
        assert marks == ["yes", "yes" if kind in ("html", "warc") else "", "yes", "yes", "yes"], kind


# --- what each kind keeps ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("pack", PACK)
@pytest.mark.parametrize("kind", ["text", "jsonl", "parquet", "arrow"])
def test_compressed(bench, spun, clean, restored, kind, pack):
    path = bench.make(kind, spun, clean, pack)
    before = UNPACK[pack](path.read_bytes())
    bench.run(path, bench.folder / f"out{pack}", of=kind)
    check(kind, before, UNPACK[pack]((bench.folder / f"out{pack}").read_bytes()), restored)
    bench.run(path, of=kind)
    check(kind, before, bench.printed(), restored)
    bench.run(path, write=True, of=kind)
    check(kind, before, UNPACK[pack](path.read_bytes()), restored)


def test_archive_members_are_records(bench, spun, clean):
    """A compressed archive has a member for each record, as readers of archives need."""
    path = bench.make("warc", spun, clean, ".gz")
    bench.run(path, bench.folder / "out.warc.gz")
    data = (bench.folder / "out.warc.gz").read_bytes()
    assert data.count(b"\x1f\x8b\x08") >= 9
    check_archive(gzip.decompress(path.read_bytes()), gzip.decompress(data))


def test_folder(bench, spun, clean, restored):
    for name in ("a.txt", "b/c.txt", "b/d.html", ".hidden/e.txt", "b/empty.txt", "b/f.bin"):
        (bench.folder / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (bench.folder / "in" / name).write_bytes(b"" if "empty" in name else make_text(spun, clean))
    bench.run(bench.folder / "in", bench.folder / "out")
    there = sorted(str(p.relative_to(bench.folder / "out")) for p in (bench.folder / "out").rglob("*") if p.is_file())
    assert there == ["a.txt", "b/c.txt", "b/d.html"]
    bench.run(bench.folder / "in", bench.folder / "new" / "deep", glob="a.*")
    assert (bench.folder / "new/deep/a.txt").read_text(encoding="utf-8") == restored
    bench.run(bench.folder / "in", write=True, glob="*.bin")
    assert (bench.folder / "in/b/f.bin").read_text(encoding="utf-8") == restored
    assert (bench.folder / "in/a.txt").read_text(encoding="utf-8") == spun


def test_jsonl_nested_and_lists(bench, spun):
    """Fields inside fields and in lists, spacing and numbers kept; the fields of a record are evidence for each
    other."""
    title, *paragraphs = spun.split("\n\n")
    record = {
        "a": {"title": title, "n": 12345678901234567890},
        "parts": [{"t": p} for p in paragraphs],
        "x": [paragraphs[0]],
    }
    line = json.dumps(record, separators=(" , ", " :")).replace("12345678901234567890", "1.0e+3")
    (bench.folder / "f.jsonl").write_text("\ufeff" + line + "\r\n\r\n", encoding="utf-8")
    bench.run(bench.folder / "f.jsonl", fields=("a.title", "parts.t"))
    out = bench.printed().decode()
    assert out.startswith("\ufeff{")
    assert out.endswith("}\r\n\r\n")
    new = json.loads(out.lstrip("\ufeff").splitlines()[0])
    assert "City Library" in new["a"]["title"]
    assert "climate" in " ".join(p["t"] for p in new["parts"])
    assert new["x"] == [paragraphs[0]]
    assert " :1.0e+3}" in out


def test_keep_original_and_annotate(bench, spun, clean, restored):
    path = bench.make("jsonl", spun, clean)
    bench.run(path, of="jsonl", keep_original=True, annotate=True)
    out = [json.loads(line) for line in bench.printed().splitlines()]
    assert out[0]["body"] == spun
    assert out[0]["body_restored"] == restored
    assert out[0]["restore"]["verdict"]["spun"] is True
    assert out[1]["restore"] == {"verdict": out[1]["restore"]["verdict"], "edits": []}
    path = bench.make("csv", spun, clean)
    bench.run(path, of="csv", keep_original=True, annotate=True)
    rows = list(csv.DictReader(io.StringIO(bench.printed().decode(), newline="")))
    assert rows[0]["body_restored"] == restored
    assert (rows[0]["restore_spun"], rows[1]["restore_spun"]) == ("true", "false")
    assert json.loads(rows[0]["restore_edits"])[0]["found"] == "Metropolis"
    path = bench.make("parquet", spun, clean)
    bench.run(path, bench.folder / "out.parquet", of="parquet", keep_original=True, annotate=True)
    table = table_of("parquet", (bench.folder / "out.parquet").read_bytes()).to_pylist()
    assert table[0]["body_restored"] == restored
    assert table[0]["restore_spun"] is True
    assert table[1]["restore_edits"] == "[]"


def test_table_with_structs_nulls_and_dictionaries(bench, spun, restored):
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet

    nested = [
        {"a": {"text": spun, "n": 1}},
        {"a": None},
        {"a": {"text": None, "n": 2}},
        {"a": {"text": spun, "n": None}},
    ]
    table = pa.table({"s": nested, "d": pa.array([spun, "x", None, spun]).dictionary_encode(), "z": [1, 2, 3, 4]})
    pyarrow.parquet.write_table(table, bench.folder / "t.parquet")
    bench.run(bench.folder / "t.parquet", bench.folder / "m.parquet", fields=("s.a.text",))
    bench.run(bench.folder / "m.parquet", bench.folder / "o.parquet", fields=("d",))
    out = pyarrow.parquet.read_table(bench.folder / "o.parquet")
    assert out.schema == pyarrow.parquet.read_table(bench.folder / "t.parquet").schema
    rows = out.to_pylist()
    assert [r["s"]["a"] and r["s"]["a"]["text"] for r in rows] == [restored, None, None, restored]
    assert [r["d"] for r in rows] == [restored, "x", None, restored]


@pytest.mark.parametrize("to", ["text", "jsonl", "csv", "parquet", "arrow"])
@pytest.mark.parametrize("kind", ["jsonl", "csv", "parquet"])
def test_turned_into_another_kind(bench, spun, clean, restored, kind, to):
    if "parquet" in (kind, to) or to == "arrow":
        pytest.importorskip("pyarrow")
    path = bench.make(kind, spun, clean)
    out = bench.folder / f"out.{to}"
    bench.run(path, out, of=kind, to=to)
    data = out.read_bytes()
    if to == "text":
        assert data.decode().count(restored.strip()) == 4
        return
    rows = (
        table_of(to, data).to_pylist() if to in ("parquet", "arrow")
        else [json.loads(line) for line in data.splitlines()] if to == "jsonl"
        else list(csv.DictReader(io.StringIO(data.decode(), newline="")))
    )  # fmt: skip
    assert [str(r["id"]) for r in rows] == [str(i) for i in range(12)]
    assert [r["body"] for r in rows] == [restored if i % 3 == 0 else clean for i in range(12)]


# --- encodings ---------------------------------------------------------------------------------------------------

TEXTS = {  # name: a text around the article, encoding, option
    "windows line ends": ("{}\r\nx\r\n", "utf-8", "utf-8"),
    "no final line end": ("{}", "utf-8", "utf-8"),
    "byte order mark": ("\ufeff{}\n", "utf-8", "utf-8"),
    "astral characters": ("\U0001f600\U0001f468\u200d\U0001f469 {} \U00010348\n", "utf-8", "utf-8"),
    "combining marks": ("cafe\u0301 {} n\u0303\n", "utf-8", "utf-8"),
    "right to left": (
        "\u200f\u05e9\u05dc\u05d5\u05dd {} \u202b\u0645\u0631\u062d\u0628\u0627\u202c\n",
        "utf-8",
        "utf-8",
    ),
    "soft hyphens outside": ("un\u00adtouched\n\n{}\n", "utf-8", "utf-8"),
    "form feeds and odd line ends": ("a\fb\x0b\u2028c\x85\n{}\r", "utf-8", "utf-8"),
    "little-endian UTF-16 with a mark": ("\ufeff{}\n", "utf-16-le", "utf-16"),
    "big-endian UTF-16 with a mark": ("\ufeff{}\n", "utf-16-be", "utf-16"),
    "Windows code page": ("“{}”\n", "cp1252", "cp1252"),
    "marked UTF-16, auto": ("\ufeff{}\n", "utf-16-be", "auto"),
    "UTF-8, auto": ("“{}”\n", "utf-8", "auto"),
}


@pytest.mark.parametrize("name", TEXTS)
def test_bytes_around_edits_survive(bench, spun, name):
    around, encoding, option = TEXTS[name]
    before, after = around.split("{}")
    data = around.format(spun).encode(encoding)
    (bench.folder / "page.txt").write_bytes(data)
    tally = bench.run(bench.folder / "page.txt", encoding=option)
    out = bench.printed()
    assert tally.edits > 40
    assert out.startswith(before.encode(encoding))
    assert out.endswith(after.encode(encoding))
    assert "climate" in out.decode(encoding)


def test_a_guessed_encoding(bench, spun):
    pytest.importorskip("charset_normalizer")
    data = (spun + "\n\nLe café était près de la forêt ; à côté, l'hôtel était fermé.\n").encode("cp1252", "replace")
    (bench.folder / "page.txt").write_bytes(data)
    bench.run(bench.folder / "page.txt", encoding="auto")
    assert "café était près".encode("cp1252") in bench.printed()


def test_mojibake_is_repaired_on_request(bench, spun):
    pytest.importorskip("ftfy")
    broken = spun.replace("’", "â€™").replace("“", "â€œ")
    assert broken != spun
    (bench.folder / "page.txt").write_text(broken, encoding="utf-8")
    bench.run(bench.folder / "page.txt")
    assert "â€™" in bench.printed().decode()
    bench.run(bench.folder / "page.txt", fix_encoding=True)
    out = bench.printed().decode()
    assert "â€™" not in out
    assert "’" in out


def test_hidden_characters_are_matched_through_told_and_removed(bench, spun, restored):
    """A spinner's tricks against matching: soft hyphens, zero-width spaces, letters of other scripts."""
    tricky = spun.replace("local weather", "lo\u00adcal\u200b we\u0430th\u0435r").replace("stated", "st\u0430ted")
    (bench.folder / "page.txt").write_text(tricky, encoding="utf-8")
    bench.run(bench.folder / "page.txt")
    found = bench.capture.readouterr()
    assert found.out.decode() == restored
    assert b"hidden characters (--strip-invisible removes them)" in found.err
    (bench.folder / "page.txt").write_text("A pl\u0430in day and a qui\u00adet night.\n", encoding="utf-8")
    bench.run(bench.folder / "page.txt", strip=True)
    assert bench.printed() == b"A plain day and a quiet night.\n"


# --- properties --------------------------------------------------------------------------------------------------


@given(st.text(), st.booleans())
def test_offsets_in_json_literals(text, ascii_only):
    literal = json.dumps(text, ensure_ascii=ascii_only)
    place = offsets(literal)
    at = [place(i) for i in range(len(text) + 1)]
    assert at[0] == 1
    assert at[-1] == len(literal) - 1
    for i, character in enumerate(text):
        assert json.loads(f'"{literal[at[i] : at[i + 1]]}"') == character


VALUES = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(max_size=3), VALUES, max_size=4), st.sampled_from([None, (",", ":"), (" ,\t", " : ")]))
def test_strings_of_json_lines(value, separators):
    """Every scalar is found where it is, under the names on the way to it."""
    line = json.dumps(value, separators=separators)

    def expected(value, path):
        if isinstance(value, dict):
            for name, inner in value.items():
                yield from expected(inner, f"{path}.{name}" if path else name)
        elif isinstance(value, list):
            for inner in value:
                yield from expected(inner, path)
        else:
            yield path, value

    found = [(f.path, json.loads(line[f.start : f.end])) for f in strings(line) if f.end]
    assert found == [(path, v) for path, v in expected(value, "")]


@given(st.lists(st.text(alphabet='a,;"\n é', max_size=6), min_size=1, max_size=5), st.sampled_from(",;\t"))
def test_cells_of_rows(values, delimiter):
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter, lineterminator="\n").writerow(values)
    row = out.getvalue()
    from restore.documents.csv import row_values

    if values != [""]:
        assert row_values(row, delimiter) == values
        assert len(cells(row, delimiter)) == len(values)
    is_open = False
    lines = row.encode().splitlines(keepends=True)
    for n, line in enumerate(lines):
        is_open = stays_open(line, is_open, delimiter.encode())
        assert is_open == (n < len(lines) - 1)


@given(st.lists(st.text(alphabet="ab \n", max_size=30), max_size=8))
def test_stretches_of_a_text_are_those_of_the_library(parts):
    """Whatever is cut, the items join to the text."""
    import tempfile

    text = "".join(parts) + "x"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.txt"
        path.write_text(text, encoding="utf-8", newline="")
        reader = open_reader(str(path), "text", Options())
        items = [i for i in reader.items() if isinstance(i, TextItem)]
        reader.source.close()
    assert "".join(i.text for i in items) == text
    assert items[-1].position == len(text)


def test_a_torn_journal_line_is_ignored(tmp_path):
    journal = Journal(tmp_path / "j", "x", False)
    journal.write({"source": "a", "of": "none", "position": 5, "number": 2})
    journal.close(remove=False)
    with open(tmp_path / "j", "ab") as file:
        file.write(b'{"source": "a", "posi')
    again = Journal(tmp_path / "j", "x", True)
    assert again.known["a"]["position"] == 5
    again.write({"source": "a", "done": True})
    again.close(remove=False)
    assert [json.loads(line) for line in (tmp_path / "j").read_bytes().splitlines()][-1] == {
        "source": "a",
        "done": True,
    }


@pytest.mark.parametrize("torn", [b"", b'{"opt'])
def test_a_journal_torn_in_its_first_line_is_none(bench, spun, torn):
    path = bench.folder / "a.txt"
    path.write_text(spun, encoding="utf-8")
    (bench.folder / ".a.txt.restore-journal").write_bytes(torn)
    tally = bench.run(path, write=True, resume=True)
    assert (tally.documents, tally.failed) == (1, 0)
    assert [p.name for p in bench.folder.iterdir()] == ["a.txt"]


def test_a_file_put_in_place_just_before_the_end_is_not_done_again(bench, spun, clean, monkeypatch):
    """Killed between the replacement and the note of it: the journal's last line tells the new file by its
    fingerprint."""
    for name in ("in/a.txt", "in/b.txt"):
        (bench.folder / name).parent.mkdir(exist_ok=True)
        (bench.folder / name).write_text(spun, encoding="utf-8")
    real = Output.commit

    def commit(self, *args):
        real(self, *args)
        raise KeyboardInterrupt

    monkeypatch.setattr(Output, "commit", commit)
    with pytest.raises(KeyboardInterrupt):
        bench.run(bench.folder / "in", write=True)
    monkeypatch.setattr(Output, "commit", real)
    once = (bench.folder / "in/a.txt").stat().st_mtime_ns
    tally = bench.run(bench.folder / "in", write=True, resume=True)
    assert (tally.documents, tally.spun) == (2, 2)
    assert (bench.folder / "in/a.txt").stat().st_mtime_ns == once
    assert (bench.folder / "in/b.txt").read_bytes() == (bench.folder / "in/a.txt").read_bytes()
    assert sorted(p.name for p in (bench.folder / "in").iterdir()) == ["a.txt", "b.txt"]


def test_a_source_that_changed_is_not_resumed(bench, spun, clean, monkeypatch):
    monkeypatch.setattr("restore.documents.jsonl.ITEM_RECORDS", 2)
    monkeypatch.setattr(pipeline, "CHECKPOINT", 1)
    path = bench.make("jsonl", spun, clean)
    stopping(monkeypatch, 3, [])
    with pytest.raises(KeyboardInterrupt):
        bench.run(path, bench.folder / "out.jsonl", of="jsonl")
    path.write_bytes(path.read_bytes() + b'{"body": "x"}\n')
    stopping(monkeypatch, 1000, [])
    tally = bench.run(path, bench.folder / "out.jsonl", of="jsonl", resume=True)
    assert tally.failed == 1
    assert b"feed.jsonl: has changed since the run" in bench.capture.readouterr().err
    assert not (bench.folder / "out.jsonl").exists()


def test_a_part_that_is_gone_is_not_resumed(bench, spun, clean, monkeypatch):
    monkeypatch.setattr("restore.documents.jsonl.ITEM_RECORDS", 2)
    monkeypatch.setattr(pipeline, "CHECKPOINT", 1)
    path, part = bench.make("jsonl", spun, clean), bench.folder / ".out.jsonl.restore-part"
    stopping(monkeypatch, 3, [])
    with pytest.raises(KeyboardInterrupt):
        bench.run(path, bench.folder / "out.jsonl", of="jsonl")
    part.write_bytes(b"")
    stopping(monkeypatch, 1000, [])
    assert bench.run(path, bench.folder / "out.jsonl", of="jsonl", resume=True).failed == 1
    assert b"is missing or too short to continue from" in bench.capture.readouterr().err
    bench.run(path, bench.folder / "out.jsonl", of="jsonl")
    assert sorted(p.name for p in bench.folder.iterdir()) == ["feed.jsonl", "out.jsonl"]


def test_what_breaks_the_engine_is_one_record(bench, clean, monkeypatch):
    """An error of the engine's own costs one record, not the run."""
    path = bench.make("jsonl", clean, clean)
    real = restore.Restorer.restore

    def breaking(self, text, source=None):
        if breaking.calls == 3:
            breaking.calls += 1
            raise ZeroDivisionError("by design")
        breaking.calls += 1
        return real(self, text, source)

    breaking.calls = 0
    monkeypatch.setattr(restore.Restorer, "restore", breaking)
    tally = bench.run(path, of="jsonl")
    found = bench.capture.readouterr()
    assert found.out == path.read_bytes()
    assert b"feed.jsonl:4: cannot be restored (ZeroDivisionError: by design); please report it" in found.err
    assert (tally.documents, tally.rejected) == (12, 1)


def test_an_empty_record_is_a_record(bench, tmp_path):
    """On its way to another kind too; a blank line is none."""
    path = tmp_path / "in.jsonl"
    path.write_text('{"body": "A fine day."}\n\n{}\n', encoding="utf-8")
    bench.run(path, tmp_path / "out.jsonl", of="jsonl", to="jsonl", whole=True)
    assert [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()] == [
        {"body": "A fine day."},
        {},
    ]


def test_a_damaged_model_ends_the_run(bench, spun, tmp_path, monkeypatch):
    """It is no fault of a record's: none may pass for restored."""
    monkeypatch.setattr("restore.restorer.Rereader.load", damaged)
    bench.engine = restore.Restorer()
    with pytest.raises(ModelError, match="cut short"):
        bench.run(bench.make("jsonl", spun, spun), tmp_path / "out.jsonl", of="jsonl")
    assert not (tmp_path / "out.jsonl").exists()


def damaged(*_):
    raise ModelError("cloze.npz: not a cloze model, or cut short; fetch the file again")


def test_a_device_that_fails(bench, clean, monkeypatch):
    path = bench.make("jsonl", clean, clean)

    class Broken(io.BytesIO):
        def readline(self, size=-1):
            raise OSError(5, "Input/output error")

    real = pipeline.open_reader

    def opened(*args):
        reader = real(*args)
        reader.source.stream = Broken(path.read_bytes())
        return reader

    monkeypatch.setattr(pipeline, "open_reader", opened)
    assert bench.run(path, of="jsonl").failed == 1
    assert b"feed.jsonl: cannot be read (" in bench.capture.readouterr().err


def restored_as(*changes: tuple[int, int, str]) -> Restored:
    return Restored(restore.Restoration("", (), restore.Verdict(False, 0.0, 0.0, None)), (changes,))


@pytest.mark.parametrize(
    ("line", "after"),
    [
        ('{"b":"a\\u0041 one \\ud83d\\ude00"}', '{"b":"a\\u0041 \\u00e9\\"x \\ud83d\\ude00"}'),
        ('{"b": "aa one é\\/\\n"}', '{"b": "aa é\\"x é\\/\\n"}'),
    ],
)
def test_escapes_outside_and_inside_an_edit(line, after):
    """Escapes stay as they are; what comes in is escaped as the string is."""
    (record,) = LinesItem(1, 1, Options(("b",)), (line.encode(),), "utf-8").records()
    assert record.render(restored_as((3, 6, 'é"x'))) == after.encode()


def test_cells_that_do_not_change_keep_their_bytes(bench, spun):
    """Needless quotation marks, loose ones in bare cells, spaces, and rows without a line end."""
    text = spun.replace("\n", " ").replace('"', "")
    data = f'id;title;body\r\n"1"; 5" pipe ;"{text}"\n\n2;"say ""x""";plain'.encode()
    (bench.folder / "t.csv").write_bytes(data)
    bench.run(bench.folder / "t.csv", fields=("title", "body"))
    out = bench.printed()
    assert out.startswith(b'id;title;body\r\n"1"; 5" pipe ;"City Library')
    assert out.endswith(b'"\n\n2;"say ""x""";plain')


def test_rejects_are_cut_to_what_stands(bench, spun, clean, monkeypatch):
    """Rejects written after the last position are written again, not twice."""
    monkeypatch.setattr("restore.documents.jsonl.ITEM_RECORDS", 2)
    monkeypatch.setattr(pipeline, "CHECKPOINT", 1)
    path, rejects = bench.make("jsonl", spun, clean), bench.folder / "bad.jsonl"
    path.write_bytes(b"{bad\n" + path.read_bytes())
    stopping(monkeypatch, 3, [])
    with pytest.raises(KeyboardInterrupt):
        bench.run(path, bench.folder / "out.jsonl", of="jsonl", rejects=rejects)
    once = rejects.read_bytes()
    with open(rejects, "ab") as file:
        file.write(b'{"torn')
    stopping(monkeypatch, 1000, [])
    tally = bench.run(path, bench.folder / "out.jsonl", of="jsonl", rejects=rejects, resume=True)
    assert tally.rejected == 1
    assert rejects.read_bytes() == once


def test_rejects_of_a_document_that_failed_are_told_once(bench, spun, clean, monkeypatch):
    """It is begun anew when a run is resumed, and so are its rejects: they stand as in a run without a stop."""
    monkeypatch.setattr("restore.documents.jsonl.ITEM_RECORDS", 2)
    monkeypatch.setattr(pipeline, "CHECKPOINT", 1)
    feed = b"{bad\n" + make_jsonl(spun, clean)
    for name, data in (("a.jsonl.gz", gzip.compress(feed)[:-9]), ("b.jsonl", feed), ("c.jsonl", feed)):
        (bench.folder / "in" / name).parent.mkdir(exist_ok=True)
        (bench.folder / "in" / name).write_bytes(data)
    in_one_go, rejects = bench.folder / "one.jsonl", bench.folder / "bad.jsonl"
    bench.run(bench.folder / "in", bench.folder / "once", of="jsonl", rejects=in_one_go)
    assert len(lines_of(in_one_go)) == 4
    for stop in (8, 11, 14):
        stopping(monkeypatch, stop, [])
        with pytest.raises(KeyboardInterrupt):
            bench.run(bench.folder / "in", bench.folder / "out", of="jsonl", rejects=rejects)
        stopping(monkeypatch, 8, [])  # the first again, a part of what is left, and a stop in it
        with suppress(KeyboardInterrupt):
            bench.run(bench.folder / "in", bench.folder / "out", of="jsonl", rejects=rejects, resume=True)
        stopping(monkeypatch, 1000, [])
        tally = bench.run(bench.folder / "in", bench.folder / "out", of="jsonl", rejects=rejects, resume=True)
        assert (tally.failed, tally.rejected) == (1, 3)
        assert lines_of(rejects) == lines_of(in_one_go)
        assert sorted(p.name for p in (bench.folder / "out").iterdir()) == ["b.jsonl", "c.jsonl"]


def lines_of(path: Path) -> list[bytes]:
    return sorted(path.read_bytes().splitlines())


def test_stopped_between_the_note_of_a_file_and_its_place(bench, spun, clean, monkeypatch):
    """The journal knows the file as whole, and it is not: counts and rejects go on from the last position."""
    monkeypatch.setattr("restore.documents.jsonl.ITEM_RECORDS", 2)
    monkeypatch.setattr(pipeline, "CHECKPOINT", 1 << 11)
    path, rejects = bench.make("jsonl", spun, clean), bench.folder / "bad.jsonl"
    path.write_bytes(b"{bad\n" + path.read_bytes() + b"{worse\n")
    real = os.replace

    def replace(source, target):
        if str(target).endswith("out.jsonl"):
            raise KeyboardInterrupt
        real(source, target)

    monkeypatch.setattr(os, "replace", replace)
    with pytest.raises(KeyboardInterrupt):
        bench.run(path, bench.folder / "out.jsonl", of="jsonl", rejects=rejects)
    monkeypatch.setattr(os, "replace", real)
    tally = bench.run(path, bench.folder / "out.jsonl", of="jsonl", rejects=rejects, resume=True)
    assert (tally.documents, tally.rejected) == (14, 2)
    assert [json.loads(line)["record"] for line in rejects.read_bytes().splitlines()] == [1, 14]


def test_row_groups_are_put_together_again(bench, spun, clean, monkeypatch):
    monkeypatch.setattr("restore.documents.arrow.BATCH", 2)
    path = bench.make("parquet", spun, clean)
    bench.run(path, bench.folder / "out.parquet", of="parquet")
    assert groups_of("parquet", (bench.folder / "out.parquet").read_bytes()) == groups_of("parquet", path.read_bytes())


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes")
def test_nothing_is_taken_from_a_pipe(bench, clean):
    pipe, text = bench.folder / "pipe", f"{clean}\n" * 100
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_text, args=(text,), kwargs={"encoding": "utf-8"})
    writer.start()
    bench.run(pipe, bench.folder / "out.txt")
    writer.join()
    assert (bench.folder / "out.txt").read_text(encoding="utf-8") == text


def test_a_frame_cut_short_is_no_whole(bench):
    data = zstd(random.Random(1).randbytes(400_000).hex().encode())
    (bench.folder / "cut.txt.zst").write_bytes(data[: len(data) * 2 // 3])
    tally = bench.run(bench.folder / "cut.txt.zst", bench.folder / "out.txt")
    assert tally.failed == 1
    assert not (bench.folder / "out.txt").exists()


def test_rejected_rows_are_left_out_of_a_table(bench, spun, clean, monkeypatch):
    path, real = bench.make("parquet", spun, clean), restore.Restorer.restore
    rows = iter(range(12))

    def breaking(self, text, source=None):
        if next(rows) == 1:
            raise ZeroDivisionError("by design")
        return real(self, text, source)

    monkeypatch.setattr(restore.Restorer, "restore", breaking)
    out = bench.folder / "out.parquet"
    bench.run(path, out, of="parquet", rejects=bench.folder / "bad.jsonl", annotate=True)
    table = table_of("parquet", out.read_bytes()).to_pylist()
    assert [row["id"] for row in table] == [0, *range(2, 12)]
    assert [row["restore_spun"] for row in table] == [row["id"] % 3 == 0 for row in table]


@pytest.mark.parametrize("pack", PACK)
def test_a_compressed_table_cut_short_fails_alone(bench, spun, clean, pack):
    pytest.importorskip("pyarrow")
    for name in ("a", "b"):
        (bench.folder / f"{name}.parquet{pack}").write_bytes(PACK[pack](make_parquet(spun, clean)))
    cut = bench.folder / f"a.parquet{pack}"
    cut.write_bytes(cut.read_bytes()[: cut.stat().st_size // 2])
    tally = bench.run(bench.folder, bench.folder / "out", of="parquet")
    assert (tally.failed, tally.documents) == (1, 12)
    assert f"a.parquet{pack}: cannot be decompressed (".encode() in bench.capture.readouterr().err


@pytest.mark.parametrize("kind", ["text", "jsonl", "arrow"])
def test_a_source_is_closed_before_it_is_replaced(bench, spun, clean, monkeypatch, kind):
    """Windows replaces no file that is open."""
    path, opened, replace = bench.make(kind, spun, clean), [], os.replace
    init = Input.__init__
    monkeypatch.setattr(Input, "__init__", lambda self, name: (init(self, name), opened.append(self.raw))[0])
    states: list[tuple[Path, list[bool]]] = []
    monkeypatch.setattr(os, "replace", lambda a, b: (states.append((b, [f.closed for f in opened])), replace(a, b)))
    bench.run(path, write=True, of=kind)
    assert [closed for target, closed in states if Path(target).name == path.name] == [[True]]  # others: the cache


def test_a_field_named_twice_is_restored_once(bench, spun, clean):
    path = bench.make("csv", spun, clean)
    bench.run(path, fields=("body",))
    once = bench.printed()
    bench.run(path, fields=("body", "body"))
    assert bench.printed() == once


@pytest.mark.parametrize("name", ["UTF-16LE", "utf-16-le", "UTF_16LE"])
@pytest.mark.parametrize("file", ["a.txt", "a.html"])
def test_an_encoding_has_several_names(bench, spun, name, file):
    (bench.folder / file).write_bytes(f"<p>{spun}".encode("utf-16-le"))
    assert bench.run(bench.folder / file, encoding=name).failed == 0
    assert "climate" in bench.printed().decode("utf-16-le")


@pytest.mark.parametrize("name", ["utf-8", "UTF-8", "utf8"])
def test_a_page_comes_before_the_default_however_that_is_written(bench, spun, name):
    (bench.folder / "a.html").write_bytes(f"<meta charset=cp1252><p>Café. {spun}".encode("cp1252"))
    assert bench.run(bench.folder / "a.html", encoding=name).failed == 0
    assert "Café".encode("cp1252") in bench.printed()


def test_bytes_that_an_encoding_would_not_give_back_are_not_changed(bench):
    for name, data in {"a.txt": b"fine \xfa\x4a\n", "a.jsonl": b'{"body": "\xfa\x4a"}\n'}.items():
        (bench.folder / name).write_bytes(data)
        tally = bench.run(bench.folder / name, fields=("body",), encoding="cp932")
        assert tally.failed + tally.rejected == 1
        assert bench.printed() == (data if name == "a.jsonl" else b"")


@pytest.mark.parametrize("charset", ["undefined", "hex", "zip"])
def test_a_page_that_declares_a_codec_does_not_end_the_run(bench, charset):
    (bench.folder / "a.html").write_text(f"<meta charset={charset}><p>A fine day.")
    (bench.folder / "b.html").write_text("<p>A fine day.")
    tally = bench.run(bench.folder, bench.folder / "out")
    assert (tally.failed, tally.documents) == (1, 1)


def test_an_arrow_file_has_one_dictionary(bench, spun):
    pa = pytest.importorskip("pyarrow")
    table = pa.table({"body": pa.array([f"{spun} {i % 3}" if i % 40 == 0 else str(i % 9) for i in range(600)])})
    table = table.set_column(0, "body", table["body"].dictionary_encode())
    with pa.ipc.new_file(str(bench.folder / "d.arrow"), table.schema) as writer:
        writer.write_table(table)
    bench.run(bench.folder / "d.arrow", bench.folder / "out.arrow", fields=("body",))
    with pa.memory_map(str(bench.folder / "out.arrow")) as file:
        out = pa.ipc.open_file(file).read_all()
    assert out.schema == table.schema
    assert out["body"][0].as_py().startswith("City Library")
    assert out["body"][1:40].to_pylist() == table["body"][1:40].to_pylist()


def test_slices_go_without_what_they_are_cut_from(bench):
    pa = pytest.importorskip("pyarrow")
    table = pa.table({"body": ["some text " * 20] * 5_000})
    with pa.ipc.new_file(str(bench.folder / "a.arrow"), table.schema) as writer:
        writer.write_table(table)
    item = next(open_reader(str(bench.folder / "a.arrow"), "", Options(("body",))).items())
    assert len(pickle.dumps(item)) < 2 * item.weight + 10_000


def test_names_that_come_late_are_not_lost(bench):
    pa = pytest.importorskip("pyarrow")
    path, out = bench.folder / "a.jsonl", bench.folder / "out.parquet"
    path.write_text('{"body": "a"}\n{"body": "b", "n": 1}\n')
    bench.run(path, out, fields=("body",), to="parquet")
    assert pa.parquet.read_table(out).to_pylist() == [{"body": "a", "n": None}, {"body": "b", "n": 1}]
    path.write_text('{"body": "a", "s": {"x": 1}}\n' * 300 + '{"body": "b", "s": {"y": 1}}\n')
    assert bench.run(path, out, fields=("body",), to="parquet").failed == 1


@pytest.mark.parametrize("to", ["jsonl", "csv", "text", "parquet", "arrow"])
def test_a_lone_surrogate_ends_no_conversion(bench, to):
    if to in ("parquet", "arrow"):
        pytest.importorskip("pyarrow")
    (bench.folder / "a.jsonl").write_text('{"body": "Hello \\ud800 world"}\n\n')
    tally = bench.run(bench.folder / "a.jsonl", bench.folder / "out", fields=("body",), to=to)
    assert tally.failed + tally.rejected == 0
    if to == "jsonl":
        assert json.loads((bench.folder / "out").read_text(encoding="utf-8")) == {"body": "Hello \ud800 world"}


def test_long_cells_are_converted(bench):
    (bench.folder / "a.csv").write_bytes(b'id,body\n1,"' + b"A fine day. " * 12_000 + b'"\n2,a\rb\n')
    assert bench.run(bench.folder / "a.csv", fields=("body",), to="jsonl").rejected == 0
    assert json.loads(bench.printed().splitlines()[1]) == {"id": "2", "body": "a\rb"}


def test_a_field_that_is_null_is_there(bench):
    (bench.folder / "a.jsonl").write_text('{"title": "x", "body": null}\n')
    assert bench.run(bench.folder / "a.jsonl", fields=("body",)).failed == 0
    (bench.folder / "a.jsonl").write_text('{"n": 1}\n')
    assert bench.run(bench.folder / "a.jsonl", fields=("body",)).failed == 1


def test_rejected_records_are_told_up_to_a_number(bench):
    (bench.folder / "a.jsonl").write_text('{"body": "A fine day."}\n' + "bad\n" * 100)
    bench.run(bench.folder / "a.jsonl", bench.folder / "out.jsonl", fields=("body",), quiet=True)
    assert len(bench.capture.readouterr().err.splitlines()) == pipeline.TOLD + 1


def test_a_journal_has_a_place_where_the_folder_of_all_has_none(tmp_path, monkeypatch):
    names = [str(tmp_path / "a" / "x.txt"), str(tmp_path / "b" / "y.txt")]
    sources = [targets.Source(name, Path(name)) for name in names]
    assert targets.journal_path(sources, names, None) == tmp_path / ".restore-journal"
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert targets.journal_path(sources, names, None) == tmp_path / "a" / ".restore-journal"


def test_a_name_as_long_as_can_be(bench, spun):
    path = bench.folder / ("n" * 250 + ".txt")
    path.write_text(spun, encoding="utf-8")
    assert bench.run(path, write=True).failed == 0
    assert path.read_text(encoding="utf-8").startswith("City")


def test_mending_leaves_a_sound_file_as_it_is(bench, clean, tmp_path):
    """Not even its time changes."""
    path = tmp_path / "sound.txt"
    path.write_text(clean + " café", encoding="utf-8")
    os.utime(path, (1_500_000_000, 1_500_000_000))
    bench.run(path, write=True, fix_encoding=True)
    assert path.stat().st_mtime == 1_500_000_000


def test_names_with_blanks_are_told_with_them():
    assert listing(["id", " body"]) == "id, ' body'"
    assert listing([]) == "none that holds text"


@pytest.mark.skipif(os.name != "posix", reason="Windows keeps open files by itself")
@pytest.mark.parametrize("resume", [False, True])
def test_a_journal_is_one_runs_at_a_time(tmp_path, resume):
    path = tmp_path / ".restore-journal"
    running = Journal(path, "options", resume=False)
    running.write({"source": "a", "position": 1})
    with pytest.raises(DocumentError, match="another run is writing there"):
        Journal(path, "options", resume)
    running.close(remove=False)
    again = Journal(path, "options", resume)
    assert again.dropped != resume
    again.close(remove=True)
    assert not path.exists()
