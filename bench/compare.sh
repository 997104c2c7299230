#!/usr/bin/env bash
# Times one step of LoRA2.Native and of PyTorch alternately, each alone on the machine, and prints a Markdown table.
#   bench/compare.sh [--rounds 5] [--output FILE] [--ours COMMAND] [--dtype OURS] [-- STEP OPTIONS]
# STEP OPTIONS go to both sides, over the defaults below. --ours names what runs our benchmarks (a published build, say);
# --dtype is our side's, where it has one that PyTorch has not (bfloat16x3).
# Run it on a quiet machine: PyTorch's threads spin while they wait, so one other busy process slows it tenfold. "Others"
# in the table says how many cores' worth of other work ran beside each side; a ratio is worth nothing unless it is near 0.
set -euo pipefail
script=$(realpath "$0")
rounds=5 output= dtype=
ours="dotnet run -c Release --no-build --project bench/LoRA2.Native.Benchmarks --"
step=(--method lora --layers 12 --hidden 768 --intermediate 3072 --heads 12 --vocabulary 8000
      --batch 8 --length 128 --rank 8 --threads 2 --steps 3 --warmup 1)
while [ $# -gt 0 ]; do
    if [ "$1" = -- ]; then shift; break; fi
    case $1 in
        --rounds) rounds=${2:?--rounds needs a number} ;;
        --output) output=$(realpath "${2:?--output needs a file}") ;;
        --ours) ours=${2:?--ours needs a command} ;;
        --dtype) dtype=${2:?--dtype needs a name} ;;
        *) sed -n 's/^# \{0,1\}//p' "$script" | sed -n 1,7p >&2; exit 2 ;;
    esac
    shift 2
done
if ! [ "$rounds" -ge 1 ]; then echo "compare.sh: --rounds is $rounds, expected 1 or more" >&2; exit 2; fi
cd "$(dirname "$script")/.."
step+=("$@")
declare -A value # an option given again replaces the default
for ((i = 0; i < ${#step[@]}; i += 2)); do value[${step[i]}]=${step[i + 1]?${step[i]} needs a value}; done
mapfile -t step < <(for name in "${!value[@]}"; do printf '%s\n%s\n' "$name" "${value[$name]}"; done)
peer=("${step[@]}")
if [ -n "$dtype" ]; then value[--dtype]=$dtype; fi
mapfile -t step < <(for name in "${!value[@]}"; do printf '%s\n%s\n' "$name" "${value[$name]}"; done)
read -ra ours_step <<<"$ours step ${step[*]}"
read -ra ours_peak <<<"$ours peak"
peer_step=(bench/peers/pytorch.sh "${value[--threads]}" bench/peers/step.py "${peer[@]}")
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT

busy() { awk -v hz="$(getconf CLK_TCK)" '/^cpu / { print ($2 + $3 + $4 + $7 + $8 + $9) / hz; exit }' /proc/stat; }

# run SIDE COMMAND...: appends SIDE, the cores others used meanwhile, and the command's JSON to $work/runs.
run() {
    local side=$1 before json=; shift
    before=$(busy)
    if { TIMEFORMAT='%U %S %R'; time "$@" >"$work/out" 2>"$work/err" </dev/null; } 2>"$work/time"; then
        json=$(grep -a '^{.*}$' "$work/out" | tail -1 || true)
    fi
    if [ -z "$json" ]; then
        if [ "$side" = peak ]; then return; fi # a build without the command: the table says so
        { echo "compare.sh: failed, or printed no JSON: $*"; cat "$work/out" "$work/err" | tail -5; } >&2
        exit 1
    fi
    echo "$side $(tail -1 "$work/time" | awk -v b="$before" -v a="$(busy)" '{ print (a - b - $1 - $2) / $3 }') $json" >>"$work/runs"
}

for ((round = 1; round <= rounds; round++)); do
    run ours "${ours_step[@]}"
    run peak "${ours_peak[@]}"
    run peer "${peer_step[@]}"
    echo "round $round of $rounds done" >&2
done

if [ -n "$output" ]; then exec >"$output"; fi
COMMANDS=$(printf '    %s\n' "${ours_step[*]}" "${peer_step[*]}") /usr/bin/python3 - "$work/runs" <<'PYTHON'
import datetime, json, os, re, statistics, subprocess, sys
runs = {"ours": [], "peer": [], "peak": []}
for line in open(sys.argv[1]):
    side, others, text = line.split(" ", 2)
    runs[side].append(dict(json.loads(text), others=max(0.0, float(others))))
machine = dict(re.findall(r"^(Model name|CPU\(s\)):\s+(.*)$", subprocess.run(["lscpu"], capture_output=True, text=True).stdout, re.M))
commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
median = lambda side, field: statistics.median(run[field] for run in runs[side])
seconds = {side: median(side, "seconds_median") for side in ("ours", "peer")}
each = [peer["seconds_median"] / our["seconds_median"] for our, peer in zip(runs["ours"], runs["peer"])]
peak = "not measured" if not runs["peak"] else (
    f"{median('peak', 'fma_gflops_per_core'):.0f} GFLOP/s a core (float32 FMA), median of {len(runs['peak'])} measurements in between")
print(f"{machine.get('Model name')}, {machine.get('CPU(s)')} cores; {datetime.date.today()}; commit {commit}; "
      f"{len(each)} rounds, one side at a time; peak {peak}.\n")
print("| | seconds per step, min | median | tokens/s | peak memory MB | others, cores |\n| --- | --- | --- | --- | --- | --- |")
for side, name in (("ours", "LoRA2.Native"), ("peer", f"PyTorch {runs['peer'][0]['torch']} ({runs['peer'][0]['library']})")):
    print(f"| {name} | {min(run['seconds_min'] for run in runs[side]):.3f} | {seconds[side]:.3f} | {median(side, 'tokens_per_second'):.0f} | "
          f"{median(side, 'peak_memory_mb'):.0f} | {median(side, 'others'):.2f} (at most {max(run['others'] for run in runs[side]):.2f}) |")
print(f"\nPyTorch's time over ours: {seconds['peer'] / seconds['ours']:.2f} (by round {', '.join(f'{ratio:.2f}' for ratio in each)}).\n")
print("Commands:\n\n" + os.environ["COMMANDS"])
PYTHON
