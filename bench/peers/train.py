"""Fine-tunes an encoder with the plain PyTorch LoRA on token ids made beforehand, and prints the score on the
development set after each epoch. A data file has one JSON object a line: {"ids": [1, 17, 2], "label": 0}.

AdamW, linear decay after a warm-up, gradients clipped to norm 1, batches of similar length padded to their longest."""
import argparse
import json
import random
import statistics
import sys
import time

import torch

import encoder
import lora


def read(path, maximum):
    """The rows (ids, label) of a file; ids beyond the maximum length are cut, the last one (the separator) kept."""
    rows = []
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            try:
                row = json.loads(line)
                ids, label = row["ids"], row["label"]
            except (ValueError, KeyError, TypeError) as error:
                sys.exit(f"{path}, line {number}: expected {{\"ids\": [...], \"label\": x}}, found {line.strip()[:60]!r} ({error})")
            rows.append((ids if len(ids) <= maximum else ids[:maximum - 1] + ids[-1:], label))
    return rows


def batches(rows, size, pad, generator=None):
    """Batches of similar length; shuffled when a generator is given."""
    order = list(range(len(rows)))
    if generator:
        generator.shuffle(order)
    pool = size * 50 if generator else len(rows)
    groups = []
    for start in range(0, len(order), pool):
        part = sorted(order[start:start + pool], key=lambda i: len(rows[i][0]))
        groups += [part[i:i + size] for i in range(0, len(part), size)]
    if generator:
        generator.shuffle(groups)
    for group in groups:
        longest = max(len(rows[i][0]) for i in group)
        ids = torch.full((len(group), longest), pad)
        mask = torch.zeros(len(group), longest, dtype=torch.long)
        for k, i in enumerate(group):
            ids[k, :len(rows[i][0])] = torch.tensor(rows[i][0])
            mask[k, :len(rows[i][0])] = 1
        yield {"input_ids": ids, "attention_mask": mask, "labels": torch.tensor([rows[i][1] for i in group])}


def score(model, rows, size, pad):
    """Accuracy, or Pearson's correlation for a regression."""
    model.eval()
    got, want = [], []
    with torch.no_grad():
        for batch in batches(rows, size, pad):
            want += batch.pop("labels").tolist()
            logits = model(**batch)[1]
            got += (logits.view(-1) if model.labels == 1 else logits.argmax(-1)).tolist()
    if model.labels > 1:
        return sum(g == w for g, w in zip(got, want)) / len(want)
    return float(torch.corrcoef(torch.tensor([got, want]))[0, 1])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("model", "train", "dev"):
        parser.add_argument("--" + name, required=True)
    for name, default in (("labels", 2), ("epochs", 1), ("batch", 32), ("length", 128), ("rank", 8), ("threads", 2), ("seed", 1)):
        parser.add_argument("--" + name, type=int, default=default, help="1: regression" if name == "labels" else None)
    for name, default in (("alpha", 16), ("rate", 1e-3), ("decay", 0.01), ("warmup", 0.06), ("dropout", 0.1)):
        parser.add_argument("--" + name, type=float, default=default)
    chosen = parser.parse_args()
    torch.set_num_threads(chosen.threads)
    torch.manual_seed(chosen.seed)
    generator = random.Random(chosen.seed)
    train, dev = read(chosen.train, chosen.length), read(chosen.dev, chosen.length)
    if chosen.labels == 1:
        train, dev = ([(ids, float(label)) for ids, label in rows] for rows in (train, dev))
    model = encoder.load(chosen.model, chosen.labels, hidden_dropout_prob=chosen.dropout, attention_probs_dropout_prob=chosen.dropout)
    pad = next(m.padding_idx for m in model.modules() if isinstance(m, torch.nn.Embedding) and m.padding_idx is not None)
    lora.attach(model, chosen.rank, chosen.alpha)
    if hasattr(model, "pooler"):  # random at the start, so it is trained with the head
        model.pooler.requires_grad_(True)
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=chosen.rate, weight_decay=chosen.decay)
    total = chosen.epochs * -(-len(train) // chosen.batch)
    warm = int(total * chosen.warmup)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: step / max(1, warm) if step < warm else (total - step) / max(1, total - warm))
    for epoch in range(1, chosen.epochs + 1):
        model.train()
        losses, tokens, start = [], 0, time.perf_counter()
        for batch in batches(train, chosen.batch, pad, generator):
            loss = model(**batch)[0]
            loss.backward()
            torch.nn.utils.clip_grad_norm_(trained, 1.0)
            optimizer.step()
            schedule.step()
            optimizer.zero_grad(set_to_none=True)
            losses.append(float(loss))
            tokens += int(batch["attention_mask"].sum())
        seconds = time.perf_counter() - start
        print(json.dumps({"epoch": epoch, "score": round(score(model, dev, chosen.batch, pad), 4),
                          "loss": round(statistics.mean(losses[-100:]), 4), "seconds": round(seconds, 1),
                          "tokens_per_second": round(tokens / seconds, 1),
                          "trained_parameters": sum(p.numel() for p in trained)}), flush=True)


if __name__ == "__main__":
    main()
