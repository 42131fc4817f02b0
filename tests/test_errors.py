"""Every error message: each row of the table in docs/errors.md is provoked, and no message is missing from it."""

from __future__ import annotations

import ast
import gzip
import inspect
import io
import os
import re
import shlex
import sys
from types import ModuleType

import pytest
from conftest import ROOT

PAGE = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")

NEEDED = {"warc": "warcio", ".parquet": "pyarrow", "--html extract": "trafilatura", "auto": "charset_normalizer"}


def table() -> list[tuple[str, str, str]]:
    """Message, what provokes it, what it does to the run."""
    rows = []
    for line in PAGE.partition("## Others")[0].splitlines():
        if line.startswith("| `"):
            cells = [c.strip().strip("`").replace("\\|", "|") for c in re.split(r"(?<!\\)\|", line)[1:-1]]
            rows.append((cells[0], cells[1], cells[2]))
    return rows


@pytest.fixture
def files(tmp_path, spun):
    """The files that the table's commands name."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "empty-folder").mkdir()
    (tmp_path / "torn").mkdir()
    text = {
        "ok.txt": "A fine day.\n",
        "empty.txt": "",
        "broken.tsv": "a\tb\nonly\n",
        "rate.tsv": "a\tb\toften\n",
        "wide.tsv": "a\tb\t0.3\td\te\tf\n",
        "one.json": '{"a": 1}\n',
        "feed.jsonl": '{"title": "a", "body": "A fine day."}\n',
        "accent.jsonl": '{"body": "A café."}\n',
        "number.jsonl": '{"body": 5}\n',
        "list.jsonl": '["a"]\n',
        "bad.jsonl": "{bad\n",
        "noted.jsonl": '{"body": "A fine day.", "restore": 1}\n',
        "beside.jsonl": '{"body": ["A fine day."]}\n',
        "uneven.jsonl": '{"body": "a"}\n{"body": "a", "b": 1}\n',
        "types.jsonl": '{"body": "a", "n": 1}\n{"body": "a", "n": "x"}\n',
        "table.csv": "id,body\n1,A fine day.\n",
        "ragged.csv": "id,body\n1,A fine day.,x\n",
        "open.csv": 'id,body\n1,"A fine day.\n',
        "noted.csv": "id,body,body_restored\n1,a,b\n",
        "same.jsonl": '{"original": "A fine day.", "spun": "A fine day."}\n',
        "blank.tsv": "\tb\t0.5\n",
        "foreign.tsv": "fine day\t日本\t0.95\n",
        "torn/manifest.toml": "name = \n",
        "torn/a.tsv": "a\tb\t0.5\n",
        "odd.warc": "WARC/1.0\r\nContent-Length: 1\r\n\r\nx\r\n\r\nresponse http\r\nContent-Length: 1\r\n\r\nx\r\n\r\n",
        "page.html": "<p>A fine day.\n",
        "bare.html": "<html><body></body></html>",
        "charset.html": "<meta charset=klingon><p>A fine day.\n",
        "codec.html": "<meta charset=undefined><p>A fine day.\n",
        "late.jsonl": '{"body": "a"}\n' * 256 + '{"body": "a", "b": 1}\n',
        "torn/pyproject.toml": "[tool]\nrestore = 5\n",
        "bad.warc": "no archive\n",
        "short.warc": "WARC/1.0\r\nContent-Length: 99\r\n\r\nx",
        "wild.warc": "WARC/1.0\r\nWARC-Type: response\r\n\r\n",
        "bad.parquet": "no table\n",
        "typo.toml": "treshold = 0.5\n",
        "type.toml": 'threshold = "high"\n',
        "flag.toml": 'write = "yes"\n',
        "real.toml": "jobs = 2.5\n",
        "figure.toml": "glob = 5\n",
        "empty-folder/pyproject.toml": "[project]\n",
        "folder/many.toml": "",
        "many.toml": "threshold = [0.5]\n",
        "torn.toml": "threshold = \n",
        "folder/a.txt": "A fine day.\n",
    }
    for name, content in text.items():
        (tmp_path / name).write_bytes(content.encode())
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    (tmp_path / "a" / "x.txt").write_text("a")
    (tmp_path / "b" / "x.txt").write_text("b")
    (tmp_path / "latin.txt").write_bytes(b"caf\xe9 au lait")
    (tmp_path / "double.txt").write_bytes(b"A fine day \xfa\x4a")
    (tmp_path / "double.jsonl").write_bytes(b'{"body": "A fine day \xfa\x4a"}\n')
    (tmp_path / "double.csv").write_bytes(b"id,body\n1,A fine day \xfa\x4a\n")
    (tmp_path / "latin.tsv").write_bytes(b"caf\xe9\tb\n")
    (tmp_path / "latin.jsonl").write_bytes(b'{"body": "caf\xe9"}\n')
    (tmp_path / "latin.csv").write_bytes(b"body\ncaf\xe9\n")
    (tmp_path / "stateful.html").write_bytes(b"<meta charset=iso-2022-jp><p>\x1b$B\x1b(BA fine day.")
    (tmp_path / "wide.jsonl").write_bytes('{"body": "a"}\n'.encode("utf-16"))
    (tmp_path / "noise.bin").write_bytes(bytes(range(128, 256)) * 4 + b"\x81\x8d\x8f\x90\x9d" * 9)
    (tmp_path / "binary.txt").write_bytes(b"\x7fELF\0\0\0")
    (tmp_path / "cut.txt.gz").write_bytes(gzip.compress(spun.encode())[:-40])
    (tmp_path / "one.txt.zst").write_bytes(b"\x28\xb5\x2f\xfd")
    (tmp_path / "other.jsonl").write_bytes(b'{"body": "a"}\n')
    (tmp_path / ".other.jsonl.restore-journal").write_text('{"options": "of another run"}\n')
    (tmp_path / "changed.jsonl").write_bytes(b'{"body": "a"}\n')
    return tmp_path


def add_table(folder) -> None:
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet

    out = io.BytesIO()
    pyarrow.parquet.write_table(pa.table({"id": [1], "body": ["A fine day."]}), out)
    (folder / "table.parquet").write_bytes(out.getvalue())


@pytest.fixture
def call(files, engine, monkeypatch, capfd):
    """`restore ARGS` in this process, in the folder of files: exit code, output, errors."""
    from restore import cli, restorer

    real = restorer.Restorer
    signature = inspect.signature(real)

    def made(*args, **named):
        given = signature.bind(*args, **named).arguments
        asked = {k: v for k, v in given.items() if v and v != signature.parameters[k].default}
        return real(**given) if asked else engine  # as the command line makes it where no option asks for another

    monkeypatch.setattr(restorer, "Restorer", made)
    monkeypatch.chdir(files)

    def run(arguments: list[str]) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["restore", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.run()
        out, err = capfd.readouterr()
        return ended.value.code, out, err

    return run


@pytest.mark.parametrize(("message", "command", "effect"), table(), ids=lambda v: v[:50])
def test_each_is_provoked(call, files, monkeypatch, message, command, effect):
    arguments = shlex.split(command)
    without = [a.removeprefix("without-") for a in arguments if a.startswith("without-")]
    for name in without:
        monkeypatch.setitem(sys.modules, name, None)
    if any(a.endswith("table.parquet") for a in arguments):
        add_table(files)
    if "/dev/null" in command and os.name != "posix":
        pytest.skip("no such device")
    for sign, package in NEEDED.items():
        if sign in command and not without:
            pytest.importorskip(package)
    code, out, error = call([a for a in arguments if not a.startswith("without-")])
    pattern = ".*".join(map(re.escape, message.split("…")))
    assert re.search(pattern, " ".join(error.split())), error
    assert code == 2
    assert effect in ("ends", "document", "record")
    if effect != "record":
        assert out == ""
    assert not [p.name for p in files.iterdir() if "restore-part" in p.name]


def test_a_plain_command_makes_no_engine_of_its_own(call, engine, monkeypatch):
    """Else each row of the table would load one."""
    from restore import pipeline

    made = []
    monkeypatch.setattr(pipeline, "run", lambda plan: made.append(plan.restorer) or pipeline.Tally())
    assert call(["clean", "ok.txt"])[0] == 0
    assert call(["clean", "ok.txt", "--threshold", "0.9"])[0] == 0
    assert [restorer is engine for restorer in made] == [True, False]


@pytest.mark.parametrize(("cache", "message"), [("", "nothing is kept); set"), ("ok.txt", "cannot be written (")])
def test_a_language_model_needs_a_place(files, monkeypatch, cache, message):
    from restore import neural

    monkeypatch.setitem(sys.modules, "llama_cpp", ModuleType("llama_cpp"))
    monkeypatch.setenv("RESTORE_CACHE", cache and str(files / cache))
    with pytest.raises(neural.NeuralError, match=re.escape(message)):
        neural._in_eight_bits(neural.Model("any", "json"))


def constants() -> list[tuple[str, str]]:
    """The longest fixed part of each message in the source, with its place."""
    names = {"DocumentError", "RecordError", "SettingsError", "LexiconError", "NeuralError", "WorkerError"}
    names |= {"_fail", "_refuse", "labelled"}
    found = []
    for path in sorted((ROOT / "restore").rglob("*.py")):
        if "learning" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names:
                for argument in node.args:
                    if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                        found.append((argument.value, f"{path.name}:{node.lineno}"))
                    elif isinstance(argument, ast.JoinedStr):
                        parts = [v.value for v in argument.values if isinstance(v, ast.Constant)]
                        found.append((max(parts, key=len), f"{path.name}:{node.lineno}"))
    return found


def test_no_message_is_missing():
    assert len(constants()) > 40
    listed = "\n".join(message for message, _, _ in table()) + PAGE.partition("## Others")[2]
    missing = [(text, where) for text, where in constants() if text.strip()[:60] not in listed]
    assert missing == []


def test_tests_named_are_there():
    named = re.findall(r"`(tests/\w+\.py)::(\w+)`", PAGE.partition("## Others")[2])
    assert len(named) >= 5
    for path, name in named:
        assert f"def {name}(" in (ROOT / path).read_text(encoding="utf-8")
