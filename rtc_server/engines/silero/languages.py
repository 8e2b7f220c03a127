"""Rules of the languages for `number_reading`: signs, units, money, titles, letters, digits."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from string import ascii_lowercase
from typing import TypeAlias

Forms: TypeAlias = tuple[str, ...]
"""(for 1, for others), or in Ukrainian (for 1, for 2 to 4, for others)."""

_UNIT_ORDER = "km m cm mm kg g l h min s km/h °C % MB GB kW € $ £ EUR USD GBP"


def _units(forms: str) -> dict[str, Forms]:
    """Return forms in the order of `_UNIT_ORDER`, units apart by ``|``, forms of one by ``,``."""
    units = [tuple(unit.strip().split(",")) for unit in forms.split("|")]
    return dict(zip(_UNIT_ORDER.split(), units, strict=True))


_DIGIT_NAMES = {
    "ru": "ноль один два три четыре пять шесть семь восемь девять",
    "uk": "нуль один два три чотири п'ять шість сім вісім дев'ять",
    "en": "zero one two three four five six seven eight nine",
    "de": "null eins zwei drei vier fünf sechs sieben acht neun",
    "es": "cero uno dos tres cuatro cinco seis siete ocho nueve",
    "fr": "zéro un deux trois quatre cinq six sept huit neuf",
}
DIGITS: Mapping[str, tuple[str, ...]] = {
    language: tuple(names.split()) for language, names in _DIGIT_NAMES.items()
}
"""Names of the digits 0 to 9 in each language that is spoken."""


@dataclass(frozen=True, slots=True)
class NumberRules:
    """Rules by which a language writes and says numbers."""

    decimal: str
    """The decimal sign; the other of ``.`` and ``,`` groups thousands."""
    minus: str
    """Said before a negative number."""
    to: str
    """Said between the ends of a range."""
    hours: str
    """A clock time; ``{h}`` and ``{m}`` are words."""
    full_hour: str
    """A clock time without minutes."""
    units: Mapping[str, Forms]
    """Words for what stands after a number, or before it for money."""
    hundredths: tuple[str, str, str] = ("", "", "")
    """Joins whole units of money to their hundredths; the name of one of these, and of several."""
    abbreviations: Mapping[str, str] = field(default_factory=dict)
    """Words for what is written short before a name or a number, by its short form."""
    letters: Mapping[str, str] = field(default_factory=dict)
    """Names of the lower-case letters, for acronyms; empty if they are not spelled."""
    ordinal: re.Pattern[str] | None = None
    """A number that is an ordinal; group 1 is the digits."""
    ordinal_ending: str = ""
    """Added to what num2words calls the ordinal."""
    years: bool = field(default=False)
    """True where four digits from 1100 to 2099 are said as a year."""


def _names(names: str, letters: str = ascii_lowercase) -> dict[str, str]:
    """Return the names of letters, in their order."""
    return dict(zip(letters, names.split(), strict=True))


_DOLLARS = "dollar,dollars|pound,pounds|euro,euros|dollar,dollars|pound,pounds"
LANGUAGES: Mapping[str, NumberRules] = {
    "en": NumberRules(
        decimal=".",
        minus="minus",
        to="to",
        hours="{h} {m}",
        full_hour="{h} o'clock",
        units=_units(
            "kilometer,kilometers|meter,meters|centimeter,centimeters|millimeter,millimeters|"
            "kilogram,kilograms|gram,grams|liter,liters|hour,hours|minute,minutes|second,seconds|"
            "kilometer per hour,kilometers per hour|degree Celsius,degrees Celsius|percent,percent|"
            f"megabyte,megabytes|gigabyte,gigabytes|kilowatt,kilowatts|euro,euros|{_DOLLARS}"
        )
        | {
            "°F": ("degree Fahrenheit", "degrees Fahrenheit"),
            "mph": ("mile per hour", "miles per hour"),
            "mi": ("mile", "miles"),
            "ft": ("foot", "feet"),
            "in": ("inch", "inches"),
            "yd": ("yard", "yards"),
            "lb": ("pound", "pounds"),
            "lbs": ("pound", "pounds"),
            "oz": ("ounce", "ounces"),
            "hr": ("hour", "hours"),
            "hrs": ("hour", "hours"),
            "mins": ("minute", "minutes"),
            "sec": ("second", "seconds"),
            "secs": ("second", "seconds"),
            "m²": ("square meter", "square meters"),
        },
        ordinal=re.compile(r"\b(\d{1,6})(?:st|nd|rd|th)\b", re.IGNORECASE),
        years=True,
    ),
    "de": NumberRules(
        decimal=",",
        minus="minus",
        to="bis",
        hours="{h} Uhr {m}",
        full_hour="{h} Uhr",
        units=_units(
            "Kilometer,Kilometer|Meter,Meter|Zentimeter,Zentimeter|Millimeter,Millimeter|"
            "Kilogramm,Kilogramm|Gramm,Gramm|Liter,Liter|Stunde,Stunden|Minute,Minuten|"
            "Sekunde,Sekunden|Kilometer pro Stunde,Kilometer pro Stunde|Grad Celsius,Grad Celsius|"
            "Prozent,Prozent|Megabyte,Megabyte|Gigabyte,Gigabyte|Kilowatt,Kilowatt|Euro,Euro|"
            "Dollar,Dollar|Pfund,Pfund|Euro,Euro|Dollar,Dollar|Pfund,Pfund"
        ),
        hundredths=("und", "Cent", "Cent"),
        abbreviations={
            "Dr.": "Doktor",
            "Prof.": "Professor",
            "Hr.": "Herr",
            "Fr.": "Frau",
            "St.": "Sankt",
            "Nr.": "Nummer",
            "n°": "Nummer",
            "z. B.": "zum Beispiel",
            "z.B.": "zum Beispiel",
            "d. h.": "das heißt",
            "d.h.": "das heißt",
            "usw.": "und so weiter",
            "ca.": "circa",
            "bzw.": "beziehungsweise",
        },
        letters=_names(
            "a be ce de e ef ge ha i jot ka el em en o pe ku er es te u vau we ix ypsilon zett"
        ),
        ordinal=re.compile(
            r"\b(\d{1,2})\.(?=\s(?:Januar|Februar|März|April|Mai|Juni|Juli|August|September|"
            r"Oktober|November|Dezember|Stock|Etage|Mal)\b)"
        ),
        ordinal_ending="n",
        years=True,
    ),
    "es": NumberRules(
        decimal=",",
        minus="menos",
        to="a",
        hours="{h} y {m}",
        full_hour="{h} en punto",
        units=_units(
            "kilómetro,kilómetros|metro,metros|centímetro,centímetros|milímetro,milímetros|"
            "kilogramo,kilogramos|gramo,gramos|litro,litros|hora,horas|minuto,minutos|"
            "segundo,segundos|kilómetro por hora,kilómetros por hora|grado Celsius,grados Celsius|"
            "por ciento,por ciento|megabyte,megabytes|gigabyte,gigabytes|kilovatio,kilovatios|"
            "euro,euros|dólar,dólares|libra,libras|euro,euros|dólar,dólares|libra,libras"
        ),
        hundredths=("con", "céntimo", "céntimos"),
        abbreviations={
            "Sr.": "señor",
            "Sra.": "señora",
            "Srta.": "señorita",
            "Dr.": "doctor",
            "Dra.": "doctora",
            "Ud.": "usted",
            "Uds.": "ustedes",
            "EE. UU.": "Estados Unidos",
            "EE.UU.": "Estados Unidos",
            "n.º": "número",
            "n°": "número",
            "nº": "número",
            "p. ej.": "por ejemplo",
            "etc.": "etcétera",
            "Avda.": "avenida",
        },
        letters=_names(
            "a be ce de e efe ge hache i jota ka ele eme ene o pe cu erre ese te u uve "
            "uve-doble equis i-griega zeta"
        ),
        ordinal=re.compile(r"\b(\d{1,4})\.?[ºª]"),
    ),
    "fr": NumberRules(
        decimal=",",
        minus="moins",
        to="à",
        hours="{h} heures {m}",
        full_hour="{h} heures",
        units=_units(
            "kilomètre,kilomètres|mètre,mètres|centimètre,centimètres|millimètre,millimètres|"
            "kilogramme,kilogrammes|gramme,grammes|litre,litres|heure,heures|minute,minutes|"
            "seconde,secondes|kilomètre par heure,kilomètres par heure|"
            "degré Celsius,degrés Celsius|pour cent,pour cent|mégaoctet,mégaoctets|"
            "gigaoctet,gigaoctets|kilowatt,kilowatts|euro,euros|dollar,dollars|livre,livres|"
            "euro,euros|dollar,dollars|livre,livres"
        ),
        hundredths=("et", "centime", "centimes"),
        abbreviations={
            "M.": "monsieur",
            "MM.": "messieurs",
            "Mme": "madame",
            "Mlle": "mademoiselle",
            "Dr": "docteur",
            "St": "saint",
            "n°": "numéro",
            "nº": "numéro",
            "N°": "numéro",
            "p. ex.": "par exemple",
            "etc.": "et cetera",
            "av.": "avenue",
        },
        letters=_names(
            "a bé cé dé e effe gé hache i ji ka elle emme enne o pé ku erre esse té u vé "
            "double-vé ixe i-grec zède"
        ),
        ordinal=re.compile(r"\b(\d{1,4})(?:er|ère|re|e|ème)\b"),
    ),
    "uk": NumberRules(
        decimal=",",
        minus="мінус",
        to="до",
        hours="{h} {m}",
        full_hour="{h} рівно",
        units=_units(
            "кілометр,кілометри,кілометрів|метр,метри,метрів|сантиметр,сантиметри,сантиметрів|"
            "міліметр,міліметри,міліметрів|кілограм,кілограми,кілограмів|грам,грами,грамів|"
            "літр,літри,літрів|година,години,годин|хвилина,хвилини,хвилин|"
            "секунда,секунди,секунд|кілометр на годину,кілометри на годину,кілометрів на годину|"
            "градус Цельсія,градуси Цельсія,градусів Цельсія|відсоток,відсотки,відсотків|"
            "мегабайт,мегабайти,мегабайтів|гігабайт,гігабайти,гігабайтів|кіловат,кіловати,кіловат|"
            "євро,євро,євро|долар,долари,доларів|фунт,фунти,фунтів|євро,євро,євро|"
            "долар,долари,доларів|фунт,фунти,фунтів"
        )
        | {
            "км/год": ("кілометр на годину", "кілометри на годину", "кілометрів на годину"),
            "км": ("кілометр", "кілометри", "кілометрів"),
            "м": ("метр", "метри", "метрів"),
            "см": ("сантиметр", "сантиметри", "сантиметрів"),
            "кг": ("кілограм", "кілограми", "кілограмів"),
            "г": ("грам", "грами", "грамів"),
            "л": ("літр", "літри", "літрів"),
            "хв": ("хвилина", "хвилини", "хвилин"),
            "грн": ("гривня", "гривні", "гривень"),
            "₴": ("гривня", "гривні", "гривень"),
        },
        letters=_names(
            "а бе ве ге ґе де е є же зе и і ї йот ка ел ем ен о пе ер ес те у еф ха це че ша "
            "ща м'який ю я",
            "абвгґдеєжзиіїйклмнопрстуфхцчшщьюя",
        ),
    ),
}
"""The languages that are done here."""
