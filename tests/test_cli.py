"""The command line as a user meets it: what it prints, what it writes, how it fails."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys

import pytest

import restore


def test_standard_input_to_standard_output(run, spun):
    done = run("clean", stdin=spun.encode())
    assert done.returncode == 0
    assert done.stdout.decode() == restore.restore(spun).text
    assert run("clean", "-", stdin=spun.encode()).stdout == done.stdout


def test_a_dash_is_standard_output(run, tmp_path, spun):
    (tmp_path / "page.txt").write_text(spun, encoding="utf-8")
    assert run("clean", "page.txt", "-o", "-").stdout == run("clean", "page.txt").stdout
    assert [p.name for p in tmp_path.iterdir()] == ["page.txt"]


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


@pytest.mark.parametrize("command", [["clean"], ["detect"], ["explain"], ["lexicon", "show"]])
def test_a_closed_pipe_is_no_error(tmp_path, spun, command):
    """`restore detect ... | head -1`: not exit code 1, which says that something was spun."""
    argument = "worth" if command[0] == "lexicon" else "a.txt"
    (tmp_path / "a.txt").write_text(spun, encoding="utf-8")
    line = [sys.executable, "-m", "restore", *command, argument]
    with subprocess.Popen(line, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0


def test_a_phrase_to_allow_may_have_a_slash(run, clean):
    assert run("clean", "--allow", "and/or", stdin=clean.encode()).stdout == clean.encode()


def test_records_are_told_apart_when_explained(run, spun, clean):
    lines = "".join(json.dumps({"body": text}) + "\n" for text in (spun, clean))
    out = run("explain", "--from", "jsonl", "--field", "body", stdin=lines.encode()).stdout.decode()
    assert out.startswith("-:1\n")
    assert "\n-:2\n" in out


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
    version = run("--version").stdout.decode().splitlines()
    assert version[0] == f"restore {restore.__version__}"
    assert version[1].startswith("lexicon autoblog ")
    models = ["context model", "two-sided model", "associations", "cloze model", "kinship"]
    weights = ["fitted weights", "language model's weights", "language model's adapter"]
    assert [line.rpartition(" ")[0] for line in version[-8:]] == [*models, *weights]
    assert run("clean", "--help").returncode == 0


def test_one_bad_file_does_not_stop_the_rest(run, tmp_path, spun):
    (tmp_path / "a.txt").write_text(spun, encoding="utf-8")
    (tmp_path / "bad.txt").write_bytes(b"\xff\xfe\xfa")
    (tmp_path / "z.txt").write_text(spun, encoding="utf-8")
    done = run("clean", "-w", "a.txt", "bad.txt", "gone.txt", "z.txt")
    assert done.returncode == 2
    assert (tmp_path / "a.txt").read_text(encoding="utf-8") == (tmp_path / "z.txt").read_text(encoding="utf-8") != spun
    assert (tmp_path / "bad.txt").read_bytes() == b"\xff\xfe\xfa"


@pytest.mark.parametrize("error", [EOFError("the end\nof it"), ValueError("by design"), ZeroDivisionError()])
def test_what_nobody_foresaw_is_told_in_a_line(tmp_path, monkeypatch, capsys, error):
    """And ends with 2: 1 would say that something was found."""
    from restore import cli, pipeline

    def run(plan):
        raise error

    (tmp_path / "a.txt").write_text("A fine day.\n", encoding="utf-8")
    monkeypatch.setattr(pipeline, "run", run)
    monkeypatch.setattr(sys, "argv", ["restore", "detect", str(tmp_path / "a.txt")])
    try:
        code = cli.run()
    except SystemExit as ended:
        code = ended.code
    assert code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"restore: internal error ({type(error).__name__}:")
    assert line.endswith("; please report it")


@pytest.mark.parametrize("place", ["", ".", "./", "a.txt", "sub/../a.txt"])
def test_no_document_is_replaced_unasked(run, tmp_path, spun, place):
    """An unset variable (`-o "$OUT"`) must not change files in place."""
    (tmp_path / "sub").mkdir()
    (tmp_path / "a.txt").write_text(spun, encoding="utf-8")
    done = run("clean", "a.txt", "-o", place)
    assert done.returncode == 2
    assert b"say --write" in done.stderr
    assert (tmp_path / "a.txt").read_text(encoding="utf-8") == spun


def test_an_output_with_a_slash_is_a_folder(run, tmp_path, spun):
    (tmp_path / "a.txt").write_text(spun, encoding="utf-8")
    assert run("clean", "a.txt", "-o", "new/").returncode == 0
    assert "climate" in (tmp_path / "new" / "a.txt").read_text(encoding="utf-8")


def test_nothing_is_written_in_place_twice(run, tmp_path, spun):
    """Else the backup is overwritten with restored text."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.txt").write_text(spun, encoding="utf-8")
    (tmp_path / "b.txt").write_text(spun, encoding="utf-8")
    done = run("clean", "-w", "--backup", "-j", "2", "b.txt", "in", "./b.txt", "in/../in/a.txt")
    assert done.returncode == 0
    assert b"2 documents" in done.stderr
    for name in ("b.txt", "in/a.txt"):
        assert (tmp_path / f"{name}.bak").read_text(encoding="utf-8") == spun
        assert "climate" in (tmp_path / name).read_text(encoding="utf-8")


def test_records_of_tabs_become_csv_under_a_name_of_csv(run, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.tsv").write_text("id\tbody\n1\tA fine day.\n", encoding="utf-8")
    assert run("clean", "in", "--field", "body", "--to", "csv", "-o", "out").returncode == 0
    assert (tmp_path / "out" / "a.csv").read_text(encoding="utf-8") == "id,body\n1,A fine day.\n"


def test_a_name_of_a_file_may_be_a_folders(run, tmp_path):
    """When it is there, or has a slash."""
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text("A fine day.\n", encoding="utf-8")
    (tmp_path / "old.txt").mkdir()
    for place in ("old.txt", "new.txt/"):
        assert run("clean", "a.txt", "b.txt", "-o", place).returncode == 0
        assert (tmp_path / place / "b.txt").is_file()


POSIX = pytest.mark.skipif(os.name != "posix", reason="needs a POSIX shell")


def shell(folder, line: str, unbuffered: str = "") -> tuple[int, str]:
    """A command line of a shell, in which $RESTORE is the program: exit code and standard error."""
    env = {**os.environ, "RESTORE": f"{sys.executable} -m restore", "PYTHONUNBUFFERED": unbuffered}
    done = subprocess.run(["sh", "-c", line], cwd=folder, env=env, capture_output=True, timeout=120, check=False)
    return done.returncode, done.stderr.decode()


@POSIX
@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is full")
@pytest.mark.parametrize("command", ["clean a.txt", "detect a.txt", "lexicon list", "config", "--help"])
def test_a_full_standard_output_is_told(tmp_path, spun, command):
    (tmp_path / "a.txt").write_text(spun, encoding="utf-8")
    for unbuffered in ("", "1") if command != "--help" else ("",):
        code, error = shell(tmp_path, f"$RESTORE {command} > /dev/full", unbuffered)
        assert code == 2
        assert error.startswith("restore: standard output: cannot be written (No space left on device)")
        assert len(error.splitlines()) == 1
    assert shell(tmp_path, f"$RESTORE {command} 2> /dev/full")[0] == (1 if command.startswith("detect") else 0)


@POSIX
def test_closed_standard_streams_lead_nowhere(tmp_path, spun):
    (tmp_path / "a.txt").write_text(spun, encoding="utf-8")
    assert shell(tmp_path, "$RESTORE detect a.txt >&-") == (1, "")
    assert shell(tmp_path, "$RESTORE clean a.txt -o b.txt <&- >&- 2>&-") == (0, "")
    assert "climate" in (tmp_path / "b.txt").read_text(encoding="utf-8")
    assert shell(tmp_path, "$RESTORE clean gone.txt 2>&-") == (2, "")
    assert shell(tmp_path, "$RESTORE clean <&-") == (2, "restore: standard input: empty; there is nothing to restore\n")


def test_extracting_pages_leaves_other_kinds_as_they_are(run, tmp_path, clean):
    """Only pages become text: targets are named and checked so."""
    pytest.importorskip("trafilatura")
    (tmp_path / "in").mkdir()
    feed = b'{"body": "A fine day."}\n'
    (tmp_path / "in" / "feed.jsonl").write_bytes(feed)
    article = "".join(f"<p>{paragraph}</p>" for paragraph in clean.split("\n\n"))
    (tmp_path / "in" / "page.html").write_text(f"<article>{article}</article>", encoding="utf-8")
    done = run("clean", "--html", "extract", "in", "-o", "out", "--field", "body")
    assert done.returncode == 0, done.stderr
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["feed.jsonl", "page.txt"]
    assert (tmp_path / "out" / "feed.jsonl").read_bytes() == feed
    done = run("clean", "--html", "extract", "in/feed.jsonl", "-o", "feed.txt", "--field", "body")
    assert b"feed.txt: would hold jsonl" in done.stderr
    assert b"out.html: would hold text" in run("clean", "--html", "extract", "in/page.html", "-o", "out.html").stderr


def test_a_folder_that_cannot_be_listed(tmp_path, monkeypatch):
    """Its documents must not be left out silently."""
    from restore import targets
    from restore.documents import DocumentError

    (tmp_path / "locked").mkdir()
    (tmp_path / "a.txt").write_text("A fine day.\n", encoding="utf-8")
    scan = os.scandir

    def scanning(path):
        if str(path).endswith("locked"):
            raise PermissionError(13, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", scanning)
    with pytest.raises(DocumentError, match=r"locked: permission denied; the folder cannot be listed"):
        list(targets.found([str(tmp_path)], ""))


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="needs a user whom permissions bind")
def test_unreadable_file(run, tmp_path):
    (tmp_path / "secret.txt").write_text("A fine day.\n", encoding="utf-8")
    (tmp_path / "secret.txt").chmod(0)
    assert "permission denied; check that you may read it" in run("clean", "secret.txt").stderr.decode()


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


def test_learning_a_lexicon_and_using_it(run, tmp_path):
    """From two folders, and from JSON lines with fields of other names: the same entries."""
    names = ["river", "table", "window", "garden"]
    originals = [f"The climate of the {n} is more mild. A {n} and a bird met in May." for n in names]
    spun = [t.replace("climate", "local weather").replace("more", "extra").replace("bird", "chook") for t in originals]
    for folder, texts in (("o", originals), ("s", spun)):
        (tmp_path / folder).mkdir()
        for n, text in enumerate(texts):
            (tmp_path / folder / f"{n}.txt").write_text(text, encoding="utf-8")
    (tmp_path / "o" / "alone.txt").write_text("Alone.", encoding="utf-8")
    done = run("lexicon", "learn", "o", "s", "-o", "mine")
    assert done.returncode == 0, done.stderr
    assert "3 entries from 12 substitutions" in done.stdout.decode()
    assert "1 file(s) in one folder alone, left out: alone.txt" in done.stderr.decode()
    rows = [json.dumps({"a": o, "b": s}) for o, s in zip(originals, spun, strict=True)]
    (tmp_path / "pairs.jsonl").write_text("\n".join(rows), encoding="utf-8")
    assert run("lexicon", "learn", "pairs.jsonl", "--original", "a", "--spun", "b", "-o", "again").returncode == 0
    learned = (tmp_path / "mine" / "learned.tsv").read_text(encoding="utf-8")
    assert learned == (tmp_path / "again" / "learned.tsv").read_text(encoding="utf-8")
    assert "chook\tbird\t4/4\n" in learned
    assert run("lexicon", "check", "mine").stdout == b"sound\n"
    out = run("clean", "--assume-spun", "--lexicon", "mine", stdin=b"The local weather of the chook.").stdout
    assert out == b"The climate of the bird."


def test_show_says_what_a_users_lexicon_overrules(run, tmp_path):
    (tmp_path / "mine.tsv").write_text("# mine\nlocal weather\tweather\t0.4\n", encoding="utf-8")
    shown = run("lexicon", "show", "local weather", "--lexicon", "mine.tsv").stdout.decode().splitlines()
    own = [line.split("\t") for line in shown if line.startswith("local weather <- weather\t")][-1]
    assert own[-2:] == ["mine", "mine.tsv:2"]
    assert float(own[2]) > 0
    assert all("not used" in line for line in shown if "<- climate" in line)


LEARN_ERRORS = [
    (["lexicon", "learn", "gone.jsonl", "-o", "x"], "gone.jsonl: no such file"),
    (["lexicon", "learn", "bad.jsonl", "-o", "x"], "bad.jsonl:2: not JSON"),
    (["lexicon", "learn", "fields.jsonl", "-o", "x"], "fields.jsonl:1: no text in a field 'original'; there are: a, b"),
    (["lexicon", "learn", "same.jsonl", "-o", "x"], "nothing learned from 1 pair(s)"),
    (["lexicon", "learn", "o", "-o", "x"], "o: a folder; name the folder of the spun texts after it"),
    (["lexicon", "learn", "o", "o2", "-o", "x"], "no file of the same name in both"),
    (["lexicon", "learn", "same.jsonl", "-o", "bad.jsonl"], "bad.jsonl: a file; name the folder"),
]


@pytest.mark.parametrize(("args", "message"), LEARN_ERRORS, ids=lambda v: v[2] if isinstance(v, list) else "")
def test_errors_of_learning(run, tmp_path, args, message):
    (tmp_path / "bad.jsonl").write_text('{"original": "a", "spun": "b"}\noops\n', encoding="utf-8")
    (tmp_path / "fields.jsonl").write_text('{"a": "a", "b": "b"}\n', encoding="utf-8")
    (tmp_path / "same.jsonl").write_text('{"original": "a", "spun": "a"}\n', encoding="utf-8")
    for folder, name in (("o", "1.txt"), ("o2", "2.txt")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / name).write_text("A day.", encoding="utf-8")
    done = run(*args)
    assert done.returncode == 2
    assert message in done.stderr.decode()
    assert "Traceback" not in done.stderr.decode()
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("restore cl", ["clean"]),
        ("restore clean --fam", ["--family"]),
        ("restore clean --family t", ["thesaurus", "tortured"]),
    ],
)
def test_a_shell_completes_commands_options_and_families(typed, offered):
    from typer.testing import CliRunner

    from restore.cli import app

    asked = {"_RESTORE_COMPLETE": "complete_bash", "COMP_WORDS": typed, "COMP_CWORD": str(len(typed.split()) - 1)}
    lines = CliRunner().invoke(app, [], prog_name="restore", env=asked).stdout.splitlines()
    assert sorted(line.split("\t")[0] for line in lines) == offered


def test_rejects_do_not_take_the_place_of_standard_output(tmp_path):
    (tmp_path / "feed.jsonl").write_text('{"body": "Fine."}\nbroken\n', encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "restore.cli",
        "clean",
        "feed.jsonl",
        "--field",
        "body",
        "--rejects",
        "/dev/stdout",
    ]
    if not os.path.exists("/dev/stdout"):
        pytest.skip("no /dev/stdout")
    with open(tmp_path / "out.txt", "wb") as out:
        done = subprocess.run(command, stdout=out, stderr=subprocess.PIPE, cwd=tmp_path, timeout=120, check=False)
    assert done.returncode == 2
    assert b"leads to where standard output or error goes" in done.stderr
