"""Units of measure: equality and exact conversion.

A unit is an exact factor and powers of base units. Only conversions by an exact factor are known. A
word that isn't a known unit ("apples") is its own unit, so 12 apples are not 12 pears.

>>> unit_of("«km»/«h»").powers == unit_of("«miles per hour»").powers
True
>>> unit_of("«cm»").factor / unit_of("«m»").factor
Fraction(1, 100)
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

_TABLE = """
m 1 m: m meter metre meters metres metro metros mètre mètres 米
m 1/1000 mm: mm millimeter millimetre millimeters millimetres
m 1/100 cm: cm centimeter centimetre centimeters centimetres centímetros centimètres zentimeter 厘米
m 1/10 dm: dm decimeter decimetre
m 1/1000000 µm: µm micrometer micrometers micrometre micrometres micron microns
m 1/1000000000 nanometer: nanometer nanometers nanometre nanometres
m 1000 km: km kilometer kilometre kilometers kilometres kilómetros kilomètres kilometern 公里 千米
m 254/10000 in: in inch inches
m 3048/10000 ft: ft foot feet
m 9144/10000 yd: yd yard yards
m 1609344/1000 mi: mi mile miles
g 1 g: g gram grams gramme grammes gramos gramm 克
g 1/1000 mg: mg milligram milligrams
g 1000 kg: kg kilo kilos kilogram kilograms kilogramme kilogrammes kilogramos kilogramm 千克 公斤
g 45359237/100000 lb: lb lbs pound pounds
g 45359237/1600000 oz: oz ounce ounces
g 1000000 t: tonne tonnes
s 1 s: s sec secs second seconds segundos secondes sekunden 秒
s 1/1000 ms: ms millisecond milliseconds
s 60 min: min mins minute minutes minutos minuten 分钟
s 3600 h: h hr hrs hour hours hora horas heure heures stunde stunden uhr 小时
s 86400 day: day days día días jour jours tag tage tagen 天
s 604800 week: week weeks semana semanas semaine semaines woche wochen
month 1 month: month months mes meses mois monat monate 月
month 12 year: yr yrs year years año años ans jahr jahre 年
m^3 1/1000 L: L l liter litre liters litres litros
m^3 1/1000000 mL: mL ml milliliter millilitre milliliters millilitres cc
dollar 1 $: $ usd dollar dollars dólares dólar 美元
dollar 1/100 cent: cent cents ¢
euro 1 €: € eur euro euros
gbp 1 £: £ gbp quid
yen 1 ¥: ¥ yen jpy 円
yuan 1 元: yuan rmb 元 人民币
rupee 1 ₹: ₹ rupee rupees rs inr
degree 1 °: ° degree degrees deg grad grados degrés 度
celsius 1 °C: celsius
fahrenheit 1 °F: fahrenheit
radian 1 rad: rad rads radian radians
N 1 N: N newton newtons
N 1000 kN: kN kilonewtons
J 1 J: J joule joules
J 1000 kJ: kJ kilojoules
J 1000000 MJ: MJ megajoules
J 1/1000 mJ: mJ millijoules
J 3600 Wh: Wh
J 3600000 kWh: kWh
W 1 W: W watt watts
W 1000 kW: kW kilowatt kilowatts
W 1000000 MW: MW megawatt megawatts
W 1/1000 mW: mW milliwatt milliwatts
V 1 V: V volt volts
V 1000 kV: kV kilovolts
V 1/1000 mV: mV millivolt millivolts
A 1 A: A amp amps ampere amperes
A 1/1000 mA: mA milliamp milliamps milliampere milliamperes
ohm 1 ohm: ohm ohms Ω
Hz 1 Hz: Hz hertz
Hz 1000 kHz: kHz kilohertz
Hz 1000000 MHz: MHz megahertz
Hz 1000000000 GHz: GHz gigahertz
Pa 1 Pa: Pa pascal pascals
Pa 1000 kPa: kPa kilopascals
Pa 1000000 MPa: MPa megapascals
Pa 100 hPa: hPa hectopascals
K 1 K: K kelvin
mol 1 mol: mol mole moles mols
bit 1 bit: bit bits
bit 8 byte: byte bytes
unit 1 unit: unit units einheiten unidades unités
"""
_COMPOUND = {
    "mph": "«mile»/«hour»",
    "kph": "«km»/«h»",
    "kmh": "«km»/«h»",
    "fps": "«foot»/«second»",
    "sqft": "«foot»^2",
    "acre": "«acre»",
}
_EXACT_CASE = frozenset("mgshlLNJWVAKt") | {"mL", "ml", "ms", "kJ", "kW", "Hz", "Pa"}


@dataclass(frozen=True, slots=True)
class Unit:
    """``factor`` times the product of base units to their powers; ``words`` as written."""

    factor: Fraction
    powers: frozenset[tuple[str, int]]
    words: frozenset[str] = frozenset()


def _table() -> dict[str, tuple[str, int, Fraction]]:
    found = {}
    for line in _TABLE.strip().splitlines():
        head, _, names = line.partition(":")
        base, factor, _ = head.split()
        base, _, power = base.partition("^")
        for name in names.split():
            found[name] = (base, int(power or 1), Fraction(factor))
    return found


_KNOWN = _table()
_PART = re.compile(
    r"\s*(?P<by>[*/]?)\s*(?:«(?P<word>[^»]*)»|(?P<sign>[°$€£¥₹¢]))(?:\^\{?(?P<power>-?\d)\}?)?"
)
_PLAIN = "|".join(
    sorted((re.escape(n) for n in _KNOWN if n.isascii() and len(n) <= 3), key=len, reverse=True)
)
PLAIN_UNIT = re.compile(
    rf"(?<=[\d}})\s])\s*(?<![a-zA-Z])(?P<unit>(?:{_PLAIN})(?:\^?\{{?-?[1-4]\}}?)?"
    rf"(?:(?:\s?[/*]\s?|\s)(?:{_PLAIN})(?:\^?\{{?-?[1-4]\}}?)?)*)$"
)
"""A unit in plain letters after an amount: "5 m", "9.8 m/s^2"."""
_COMPARED = re.compile(
    r"\b(?:more|less|fewer|greater|than|least|most|over|under|above|below|not|between)\b"
    r"|以上|以下|以内|未満"
)
"""Words that turn an amount into a bound and are not units."""
_FILLERS = frozenset(["of", "the", "a", "an", "in", "per", "each", "is", "are"])


def is_unit(word: str) -> bool:
    """Whether ``word`` names a known unit; case is ignored if that is unambiguous."""
    return len(word) > 1 and (word in _KNOWN or word.lower() in _KNOWN or word.lower() in _COMPOUND)


def marked(text: str) -> str:
    """Mark a plain unit after an amount as words: "5 m/s" becomes "5 «m»/«s»"."""
    match = PLAIN_UNIT.search(text)
    if not match or (
        match.start() and text[match.start("unit") - 1].isdigit() and len(match["unit"]) < 2
    ):
        return text
    unit = re.sub(r"[A-Za-z]+", lambda name: f"«{name[0]}»", match["unit"])
    return text[: match.start("unit")] + re.sub(r"»(-?\d)", r"»^\1", unit)


@lru_cache(maxsize=1024)
def unit_of(text: str) -> Unit | None:
    """Return the unit that canonical ``text`` denotes ("«km»/«h»", "«square feet»") or ``None``."""
    factor, powers, words = Fraction(1), dict[str, int](), set[str]()
    at, divide = 0, False
    text = text.strip()
    if _COMPARED.search(text):
        return None
    while at < len(text):
        part = _PART.match(text, at)
        if part is None:
            return None
        at = part.end()
        divide = part["by"] == "/"
        power = int(part["power"] or 1)
        named = (part["word"] or part["sign"]).split()
        times = 1
        for place, word in enumerate(named):
            low = word.lower().strip(".'")
            if low in ("per", "pro", "por", "par") or word == "/":
                divide = True
            elif low in ("square", "sq", "squared"):
                times = 2
                if low == "squared" and place:
                    powers = {base: exponent * 2 for base, exponent in powers.items()}
                    factor, times = factor * factor, 1
            elif low in ("cubic", "cubed"):
                times = 3
                if low == "cubed" and place:
                    powers = {base: exponent * 3 for base, exponent in powers.items()}
                    factor, times = factor**3, 1
            elif low not in _FILLERS or len(named) == 1:
                one = _one(word)
                exponent = (-1 if divide else 1) * times * (power if place == len(named) - 1 else 1)
                factor *= one.factor**exponent
                for base, each in one.powers:
                    powers[base] = powers.get(base, 0) + each * exponent
                words.add(low)
                times = 1
    return Unit(factor, frozenset((b, p) for b, p in powers.items() if p), frozenset(words))


def _one(word: str) -> Unit:
    name = word.strip(".")
    low = name.lower()
    if name not in _KNOWN and low in _COMPOUND and low != "acre":
        found = unit_of(_COMPOUND[low])
        assert found is not None
        return found
    key = name if name in _KNOWN else low
    if key in _KNOWN and (len(name) > 2 or name in _KNOWN or low not in _EXACT_CASE):
        base, power, factor = _KNOWN[key]
        return Unit(factor, frozenset({(base, power)}))
    return Unit(Fraction(1), frozenset({(_singular(low), 1)}))


def _singular(word: str) -> str:
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("ches", "shes", "xes", "sses")):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith("ss") and len(word) > 2 else word


def ratio(one: Unit, other: Unit) -> Fraction | None:
    """Return ``one`` in units of ``other``; ``None`` if they measure different quantities.

    "units" and "square units" match any unit; "red apples" are apples.
    """
    if one.powers == other.powers:
        return one.factor / other.factor
    bases = {base for base, _ in one.powers}, {base for base, _ in other.powers}
    if "unit" in bases[0] | bases[1] or not all(bases):
        powers = {p for _, p in one.powers}, {p for _, p in other.powers}
        return Fraction(1) if powers[0] == powers[1] or not all(bases) else None
    for bases_, other_ in ((bases[0], other), (bases[1], one)):
        if bases_ == {"gbp"} and other_.words & {"pound", "pounds"}:
            return Fraction(1)
    unknown = not any(base in _BASES for base in bases[0] | bases[1])
    if unknown and (bases[0] <= bases[1] or bases[1] <= bases[0]):
        return Fraction(1)
    return None


_BASES = frozenset(base for base, _, _ in _KNOWN.values())
