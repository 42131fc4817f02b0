"""Settings: found upward, every option in them, where each value comes from."""

from __future__ import annotations

import tomllib

import typer.main

from restore.cli import app
from restore.settings import options


def in_force(output: bytes) -> dict[str, tuple[object, str]]:
    found = {}
    for line in output.decode().splitlines():
        if not line.startswith("#"):
            setting, _, where = line.rpartition("  # ")
            ((name, value),) = tomllib.loads(setting).items()
            found[name] = (value, where)
    return found


def test_every_option_can_be_set(run):
    """`restore config` lists all options of `clean`, in a form that is itself a settings file."""
    shown = run("config").stdout.decode()
    names = [name for name, _ in options(typer.main.get_command(app).commands["clean"])]
    assert len(names) >= 25
    for name in names:
        assert any(line.startswith((f"{name} = ", f"# {name}: not set")) for line in shown.splitlines()), name
    tomllib.loads(shown)


def test_where_values_come_from(run, tmp_path):
    (tmp_path / "pyproject.toml").write_text(
        '[tool.restore]\nthreshold = 0.9\nfield = ["a", "b"]\nstrip-invisible = true\n'
    )
    found = in_force(run("config", "clean", "--threshold", "0.7").stdout)
    path = str(tmp_path / "pyproject.toml")
    assert found["threshold"] == (0.7, "command line")
    assert found["field"] == (["a", "b"], path)
    assert found["strip-invisible"] == (True, path)
    assert found["html"] == ("keep", "default")
    assert "threshold" not in in_force(run("config", "detect").stdout)


def test_a_dash_is_standard_output(run, tmp_path, clean):
    (tmp_path / "restore.toml").write_text('output = "-"\n')
    assert run("clean", stdin=clean.encode()).stdout == clean.encode()
    assert [p.name for p in tmp_path.iterdir()] == ["restore.toml"]


def test_broken_settings_stop_only_what_takes_some(run, tmp_path):
    (tmp_path / "restore.toml").write_text("jobs = \n")
    assert run("lexicon", "list").returncode == 0
    for command in ("clean", "detect", "explain", "config"):
        done = run(command)
        assert done.returncode == 2
        assert b"restore.toml: not TOML" in done.stderr


def test_found_upward_and_used(tmp_path, spun):
    import subprocess
    import sys

    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    (tmp_path / "a" / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    (tmp_path / "terms.txt").write_text("local weather  # ours\n")
    (tmp_path / "restore.toml").write_text('allow = ["terms.txt", "chook"]\nthreshold = 0.8\n')

    def clean(*args: str) -> str:
        command = [sys.executable, "-m", "restore.cli", *args]
        done = subprocess.run(command, input=spun.encode(), capture_output=True, cwd=inner, check=True)
        return done.stdout.decode()

    for kept in ("local weather", "chook"):
        assert kept in clean("clean")
    (tmp_path / "other.toml").write_text("")
    assert "local weather" not in clean("--config", str(tmp_path / "other.toml"), "clean")
    (inner / "restore.toml").write_text("")
    assert "local weather" not in clean("clean")
