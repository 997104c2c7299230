#!/usr/bin/env bash
# Matrix products of LoRA2.Native, PyTorch and OpenBLAS (which PyTorch calls for float32) in turn, each alone on the machine, as a Markdown table.
#   bench/products.sh [--rounds 5] [--threads 2] [--output FILE]
set -euo pipefail
script=$(realpath "$0") rounds=5 threads=2 output=
while [ $# -gt 0 ]; do
    case $1 in
        --rounds) rounds=${2:?--rounds needs a number} ;;
        --threads) threads=${2:?--threads needs a number} ;;
        --output) output=$(realpath -m "${2:?--output needs a file}") ;;
        *) sed -n 's/^# \{0,1\}//p' "$script" | sed -n 1,2p >&2; exit 2 ;;
    esac
    shift 2
done
cd "$(dirname "$script")/.."
ours=(dotnet run -c Release --no-build --project bench/LoRA2.Native.Benchmarks --)
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
for ((round = 1; round <= rounds; round++)); do
    "${ours[@]}" products --threads "$threads" | grep -a '^{' >>"$work/ours"
    "${ours[@]}" peak --threads "$threads" | grep -a '^{' >>"$work/peak"
    bench/peers/pytorch.sh "$threads" bench/peers/gemm.py --threads "$threads" | tr -d '\n' >>"$work/peer"
    echo >>"$work/peer"
    echo "round $round of $rounds done" >&2
done
if [ -n "$output" ]; then exec >"$output"; fi
/usr/bin/python3 - "$work" "$threads" "$(git rev-parse --short HEAD)" <<'PYTHON'
import datetime, json, re, statistics, subprocess, sys
work, threads, commit = sys.argv[1], int(sys.argv[2]), sys.argv[3]
read = lambda name: [json.loads(line) for line in open(f"{work}/{name}")]
ours, peer = read("ours"), read("peer")
peaks = read("peak")
peak, alone = (statistics.median(run[key] for run in peaks) for key in ("fma_gflops", "fma_gflops_per_core"))
machine = dict(re.findall(r"^(Model name|CPU\(s\)):\s+(.*)$", subprocess.run(["lscpu"], capture_output=True, text=True).stdout, re.M))
print(f"{machine.get('Model name')}, {machine.get('CPU(s)')} cores; {datetime.date.today()}; commit {commit}; {threads} threads; medians of {len(ours)} rounds, one side at a time. "
      f"Float32 peak, FMA on registers, measured in between: {peak:.0f} GFLOP/s on {threads} threads at once ({alone:.0f} on one alone).\n")
print("| shape | product | GFLOP/s (lowest to highest round) | of the float32 peak | PyTorch, GFLOP/s | ratio |\n| --- | --- | --- | --- | --- | --- |")
shapes = (("1024^3", (1024, 1024, 1024)), ("1024x768.768x3072", (1024, 3072, 768)))
def torch(size, dtype):
    return statistics.median(r["gflops_median"] for run in peer for r in run["results"] if (r["m"], r["n"], r["k"]) == size and r["dtype"] == dtype)
for name, size in shapes:
    for label, key, dtype in (("float32, B packed before", f"float32 {name}", "float32"), ("float32, B as it lies", f"float32, B not packed before, {name}", "float32"),
                              ("bfloat16, B packed before", f"bfloat16 {name}", "bfloat16"), ("bfloat16x3, B packed before", f"bfloat16x3 {name}", "float32"),
                              ("bfloat16x6, B packed before", f"bfloat16x6 {name}", "float32")):
        values = [run["gflops"][key] for run in ours]
        median, other = statistics.median(values), torch(size, dtype)
        print(f"| {name} | {label} | {median:.0f} ({min(values):.0f} to {max(values):.0f}) | {median / peak:.2f} | {other:.0f} ({dtype}) | {median / other:.2f} |")
print("\n| N = 1024, d = 768, k = 8, from memory | GB/s | of reading alone |\n| --- | --- | --- |")
keys = list(ours[0]["gigabytes_per_second"])
bandwidth = {key: statistics.median(run["gigabytes_per_second"][key] for run in ours) for key in keys}
for key in keys: print(f"| {key} | {bandwidth[key]:.1f} | {bandwidth[key] / bandwidth['read']:.2f} |")
print(f"\nCommand: `bench/products.sh --rounds {len(ours)} --threads {threads}`")
PYTHON
