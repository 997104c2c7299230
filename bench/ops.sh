#!/usr/bin/env bash
# Times the tensor library's ops and small training steps beside TorchSharp's (libtorch 2.10, bench/peers/torchsharp), in turn, and prints a Markdown table.
#   bench/ops.sh [--rounds 5] [--seconds 0.1] [--threads 1] [--output FILE]
set -euo pipefail
script=$(realpath "$0")
rounds=5 seconds=0.1 threads=1 output=
while [ $# -gt 0 ]; do
    case $1 in
        --rounds) rounds=${2:?--rounds needs a number} ;;
        --seconds) seconds=${2:?--seconds needs a number} ;;
        --threads) threads=${2:?--threads needs a number} ;;
        --output) output=$(realpath -m "${2:?--output needs a file}") ;;
        *) sed -n 's/^# \{0,1\}//p' "$script" | sed -n 1,2p >&2; exit 2 ;;
    esac
    shift 2
done
cd "$(dirname "$script")/.."
. bench/peers/environment.sh "$threads"
dotnet build -c Release bench/LoRA2.Native.Benchmarks >&2
dotnet build -c Release bench/peers/torchsharp >&2
if [ -n "$output" ]; then exec >"$output"; fi
exec python3 bench/ops.py "$rounds" "$seconds" "$threads" \
    "dotnet bench/LoRA2.Native.Benchmarks/bin/Release/net10.0/LoRA2.Native.Benchmarks.dll ops --threads $threads" \
    "bench/peers/torchsharp/bin/Release/net10.0/linux-x64/TorchSharpPeer ops --threads $threads"
