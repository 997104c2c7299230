#!/usr/bin/env bash
# Times steps of LoRA2.Native and of TorchSharp (libtorch 2.10, bench/peers/torchsharp), in turn, and prints a Markdown table.
#   bench/compare.sh [--rounds 20] [--output FILE] [--dtype OURS] [-- STEP OPTIONS]
# STEP OPTIONS go to both sides, over the defaults below. --dtype is our side's, where it has one that libtorch has not (bfloat16x3).
# --dtype bfloat16 among STEP OPTIONS is libtorch's autocast; TorchSharp then takes part with all of its model in bfloat16 too.
set -euo pipefail
script=$(realpath "$0")
rounds=20 output= dtype=
step=(--model deberta --method lora --layers 12 --hidden 768 --intermediate 3072 --heads 12 --vocabulary 8000 --batch 8 --length 128 --rank 8 --threads 2 --warmup 2)
while [ $# -gt 0 ]; do
    if [ "$1" = -- ]; then shift; break; fi
    case $1 in
        --rounds) rounds=${2:?--rounds needs a number} ;;
        --output) output=$(realpath -m "${2:?--output needs a file}") ;;
        --dtype) dtype=${2:?--dtype needs a name} ;;
        *) sed -n 's/^# \{0,1\}//p' "$script" | sed -n 1,4p >&2; exit 2 ;;
    esac
    shift 2
done
cd "$(dirname "$script")/.."
step+=("$@")
declare -A value # an option given again replaces the default
for ((i = 0; i < ${#step[@]}; i += 2)); do value[${step[i]}]=${step[i + 1]?${step[i]} needs a value}; done
options() { for name in "${!value[@]}"; do printf ' %s %s' "$name" "${value[$name]}"; done; }
. bench/peers/environment.sh "${value[--threads]}"
torch="bench/peers/torchsharp/bin/Release/net10.0/linux-x64/TorchSharpPeer step --serve true"
sides=(TorchSharp "$torch$(options)")
if [ "${value[--dtype]:-}" = bfloat16 ]; then
    value[--dtype]=pure-bfloat16
    sides+=("TorchSharp, all bfloat16" "$torch$(options)")
    value[--dtype]=bfloat16
fi
if [ -n "$dtype" ]; then value[--dtype]=$dtype; fi
dotnet build -c Release bench/LoRA2.Native.Benchmarks >&2
dotnet build -c Release bench/peers/torchsharp >&2
ours="dotnet bench/LoRA2.Native.Benchmarks/bin/Release/net10.0/LoRA2.Native.Benchmarks.dll"
if [ -n "$output" ]; then exec >"$output"; fi
exec python3 bench/turns.py "$rounds" "$ours peak --serve true --threads ${value[--threads]}" LoRA2.Native "$ours step --serve true$(options)" "${sides[@]}"
