#!/usr/bin/env bash
# Memory and speed of many adapters on one base model, as Markdown tables.
#   bench/adapters.sh --model all-MiniLM-L6-v2 [--method lora] [--rounds 15] [--output FILE]
set -euo pipefail
script=$(realpath "$0") model= method=lora rounds=15 output=
while [ $# -gt 0 ]; do
    case $1 in
        --model) model=$(realpath "${2:?--model needs a folder}") ;;
        --method) method=${2:?--method needs a name} ;;
        --rounds) rounds=${2:?--rounds needs a number} ;;
        --output) output=$(realpath -m "${2:?--output needs a file}") ;;
        *) sed -n 's/^# \{0,1\}//p' "$script" | sed -n 1,2p >&2; exit 2 ;;
    esac
    shift 2
done
[ -n "$model" ] || { sed -n 's/^# \{0,1\}//p' "$script" | sed -n 1,2p >&2; exit 2; }
cd "$(dirname "$script")/.."
dotnet build -c Release bench/LoRA2.Native.Benchmarks >&2
if [ -n "$output" ]; then exec >"$output"; fi
echo "$(lscpu | sed -n 's/^Model name: *//p'), $(nproc) cores, load $(cut -d' ' -f1 /proc/loadavg); $(date +%F); commit $(git rev-parse --short HEAD); \`bench/adapters.sh --method $method --rounds $rounds\`"
echo
dotnet bench/LoRA2.Native.Benchmarks/bin/Release/net10.0/LoRA2.Native.Benchmarks.dll adapters --model "$model" --method "$method" --rounds "$rounds"
