"""Pronunciation of words in the phones of the English acoustic model.

English words come from the dictionary in the PocketSphinx wheel, other words by espeak-ng. Russian
phonemes are mapped to their nearest English phones, in several ways where more than one is near.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

from rtc_phrasebook.espeak_phonemes import EspeakPhonemes

Phones = tuple[str, ...]
Pronunciations = dict[str, list[Phones]]
"""Word to its pronunciations, the likeliest first."""

_EN = {
    "0": "AA", "0#": "AA", "A:": "AA", "A@": "AA R", "A": "AA", "a": "AE", "aa": "AE",
    "V": "AH", "@": "AH", "@2": "AH", "@5": "AH", "a#": "AH", "@L": "AH L", "I#": "IH",
    "I2": "IH", "I": "IH", "i": "IY", "i:": "IY", "E": "EH", "E#": "EH", "e@": "EH R",
    "3": "ER", "3:": "ER", "O": "AO", "O:": "AO", "O2": "AO", "O@": "AO R", "o@": "AO R",
    "U": "UH", "U@": "UH R", "u": "UW", "u:": "UW", "aI": "AY", "aI@": "AY ER", "aI3": "AY ER",
    "aU": "AW", "aU@": "AW ER", "eI": "EY", "oU": "OW", "oU#": "OW", "OI": "OY", "i@": "IH R",
    "i@3": "IH R", "IR": "IH R", "VR": "ER", "p": "P", "b": "B", "t": "T", "t2": "T", "t#": "T",
    "d": "D", "d#": "D", "k": "K", "g": "G", "f": "F", "v": "V", "T": "TH", "D": "DH", "s": "S",
    "z": "Z", "z#": "Z", "S": "SH", "Z": "ZH", "tS": "CH", "dZ": "JH", "h": "HH", "m": "M",
    "n": "N", "N": "NG", "n-": "AH N", "l": "L", "r": "R", "r-": "R", "w": "W", "j": "Y",
    "x": "K", "?": "", "l#": "L", "-": "", "@-": "",
}  # fmt: skip

_RU_CONSONANTS = {
    "b": "B", "v": "V", "g": "G", "d": "D", "Z": "ZH", "z": "Z", "j": "Y", "k": "K", "l": "L",
    "m": "M", "n": "N", "p": "P", "r": "R", "s": "S", "t": "T", "f": "F", "x": "HH", "ts": "T S",
    "tS": "CH", "S": "SH", "S;": "SH", "tS;": "CH", "Q": "G", "h": "HH", "dZ": "JH", "dz": "D Z",
    "@-": "", "R": "R", "I^": "",
}  # fmt: skip

_RU_REDUCED = {
    "A": "AA", "'A": "AA", "a": "AH", "'a": "AA", "a#": "AH", "V": "AH", "ja": "Y AA",
    "o": "AO", "'o": "AO", "8": "AO", "'8": "AO", "e": "EH", "'e": "EH", "E": "EH",
    "'E": "EH", "i": "IH", "'i": "IY", "I": "IH", "y": "IH", "'y": "IH", "u": "UW",
    "'u": "UW", "u\"": "UW", "ju": "Y UW", "'ju": "Y UW", "u#": "UW", "'ja": "Y AA",
    "je": "Y EH", "'je": "Y EH",
}  # fmt: skip
"""Vowels as an English speaker hears them: unstressed ones fade."""

_RU_FULL = {
    "A": "AA", "'A": "AH", "a": "AA", "'a": "AE", "a#": "AA", "V": "AA", "ja": "Y AH",
    "o": "OW", "'o": "OW", "8": "OW", "'8": "OW", "e": "EY", "'e": "EY", "E": "EH",
    "'E": "AE", "i": "IY", "'i": "IY", "I": "IY", "y": "IY", "'y": "IY", "u": "UH",
    "'u": "UW", "u\"": "UW", "ju": "Y UW", "'ju": "Y UW", "u#": "UH", "'ja": "Y AA",
    "je": "Y EH", "'je": "Y EY", "x": "K",
}  # fmt: skip
"""Vowels as spelt, o and e as diphthongs, х as a stop."""

_RU_SOFT = {
    **_RU_REDUCED, "e": "EY", "'e": "EY", "z": "DH",
    "t;": "T Y", "d;": "D Y", "n;": "N Y", "l;": "L Y", "s;": "S Y", "m;": "M Y", "p;": "P Y",
    "b;": "B Y", "v;": "V Y", "f;": "F Y", "z;": "Z Y", "k;": "K Y", "g;": "G Y", "r;": "R Y",
}  # fmt: skip
"""Soft consonants with the glide that an English speaker hears after them."""

_RU_DENTAL = {
    **_RU_REDUCED, "z": "DH", "s": "TH", "t": "TH", "l": "ER", "i": "IY", "e": "IH", "'e": "IY",
}  # fmt: skip
"""Hard t, s, z as the dentals they are, dark l as the vowel it comes near to, and close i and e."""

_RU_STYLES: tuple[Mapping[str, str], ...] = (_RU_REDUCED, _RU_FULL, _RU_SOFT, _RU_DENTAL)
"""Whole-word ways to hear Russian; each word gets one pronunciation from each."""

_RU_LETTERS = {"в": ("V", "F"), "с": ("S", "Z"), "к": ("K", "G")}
"""Prepositions of one consonant, which espeak-ng would spell."""

_RU_CLITICS = frozenset(
    {"без", "во", "для", "до", "за", "из", "ко", "на", "не", "но", "об", "от", "по", "про", "со",
     "то", "что"}
)  # fmt: skip
"""Words that lean on the next one and have no stress of their own."""
_RU_UNSTRESSED = {"AO": "AH", "OW": "AH", "AA": "AH", "EH": "IH", "EY": "IH"}
"""Their vowels then."""
_RU_LEAST_REDUCED = 4
"""Letters of a word whose last «а» or «я» is heard to fade."""

_EN_BESIDE: Mapping[Phones, tuple[Phones, ...]] = {
    ("G", "UH", "D", "B", "AY"): (("G", "UH", "D", "M", "B", "AY"), ("G", "UH", "D", "N", "AY")),
}
"""Pronunciations that the dictionary lacks, by one that it has: where the B of the farewell is
spoken through the nose, the plain one is less near to it than "good night" is."""


def read_dictionary(path: Path, words: Iterable[str]) -> Pronunciations:
    """Return the entries of `words` in a CMU dictionary file."""
    wanted = set(words)
    found: Pronunciations = {}
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            entry, _, phones = line.partition(" ")
            word = entry.partition("(")[0]
            if word in wanted:
                found.setdefault(word, []).append(tuple(phones.split()))
    return found


def english(
    words: set[str], dictionary: Path, respelled: Mapping[str, str], espeak: EspeakPhonemes
) -> Pronunciations:
    """Pronunciations of English words; those absent from the result cannot be pronounced."""
    found = read_dictionary(dictionary, words - respelled.keys())
    for ways in found.values():
        ways += [beside for way in ways for beside in _EN_BESIDE.get(way, ())]
    missing = sorted(words - found.keys())
    spelled = [respelled.get(word, word) for word in missing]
    for word, phonemes in zip(missing, espeak.phonemes(spelled, "en"), strict=True):
        phones = _mapped(phonemes, _EN)
        if phones:
            found[word] = [phones]
    return found


def russian(
    words: set[str], respelled: Mapping[str, str], espeak: EspeakPhonemes
) -> Pronunciations:
    """Pronunciations of Russian words; those absent from the result cannot be pronounced."""
    ordered = sorted(words)
    spelled = [respelled.get(word, word) for word in ordered]
    found: Pronunciations = {}
    for word, phonemes in zip(ordered, espeak.phonemes(spelled, "ru"), strict=True):
        if word in _RU_LETTERS:
            found[word] = [(phone,) for phone in _RU_LETTERS[word]]
            continue
        ways = [_mapped(phonemes, {**_RU_CONSONANTS, **style}) for style in _RU_STYLES]
        known = [phones for phones in ways if phones]
        if known:
            faded = (_faded(word, phones) for phones in known)
            found[word] = list(dict.fromkeys([*known, *faded]))
    return found


def _faded(word: str, phones: Phones) -> Phones:
    """Return a Russian word as in connected speech: without stress, or its last vowel faded."""
    if word in _RU_CLITICS:
        return tuple(_RU_UNSTRESSED.get(phone, phone) for phone in phones)
    if len(word) >= _RU_LEAST_REDUCED and word[-1] in "ая" and phones[-1] == "AA":
        return (*phones[:-1], "AH")
    return phones


def _mapped(phonemes: Iterable[str], table: Mapping[str, str]) -> Phones | None:
    """Phonemes in the model's phones; None when one of them has no near phone."""
    phones: list[str] = []
    for phoneme in phonemes:
        found = _near(phoneme, table)
        if found is None:
            return None
        phones += found.split()
    return tuple(phones)


def _near(phoneme: str, table: Mapping[str, str]) -> str | None:
    """Return the entry for a phoneme, giving up stress and then softness where the table has
    neither.
    """
    plain = phoneme.lstrip("',%=|")
    for form in (phoneme, plain, plain.rstrip(";"), plain.rstrip('"#:;23')):
        if form in table:
            return table[form]
    return "" if plain in ("", ";") else None
