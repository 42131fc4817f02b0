"""What takes long to read and seldom changes, kept between runs.

Lexicons are text that people review; parsing some ten thousand lines takes longer
than restoring a page. So what was made of them is pickled into the user's cache
folder and read back while the files that it was made of, this package and Python are
the same. A cache may only ever save time: one that is missing, cut short, of
another version or not writable means that the thing is made anew.

`RESTORE_CACHE` names another folder; where it is set and empty, nothing is kept.
"""

from __future__ import annotations

import gc
import os
import pickle
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from stat import S_ISREG
from typing import Final, TypeVar, cast

T = TypeVar("T")

LARGEST: Final = 1 << 23  # bytes of a file that is known by its content; larger ones by size and time


def folder() -> Path:
    """The user's cache folder, which may not exist yet. Raises RuntimeError where nothing is to be kept, or there is no
    home."""
    named = os.environ.get("RESTORE_CACHE")
    if named == "":
        raise RuntimeError("RESTORE_CACHE is empty, so that nothing is kept")
    if named:
        return Path(named)
    base = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA") or Path.home() / ".cache"
    return Path(base) / "restore"


def kept(what: str, made_of: Iterable[Path], make: Callable[[], T]) -> T:
    """What `make` returns, from the cache where it was made of the same files before.

    what: names the thing and how it was made. One cached file a thing and place of the package, so that the cache does
    not grow. Raises what `make` raises.
    """
    try:
        target, mark = _file_of(what), _mark(made_of)
    except (OSError, RuntimeError):  # no cache, or a file that `make` will name in its own words
        return make()
    with suppress(Exception):  # whatever is wrong with it
        return cast(T, _read(target, mark))
    made = make()
    with suppress(OSError):
        _write(target, mark, made)
    return made


def _file_of(what: str) -> Path:
    """File of a thing: one for each thing, Python and place of this package."""
    name = blake2b(
        "\n".join((what, sys.version, __file__)).encode("utf-8", "surrogateescape"), digest_size=12
    ).hexdigest()
    return folder() / f"{what.partition(' ')[0]}-{name}.pickle"


def _mark(files: Iterable[Path]) -> bytes:
    """Digest of this package's code and of files; other content, other digest."""
    digest = blake2b(_code(), digest_size=16)
    for path in files:
        stat = path.stat()
        if not S_ISREG(stat.st_mode):
            raise OSError(f"{path}: may be read but once")
        content = path.read_bytes() if stat.st_size <= LARGEST else str(stat.st_mtime_ns).encode()
        digest.update(f"\n{path} {len(content)} {stat.st_size}\n".encode("utf-8", "surrogateescape"))
        digest.update(content)
    return digest.digest()


@lru_cache(maxsize=1)
def _code() -> bytes:
    """Which code this is, by the size and time of each module that what is kept may be made by."""
    package = Path(__file__).parent
    stats = []
    for folder in (package, package / "sparse"):
        with os.scandir(folder) as modules:
            own = ((m.path, m.stat().st_size, m.stat().st_mtime_ns) for m in modules if m.name.endswith(".py"))
            stats += sorted(own)
    return repr(stats).encode()


def _read(path: Path, mark: bytes) -> object:
    data = path.read_bytes()
    if not data.startswith(mark):
        raise ValueError(f"{path}: made of something else")
    collecting = gc.isenabled()
    gc.disable()  # thousands of objects, none of them garbage: half the time
    try:
        return pickle.loads(memoryview(data)[len(mark) :])
    finally:
        if collecting:
            gc.enable()


def _write(path: Path, mark: bytes, thing: object) -> None:
    """Written beside, then put in place, so that no other process sees a part."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = path.with_suffix(f".{os.getpid()}.part")
    try:
        part.write_bytes(mark + pickle.dumps(thing, pickle.HIGHEST_PROTOCOL))
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
