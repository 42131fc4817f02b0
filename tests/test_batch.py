"""Batches: order, bounds, processes that are killed, Ctrl-C, rejects."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from restore import batch, pipeline, targets
from restore.documents import Options
from restore.progress import summary
from restore.signals import Guard
from restore.work import Tally


def double(task: int) -> int:
    time.sleep(0.02 if task % 7 == 0 else 0)
    return 2 * task


def doubling() -> Callable[[int], int]:
    return double


def ending() -> Callable[[int], int]:
    return os._exit


@pytest.mark.parametrize("workers", [1, 2])
def test_order_is_kept_and_keys_without_tasks_pass(workers):
    tasks = [(str(n), None if n % 5 == 0 else n) for n in range(60)]
    found = list(batch.ordered(doubling, (), tasks, workers))
    assert found == [(key, None if task is None else 2 * task) for key, task in tasks]


@pytest.mark.parametrize(("weight", "most"), [(0, batch.AHEAD * 2 + 1), (batch.HEAVY, 3)])
def test_tasks_are_drawn_only_so_far_ahead(weight, most):
    drawn = 0

    def tasks():
        nonlocal drawn
        for n in range(40):
            drawn += 1
            yield n, n

    for taken, _ in enumerate(batch.ordered(doubling, (), tasks(), 2, lambda task: weight)):
        assert drawn - taken <= most


def test_an_ended_process_is_told():
    with pytest.raises(batch.WorkerError, match="worker process was killed"):
        list(batch.ordered(ending, (), [(0, 1)], 2))


@pytest.fixture(scope="module")
def feed(spun, clean) -> bytes:
    """240 records: one in twenty spun, some bad."""
    lines = []
    for i in range(240):
        text = spun[: 300 + i % 50] if i % 20 == 0 else clean[i % 40 : 400]
        lines.append("{bad" if i % 97 == 50 else json.dumps({"id": i, "body": text}))
    return ("\n".join(lines) + "\n").encode()


def command(*args: str) -> list[str]:
    """`restore ARGS` with positions written often, so that there is something to resume from in a small feed."""
    code = (
        "import sys, restore.pipeline as p, restore.documents.jsonl as j, restore.cli as c;"
        "p.CHECKPOINT = 3000; j.ITEM_RECORDS = 8; sys.exit(c.run())"
    )
    return [sys.executable, "-c", code, *args]


ARGUMENTS = ["clean", "feed.jsonl", "--field", "body", "--rejects", "bad.jsonl", "-q"]


@pytest.fixture(scope="module")
def whole(feed, tmp_path_factory) -> Path:
    """The feed cleaned without a stop."""
    folder = tmp_path_factory.mktemp("whole")
    (folder / "feed.jsonl").write_bytes(feed)
    for name in ("out.jsonl", "out.jsonl.gz"):
        done = subprocess.run(command(*ARGUMENTS, "-o", name), cwd=folder, capture_output=True, check=False)
        assert done.returncode == 2, done.stderr
    assert len((folder / "bad.jsonl").read_bytes().splitlines()) == 2
    return folder


@pytest.mark.skipif(os.name != "posix", reason="needs SIGKILL")
@pytest.mark.parametrize(("jobs", "name"), [("1", "out.jsonl"), ("2", "out.jsonl.gz")])
def test_killed_and_resumed(feed, whole, tmp_path, jobs, name):
    """Killed at random points until it gets through: output and rejects are those of a run without a stop."""
    (tmp_path / "feed.jsonl").write_bytes(feed)
    part = tmp_path / f".{name}.restore-part"
    chance, size = random.Random(5), (whole / name).stat().st_size
    kills = 0
    for attempt in range(12):
        arguments = command(*ARGUMENTS, "-o", name, "-j", jobs, *(["--resume"] if attempt else []))
        process = subprocess.Popen(arguments, cwd=tmp_path, stderr=subprocess.PIPE, start_new_session=True)
        before = part.stat().st_size if part.exists() else 0
        wait_for(process, part, before + chance.randrange(size // 20, size // 2) if attempt < 2 else 1 << 40)
        process.kill()
        process.communicate()
        if process.returncode == 2:
            break
        assert process.returncode == -signal.SIGKILL
        kills += 1
        assert not (tmp_path / name).exists()
        assert ended(process.pid), "processes live on"
    assert kills >= 1
    assert (tmp_path / name).read_bytes() == (whole / name).read_bytes()
    assert (tmp_path / "bad.jsonl").read_bytes() == (whole / "bad.jsonl").read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(["bad.jsonl", "feed.jsonl", name])


def wait_for(process: subprocess.Popen, part: Path, size: int) -> None:
    """Until the part has a size, or the process ended."""
    begun = time.monotonic()
    while process.poll() is None and time.monotonic() - begun < 300:
        if part.exists() and part.stat().st_size >= size:
            return
        time.sleep(0.01)


def ended(group: int) -> bool:
    """Whether all processes of a group end soon."""
    for _ in range(600):
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


@pytest.mark.skipif(os.name != "posix", reason="needs SIGINT")
def test_ctrl_c_leaves_whole_records(feed, tmp_path):
    """Of a feed that has no end yet, and stands in the middle of a record."""
    arguments = command("clean", "-", "--from", "jsonl", "--field", "body", "--rejects", "bad.jsonl", "-q")
    with open(tmp_path / "out", "wb") as out:
        process = subprocess.Popen(
            arguments, cwd=tmp_path, stdin=subprocess.PIPE, stdout=out, stderr=subprocess.PIPE, bufsize=0
        )
        process.stdin.write(feed[:40_000])  # a pipe holds it
        wait_for(process, tmp_path / "out", 4000)
        process.send_signal(signal.SIGINT)
        process.wait()
        process.communicate()
    assert process.returncode == 130
    lines = (tmp_path / "out").read_bytes().splitlines(keepends=True)
    assert lines
    assert all(line.endswith(b"\n") and json.loads(line)["body"] for line in lines)


def test_bad_records_pass_or_are_put_aside(run, feed, tmp_path):
    (tmp_path / "feed.jsonl").write_bytes(feed)
    done = run("clean", "feed.jsonl", "--field", "body")
    assert done.returncode == 2
    assert done.stdout.count(b"{bad\n") == 2
    assert b"feed.jsonl:51: not valid JSON" in done.stderr
    assert b"240 documents" in done.stderr
    done = run("clean", "feed.jsonl", "--field", "body", "--rejects", "bad.jsonl")
    assert b"{bad" not in done.stdout
    rejects = [json.loads(line) for line in (tmp_path / "bad.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [r["record"] for r in rejects] == [51, 148]
    assert rejects[0]["raw"] == "{bad\n"
    done = run("clean", "feed.jsonl", "--field", "body", "--fail-fast", "-o", "out.jsonl")
    assert done.returncode == 2
    assert done.stderr.count(b"not valid JSON") == 1
    assert sorted(p.name for p in tmp_path.iterdir()) == ["bad.jsonl", "feed.jsonl"]


@pytest.mark.skipif(os.name != "posix", reason="needs a terminal")
def test_progress_on_a_terminal_only(feed, tmp_path):
    import pty

    (tmp_path / "feed.jsonl").write_bytes(feed)
    code = "import sys, restore.progress as p, restore.cli as c; p._WAIT = p._EVERY = 0;sys.exit(c.run())"
    main, other = pty.openpty()
    arguments = [sys.executable, "-c", code, "clean", "feed.jsonl", "--field", "body", "-o", "out.jsonl"]
    process = subprocess.Popen(
        arguments, cwd=tmp_path, stderr=other, env={**os.environ, "TERM": "xterm", "COLUMNS": "120"}
    )
    os.close(other)
    shown = b""
    while True:
        try:
            part = os.read(main, 65536)
        except OSError:
            break
        if not part:
            break
        shown += part
    process.wait()
    os.close(main)
    assert b"words/s" in shown
    assert b"%" in shown


def test_summary():
    tally = Tally(documents=2, spun=1, edits=3, words=100, hidden=4, rejected=1)
    assert summary(tally, 2.0, 100, False, True) == (
        "2 documents, 1 spun, 3 edits, 50 words/s, 1 error, 4 hidden characters (--strip-invisible removes them)"
    )
    assert "edit" not in summary(tally, 2.0, 100, False, False)  # they were judged alone


def test_ctrl_c_waits_for_the_end_of_a_write():
    guard = Guard()
    written = []

    def write(signals: int) -> None:
        with guard:
            for _ in range(signals):
                guard.signalled()
            written.append(signals)

    with pytest.raises(KeyboardInterrupt):
        write(1)
    guard = Guard()
    with pytest.raises(KeyboardInterrupt):
        write(2)  # whoever insists is heard
    assert written == [1]
    with pytest.raises(KeyboardInterrupt):
        Guard().signalled()


class Stopping:
    """Runs over feeds in a folder, with a position after each two records, stopped where the test wants."""

    def __init__(self, folder: Path, engine):
        self.folder, self.engine = folder, engine

    def run(self, names: list[str], stop: int = 1 << 30, resume: bool = False) -> Tally:
        """Clean feeds into `out`, with rejects; KeyboardInterrupt after so many records."""
        seen = 0

        def observe(name: str, result: object) -> None:
            nonlocal seen
            seen += 1
            if seen > stop:
                raise KeyboardInterrupt

        paths, out = [str(self.folder / name) for name in names], self.folder / "out"
        sources = targets.planned(paths, "", out, False)
        journal, rejects = targets.journal_path(sources, paths, out), self.folder / "bad.jsonl"
        options = Options(("body",))
        return pipeline.run(
            pipeline.Plan(
                sources, self.engine, options, journal=journal, rejects=rejects, resume=resume, observe=observe
            )
        )

    def hidden(self) -> list[str]:
        """What unfinished runs have left."""
        return [p.name for p in self.folder.rglob(".*")]


@pytest.fixture
def stopping(tmp_path, engine, clean, monkeypatch) -> Stopping:
    monkeypatch.setattr("restore.documents.jsonl.ITEM_RECORDS", 2)
    monkeypatch.setattr(pipeline, "CHECKPOINT", 1)
    feed = "".join(json.dumps({"id": i, "body": clean[i:400]}) + "\n" for i in range(12))
    for name in "abcd":
        (tmp_path / f"{name}.jsonl").write_text(feed, encoding="utf-8")
    return Stopping(tmp_path, engine)


def test_a_part_that_is_missing_fails_alone(stopping, tmp_path, capfd):
    names = ["a.jsonl", "b.jsonl", "c.jsonl"]
    with pytest.raises(KeyboardInterrupt):
        stopping.run(names, stop=18)
    (tmp_path / "out" / ".b.jsonl.restore-part").unlink()
    tally = stopping.run(names, resume=True)
    assert (tally.failed, tally.documents) == (1, 24)
    assert "b.jsonl.restore-part: is missing or too short to continue from; start" in capfd.readouterr().err
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["a.jsonl", "c.jsonl"]


def test_an_earlier_file_of_rejects_stays_until_the_end(stopping, tmp_path):
    rejects = tmp_path / "bad.jsonl"
    rejects.write_text("notes", encoding="utf-8")
    with pytest.raises(KeyboardInterrupt):
        stopping.run(["a.jsonl"], stop=0)  # before there was a position
    assert rejects.read_text(encoding="utf-8") == "notes"
    with pytest.raises(KeyboardInterrupt):
        stopping.run(["a.jsonl"], stop=8)
    assert rejects.read_text(encoding="utf-8") == "notes"
    stopping.run(["a.jsonl"], resume=True)
    assert not rejects.exists()  # there were none
    assert stopping.hidden() == []


def test_rejects_of_a_run_that_was_stopped_are_kept(stopping, tmp_path):
    feed, rejects = tmp_path / "a.jsonl", tmp_path / "bad.jsonl"
    feed.write_bytes(b"{bad\n" + feed.read_bytes() + b"{worse\n")
    with pytest.raises(KeyboardInterrupt):
        stopping.run(["a.jsonl"], stop=8)
    assert len(rejects.read_bytes().splitlines()) == 1
    stopping.run(["a.jsonl"], resume=True)
    assert [json.loads(line)["raw"] for line in rejects.read_bytes().splitlines()] == ["{bad\n", "{worse\n"]
    assert stopping.hidden() == []


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes")
def test_rejects_go_through_a_pipe(run, feed, tmp_path):
    (tmp_path / "feed.jsonl").write_bytes(feed)
    pipe, read = tmp_path / "pipe", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()), daemon=True)
    reader.start()
    assert run("clean", "feed.jsonl", "--field", "body", "-o", "out.jsonl", "--rejects", "pipe").returncode == 2
    assert pipe.is_fifo()
    reader.join(10)
    assert [json.loads(line)["record"] for line in read[0].splitlines()] == [51, 148]


def test_rejects_and_report_may_stand_in_the_new_folder_of_the_output(run, feed, tmp_path):
    for name in ("a.jsonl", "b.jsonl"):
        (tmp_path / name).write_bytes(feed[:20_000] + b"\n")
    beside = ["--rejects", "new/out/bad.jsonl", "--report", "new/out/report.html"]
    done = run("clean", "a.jsonl", "b.jsonl", "--field", "body", "-o", "new/out", *beside)
    assert done.returncode == 2
    names = ["a.jsonl", "b.jsonl", "bad.jsonl", "report.html"]
    assert sorted(p.name for p in (tmp_path / "new" / "out").iterdir()) == names
