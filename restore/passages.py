"""Passages: which sentences of a text were spun, given what each says by itself.

A document is untouched as a whole, or its sentences change between spun and quoted
(clean passages in a spun page) as a hidden Markov chain, so that a document's
sentences vouch for each other and a clean quotation in a spun page stays clean.
Turns are likelier where a paragraph ends.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import exp, log, log1p
from typing import Final

from restore.sparse.places import Place
from restore.synonyms import OWN_TABLE
from restore.text import Tokens

SPUN_PRIOR: Final = 0.02  # of documents, before anything is read
# Chances that an untouched sentence (a quotation, boilerplate) follows a spun one, and that a spun one follows such a one:
WITHIN: Final = (0.003, 0.02)  # a paragraph
ACROSS: Final = (0.2, 0.2)  # two paragraphs: most pages are spun throughout or not at all
UNPARTED: Final = (0.22, 0.5)  # a text of one line, whose paragraphs are not to be seen
STRANGER: Final = 0.3  # share of the lexicon that a spinner with a table of its own has

Trace = tuple[int, int, str, float]  # start and end token of a listed phrase, the phrase, its weight


@dataclass(frozen=True, slots=True)
class Passages:
    """Result of screening one text.

    sentences: token ranges. evidence: log-likelihood ratio of each, spun against
    untouched. spun: probability of each to have been spun, given all.
    probability: that any was. rate: expected share of tokens in the spinner's
    phrases. family: the likeliest one at work. places: the stretches that sparse families claim, each with its log
    odds, tortured against the author's own, given all the others. dense: probability that a dense family was at work;
    untouched: log probability that none was. table: share of the listed phrases that the spinner's table seems to have;
    prior: of such a spinner. traces: the listed phrases, longest first and not overlapping.
    """

    sentences: list[tuple[int, int]]
    evidence: list[float]
    spun: list[float]
    probability: float
    rate: float
    family: str | None
    places: tuple[tuple[Place, float], ...] = ()
    dense: float = 0.0
    table: float = 1.0
    prior: float = SPUN_PRIOR
    untouched: float = 0.0
    traces: Sequence[Trace] = ()

    @classmethod
    def none(cls, sentences: list[tuple[int, int]]) -> Passages:
        """Of a text that nothing has touched."""
        return cls(sentences, [0.0] * len(sentences), [0.0] * len(sentences), 0.0, 0.0, None)

    @property
    def spinner(self) -> str:
        """The kind of spinner, by which fitted weights are chosen: `OWN_TABLE`, the family, or "" where neither is
        known."""
        return OWN_TABLE if self.table < 1 else self.family or ""


def turns_of(
    tokens: Tokens,
    sentences: list[tuple[int, int]],
    across: tuple[float, float] = ACROSS,
    unparted: tuple[float, float] = UNPARTED,
) -> Iterator[tuple[float, float]]:
    """Transition probabilities (spun to quoted, quoted to spun) before each sentence but the first: `across` at a
    paragraph break, `unparted` anywhere in a text of one line, `WITHIN` elsewhere."""
    gaps = [tokens.text[tokens.end[a - 1] : tokens.start[a]] for a, _ in sentences[1:]]
    parted = any("\n" in gap for gap in gaps)
    for gap in gaps:
        yield across if "\n" in gap else WITHIN if parted else unparted


def smooth(
    evidence: Sequence[float], turns: Sequence[tuple[float, float]], prior: float = SPUN_PRIOR
) -> tuple[list[float], float]:
    """Posterior of each sentence to have been spun, and the log probability that none was.

    evidence: log-likelihood ratio of each sentence, spun against untouched.
    turns: between one sentence and the next, the chances to leave spun text and to come back.
    A document is untouched as a whole, or its sentences change between spun and
    quoted (clean passages in a spun page) as a Markov chain; forward-backward
    in the log domain.
    """
    if not evidence:
        return [], 0.0
    leave = turns[0][0] if turns else UNPARTED[0]
    spun, quoted = log(prior) + log1p(-leave) + evidence[0], log(prior) + log(leave)
    all_quoted = quoted
    forward = [(spun, quoted)]
    for e, (leave, back) in zip(evidence[1:], turns, strict=True):
        stays = quoted + log1p(-back)
        spun, quoted = _add(spun + log1p(-leave), quoted + log(back)) + e, _add(spun + log(leave), stays)
        all_quoted += log1p(-back)
        forward.append((spun, quoted))
    total = _add(_add(spun, quoted), log1p(-prior))
    posterior = [0.0] * len(evidence)
    after_spun = after_quoted = 0.0
    for i in range(len(evidence) - 1, -1, -1):
        posterior[i] = exp(min(0.0, forward[i][0] + after_spun - total))
        if i:
            leave, back = turns[i - 1]
            spun_here = evidence[i] + after_spun
            after_spun, after_quoted = (
                _add(log1p(-leave) + spun_here, log(leave) + after_quoted),
                _add(log(back) + spun_here, log1p(-back) + after_quoted),
            )
    return posterior, min(0.0, _add(log1p(-prior), all_quoted) - total)


def _add(x: float, y: float) -> float:
    """log(exp(x) + exp(y))."""
    return x + log1p(exp(y - x)) if x >= y else y + log1p(exp(x - y))
