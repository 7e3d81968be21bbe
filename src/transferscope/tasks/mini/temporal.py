"""Temporal commonsense: how long, how often, at what time of the day (the kinds of MC-TACO)."""

from __future__ import annotations

import random

from .drafts import NAMES, Draft, Procedure, pick

_UNITS = ("seconds", "minutes", "hours", "days", "weeks", "months", "years")
_LAST = {
    "seconds": "sneeze,clap once,open a door,blow out a candle,press a button,drop a letter "
    "into a postbox",
    "minutes": "brush both rows of teeth,boil an egg,take a shower,make a sandwich,"
    "wash the dishes,peel potatoes,walk to the corner shop,eat breakfast,iron a shirt",
    "hours": "watch two films,fly across the ocean,sleep through the night,roast a turkey,"
    "sit a written exam,read a long novel,drive to another country,paint a bedroom",
    "months": "build a house,grow tomatoes from seed,write a book,prepare for a marathon,"
    "restore an old car,learn to drive",
    "years": "become a doctor,grow an apple tree from seed,finish primary school,pay back a "
    "mortgage,learn to play the violin very well,raise a child",
}
_OFTEN = {
    "every day": "brushes their teeth,gets dressed,eats lunch,goes to sleep,drinks water",
    "every week": "goes to church,puts out the rubbish bins,does the big food shopping,"
    "has a weekend",
    "every year": "celebrates a birthday,celebrates Christmas,puts up a Christmas tree,"
    "files a tax return",
    "once in a lifetime": "is born,learns to walk,loses the first milk tooth,dies",
}
_WHEN = {
    "in the morning": "eat breakfast,wake up,get out of bed,watch the sunrise",
    "at noon": "eat lunch,take the lunch break,stand under the highest sun of the day",
    "at night": "look at the stars,go to sleep,dream,see the moon and the stars",
}


def temporal(rng: random.Random) -> list[Draft]:
    """Three options; for durations the number stays and the unit changes."""
    name, kind = rng.choice(NAMES), rng.choice(("long", "long", "long", "often", "when"))
    if kind == "long":
        unit = rng.choice(tuple(_LAST))
        what, count = rng.choice(_LAST[unit].split(",")), rng.randint(3, 9)
        far = [u for u in _UNITS if abs(_UNITS.index(u) - _UNITS.index(unit)) >= 2]
        question = f"{name} wants to {what}. How long will it take?"
        gold, wrong = f"{count} {unit}", [f"{count} {u}" for u in rng.sample(far, 2)]
    else:
        table = _OFTEN if kind == "often" else _WHEN
        gold = rng.choice(tuple(table))
        what = rng.choice(table[gold].split(","))
        wrong = rng.sample([other for other in table if other != gold], 2)
        asked = f"How often does it happen that {name} {what}?"
        question = asked if kind == "often" else f"When does {name} usually {what}?"
    return [Draft(question, gold, subset=kind, choices=pick(rng, gold, wrong))]


PROCEDURES = {"temporal": Procedure(about="how long, how often, when", draw=temporal)}
