"""The command line as a user meets it: what it prints, what it writes, how it fails."""

from __future__ import annotations

import json
import os
import stat
import sys

import pytest

import restore


def test_standard_input_to_standard_output(run, spun):
    done = run("clean", stdin=spun.encode())
    assert done.returncode == 0
    assert done.stdout.decode() == restore.restore(spun).text
    assert run("clean", "-", stdin=spun.encode()).stdout == done.stdout


def test_clean_text_passes_through_byte_for_byte(run, tmp_path, clean):
    data = b"\xef\xbb\xbf" + clean.replace("\n", "\r\n").encode().rstrip()
    (tmp_path / "page.txt").write_bytes(data)
    assert run("clean", "page.txt").stdout == data


def test_line_ends_and_mark_survive_restoring(run, tmp_path, spun):
    (tmp_path / "page.txt").write_bytes(b"\xef\xbb\xbf" + spun.replace("\n", "\r\n").encode())
    out = run("clean", "page.txt").stdout
    assert out.startswith(b"\xef\xbb\xbf")
    assert out.count(b"\r\n") == spun.count("\n") == out.count(b"\n")


def test_in_place(run, tmp_path, spun, clean):
    for name, text in (("a.txt", spun), ("b.txt", clean)):
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "a.txt").chmod(0o640)
    before = (tmp_path / "b.txt").stat().st_mtime_ns
    assert run("clean", "-w", "a.txt", "b.txt", "-j", "2").returncode == 0
    assert (tmp_path / "a.txt").read_text(encoding="utf-8") == restore.restore(spun).text
    assert (tmp_path / "b.txt").stat().st_mtime_ns == before
    if os.name == "posix":
        assert stat.S_IMODE((tmp_path / "a.txt").stat().st_mode) == 0o640
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.txt", "b.txt"]


def test_output_file_and_folder(run, tmp_path, spun):
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text(spun, encoding="utf-8")
    assert run("clean", "a.txt", "-o", "out.txt").returncode == 0
    assert run("clean", "a.txt", "b.txt", "-o", "out").returncode == 0
    expected = restore.restore(spun).text
    for path in ("out.txt", "out/a.txt", "out/b.txt"):
        assert (tmp_path / path).read_text(encoding="utf-8") == expected
    assert (tmp_path / "a.txt").read_text(encoding="utf-8") == spun


def test_diff_shows_changed_lines_only(run, spun):
    out = run("clean", "--diff", stdin=spun.encode()).stdout.decode()
    assert "[-local weather-]{+climate+}" in out
    assert "@@ line 7 @@" in out
    assert "\033[" not in out


def test_json_is_one_object_a_line(run, tmp_path, spun, clean):
    (tmp_path / "a.txt").write_text(spun, encoding="utf-8")
    (tmp_path / "b.txt").write_text(clean, encoding="utf-8")
    lines = run("clean", "--format", "json", "a.txt", "b.txt").stdout.decode().splitlines()
    records = [json.loads(line) for line in lines]
    assert [r["source"] for r in records] == ["a.txt", "b.txt"]
    assert [r["verdict"]["spun"] for r in records] == [True, False]
    assert records[0] == restore.Restorer().restore(spun, "a.txt").to_dict()


def test_detect_exit_codes(run, tmp_path, spun, clean):
    (tmp_path / "a.txt").write_text(spun, encoding="utf-8")
    (tmp_path / "b.txt").write_text(clean, encoding="utf-8")
    assert run("detect", "b.txt").returncode == 0
    both = run("detect", "a.txt", "b.txt")
    assert both.returncode == 1
    assert [line.split("\t")[:2] for line in both.stdout.decode().splitlines()] == [
        ["a.txt", "spun"],
        ["b.txt", "clean"],
    ]
    assert run("detect", "b.txt", "missing.txt").returncode == 2
    assert json.loads(run("detect", "--format", "json", "a.txt").stdout)["verdict"]["spun"] is True


def test_explain(run, spun, clean):
    out = run("explain", stdin=spun.encode()).stdout.decode()
    assert "local weather" in out
    assert "channel" in out
    assert "not spun" in run("explain", stdin=clean.encode()).stdout.decode()


def test_threshold_family_lexicon_and_allow(run, tmp_path, spun):
    (tmp_path / "mine.tsv").write_text("undertaking\tscheme\t0.5\n", encoding="utf-8")
    (tmp_path / "keep.txt").write_text("local weather  # a term of ours\nchook\n", encoding="utf-8")
    out = run(
        "clean",
        "--family",
        "autoblog",
        "--lexicon",
        "mine.tsv",
        "--allow",
        "keep.txt",
        "--allow",
        "stated, yr",
        stdin=spun.encode(),
    ).stdout.decode()
    assert "the scheme took" in out
    for kept in ("local weather", "chook", "stated", "Yr"):
        assert kept in out
    sure = run("clean", "--threshold", "0.95", "--format", "json", stdin=spun.encode()).stdout
    assert all(e["confidence"] >= 0.95 for e in json.loads(sure)["edits"])


def test_encoding(run, tmp_path, spun):
    (tmp_path / "page.txt").write_bytes(spun.encode("cp1252"))
    done = run("clean", "--encoding", "cp1252", "page.txt")
    assert done.stdout.decode("cp1252") == restore.restore(spun).text


def test_lexicon_commands(run, tmp_path):
    assert run("lexicon", "check").stdout.decode() == "sound\n"
    assert "autoblog" in run("lexicon", "list").stdout.decode()
    shown = run("lexicon", "show", "Local weather").stdout.decode()
    assert "local weather <- climate" in shown
    assert "learned.tsv:" in shown
    assert "local weather" in run("lexicon", "show", "climate").stdout.decode()
    assert "in no lexicon" in run("lexicon", "show", "xyzzy").stdout.decode()
    (tmp_path / "bad.tsv").write_text("b\ta\t0.5\nb\tb\n", encoding="utf-8")
    checked = run("lexicon", "check", "bad.tsv")
    assert checked.returncode == 1
    assert "maps to itself" in checked.stdout.decode()


def test_help_and_version(run):
    assert "clean" in run("--help").stdout.decode()
    assert run("--version").stdout.decode().strip() == f"restore {restore.__version__}"
    assert run("clean", "--help").returncode == 0


ERRORS = [
    (["clean", "missing.txt"], "missing.txt: no such file"),
    (["clean", "folder"], "folder: a folder; name the files in it"),
    (["clean", "latin.txt"], "latin.txt: not utf-8 (byte 3); name its encoding, for instance --encoding cp1252"),
    (["clean", "binary.txt"], "binary.txt: a binary file"),
    (["clean", "empty.txt"], "empty.txt: empty"),
    (["clean", "--encoding", "klingon", "ok.txt"], "unknown encoding 'klingon'"),
    (["clean", "--family", "nope", "ok.txt"], "unknown family 'nope'; there are: autoblog"),
    (["clean", "--lexicon", "gone", "ok.txt"], "gone: no such lexicon"),
    (["clean", "--lexicon", "broken.tsv", "ok.txt"], "broken.tsv:2: 1 column(s)"),
    (["clean", "--lexicon", "rate.tsv", "ok.txt"], "rate.tsv:1: weight 'often'"),
    (["clean", "--threshold", "2", "ok.txt"], "threshold 2.0 is not between 0 and 1"),
    (["clean", "-w"], "--write needs files"),
    (["clean", "-w", "--diff", "ok.txt"], "exclude each other"),
    (["clean", "ok.txt", "ok.txt"], "several files: say where they go"),
    (["clean", "ok.txt", "-o", "nowhere/deep/out.txt"], "cannot be written"),
    (["detect", "missing.txt"], "missing.txt: no such file"),
    (["explain", "missing.txt"], "missing.txt: no such file"),
    (["lexicon", "check", "gone"], "gone: no such lexicon"),
    (["clean", "ok.txt", "--report", "folder"], "folder: a folder; name a file for the report"),
    (["clean", "ok.txt", "--report", "nowhere/r.html"], "nowhere/r.html: cannot be written (no folder nowhere)"),
    (["clean", "ok.txt", "--report", "ok.txt"], "ok.txt: the report would replace a document"),
    (["explain", "ok.txt", "--report", "./ok.txt"], "ok.txt: the report would replace a document"),
    (["clean", "--jobs", "0", "ok.txt"], "--jobs"),
    (["clean", "--nonsense"], "No such option"),
]


@pytest.mark.parametrize(("args", "message"), ERRORS, ids=lambda v: " ".join(v)[:40] if isinstance(v, list) else "")
def test_errors_name_the_file_and_the_remedy(run, tmp_path, args, message):
    (tmp_path / "folder").mkdir()
    (tmp_path / "latin.txt").write_bytes(b"caf\xe9 au lait")
    (tmp_path / "binary.txt").write_bytes(b"\x7fELF\0\0\0")
    (tmp_path / "empty.txt").write_bytes(b"")
    (tmp_path / "ok.txt").write_text("A fine day.\n", encoding="utf-8")
    (tmp_path / "broken.tsv").write_text("a\tb\nonly\n", encoding="utf-8")
    (tmp_path / "rate.tsv").write_text("a\tb\toften\n", encoding="utf-8")
    before = sorted(p.name for p in tmp_path.iterdir())
    done = run(*args)
    assert done.returncode == 2
    assert message in done.stderr.decode()
    assert "Traceback" not in done.stderr.decode()
    assert done.stdout == b""
    assert sorted(p.name for p in tmp_path.iterdir()) == before


def test_one_bad_file_does_not_stop_the_rest(run, tmp_path, spun):
    (tmp_path / "a.txt").write_text(spun, encoding="utf-8")
    (tmp_path / "bad.txt").write_bytes(b"\xff\xfe\xfa")
    (tmp_path / "z.txt").write_text(spun, encoding="utf-8")
    done = run("clean", "-w", "a.txt", "bad.txt", "gone.txt", "z.txt")
    assert done.returncode == 2
    assert (tmp_path / "a.txt").read_text(encoding="utf-8") == (tmp_path / "z.txt").read_text(encoding="utf-8") != spun
    assert (tmp_path / "bad.txt").read_bytes() == b"\xff\xfe\xfa"


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="needs a user whom permissions bind")
def test_unreadable_file(run, tmp_path):
    (tmp_path / "secret.txt").write_text("A fine day.\n", encoding="utf-8")
    (tmp_path / "secret.txt").chmod(0)
    assert "may not be read" in run("clean", "secret.txt").stderr.decode()


def test_help_needs_no_engine(run):
    """Start-up counts: asking for help imports neither numpy nor the models."""
    code = "import sys, restore.cli; sys.exit(any(m in sys.modules for m in ('numpy', 'wordfreq', 'rapidfuzz')))"
    import subprocess

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_long_document_is_restored_stretch_by_stretch(run, tmp_path, spun):
    """Longer than one stretch; the same text as the library gives."""
    text = (spun.replace("\n", " ") + "\n") * 300
    (tmp_path / "long.txt").write_text(text, encoding="utf-8")
    expected = restore.restore(text).text
    assert run("clean", "long.txt").stdout.decode() == expected
    assert run("clean", "long.txt", "-o", "out.txt").returncode == 0
    assert (tmp_path / "out.txt").read_text(encoding="utf-8") == expected
