#!/usr/bin/env python3
"""Kills fine-tuning runs at random instants and resumes them until they are finished: each must end in the adapter of a run that nobody killed, byte for byte.
   kill.py LORA2 [--runs N] [--seed N] [--model DIR]
LORA2 is the program: lora2, or lora2.dll. A run is killed at an instant drawn from its whole time, start included, and its resumptions with a probability of one half.
Some runs overwrite a finished one with another seed: until they are finished, the folder must say that they are not."""
import argparse
import hashlib
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import time

parser = argparse.ArgumentParser()
parser.add_argument("lora2")
parser.add_argument("--runs", type=int, default=200)
parser.add_argument("--seed", type=int, default=1)
root = pathlib.Path(__file__).resolve().parent.parent
parser.add_argument("--model", default=root / "tests/Fixtures/cases/05-adapters-in-a-loop/base")
asked = parser.parse_args()
chance = random.Random(asked.seed)
work = pathlib.Path(tempfile.mkdtemp(prefix="lora2-kill-"))
rows = (root / "src/LoRA2.Native.Cli/QuickStart/tickets.train.tsv").read_text(encoding="utf-8").splitlines(keepends=True)
(work / "train.tsv").write_text("".join(rows[:41]), encoding="utf-8")
program = ["dotnet", asked.lora2] if asked.lora2.endswith(".dll") else [asked.lora2]


def command(output, *more):
    return [*program, "finetune", "--model", str(asked.model), "--train", str(work / "train.tsv"), "--dev", str(work / "train.tsv"), "--output", str(output), "--method", "lora2",
            "--rank", "4", "--outer-rank", "2", "--target-rank", "3", "--batch-size", "8", "--epochs", "6", "--checkpoint-every", "1", "--dropout", "0.1", "--threads", "1", *more]


def meaning(output):
    """The files that make the adapter, without the record of times."""
    return {name: hashlib.sha256((output / name).read_bytes()).hexdigest() for name in ("adapter_config.json", "adapter_model.safetensors", "task.json")}


def whole(*more):
    output = work / "whole"
    shutil.rmtree(output, ignore_errors=True)
    began = time.monotonic()
    subprocess.run(command(output, *more), check=True, capture_output=True)
    return meaning(output), time.monotonic() - began


wanted, seconds = whole("--seed", "1")
earlier, _ = whole("--seed", "2")
assert wanted != earlier
shutil.copytree(work / "whole", work / "earlier")
same, kills, unfinished, wrong = 0, 0, 0, []
for run in range(asked.runs):
    output = work / "run"
    shutil.rmtree(output, ignore_errors=True)
    overwrites = run % 4 == 3
    if overwrites:
        shutil.copytree(work / "earlier", output)
    resumes = False
    killed = 0
    while True:
        kill = not resumes or chance.random() < 0.5
        # A folder that was killed before it held anything has nothing to resume; --resume then starts from the beginning, unless an earlier result is still there.
        begun = (output / ".unfinished").exists()
        more = ["--resume"] if resumes and (begun or not overwrites) else ["--overwrite"] if overwrites else []
        process = subprocess.Popen(command(output, "--seed", "1", *more), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        if kill:
            try:
                process.wait(chance.uniform(0, seconds))
            except subprocess.TimeoutExpired:
                process.kill()
                killed += 1
        message = process.stderr.read().decode()
        code = process.wait()
        if code == 0:
            break
        if code != -9:
            wrong.append(f"run {run}: exit code {code}: {message.strip()}")
            break
        # What a reader would find now: the earlier adapter, whole, or none, or the one that is wanted.
        if (output / "adapter_config.json").exists() and meaning(output) not in (wanted, earlier if overwrites else wanted):
            wrong.append(f"run {run}: files of two adapters after a kill")
            break
        resumes = True
    kills += killed
    unfinished += killed == 0
    found = meaning(output) if (output / "adapter_config.json").exists() else None
    left = sorted(name for name in os.listdir(output) if name.startswith(".") or name.startswith("checkpoint"))
    if found == wanted and not left:
        same += 1
    else:
        wrong.append(f"run {run}: {'other files' if found != wanted else ''} {left}")
    if run % 10 == 9:
        print(f"{run + 1} runs, {kills} kills: {same} with the right bits", flush=True)
for line in wrong:
    print(line)
print(f"{same} of {asked.runs} runs ended in the right bits, after {kills} kills ({unfinished} runs were faster than their kill)")
shutil.rmtree(work)
sys.exit(same != asked.runs)
