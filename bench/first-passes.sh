#!/usr/bin/env bash
# What the first passes of a process cost: starts LoRA2.Native and ONNX Runtime on MiniLM in turn, a process each, and prints the medians of their processor seconds as Markdown.
#   bench/first-passes.sh [--rounds 9] [--threads 2] [--shapes "1x32 1x128"] [--ours COMMAND] [--output FILE]
# COMMAND is another program than the built one that takes `encode …`: one that was compiled ahead of time.
set -euo pipefail
script=$(realpath "$0")
rounds=9 threads=2 shapes="1x32 1x128" program= output=
while [ $# -gt 0 ]; do
    case $1 in
        --rounds) rounds=${2:?--rounds needs a number} ;;
        --threads) threads=${2:?--threads needs a number} ;;
        --shapes) shapes=${2:?--shapes needs batches by lengths} ;;
        --ours) program=${2:?--ours needs a command} ;;
        --output) output=$(realpath -m "${2:?--output needs a file}") ;;
        *) sed -n 's/^# \{0,1\}//p' "$script" | sed -n 1,3p >&2; exit 2 ;;
    esac
    shift 2
done
cd "$(dirname "$script")/.."
. bench/peers/models.sh
if [ -n "$output" ]; then exec >"$output"; fi
exec python3 bench/first-passes.py "$rounds" "$threads" "$shapes" "LoRA2.Native" "${program:-$ours} encode --model $minilm/folder" "ONNX Runtime" "$onnx encode --model $minilm/model.onnx"
