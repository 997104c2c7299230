#!/usr/bin/env bash
# Times one training step of each method in turn, over several rounds, and prints a Markdown table with each one's time over the first's.
#   bench/methods.sh [--rounds 5] [--methods "lora lora2 adalora"] [--output FILE] [-- STEP OPTIONS]
# Regularisers, clipping, importance scores and pruning are on where a method has them.
set -euo pipefail
script=$(realpath "$0") rounds=5 methods="lora lora2 adalora" output=
while [ $# -gt 0 ]; do
    if [ "$1" = -- ]; then shift; break; fi
    case $1 in
        --rounds) rounds=${2:?--rounds needs a number} ;;
        --methods) methods=${2:?--methods needs names} ;;
        --output) output=$(realpath -m "${2:?--output needs a file}") ;;
        *) sed -n 's/^# \{0,1\}//p' "$script" | sed -n 1,3p >&2; exit 2 ;;
    esac
    shift 2
done
cd "$(dirname "$script")/.."
step=(dotnet run -c Release --no-build --project bench/LoRA2.Native.Benchmarks -- step --steps 5 --warmup 2 --regularise true "$@")
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
for ((round = 1; round <= rounds; round++)); do
    for method in $methods; do echo "$method $("${step[@]}" --method "$method" | grep -a '^{')" >>"$work/runs"; done
    echo "round $round of $rounds done" >&2
done
if [ -n "$output" ]; then exec >"$output"; fi
/usr/bin/env python3 - "$work/runs" "$(git rev-parse --short HEAD)" "${step[*]}" <<'PYTHON'
import datetime, json, re, statistics, subprocess, sys
machine = dict(re.findall(r"^(Model name|CPU\(s\)):\s+(.*)$", subprocess.run(["lscpu"], capture_output=True, text=True).stdout, re.M))
runs = {}
for line in open(sys.argv[1]):
    method, text = line.split(" ", 1)
    runs.setdefault(method, []).append(json.loads(text))
first = next(iter(runs.values()))
print(f"{machine.get('Model name')}, {machine.get('CPU(s)')} cores; {datetime.date.today()}; commit {sys.argv[2]}; medians of {len(first)} rounds, one method at a time.\n")
print(f"| method | seconds per step | over {next(iter(runs))}'s (by round) | peak memory MB | managed bytes a step |\n| --- | --- | --- | --- | --- |")
for method, each in runs.items():
    ratios = [run["seconds_median"] / other["seconds_median"] for run, other in zip(each, first)]
    print(f"| {method} | {statistics.median(run['seconds_median'] for run in each):.3f} | {statistics.median(ratios):.3f} ({', '.join(f'{ratio:.2f}' for ratio in ratios)}) | "
          f"{statistics.median(run['peak_memory_mb'] for run in each):.0f} | {max(run['managed_bytes_per_step'] for run in each)} |")
print(f"\nCommand, with each method:\n\n    {sys.argv[3]}")
PYTHON
