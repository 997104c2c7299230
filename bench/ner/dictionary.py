"""What a list of the training names finds in the development set, by entities as seqeval counts them: python3 dictionary.py train.conll dev.conll"""
import sys
from collections import Counter, defaultdict


def read(path):
    return [[tuple(line.split()) for line in block.split("\n") if line] for block in open(path, encoding="utf-8").read().split("\n\n") if block.strip()]


def entities(tags):
    found, start = set(), None
    for i, tag in enumerate(tags + ["O"]):
        if start is not None and not tag.startswith("I-"):
            found.add((start, i, tags[start][2:]))
            start = None
        if tag.startswith("B-"):
            start = i
    return found


train, dev = read(sys.argv[1]), read(sys.argv[2])
kinds, counts = defaultdict(Counter), Counter()
for words in train:
    tags = [tag for _, tag in words]
    for start, end, kind in entities(tags):
        kinds[tuple(word for word, _ in words[start:end])][kind] += 1
    counts.update(word for word, tag in words if tag == "O")
# A single word that is more often no name than one is left alone.
names = {name: kind.most_common(1)[0][0] for name, kind in kinds.items() if len(name) > 1 or sum(kind.values()) > counts[name[0]]}
right = predicted = actual = 0
for words in dev:
    texts, tags, i = [word for word, _ in words], [], 0
    while i < len(texts):
        length = next((n for n in (4, 3, 2, 1) if tuple(texts[i : i + n]) in names and i + n <= len(texts)), 0)
        tags += ["O"] if length == 0 else [("B-" if k == 0 else "I-") + names[tuple(texts[i : i + length])] for k in range(length)]
        i += max(1, length)
    truth, answer = entities([tag for _, tag in words]), entities(tags)
    right, predicted, actual = right + len(truth & answer), predicted + len(answer), actual + len(truth)
print(f"dictionary: precision {right / predicted:.4f}, recall {right / actual:.4f}, F1 {2 * right / (predicted + actual):.4f} of {actual} entities")
