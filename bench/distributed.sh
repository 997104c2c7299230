#!/usr/bin/env bash
# Several processes of one machine: bytes a step of every method against what is trained, the time of a step by 2 × 1 thread against 1 × 2 threads, and a model of more hosts.
#   bench/distributed.sh [--rounds N] [--output FILE]
# Needs mpirun, and a build: dotnet build -c Release bench/LoRA2.Native.Benchmarks. With CAP_NET_ADMIN: bench/hosts.sh, hosts as network namespaces.
set -euo pipefail
script=$(realpath "$0") output= rounds=5
while [ $# -gt 0 ]; do
  case $1 in
    --output) output=$(realpath -m "${2:?--output needs a file}") ;;
    --rounds) rounds=${2:?--rounds needs a number} ;;
    *) sed -n 's/^# \{0,1\}//p' "$script" | sed -n 1,4p >&2; exit 2 ;;
  esac
  shift 2
done
cd "$(dirname "$script")/.."
program=(dotnet "$PWD/bench/LoRA2.Native.Benchmarks/bin/Release/net10.0/LoRA2.Native.Benchmarks.dll" distributed tests/Fixtures/deberta-v3-tiny-wiki)
mpi=(mpirun --allow-run-as-root --oversubscribe)
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
for method in lora2 adalora sora lora dora lora-xs vera bitfit full; do "${mpi[@]}" -n 2 "${program[@]}" --method $method --layers 2 --hidden 128 --batch 8 --steps 2 >>"$work/bytes"; done
# The sides take turns.
for ((round = 0; round < rounds; round++)); do
  for method in lora2 full; do
    "${program[@]}" --method $method --threads 2 --steps 4 >>"$work/times"
    "${mpi[@]}" -n 2 "${program[@]}" --method $method --threads 1 --steps 4 >>"$work/times"
    "${program[@]}" --method $method --threads 1 --steps 4 >>"$work/times"
    uptime | sed 's/.*load average: \([0-9.]*\).*/\1/' >>"$work/load"
  done
done
[ -z "$output" ] || exec >"$output"
/usr/bin/env python3 - "$work" "$(git rev-parse --short HEAD)" "$rounds" <<'PYTHON'
import datetime, json, pathlib, re, statistics, subprocess, sys
work, commit, rounds = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3]
machine = dict(re.findall(r"^(Model name|CPU\(s\)):\s+(.*)$", subprocess.run(["lscpu"], capture_output=True, text=True).stdout, re.M))
load = [float(line) for line in (work / "load").read_text().split()]
# What mpirun passes on may have a terminal's control characters before it.
lines = lambda name: [json.loads(line) for line in re.findall(r"\{.*\}", (work / name).read_text())]
mpi = subprocess.run(["mpirun", "--version"], capture_output=True, text=True).stdout.splitlines()[0]
print(f"# Several processes\n\n{machine.get('Model name')}, {machine.get('CPU(s)')} cores; {datetime.date.today()}; commit {commit}; {mpi}, one machine. "
      f"Load while it was timed: {min(load):.0f} to {max(load):.0f} (the machine is shared; {machine.get('CPU(s)')} would be full). Made by `bench/distributed.sh --rounds {rounds}`.\n")
print("## Bytes a step\n\nTwo processes, BERT of 2 layers of 128; what a process hands over in a step, where a ring would hand over as much as is trained.\n")
print("| method | trained | sent a step | ratio | buckets |\n| --- | --- | --- | --- | --- |")
for run in lines("bytes"): print(f"| {run['method']} | {run['trained_bytes']:,} | {run['sent_bytes']:,} | {run['sent_bytes'] / run['trained_bytes']:.3f} | {run['buckets']} |")
print("\n## Time of a step\n\nBERT of 6 layers of 384, 16 × 64 tokens in 8 parts; medians over the steps of all rounds, the sides taking turns.\n")
print("| method | 1 process × 2 threads | 2 × 1 | 1 × 1 | speed of 2 × 1 against 1 × 2 | against 1 × 1 | communication before the last bucket |\n| --- | --- | --- | --- | --- | --- | --- |")
for method in ("lora2", "full"):
    of = lambda processes, threads: [run for run in lines("times") if (run["method"], run["processes"], run["threads"]) == (method, processes, threads)]
    median = lambda runs: statistics.median(second for run in runs for second in run["seconds"])
    two, both, one = of(1, 2), of(2, 1), of(1, 1)
    print(f"| {method} | {median(two):.3f} s | {median(both):.3f} s | {median(one):.3f} s | {median(two) / median(both):.2f} | {median(one) / median(both):.2f} | {statistics.median(run['hidden_share'] for run in both):.0%} of {both[0]['buckets']} buckets |")
print("""
## A model of more hosts

No more than one machine was measured. What follows is arithmetic: of each step a process sends and receives 2 (N − 1) / N times the bytes of what is trained (the table above), at 90 % of the link's rate, in two
exchanges a bucket of 20 µs × log₂ N each; a bucket's exchange hides behind the backward pass, which is two thirds of the step, but for the last one. The compute of a host's share is taken as 1 s a step
(weak scaling: the batch grows with the hosts); efficiency = compute / (compute + what is not hidden).
""")
import math
print("| run | hosts | bytes a step and host | 10 Gbit/s | 100 Gbit/s |\n| --- | --- | --- | --- | --- |")
for name, count in (("LoRA2 r = 8, k = 8, DeBERTa-v3-base: 1.9 M trained with the head", 1_920_000), ("full, RoBERTa-large: 355 M", 355_000_000)):
    for hosts in (8, 64, 512):
        size = 4 * count
        sent = 2 * size * (hosts - 1) / hosts
        buckets = max(1, min(64, math.ceil(count / 2**18)))
        cells = []
        for gigabits in (10, 100):
            bucket = sent / buckets / (gigabits * 1e9 / 8 * 0.9) + 2 * 20e-6 * math.log2(hosts)
            exposed = bucket + max(0, (buckets - 1) * bucket - 2 / 3)
            cells.append(f"{1 / (1 + exposed):.1%}")
        print(f"| {name} | {hosts} | {sent / 1e6:,.1f} MB | {cells[0]} | {cells[1]} |")
PYTHON
