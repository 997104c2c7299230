#!/usr/bin/env bash
# Fine-tunes on real GLUE tasks over several seeds and writes a Markdown table of the development scores.
#   bench/glue.sh --model DIR --data DIR [--tasks "SST-2 STS-B MRPC"] [--seeds "1 2 3"] [--output FILE] [-- FINETUNE OPTIONS]
# DIR is a HuggingFace model folder and a folder with GLUE's own TSV files, one folder a task. FINETUNE OPTIONS go to every run; without any,
# settings A and D of bench/results/glue.md for LoRA2 on the small encoder.
set -euo pipefail
script=$(realpath "$0")
model= data= tasks="SST-2 STS-B MRPC" seeds="1 2 3" output=
while [ $# -gt 0 ]; do
  if [ "$1" = -- ]; then shift; break; fi
  case $1 in
    --model) model=$(realpath "${2:?--model needs a folder}") ;;
    --data) data=$(realpath "${2:?--data needs a folder}") ;;
    --tasks) tasks=${2:?--tasks needs names} ;;
    --seeds) seeds=${2:?--seeds needs numbers} ;;
    --output) output=$(realpath -m "${2:?--output needs a file}") ;;
    *) sed -n 's/^# \{0,1\}//p' "$script" | head -5 >&2; exit 2 ;;
  esac
  shift 2
done
if [ -z "$model" ] || [ -z "$data" ]; then echo "glue.sh: --model and --data are needed" >&2; exit 2; fi
cd "$(dirname "$script")/.."
dotnet build -c Release src/LoRA2.Native.Cli >&2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for task in $tasks; do
  epochs=4
  options=(--dropout 0.1 --learning-rate 4e-3 --head-rate 0.25 --singular-value-rate 5 --init-std 0.1 --gamma 0.03)
  if [ "$task" = SST-2 ]; then
    epochs=1
    options=(--dropout 0 --learning-rate 1.5e-3 --head-rate 0.67 --singular-value-rate 10 --alpha 32 --init-std 0.1 --gamma 0.1)
  fi
  if [ $# -gt 0 ]; then options=("$@"); fi
  for seed in $seeds; do
    dotnet src/LoRA2.Native.Cli/bin/Release/net10.0/lora2.dll finetune --model "$model" --task "$task" --data "$data" --epochs $epochs \
      --batch-size 32 --max-length 128 --seed "$seed" --output "$work/$task-$seed" --json "${options[@]}" >"$work/$task-$seed.json"
    echo "$task seed $seed done" >&2
  done
done
if [ -n "$output" ]; then exec >"$output"; fi
/usr/bin/env python3 - "$work" "$(git rev-parse --short HEAD)" "bench/glue.sh --model $model --data $data --tasks \"$tasks\" --seeds \"$seeds\" -- $*" <<'PYTHON'
import datetime, glob, json, os, re, statistics, subprocess, sys
work, commit, command = sys.argv[1:]
machine = dict(re.findall(r"^(Model name|CPU\(s\)):\s+(.*)$", subprocess.run(["lscpu"], capture_output=True, text=True).stdout, re.M))
print(f"{machine.get('Model name')}, {machine.get('CPU(s)')} cores; {datetime.date.today()}; commit {commit}.\n")
print("| task | seed | primary metric | after each epoch | adapter + head parameters | tokens/s | seconds | peak memory MB |")
print("| --- | --- | --- | --- | --- | --- | --- | --- |")
scores = {}
for path in sorted(glob.glob(work + "/*.json")):
    task, seed = os.path.basename(path)[:-5].rsplit("-", 1)
    run = json.load(open(path))
    name, _ = next(iter(run["metrics"].items()))
    each = [point["metrics"][name] for point in run["history"]]
    scores.setdefault((task, name), []).append(run["metrics"][name])
    print(f"| {task} | {seed} | {name} {run['metrics'][name]:.4f} | {', '.join(f'{x:.3f}' for x in each)} | "
          f"{run['parameters']['adapter']:,} + {run['parameters']['head']:,} | {run['tokens_per_second']:.0f} | {run['seconds']:.0f} | {run['peak_memory_mb']:.0f} |")
print("\n| task | metric | seeds | mean | standard error |\n| --- | --- | --- | --- | --- |")
for (task, name), values in scores.items():
    error = statistics.stdev(values) / len(values) ** 0.5 if len(values) > 1 else float("nan")
    print(f"| {task} | {name} | {len(values)} | {statistics.mean(values):.4f} | {error:.4f} |")
print(f"\nCommand:\n\n    {command}")
PYTHON
