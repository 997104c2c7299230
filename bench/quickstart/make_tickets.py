#!/usr/bin/env python3
"""Writes the quick-start data set: support tickets in eight intents, tickets.train.tsv and tickets.dev.tsv.

    python3 bench/quickstart/make_tickets.py [output folder]

Tickets are made of sentence frames (frames.py) with slots filled at random. The development split has frames of its own: openers, cores,
details, asides and closers are all disjoint from training's, only slot values and everyday words are shared. So a model is scored on
phrasings it has not seen. The seed is fixed: the same files come out every time.
"""
import os
import random
import re
import sys

sys.dont_write_bytecode = True
import frames  # noqa: E402

SEED = 20260101
COUNTS = {  # intent: (training, development)
    "delivery": (300, 53),
    "billing": (265, 46),
    "technical_fault": (265, 46),
    "account_access": (235, 41),
    "refund": (200, 36),
    "cancellation": (170, 30),
    "feature_request": (145, 26),
    "praise": (120, 22),
}
SLOT = re.compile(r"\{(\w+)\}")


def fill(frame, rng):
    """Fills the slots of a frame; two slots of one kind may get different values."""
    def value(match):
        kind = match.group(1)
        if kind == "order":
            return "#%d" % rng.randint(10000, 99999)
        if kind == "amount":
            number = rng.choice(["%d", "%d.99", "%d.50"]) % rng.randint(5, 240)
            return rng.choice(["$" + number, "£" + number, "€" + number, number + " euros", number + " dollars"])
        if kind == "n":
            return rng.choice(["two", "three", "four", "five", "six", "3", "4", "7", "10"])
        return rng.choice(frames.SLOTS[kind])
    return re.sub(r"\b([Aa]) (?=[aeiou])", r"\1n ", SLOT.sub(value, frame))


def misspell(text, rng):
    """One slip of the keyboard in a longer word: letters swapped, one lost or one doubled."""
    words = text.split(" ")
    candidates = [i for i, word in enumerate(words) if len(word) >= 5 and word.isalpha()]
    if not candidates:
        return text
    i = rng.choice(candidates)
    word, at = words[i], rng.randint(1, len(words[i]) - 3)
    words[i] = rng.choice([
        word[:at] + word[at + 1] + word[at] + word[at + 2:],
        word[:at] + word[at + 1:],
        word[:at] + word[at] + word[at:],
    ])
    return " ".join(words)


def ticket(intent, split, rng):
    """One ticket: [opener] core [detail] [aside] [closer]."""
    sentences = [fill(rng.choice(frames.CORES[intent][split]), rng)]
    if rng.random() < 0.4:
        sentences.append(fill(rng.choice(frames.DETAILS[intent][split]), rng))
    if rng.random() < 0.3:
        sentences.insert(rng.choice([0, len(sentences)]), fill(rng.choice(frames.ASIDES[split]), rng))
    if rng.random() < 0.25:
        sentences.append(rng.choice(frames.CLOSERS[split]))
    sentences = [s[0].upper() + s[1:] for s in sentences]
    text = " ".join(sentences)
    if rng.random() < 0.3:
        first = text.split()[0]
        name = first == "I" or first.rstrip("'s,") in frames.SLOTS["agent"] or text.startswith(("Windows", "Firefox"))
        text = rng.choice(frames.OPENERS[split]) + " " + (text if name else text[0].lower() + text[1:])
    if rng.random() < 0.15:
        text = misspell(text, rng)
    if rng.random() < 0.12:
        text = text.lower()
    if rng.random() < 0.12:
        text = text.rstrip(".!?")
    return text


def make(split, column, rng, seen):
    rows = []
    for intent, counts in COUNTS.items():
        made = 0
        while made < counts[column]:
            text = ticket(intent, split, rng)
            key = re.sub(r"\W+", " ", text.lower()).strip()
            if not 5 <= len(text.split()) <= 40 or key in seen:
                continue
            seen.add(key)
            rows.append((text, intent))
            made += 1
    rng.shuffle(rows)
    return rows


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    folder = sys.argv[1] if len(sys.argv) > 1 else os.path.join(here, "..", "..", "src", "LoRA2.Native.Cli", "QuickStart")
    os.makedirs(folder, exist_ok=True)
    rng, seen = random.Random(SEED), set()
    for column, split in enumerate(["train", "dev"]):
        with open(os.path.join(folder, "tickets.%s.tsv" % split), "w", encoding="utf-8", newline="\n") as file:
            file.write("text\tlabel\n")
            for text, intent in make(split, column, rng, seen):
                file.write("%s\t%s\n" % (text, intent))


if __name__ == "__main__":
    main()
