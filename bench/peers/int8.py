"""What bench/peers/int8.sh asks of it: `texts GLUE FOLDER` writes the texts a line each, `table GLUE FOLDER` compares vectors of 384 float32 numbers."""
import array, math, pathlib, sys

sides = {"float32": "float32", "ours": "ours", "ours-256": "ours on 256 bits", "onnx": "ONNX Runtime int8"}


def rows(glue, task):
    lines = [line.rstrip("\n").split("\t") for line in open(pathlib.Path(glue, task, "dev.tsv"), encoding="utf-8")]
    return [dict(zip(lines[0], line)) for line in lines[1:] if len(line) == len(lines[0])]


def texts(glue, folder):
    pathlib.Path(folder, "SST-2.txt").write_text("".join(row["sentence"] + "\n" for row in rows(glue, "SST-2")), encoding="utf-8")
    pathlib.Path(folder, "STS-B.txt").write_text("".join(row["sentence1"] + "\n" + row["sentence2"] + "\n" for row in rows(glue, "STS-B")), encoding="utf-8")


def vectors(folder, task, side):
    numbers = array.array("f", pathlib.Path(folder, f"{task}.{side}").read_bytes())
    return [numbers[i : i + 384] for i in range(0, len(numbers), 384)]


def cosine(a, b):
    return sum(x * y for x, y in zip(a, b)) / math.sqrt(sum(x * x for x in a) * sum(y * y for y in b))


def ranks(values):
    """Ranks from 0, equal values at their mean."""
    order, result, i = sorted(range(len(values)), key=values.__getitem__), [0.0] * len(values), 0
    while i < len(order):
        j = i
        while j < len(order) and values[order[j]] == values[order[i]]:
            j += 1
        for k in range(i, j):
            result[order[k]] = (i + j - 1) / 2
        i = j
    return result


def spearman(a, b):
    a, b = ranks(a), ranks(b)
    mean = (len(a) - 1) / 2
    return sum((x - mean) * (y - mean) for x, y in zip(a, b)) / math.sqrt(sum((x - mean) ** 2 for x in a) * sum((y - mean) ** 2 for y in b))


def table(glue, folder):
    gold = [float(row["score"]) for row in rows(glue, "STS-B")]
    print("\n| | SST-2: cosine to float32's, mean | least | STS-B: mean | least | STS-B, Spearman |\n| --- | --- | --- | --- | --- | --- |")
    for side, name in sides.items():
        cells = []
        for task in ("SST-2", "STS-B"):
            near = [cosine(a, b) for a, b in zip(vectors(folder, task, "float32"), vectors(folder, task, side), strict=True)]
            cells += [f"{sum(near) / len(near):.4f}", f"{min(near):.4f}"]
        pairs = vectors(folder, "STS-B", side)
        found = spearman([cosine(pairs[i], pairs[i + 1]) for i in range(0, len(pairs), 2)], gold)
        print(f"| {name} | {' | '.join(cells)} | {found:.4f} |")


{"texts": texts, "table": table}[sys.argv[1]](*sys.argv[2:])
