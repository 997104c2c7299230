#!/usr/bin/env bash
# Matrix products of LoRA2.Native, of libtorch 2.10 (TorchSharp) and the cores' own limit, taking turns, as Markdown tables.
#   bench/products.sh [--rounds 20] [--threads 2] [--output FILE]
set -euo pipefail
script=$(realpath "$0") rounds=20 threads=2 output=
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
. bench/peers/environment.sh "$threads"
dotnet build -c Release bench/LoRA2.Native.Benchmarks >&2
dotnet build -c Release bench/peers/torchsharp >&2
if [ -n "$output" ]; then exec >"$output"; fi
echo "$(lscpu | sed -n 's/^Model name: *//p'), $(nproc) cores; $(date +%F); load $(cut -d ' ' -f 1 /proc/loadavg); commit $(git rev-parse --short HEAD); \`bench/products.sh --rounds $rounds --threads $threads\`"
dotnet bench/LoRA2.Native.Benchmarks/bin/Release/net10.0/LoRA2.Native.Benchmarks.dll products --threads "$threads" --rounds "$rounds" \
    --peer "bench/peers/torchsharp/bin/Release/net10.0/linux-x64/TorchSharpPeer gemm --threads $threads"
