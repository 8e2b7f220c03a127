"""Words of English that `english` reads: titles, abbreviations, money, names of letters."""

from collections.abc import Mapping
from string import ascii_lowercase

_LETTER_NAMES = (
    "ay|bee|see|dee|ee|eff|jee|aitch|eye|jay|kay|ell|em|en|oh|pee|cue|ar|ess|tee|you|vee|"
    "double you|ex|why|zee"
)
LETTERS: Mapping[str, str] = dict(zip(ascii_lowercase, _LETTER_NAMES.split("|"), strict=True))
"""Names of the letters, spelled so that a voice reads them as names."""

TITLES = {
    "mr": "Mister",
    "mrs": "Missus",
    "ms": "Miz",
    "dr": "Doctor",
    "prof": "Professor",
    "rev": "Reverend",
    "gen": "General",
    "capt": "Captain",
    "lt": "Lieutenant",
    "sgt": "Sergeant",
    "gov": "Governor",
    "sen": "Senator",
    "st": "Saint",
    "mt": "Mount",
}
"""Before a name."""
AFTER_NAME = {
    "st": "Street",
    "ave": "Avenue",
    "rd": "Road",
    "blvd": "Boulevard",
    "dr": "Drive",
    "ln": "Lane",
    "jr": "Junior",
    "sr": "Senior",
    "inc": "Incorporated",
    "ltd": "Limited",
    "co": "Company",
    "corp": "Corporation",
}
"""After a name."""
ABBREVIATIONS = {
    "vs.": "versus",
    "etc.": "et cetera",
    "e.g.": "for example",
    "i.e.": "that is",
    "approx.": "approximately",
    "dept.": "department",
    "est.": "established",
    "a.k.a.": "also known as",
    "w/o": "without",
    "PhD": "pee aitch dee",
    "Ph.D.": "pee aitch dee",
}
MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip
MAGNITUDES = {
    "k": "thousand",
    "m": "million",
    "mn": "million",
    "bn": "billion",
    "b": "billion",
    "t": "trillion",
    "tn": "trillion",
}
MONEY = {
    "$": ("dollar", "dollars", "cent", "cents"),
    "€": ("euro", "euros", "cent", "cents"),
    "£": ("pound", "pounds", "penny", "pence"),
}
FRACTIONS = {
    "½": (1, 2),
    "⅓": (1, 3),
    "⅔": (2, 3),
    "¼": (1, 4),
    "¾": (3, 4),
    "⅕": (1, 5),
    "⅛": (1, 8),
    "⅜": (3, 8),
    "⅝": (5, 8),
    "⅞": (7, 8),
}
ROMAN = {"I": 1, "V": 5, "X": 10}
MONARCHS = frozenset(
    (
        "Henry",
        "Louis",
        "Charles",
        "George",
        "James",
        "Edward",
        "William",
        "Elizabeth",
        "Richard",
        "Pius",
        "Benedict",
        "Paul",
        "Peter",
        "Catherine",
        "Nicholas",
        "Alexander",
    )
)
"""Names whose Roman numeral is an ordinal."""

_EMPHASISED = (
    "NO YES NOT ALL NOW STOP HELP VERY ONLY MUST WOW AND OR THE BUT NEW BIG HOT FREE SALE "
    "OPEN EXIT PUSH PULL GO ON OFF IN OUT UP DOWN LIVE LOVE TOP BEST GOOD BAD WAR PLAN MORE "
    "HERE THIS THAT WHAT WHEN WHY HOW YOU ME MY WE HE SHE IT HIS HER OUR ARE IS AM WAS DO DID "
    "CAN WILL BE TO OF AT BY FOR WITH FROM SO IF AS AN RUN END OLD ONE TWO TEN LOOK WAIT COME "
    "READ SEE SAY DONE EVER LAST NEXT LEFT SHUT GET GOT LET MAD SAD HEY OH HI BYE MOM DAD"
)
EMPHASISED = frozenset(_EMPHASISED.split())
"""Words of up to four letters that people write large for emphasis."""
