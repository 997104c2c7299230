#!/usr/bin/env python3
"""What counting words reaches where lora2 fine-tunes: multinomial naive Bayes with a smoothing of 0.1 on a .tsv of texts and labels.

    python3 bench/quickstart/naive_bayes.py [training file] [development file]

Words are runs of letters and digits in lower case, apostrophes within them included; of words alone, and of words and pairs of neighbours. Of the smoothings 1, 0.5 and 0.1,
0.1 is the best in five-fold cross-validation of the tickets' training data (and on their development data). Python's own library only. The command and its report give the same figure.
"""
import csv
import math
import os
import re
import sys
from collections import Counter


SMOOTHING = 0.1


def read(path):
    with open(path, encoding="utf-8", newline="") as file:
        return [(row["text"], row["label"]) for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)]


def features(text, pairs):
    words = re.findall(r"[^\W_]+(?:'[^\W_]+)*", text.lower())
    return words + ([f"{a} {b}" for a, b in zip(words, words[1:])] if pairs else [])


def accuracy(train, dev, pairs):
    labels = Counter(label for _, label in train)
    counts = {label: Counter() for label in labels}
    for text, label in train:
        counts[label].update(features(text, pairs))
    known = set().union(*counts.values())
    totals = {label: sum(count.values()) + SMOOTHING * len(known) for label, count in counts.items()}

    def score(label, text):
        return math.log(labels[label] / len(train)) + sum(math.log((counts[label][f] + SMOOTHING) / totals[label]) for f in features(text, pairs) if f in known)

    return sum(max(sorted(labels), key=lambda label: score(label, text)) == label for text, label in dev) / len(dev)


here = os.path.dirname(os.path.abspath(__file__))
quick = os.path.join(here, "..", "..", "src", "LoRA2.Native.Cli", "QuickStart")
train = read(sys.argv[1] if len(sys.argv) > 1 else os.path.join(quick, "tickets.train.tsv"))
dev = read(sys.argv[2] if len(sys.argv) > 2 else os.path.join(quick, "tickets.dev.tsv"))
majority = Counter(label for _, label in dev).most_common(1)[0]
print(f"majority               {majority[1] / len(dev):.4f}  {majority[0]}")
print(f"words                  {accuracy(train, dev, False):.4f}")
print(f"words and word pairs   {accuracy(train, dev, True):.4f}")
