#!/usr/bin/env python3
"""Learns the same tasks with LoRA, LoRA2 and AdaLoRA from their defaults, for the same steps, batches and schedule, and prints a Markdown table.

    bench/first-steps.py LORA2 OUT [--models minilm,tiny] [--tasks MRPC,tickets,STS-B,SST-2] [--methods lora,lora2,adalora] [--seeds 1,2,3] [--rates 3e-4,1e-3,3e-3,1e-2] [--threads 1]

LORA2 is the built command. Each method's learning rate is the one with the best score after the last step on a tenth of the training data that is held out (seed 1), which the
development set has no part in; then every seed is trained on all training data. With one rate nothing is held out. Pruning is LoRA2 with --target-rank 2 at LoRA2's rate.
A run has a folder in OUT; the same command again goes on where it was stopped. ../shared holds models and data.
"""
import argparse, json, math, pathlib, subprocess

repository = pathlib.Path(__file__).resolve().parent.parent
shared = repository.parent / "shared"
tickets = repository / "src/LoRA2.Native.Cli/QuickStart"
models = {"minilm": shared / "models/all-minilm-l6-v2", "tiny": shared / "models/deberta-v3-tiny-wiki"}
lengths = {  # what a task's runs are told, whatever the method
    "MRPC": ["--epochs", "3", "--batch-size", "32"],
    "STS-B": ["--epochs", "3", "--batch-size", "32"],
    "SST-2": ["--epochs", "2", "--batch-size", "32"],
    "tickets": ["--epochs", "3", "--batch-size", "16", "--max-length", "64"],
}
methods = {"lora": ["--method", "lora"], "lora2": ["--method", "lora2"], "adalora": ["--method", "adalora"], "lora2-pruned": ["--method", "lora2", "--target-rank", "2"]}


def lines(path):
    return path.read_text(encoding="utf-8").split("\n")


def write(path, rows):
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(rows) + "\n", encoding="utf-8")


def splits(out, task):
    """Options for all training data with the development set, and for nine tenths of it with the tenth held out."""
    if task == "tickets":
        train, dev = lines(tickets / "tickets.train.tsv"), lines(tickets / "tickets.dev.tsv")
    else:
        train, dev = lines(shared / "data/glue" / task / "train.tsv"), lines(shared / "data/glue" / task / "dev.tsv")
    rows = [row for row in train[1:] if row][: 10000 if task == "SST-2" else None]
    whole, held = out / "data/whole" / task, out / "data/held-out" / task
    write(whole / "train.tsv", [train[0], *rows])
    write(whole / "dev.tsv", [row for row in dev if row])
    write(held / "train.tsv", [train[0], *(row for i, row in enumerate(rows) if i % 10 != 9)])
    write(held / "dev.tsv", [train[0], *rows[9::10]])
    if task == "tickets":
        return [["--train", f"{folder / 'train.tsv'}", "--dev", f"{folder / 'dev.tsv'}"] for folder in (whole, held)]
    return [["--task", task, "--data", f"{folder}"] for folder in (whole, held)]


def score(arguments, folder, options, name):
    """The primary metric after the last step, of a run that is made now unless it was before."""
    record = folder / name / "training.json"
    if not record.exists():
        started = ["--resume"] if (folder / name).exists() else []
        subprocess.run(
            ["nice", "-n", "19", arguments.lora2, "finetune", *options, "--threads", arguments.threads, "--output", f"{folder / name}", *started], check=True, stdout=subprocess.DEVNULL)
    return next(iter(json.loads(record.read_text())["history"][-1]["metrics"].values()))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lora2")
    parser.add_argument("out", type=pathlib.Path)
    for name, default in (("models", "minilm,tiny"), ("tasks", "MRPC,tickets,STS-B,SST-2"), ("methods", "lora,lora2,adalora"), ("seeds", "1,2,3"), ("rates", "3e-4,1e-3,3e-3,1e-2")):
        parser.add_argument(f"--{name}", type=lambda text: text.split(","), default=default.split(","))
    parser.add_argument("--threads", default="1")
    arguments = parser.parse_args()
    out = arguments.out.resolve()
    print(f"| model | task | method | rate | {' | '.join(f'seed {seed}' for seed in arguments.seeds)} | mean |")
    print("| --- " * (5 + len(arguments.seeds)) + "|", flush=True)
    for model in arguments.models:
        for task in arguments.tasks:
            whole, held = splits(out, task)
            for method in arguments.methods:
                common = ["--model", f"{models[model]}", *lengths[task], *methods[method]]
                tried = {}
                for rate in arguments.rates if len(arguments.rates) > 1 else []:
                    tuned = methods[method][1]
                    options = ["--model", f"{models[model]}", *lengths[task], "--method", tuned, *held, "--learning-rate", rate, "--seed", "1"]
                    tried[rate] = score(arguments, out, options, f"{model}-{task}-{tuned}-{rate}-held-out")
                best = max(tried, key=tried.get) if tried else arguments.rates[0]
                scores = [score(arguments, out, [*common, *whole, "--learning-rate", best, "--seed", seed], f"{model}-{task}-{method}-{best}-seed{seed}") for seed in arguments.seeds]
                mean = sum(scores) / len(scores)
                error = math.sqrt(sum((each - mean) ** 2 for each in scores) / (len(scores) - 1) / len(scores)) if len(scores) > 1 else math.nan
                print(f"| {model} | {task} | {method} | {best} | {' | '.join(f'{each:.4f}' for each in scores)} | {mean:.4f} ± {error:.4f} |", flush=True)


if __name__ == "__main__":
    main()
