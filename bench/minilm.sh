#!/usr/bin/env bash
# Times MiniLM in LoRA2.Native, float32 and int8, and in ONNX Runtime (bench/peers/onnxruntime), float32 and dynamic int8, in turn, and prints Markdown tables.
#   bench/minilm.sh [--rounds 100] [--threads 2] [--shapes "1x32 1x128 8x128 32x128"] [--texts FILE] [--precisions "float32 int8"] [--output FILE]
# The model is the one in the quick start's NuGet package. --texts adds a table of a file's lines to vectors, tokenizing included, in batches of 32.
set -euo pipefail
script=$(realpath "$0")
rounds=100 threads=2 shapes="1x32 1x128 8x128 32x128" texts= precisions="float32 int8" output=
while [ $# -gt 0 ]; do
    case $1 in
        --rounds) rounds=${2:?--rounds needs a number} ;;
        --threads) threads=${2:?--threads needs a number} ;;
        --shapes) shapes=${2:?--shapes needs batches by lengths} ;;
        --texts) texts=$(realpath "${2:?--texts needs a file}") ;;
        --precisions) precisions=${2:?--precisions needs names} ;;
        --output) output=$(realpath -m "${2:?--output needs a file}") ;;
        *) sed -n 's/^# \{0,1\}//p' "$script" | sed -n 1,3p >&2; exit 2 ;;
    esac
    shift 2
done
cd "$(dirname "$script")/.."
. bench/peers/models.sh
if [ -n "$output" ]; then exec >"$output"; fi
table() {
    local sides=() precision
    for precision in $precisions; do sides+=("LoRA2.Native $precision" "$ours encode --model $minilm/folder --precision $precision $1"); done
    sides+=("ONNX Runtime float32" "$onnx encode --model $minilm/model.onnx --vocabulary $minilm/vocab.txt $1" "ONNX Runtime int8" "$onnx encode --model $minilm/model.int8.onnx --vocabulary $minilm/vocab.txt $1")
    python3 bench/turns.py "$2" "$ours peak --serve true --threads $threads" "${sides[@]}"
}
for shape in $shapes; do
    printf '\n## %s tokens, %s threads\n\n' "${shape/x/ × }" "$threads"
    batch=${shape%x*} length=${shape#*x}
    table "--serve true --threads $threads --batch $batch --length $length --warmup $((64 / batch + 2))" "$rounds"
done
if [ -n "$texts" ]; then
    printf '\n## %s texts to vectors, %s threads\n\n' "$(wc -l <"$texts")" "$threads"
    table "--serve true --threads $threads --batch 32 --length 128 --texts $texts --warmup 3" "$((rounds < 20 ? rounds : 20))"
fi
