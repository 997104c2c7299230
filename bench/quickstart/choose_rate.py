#!/usr/bin/env python3
"""Chooses the quick start's learning rate without its development split: tickets made of the training frames alone, a quarter of which (cores, details, asides, openers,
closers) are held out, so that the score is again on phrasings that training has not seen; half as many tickets as the quick start has, in bfloat16, for the sake of time. The rate with the best score is the one to take.

    python3 bench/quickstart/choose_rate.py <lora2 command …>

for instance: python3 bench/quickstart/choose_rate.py dotnet src/LoRA2.Native.Cli/bin/Release/net10.0/lora2.dll
"""
import json
import os
import random
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
import frames  # noqa: E402
import make_tickets  # noqa: E402

RATES = (os.environ.get("RATES") or "1e-3 2e-3 3e-3").split()
SEED = 7


def split(by_split):
    """Training's own frames in two: every fourth is held out."""
    own = by_split["train"]
    by_split["dev"] = own[3::4] or own[-1:]
    by_split["train"] = [frame for frame in own if frame not in by_split["dev"]]


for part in (frames.OPENERS, frames.CLOSERS, frames.ASIDES, *frames.CORES.values(), *frames.DETAILS.values()):
    split(part)
command = sys.argv[1:]
make_tickets.COUNTS = {intent: (counts[0] // 2, counts[1] // 2) for intent, counts in make_tickets.COUNTS.items()}
with tempfile.TemporaryDirectory() as folder:
    rng, seen = random.Random(SEED), set()
    paths = {}
    for column, name in enumerate(["train", "dev"]):
        paths[name] = os.path.join(folder, name + ".tsv")
        with open(paths[name], "w", encoding="utf-8", newline="\n") as file:
            file.write("text\tlabel\n")
            file.writelines("%s\t%s\n" % row for row in make_tickets.make(name, column, rng, seen))
    for rate in RATES:
        arguments = ["finetune", "--model", os.environ.get("LORA2_MODEL", "quick-start"), "--train", paths["train"], "--dev", paths["dev"], "--epochs", "5", "--batch-size", "16", "--max-length", "64",
                     "--dropout", "0.1", "--precision", "bfloat16", "--learning-rate", rate, "--output", os.path.join(folder, rate), "--json"]
        run = json.loads(subprocess.run(command + arguments, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout)
        scores = [point["metrics"]["accuracy"] for point in run["history"]]
        print(rate, " ".join("%.4f" % score for score in scores), flush=True)
