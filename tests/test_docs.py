"""What the documents tell people to type: commands that exist, options that these take, links that lead somewhere."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer.main
from conftest import ROOT

from benchmarks.__main__ import app as benchmarks
from restore.cli import app as command_line
from restore.learning.__main__ import app as learning

DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), ROOT / "benchmarks" / "corpus" / "README.md"]
PROGRAMS = {
    "restore": command_line,
    "python -m restore.learning": learning,
    "python -m benchmarks": benchmarks,
}
COMMAND = re.compile(
    r"(?:^ {4}|`)((?:restore|python -m (?:restore\.learning|benchmarks)) [a-z][^`\n]*?)(?:`|\s{2,}#|$)", re.M
)


def typed() -> list[tuple[str, str]]:
    """Each command with the name of its document."""
    return [(p.name, m[1]) for p in DOCUMENTS for m in COMMAND.finditer(p.read_text(encoding="utf-8"))]


@pytest.mark.parametrize(("document", "line"), typed())
def test_a_command_exists_and_takes_its_options(document, line):
    program = next(name for name in PROGRAMS if line.startswith(name + " "))
    words = shlex.split(line.removeprefix(program).split(" > ")[0].split(" | ")[0], comments=True)
    command: Any = typer.main.get_command(PROGRAMS[program])
    while words and hasattr(command, "commands"):
        name = words.pop(0)
        assert name in command.commands, line
        command = command.commands[name]
    known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    used = [word.split("=")[0] for word in words if re.match(r"--?[a-z]", word)]
    assert [option for option in used if option not in known] == [], line


def test_there_are_enough():
    assert len(typed()) > 60


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(path):
    text = path.read_text(encoding="utf-8")
    for target in re.findall(r"\]\((?!https?:)([^)\s]+)\)", text):
        file, _, anchor = target.partition("#")
        found = (path.parent / file).resolve() if file else path
        assert found.exists(), target
        if anchor and found.suffix == ".md":
            assert anchor in headings(found), target


def headings(path: Path) -> set[str]:
    """Anchors of a document's headings, as they are made for Markdown."""
    lines = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), re.M)
    return {re.sub(r"[^\w\- ]", "", line.lower()).replace(" ", "-") for line in lines}
