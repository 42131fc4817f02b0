"""Unmarked parallel text: sentences paired, stretches parted into phrase pairs, robust against damage."""

from __future__ import annotations

import gzip
import json
import lzma
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import restore
from restore import lexicon
from restore.learning import alignment, segmentation
from restore.learning.phrases import (
    DOUBTFUL,
    Pair,
    PairsError,
    described,
    folder_pairs,
    from_marked,
    learn,
    read_folders,
    read_pairs,
    write_lexicon,
)
from restore.text import tokenize

# found, original: what the spinner of these tests does, always
TABLE = {
    "climate": "local weather",
    "more": "extra",
    "trading": "buying and selling",
    "history": "historical past",
    "study": "examine",
    "bird": "chook",
    "new": "brand new",
    "chinese": "chinese language",
    "way": "method",
    "government": "authorities",
    "well-known": "famous",
    "part": "half",
    "among the": "among the many",
}
FRAMES = [
    "The {a} of the {b} was {c} this year.",
    "A {a} {b} is {c} in the north, they said.",
    "Nobody knew whether {a} or {b} had {c}; the {a} {b} came first.",
    "In {n} the {a} met the {b}'s {c} friends among the trees.",
    "“We want {c} {a} {b},” he wrote to them in May.",
    "It was a {a}-{b} affair with {c} people.",
]
PLAIN = ["river", "table", "window", "garden", "letter", "doctor", "bridge", "music", "village", "teacher"]


def original_texts(count: int, seed: int = 0) -> list[list[str]]:
    """Texts of ten sentences each, about half of whose content words the spinner knows."""
    draw = random.Random(seed)
    words = [w for w in TABLE if " " not in w] + PLAIN
    return [
        [
            draw.choice(FRAMES).format(a=a, b=b, c=c, n=draw.randrange(1900, 2020))
            for a, b, c in (draw.sample(words, 3) for _ in range(10))
        ]
        for _ in range(count)
    ]


def spin(sentence: str) -> str:
    tokens = tokenize(sentence)
    out, at, i = "", 0, 0
    while i < len(tokens):
        for n in (2, 1):
            key = lexicon.phrase_key(sentence[tokens.start[i] : tokens.end[min(len(tokens), i + n) - 1]])
            if key in TABLE or n == 1:
                break
        end = min(len(tokens), i + n)
        if key in TABLE:
            out += sentence[at : tokens.start[i]] + TABLE[key]
            at = tokens.end[end - 1]
        i = end
    return out + sentence[at:]


def learned_from(texts: list[tuple[str, str]]) -> dict[tuple[str, str], float]:
    entries = learn([Pair(original, None, spun) for original, spun in texts]).entries
    return {(e.found, e.original): e.seen / e.occurred for e in entries}


@pytest.fixture(scope="module")
def clean_table():
    return learned_from([(" ".join(t), " ".join(map(spin, t))) for t in original_texts(120)])


def test_run_together_substitutions_are_parted(clean_table):
    """Most stretches hold two or three substitutions; the corpus tells where one ends and the next begins."""
    for original, found in TABLE.items():
        if " " in original:
            continue
        of_this = {f: rate for (f, o), rate in clean_table.items() if o == original}
        assert max(of_this, key=of_this.__getitem__) == found, (original, of_this)
        assert of_this[found] > 0.8, (original, of_this)


def test_nothing_else_is_learned(clean_table):
    """Rates of pairs that the spinner does not know stay small in sum."""
    true = {(found, original) for original, found in TABLE.items()}
    strange = {pair: rate for pair, rate in clean_table.items() if pair not in true and rate > 0.5}
    assert len(strange) <= 0.2 * len(TABLE), strange


def damaged(texts: list[list[str]], seed: int) -> list[tuple[str, str]]:
    """Spun texts of which a fifth of the sentences was dropped, added to, edited by hand or put in another order."""
    draw = random.Random(seed)

    def edited(sentence: str) -> str:
        words = sentence.split()
        for at in draw.sample(range(len(words)), 2):
            words[at] = draw.choice(["perhaps", "lately", "curious", "wooden", "slowly", "hers", "eleven", "gladly"])
        return " ".join(words)

    damages = [
        lambda s: "",
        lambda s: f"{s} Read on below for the whole report.",
        edited,
        lambda s: " ".join(draw.sample(s.split(), len(s.split()))),
    ]
    out = []
    for text in texts:
        spun = [draw.choice(damages)(spin(s)) if draw.random() < 0.2 else spin(s) for s in text]
        out.append((" ".join(text), " ".join(s for s in spun if s)))
    return out


def test_damage_hardly_changes_what_is_learned(clean_table):
    table = learned_from(damaged(original_texts(120), seed=5))
    for original, found in TABLE.items():
        if " " not in original:
            assert table[found, original] == pytest.approx(clean_table[found, original], abs=0.12)
    pairs = [Pair(original, None, spun) for original, spun in damaged(original_texts(120), seed=5)]
    true = {(found, original) for original, found in TABLE.items()} | {("many trees", "trees")}
    for least, most in ((1, 0.03), (2, 0.005)):
        entries = learn(pairs, least).entries
        strange = sum(e.seen for e in entries if (e.found, e.original) not in true)
        assert strange <= most * sum(e.seen for e in entries)


def test_damaged_sentences_find_their_partners():
    original = ["Rain fell all night.", "The old bridge fell.", "Nobody was hurt.", "Boats took people over the river."]
    spun = [
        "Rain fell all evening.",
        "Advertisement: buy three pay two!",
        "No one was hurt.",
        "Boats took folks over the river.",
    ]
    paired = alignment.pair_sentences(tokenize(" ".join(spun)), tokenize(" ".join(original)))
    assert (paired.added, paired.missing) == (1, 1)
    assert [tuple(b) for b in paired.beads] == [((0, 4), (0, 4)), ((9, 13), (8, 11)), ((13, 19), (11, 17))]


def test_a_sentence_cut_in_two_is_paired_with_both_halves():
    original = "The river rose in the night and the people of the village fled to the hills."
    spun = "The river rose in the night. And the folks of the village fled to the hills."
    (bead,) = alignment.pair_sentences(tokenize(spun), tokenize(original)).beads
    assert bead.spun == bead.original == (0, 16)


def test_long_texts_are_parted_where_they_surely_agree():
    """More sentences than one table holds, with a long stretch missing."""
    texts = [
        f"Number {n} of {n * 7 % 1000} went to {n * 13 % 997} houses with their {PLAIN[n % 10]}." for n in range(500)
    ]
    spun = [t.replace("houses", "homes") for t in texts[:200] + texts[260:]]
    paired = alignment.pair_sentences(tokenize(" ".join(spun)), tokenize(" ".join(texts)))
    assert paired.missing <= 64
    assert len(paired.beads) >= 436


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from("abcdefg"), max_size=30), st.lists(st.sampled_from("abcdefg"), max_size=30))
def test_blocks_leave_the_same_words_between_them(spun, original):
    i = k = 0
    for (a, b), (c, d) in [*alignment.blocks(spun, original), ((len(spun),) * 2, (len(original),) * 2)]:
        assert spun[i:a] == original[k:c]
        i, k = b, d


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=3), st.integers(0, 2))
def test_every_path_of_a_lattice_covers_both_sides(blocks, run):
    """Edges go forward, and start and end are joined by a path on which no word is counted twice or left out."""
    shape = ((run, -1), *(x for n, m in blocks for x in ((n + (n == m == 0), m), (run, -1))))
    nodes, edges = segmentation.template(shape)
    assert (edges[:, 0] < edges[:, 1]).all()
    places = {0: {(0, 0)}}
    for source, target, i, i2, k, k2, _ in edges[np.argsort(edges[:, 1], kind="stable")].tolist():
        assert places.get(source) == {(i, k)}
        places.setdefault(target, set()).add((i2, k2))
    spun = sum(n for n, _ in shape)
    assert places[nodes - 1] == {(spun, sum(n if m < 0 else m for n, m in shape))}


def test_hyphens_possessives_and_case():
    pairs = [
        ("The High-Flyer's cash was HIGH in May.", "The Excessive-Flyer's cash was EXCESSIVE in May."),
        ("A high wall and the high-speed train.", "A excessive wall and the excessive-speed train."),
        ("She holds a high-risk post.", "She holds a excessive-risk post."),
    ]
    table = learned_from(pairs * 3)
    assert table["excessive", "high"] == 1.0


def test_one_text_is_enough_where_it_repeats_itself():
    text = " ".join(" ".join(t) for t in original_texts(4))
    table = learned_from([(text, spin(text))])
    assert table["local weather", "climate"] > 0.8
    assert table["buying and selling", "trading"] > 0.8


def test_marked_and_plain_add_up():
    texts = original_texts(30)
    plain = [Pair(" ".join(t), None, " ".join(map(spin, t))) for t in texts]
    both = learn([*plain, from_marked("The ⟦local weather→climate⟧ is mild.")])
    alone = learn(plain)
    seen = [next(e for e in x.entries if (e.found, e.original) == ("local weather", "climate")) for x in (both, alone)]
    assert seen[0].seen == seen[1].seen + 1
    assert seen[0].occurred == seen[1].occurred + 1


def test_texts_that_were_not_spun_do_not_lower_the_shares():
    texts = original_texts(30)
    pairs = [Pair(" ".join(t), None, " ".join(map(spin, t))) for t in texts]
    same = [Pair(p.original, None, p.original) for p in pairs]
    learned = learn([*pairs, *same])
    assert learned.untouched == 30
    assert learned.entries == learn(pairs).entries


def test_edits_and_insertions_are_doubtful():
    texts = original_texts(60, seed=3)
    spun = [" ".join(map(spin, t)) for t in texts]
    for n, word in enumerate(PLAIN):  # the same word put before ten others, twice each
        for text in (2 * n, 2 * n + 1):
            spun[text] = spun[text].replace(f" {word}", f" sponsored {word}")
    spun[40] = spun[40].replace(" was ", " seemed ", 1)
    learned = learn([Pair(" ".join(t), None, s) for t, s in zip(texts, spun, strict=True)])
    assert not any("sponsored" in e.found for e in learned.entries)
    assert ("seemed", "was") not in {(e.found, e.original) for e in learned.entries}
    reasons = {d.pair.found: d.reason for d in learned.doubts}
    assert reasons["seemed"].startswith("an edit")


def test_the_folder_is_a_lexicon(tmp_path):
    learned = learn([Pair(" ".join(t), None, " ".join(map(spin, t))) for t in original_texts(80)])
    write_lexicon(learned, tmp_path / "mine", ["a.jsonl"])
    assert lexicon.check(tmp_path / "mine") == []
    assert lexicon.manifest(tmp_path / "mine")["name"] == "mine"
    assert (tmp_path / "mine" / DOUBTFUL).read_text(encoding="utf-8").startswith("# Seen but not learned.")
    engine = restore.Restorer(families=[], lexicons=[tmp_path / "mine"], assume_spun=True)
    out = engine.restore("The authorities study of local weather and chook life was extra dry.")
    assert "climate and bird life was more dry" in out.text
    assert {e.family for e in out.edits} == {"mine"}
    assert "local weather <- climate" in described(learned, top=200)


@pytest.mark.parametrize("suffix", ["", ".gz", ".xz"])
def test_json_lines_in_any_form(tmp_path, suffix):
    path = tmp_path / f"pairs.jsonl{suffix}"
    rows = [{"src": "More rain.", "hit": "Extra rain."}, {"marked": "⟦Extra→More⟧ rain."}]
    opener = {"": open, ".gz": gzip.open, ".xz": lzma.open}[suffix]
    with opener(path, "wt", encoding="utf-8") as file:
        file.write("\n".join(map(json.dumps, rows)) + "\n\n")
    first, second = read_pairs(path, "src", "hit")
    assert (first.original, first.spun, first.substitutions) == ("More rain.", "Extra rain.", None)
    assert (second.original, second.substitutions) == ("More rain.", [("Extra", "More")])


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b'{"original": "a", "spun": "b"}\n{oops}\n', "pairs.jsonl:2: not JSON"),
        (b'{"original": "a", "text": "b"}\n', "pairs.jsonl:1: no text in a field 'spun'; there are: original, text"),
        (b"[1]\n", "pairs.jsonl:1: not a JSON object"),
        (b'{"original": "a", "spun": "b"}\n\xff\xfe\n', "pairs.jsonl:2: not UTF-8"),
    ],
)
def test_broken_json_lines_are_named(tmp_path, data, message):
    (tmp_path / "pairs.jsonl").write_bytes(data)
    with pytest.raises(PairsError, match=message.replace("[", r"\[")):
        list(read_pairs(tmp_path / "pairs.jsonl"))


def test_a_file_that_is_not_compressed_as_named(tmp_path):
    for suffix in (".xz", ".gz"):
        (tmp_path / f"p{suffix}").write_text("{}", encoding="utf-8")
        with pytest.raises(PairsError, match="cannot be decompressed"):
            list(read_pairs(tmp_path / f"p{suffix}"))


def test_folders_pair_files_of_the_same_name(tmp_path):
    for folder, name, text in (
        ("o", "a.txt", "More."),
        ("s", "a.txt", "Extra."),
        ("o", "x/b.txt", "B."),
        ("s", "c.txt", "C."),
    ):
        path = tmp_path / folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    both, alone = read_folders(tmp_path / "o", tmp_path / "s")
    assert [p.as_posix() for p in both] == ["a.txt"]
    assert [p.as_posix() for p in alone] == ["c.txt", "x/b.txt"]
    assert list(folder_pairs(tmp_path / "o", tmp_path / "s", both)) == [Pair("More.", None, "Extra.")]
    with pytest.raises(PairsError, match="no such folder"):
        read_folders(tmp_path / "o", tmp_path / "none")
