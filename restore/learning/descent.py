"""Training by stochastic gradients (PyTorch): AdamW, a rate that rises and then falls as a cosine, checkpoints."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor, nn

RATE: Final = 2e-3
TABLES: Final = 2.0  # times `RATE`: word vectors, each of which is seldom met
WARM: Final = 200  # steps until the rate is reached
LAST: Final = 0.02  # share of it that is left in the end


class Descent:
    """Fits a net, of whose parameters `tables` hold word vectors.

    `save` keeps everything in `checkpoint`; where that is there, training goes on from it, and `kept` is what was
    saved beside the net. about: what the training is of; raises ValueError where the checkpoint is of something else.
    """

    def __init__(
        self, net: nn.Module, tables: Sequence[Tensor], decay: float, checkpoint: Path, about: Sequence[object]
    ):
        self.net = net
        self.kept: dict[str, Any] = {}
        self._checkpoint, self._about = checkpoint, list(about)
        self._steps = 0
        rest = [p for p in net.parameters() if all(p is not t for t in tables)]
        self._optimizer = torch.optim.AdamW(
            [{"params": rest, "factor": 1.0}, {"params": list(tables), "factor": TABLES}],
            RATE, betas=(0.9, 0.98), weight_decay=decay, fused=True,
        )  # fmt: skip
        if checkpoint.exists():
            state = torch.load(checkpoint)
            if state.pop("about", self._about) != self._about:
                raise ValueError(f"{checkpoint}: of another training; remove it, or give what it was begun with")
            net.load_state_dict(state.pop("net"))
            self._optimizer.load_state_dict(state.pop("optimizer"))
            self._steps = state.pop("step")
            self.kept = state

    def step(self, loss: Tensor, progress: float) -> None:
        """One step down; `progress`: share of the way, 0 to 1."""
        cosine = LAST + (1 - LAST) * (1 + math.cos(math.pi * min(1.0, progress))) / 2
        for group in self._optimizer.param_groups:
            group["lr"] = RATE * min(1.0, self._steps / WARM) * cosine * group["factor"]
        self._optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.net.parameters(), 1.0)
        self._optimizer.step()
        self._steps += 1

    def save(self, **kept: object) -> None:
        """Written beside, then put in place: a stop at any time leaves a whole checkpoint."""
        beside = self._checkpoint.with_name(self._checkpoint.name + ".part")
        state = {"net": self.net.state_dict(), "optimizer": self._optimizer.state_dict(), "step": self._steps}
        state["about"] = self._about
        torch.save(state | kept, beside)
        os.replace(beside, self._checkpoint)
