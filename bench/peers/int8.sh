#!/usr/bin/env bash
# How far vectors of MiniLM in 8 bits are from those in float32, ours and ONNX Runtime's dynamic int8, on the development sets of SST-2 and STS-B, as Markdown.
#   bench/peers/int8.sh [GLUE]     GLUE holds SST-2/dev.tsv and STS-B/dev.tsv as GLUE distributes them [../shared/data/glue]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
glue=$(realpath "${1:-../shared/data/glue}") work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
. bench/peers/models.sh
python3 bench/peers/int8.py texts "$glue" "$work"
for task in SST-2 STS-B; do
    given="--threads 2 --batch 32 --length 128 --texts $work/$task.txt --passes 1 --vectors $work/$task"
    $ours encode --model "$minilm/folder" --precision float32 $given.float32 >/dev/null
    $ours encode --model "$minilm/folder" --precision int8 $given.ours >/dev/null
    LORA2_SIMD=256 $ours encode --model "$minilm/folder" --precision int8 $given.ours-256 >/dev/null
    $onnx encode --model "$minilm/model.int8.onnx" --vocabulary "$minilm/vocab.txt" $given.onnx >/dev/null
done
echo "$(lscpu | sed -n 's/^Model name: *//p'); $(date +%F); commit $(git rev-parse --short HEAD); \`bench/peers/int8.sh\`"
python3 bench/peers/int8.py table "$glue" "$work"
