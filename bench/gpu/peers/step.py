"""Times one training step (forward, backward, AdamW) or one inference of an encoder of random weights in PyTorch, and
prints one JSON object. Run it through pytorch.sh, which sets the environment PyTorch is fastest in."""
import argparse
import contextlib
import importlib.util
import json
import os
import resource
import statistics
import sys
import time
from itertools import count

import torch

import encoder
import lora

TARGETS = {"deberta": encoder.DebertaV3Classifier.targets, "roberta": encoder.RobertaClassifier.targets}


def options(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--library", choices=("auto", "hf", "plain"), default="auto",
                        help="hf: transformers and PEFT; plain: the model of this folder; auto: hf if installed")
    parser.add_argument("--model", choices=("deberta", "roberta"), default="deberta")
    parser.add_argument("--method", choices=("lora", "full", "inference"), default="lora")
    parser.add_argument("--dtype", choices=("float32", "bfloat16"), default="float32", help="bfloat16: autocast")
    for name, default in (("layers", 12), ("hidden", 768), ("intermediate", 3072), ("heads", 12), ("batch", 8),
                          ("length", 128), ("rank", 8), ("threads", 2), ("steps", 5), ("warmup", 1), ("seed", 1)):
        parser.add_argument("--" + name, type=int, default=default)
    parser.add_argument("--vocabulary", "--vocab", type=int, default=8000)
    parser.add_argument("--device", default="cpu", help="cpu, cuda")
    parser.add_argument("--alpha", type=float, default=16)
    parser.add_argument("--dropout", type=float, default=0.1, help="of hidden states and attention probabilities")
    parser.add_argument("--serve", action="store_true", help="a step for each line on standard input, answered with its seconds (turns.py)")
    parser.add_argument("--lora-dropout", type=float, default=0.0, help="before each adapter (PEFT's default is 0)")
    chosen = parser.parse_args(arguments)
    for name in ("layers", "hidden", "intermediate", "heads", "batch", "length", "rank", "threads", "steps"):
        if getattr(chosen, name) < 1:
            parser.error(f"--{name} is {getattr(chosen, name)}, expected 1 or more")
    if chosen.hidden % chosen.heads:
        parser.error(f"--hidden {chosen.hidden} is not a multiple of --heads {chosen.heads}")
    if chosen.vocabulary <= 6:
        parser.error(f"--vocabulary is {chosen.vocabulary}, expected more than 6")
    return chosen


def library(chosen):
    """hf or plain."""
    absent = [name for name in ("transformers", "peft") if importlib.util.find_spec(name) is None]
    if chosen.library == "hf" and absent:
        sys.exit(f"step.py: --library hf needs {' and '.join(absent)}, not installed for {sys.executable}")
    if chosen.library == "auto":
        return "plain" if absent else "hf"
    return chosen.library


def plain_model(chosen, config):
    model = encoder.build(config)
    if chosen.method == "lora":
        lora.attach(model, chosen.rank, chosen.alpha, chosen.lora_dropout)
    return model, lambda batch: model(**batch)[0]


def hf_model(chosen, config):
    import transformers
    config = transformers.AutoConfig.for_model(config.pop("model_type"), num_labels=2, **config)
    model = transformers.AutoModelForSequenceClassification.from_config(config)
    if chosen.method == "lora":
        import peft
        model = peft.get_peft_model(model, peft.LoraConfig(
            task_type=peft.TaskType.SEQ_CLS, r=chosen.rank, lora_alpha=chosen.alpha, lora_dropout=chosen.lora_dropout,
            target_modules=list(TARGETS[chosen.model])))
    return model, lambda batch: model(**batch).loss


def make_batch(chosen):
    """Full sequences: no padding, mask all ones."""
    ids = torch.randint(5, chosen.vocabulary - 1, (chosen.batch, chosen.length))
    batch = {"input_ids": ids, "attention_mask": torch.ones_like(ids), "labels": torch.arange(chosen.batch) % 2}
    return {name: values.to(chosen.device) for name, values in batch.items()}


def since_start():
    """Seconds since this process was started."""
    ticks = int(open("/proc/self/stat").read().rpartition(")")[2].split()[19])
    return time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")


def time_steps(chosen, model, loss_of):
    """Seconds of each step after the warm-up, and from the process's start to the end of its first step."""
    batch = make_batch(chosen)
    training = chosen.method != "inference"
    model.train(training)
    if training:
        optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-4, weight_decay=0.01)
    else:
        batch.pop("labels")
    seconds = []
    for step in count() if chosen.serve else range(chosen.warmup + chosen.steps):
        if chosen.serve and step >= chosen.warmup:
            print("ready" if step == chosen.warmup else seconds[-1], flush=True)
            if not sys.stdin.readline():
                break
        start = time.perf_counter()
        with contextlib.ExitStack() as stack:
            if chosen.dtype == "bfloat16":
                stack.enter_context(torch.autocast(torch.device(chosen.device).type, dtype=torch.bfloat16))
            if not training:
                stack.enter_context(torch.no_grad())
            loss = loss_of(batch)
        if training:
            loss.backward()
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            if not torch.isfinite(loss):
                sys.exit(f"step.py: the loss of step {step} is {float(loss)}")
        if chosen.device != "cpu":
            torch.cuda.synchronize()
        if step == 0:
            first = since_start()
        if step >= chosen.warmup:
            seconds.append(time.perf_counter() - start)
    return seconds, first


def main():
    chosen = options()
    torch.set_num_threads(chosen.threads)
    torch.manual_seed(chosen.seed)
    config = encoder.shape(chosen.model, chosen.layers, chosen.hidden, chosen.intermediate, chosen.heads,
                           chosen.vocabulary, chosen.dropout)
    source = library(chosen)
    if source == "hf":  # loading the libraries is part of the start, making random weights is not
        import peft
        import transformers
    creation = time.perf_counter()
    model, loss_of = (hf_model if source == "hf" else plain_model)(chosen, config)
    creation = time.perf_counter() - creation
    model.to(chosen.device)
    seconds, first = time_steps(chosen, model, loss_of)
    report = {"engine": "pytorch", "library": source, "torch": torch.__version__}
    report.update({name: getattr(chosen, name) for name in (
        "model", "method", "dtype", "layers", "hidden", "intermediate", "heads", "vocabulary", "batch", "length", "rank",
        "threads")})
    tokens = chosen.batch * chosen.length
    median = statistics.median(seconds)
    report.update(tokens=tokens, trainable_parameters=sum(p.numel() for p in model.parameters() if p.requires_grad),
                  seconds=[round(s, 4) for s in seconds], seconds_min=round(min(seconds), 4),
                  seconds_median=round(median, 4), tokens_per_second=round(tokens / median, 1),
                  seconds_from_start_to_first_step=round(first - creation, 2), tokens_per_second_best=round(tokens / min(seconds), 1),
                  device=chosen.device, device_memory_mb=None if chosen.device == "cpu" else round(torch.cuda.max_memory_reserved() / 1048576, 1),
                  peak_memory_mb=round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1))
    print(json.dumps(report))


if __name__ == "__main__":
    main()
