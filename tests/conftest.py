"""Shared fixtures: one engine for all tests, the example texts, the command line in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import restore

ROOT = Path(__file__).resolve().parent.parent
CASES = Path(__file__).resolve().parent / "cases"


@pytest.fixture(scope="session", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A cache of the tests' own, for their processes too."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("cache")
        patch.setenv("RESTORE_CACHE", str(folder))
        yield folder


@pytest.fixture(scope="session")
def engine() -> restore.Restorer:
    return restore.Restorer()


@pytest.fixture(scope="session")
def sure_engine() -> restore.Restorer:
    """The engine that takes every sentence for spun: it shows what the decoder alone does."""
    return restore.Restorer(assume_spun=True)


@pytest.fixture(scope="session")
def spun() -> str:
    return (ROOT / "examples" / "spun.txt").read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def clean() -> str:
    return (ROOT / "examples" / "clean.txt").read_text(encoding="utf-8")


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[bytes]]:
    """`restore ARGS` in an empty folder; standard input as bytes."""

    def call(*args: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        command = [sys.executable, "-m", "restore.cli", *args]
        return subprocess.run(command, input=stdin, capture_output=True, cwd=tmp_path, timeout=120, check=False)

    return call


def rows(name: str) -> list[list[str]]:
    """Lines of a case file, split at tabs; comments left out."""
    lines = (CASES / name).read_text(encoding="utf-8").splitlines()
    return [line.split("\t") for line in lines if line and not line.startswith("#")]
