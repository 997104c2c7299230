#!/usr/bin/env bash
# Training steps and passes on a data set's own lengths, with the padding of a batch going through the layers and without, in turn, as Markdown.
#   bench/packing.sh --model all-MiniLM-L6-v2 --data glue [--task SST-2] [--examples 2048] [--batch 32] [--precision float32] [--method lora2] [--rounds 9] [--threads 1] [--output FILE]
set -euo pipefail
script=$(realpath "$0") output= options=() said=()
while [ $# -gt 0 ]; do
    case $1 in
        --model | --data) options+=("$1" "$(realpath "${2:?$1 needs a folder}")") ;;
        --task | --examples | --batch | --precision | --method | --rounds | --threads | --max-length) options+=("$1" "${2:?$1 needs a value}") said+=("$1" "$2") ;;
        --output) output=$(realpath -m "${2:?--output needs a file}") ;;
        *) sed -n 's/^# \{0,1\}//p' "$script" | sed -n 1,2p >&2; exit 2 ;;
    esac
    shift 2
done
cd "$(dirname "$script")/.."
dotnet build -c Release bench/LoRA2.Native.Benchmarks >&2
if [ -n "$output" ]; then exec >"$output"; fi
echo "$(lscpu | sed -n 's/^Model name: *//p'), $(nproc) cores, load $(cut -d' ' -f1 /proc/loadavg); $(date +%F); commit $(git rev-parse --short HEAD); \`bench/packing.sh --model all-MiniLM-L6-v2 --data glue ${said[*]}\`"
echo
dotnet bench/LoRA2.Native.Benchmarks/bin/Release/net10.0/LoRA2.Native.Benchmarks.dll packing "${options[@]}"
