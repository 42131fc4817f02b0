"""Regular English inflection, and the irregular forms that common words take.

A spinner's table lists "foretell" for "predict" and inflects both sides alike.
`analyses` takes an inflected word apart; `inflect` gives another word the same
form. Results may be no words at all: the caller asks the context model.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Final, Literal

Form = Literal["s", "ed", "en", "ing"]

_IRREGULAR_PAST: Final[dict[str, tuple[str, str]]] = {
    row.split()[0]: (row.split()[1], row.split()[-1])
    for row in """
    arise arose arisen;awake awoke awoken;be was been;bear bore borne;beat beat beaten;become became become
    begin began begun;bend bent;bet bet;bind bound;bite bit bitten;bleed bled;blow blew blown;break broke broken
    breed bred;bring brought;build built;burst burst;buy bought;cast cast;catch caught;choose chose chosen
    cling clung;come came come;cost cost;creep crept;cut cut;deal dealt;dig dug;do did done;draw drew drawn
    drink drank drunk;drive drove driven;eat ate eaten;fall fell fallen;feed fed;feel felt;fight fought;find found
    flee fled;fling flung;fly flew flown;forbid forbade forbidden;foresee foresaw foreseen;foretell foretold
    forget forgot forgotten;forgive forgave forgiven;freeze froze frozen;get got;give gave given;go went gone
    grind ground;grow grew grown;hang hung;have had;hear heard;hide hid hidden;hit hit;hold held;hurt hurt
    keep kept;know knew known;lay laid;lead led;leave left;lend lent;let let;lie lay lain;light lit;lose lost
    make made;mean meant;meet met;mistake mistook mistaken;offset offset;overcome overcame overcome;pay paid;put put;quit quit
    read read;rebuild rebuilt;reset reset;ride rode ridden;ring rang rung;rise rose risen;run ran run;say said;see saw seen
    seek sought;sell sold;send sent;set set;shake shook shaken;shed shed;shine shone;shoot shot;show showed shown
    shrink shrank shrunk;shut shut;sing sang sung;sink sank sunk;sit sat;sleep slept;slide slid;speak spoke spoken
    spend spent;spin spun;split split;spread spread;spring sprang sprung;stand stood;steal stole stolen;stick stuck
    sting stung;strike struck;strive strove striven;swear swore sworn;sweep swept;swell swelled swollen
    swim swam swum;swing swung;take took taken;teach taught;tear tore torn;tell told;think thought;throw threw thrown
    undergo underwent undergone;understand understood;undertake undertook undertaken;upset upset;wake woke woken
    wear wore worn;weave wove woven;win won;wind wound;withdraw withdrew withdrawn;withstand withstood;write wrote written
    """.replace("\n", ";").split(";")
    if row.strip()
}
_IRREGULAR_PLURAL: Final = {
    "child": "children", "man": "men", "woman": "women", "person": "people", "foot": "feet", "tooth": "teeth",
    "mouse": "mice", "goose": "geese", "life": "lives", "wife": "wives", "knife": "knives", "leaf": "leaves",
    "half": "halves", "shelf": "shelves", "self": "selves", "thief": "thieves", "wolf": "wolves", "loaf": "loaves",
    "analysis": "analyses", "crisis": "crises", "thesis": "theses", "hypothesis": "hypotheses", "diagnosis": "diagnoses",
    "emphasis": "emphases", "synthesis": "syntheses", "phenomenon": "phenomena",
    "criterion": "criteria", "quiz": "quizzes", "have": "has", "do": "does", "go": "goes", "be": "is",
}  # fmt: skip
_SINGULAR: Final = {plural: word for word, plural in _IRREGULAR_PLURAL.items()}
_PRESENT: Final = {past: word for word, forms in _IRREGULAR_PAST.items() for past in forms}
_VOWELS: Final = frozenset("aeiou")
# Words of several syllables whose last is stressed (or whose final consonant doubles all the same), by their endings, and
# words that end so and are not.
_DOUBLING: Final = tuple(
    """fer mit cur pel gin trol gret forget upset reset offset excel equip acquit kidnap program format outfit overlap
    embed deter rebel rebut plug handicap debug abet allot""".split()
)
_SINGLE: Final = frozenset(
    "offer suffer differ proffer buffer coffer pilfer limit delimit vomit ballot shallot alphabet".split()
)
_TAKES_ES: Final = frozenset(  # of those in -o after a consonant; most take -s: photos, casinos
    """buffalo cargo dingo domino echo embargo fiasco forego forgo fresco go grotto hero mango mosquito motto
    outdo overdo peccadillo potato redo tomato tornado torpedo undergo undo veto volcano""".split()
)


def _doubles(word: str) -> bool:
    """Whether a final consonant doubles before -ed and -ing ("stop", "quit", not "open", "visit" or "offer")."""
    sounds = word.replace("qu", "kw")
    if len(word) < 3 or sounds[-1] in "aeiouwxy" or sounds[-2] not in _VOWELS or sounds[-3] in _VOWELS:
        return False
    return sum(c in _VOWELS for c in sounds) == 1 or (word.endswith(_DOUBLING) and word not in _SINGLE)


@lru_cache(maxsize=16384)
def inflect(word: str, form: Form) -> str:
    """`word` in another form: "s" plural or third person, "ed" past, "en" participle, "ing"."""
    if form == "s":
        return _IRREGULAR_PLURAL.get(word) or _add_s(word)
    if form == "ing":
        if word.endswith("ie"):
            return word[:-2] + "ying"
        if word.endswith("e") and len(word) > 2 and not word.endswith(("ee", "oe", "ye")):
            return word[:-1] + "ing"
        return _with_ending(word, "ing")
    if word in _IRREGULAR_PAST:
        return _IRREGULAR_PAST[word][form == "en"]
    if word.endswith("e"):
        return word + "d"
    if word.endswith("y") and word[-2:-1] not in _VOWELS:
        return word[:-1] + "ied"
    return _with_ending(word, "ed")


def _with_ending(word: str, ending: str) -> str:
    """ "stop" -> "stopping", "panic" -> "panicking", "open" -> "opening"."""
    return word + ("k" if word.endswith("ic") else word[-1] if _doubles(word) else "") + ending


def _add_s(word: str) -> str:
    if word.endswith("y") and word[-2:-1] not in _VOWELS:
        return word[:-1] + "ies"
    if word.endswith(("s", "x", "z", "ch", "sh")) or word in _TAKES_ES:
        return word + "es"
    return word + "s"


@lru_cache(maxsize=16384)
def analyses(word: str) -> tuple[tuple[str, Form], ...]:
    """Base forms that a word may be an inflection of, each with the form that it is in."""
    return tuple((base, form) for base, form in _guesses(word) if base != word and inflect(base, form) == word)


@lru_cache(maxsize=16384)
def bases(word: str) -> frozenset[str]:
    """A word and those that it may be an inflection of."""
    return frozenset((word, *(base for base, _ in analyses(word))))


def _guesses(word: str) -> Iterator[tuple[str, Form]]:
    if word in _SINGULAR:
        yield _SINGULAR[word], "s"
    if word in _PRESENT:
        yield _PRESENT[word], "ed"
        yield _PRESENT[word], "en"
    if len(word) < 4:
        return
    if word.endswith("s") and not word.endswith("ss"):
        yield word[:-1], "s"
        if word.endswith("es"):
            yield word[:-2], "s"
        if word.endswith("ies"):
            yield word[:-3] + "y", "s"
    elif word.endswith("ed"):
        for base in (word[:-1], word[:-2], word[:-3], word[:-3] + "y"):
            yield base, "ed"
    elif word.endswith("ying") and len(word) == 5:
        yield word[:-4] + "ie", "ing"  # lying, dying, tying
    elif word.endswith("ing") and len(word) > 5:
        for base in (word[:-3], word[:-3] + "e", word[:-4], word[:-4] + "ie"):
            yield base, "ing"
