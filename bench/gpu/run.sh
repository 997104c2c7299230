#!/usr/bin/env bash
# On a machine with an NVIDIA GPU: checks every op against the CPU, times the kernels against the GPU's copying speed and against cuBLAS, and training steps
# against PyTorch's, step by step in turn. Prints Markdown; fails when an op was wrong or a part ended early, after the other parts.
# Needs the .NET SDK, the NVIDIA driver and a python3, PYTHON names another; without PyTorch for CUDA in it, there is nothing to compare with.
#   bench/gpu/run.sh [--rounds 20]
# LORA2_BENCH names a built LoRA2.Native.Benchmarks to use instead of building one (a self-contained publish, where there is no SDK).
set -euo pipefail
rounds=20
if [ "${1:-}" = --rounds ]; then rounds=${2:?--rounds needs a number}; shift 2; fi
if [ $# -gt 0 ]; then sed -n '2,6s/^# \{0,1\}//p' "$0" >&2; exit 2; fi
cd "$(dirname "$(realpath "$0")")/../.."
python=${PYTHON:-python3}
if [ -z "${LORA2_BENCH:-}" ]; then
    dotnet build -c Release bench/LoRA2.Native.Benchmarks >&2
    LORA2_BENCH="dotnet bench/LoRA2.Native.Benchmarks/bin/Release/net10.0/LoRA2.Native.Benchmarks.dll"
fi
status=0 cublas=() pytorch=()
if "$python" -c 'import sys, torch; sys.exit(not torch.cuda.is_available())'; then
    cublas=(--peer "$python bench/gpu/peers/gemm.py --device cuda") pytorch=("PyTorch, LoRA" "$python bench/gpu/peers/step.py --serve --method lora")
else
    echo "$python has no PyTorch that sees the GPU: cuBLAS and PyTorch are left out" >&2
fi
$LORA2_BENCH gpu "${cublas[@]}" || status=$?
if [ $status -eq 2 ]; then exit 2; fi
deberta="--model deberta --layers 12 --hidden 768 --intermediate 3072 --heads 12 --vocabulary 128100"
roberta="--model roberta --layers 24 --hidden 1024 --intermediate 4096 --heads 16 --vocabulary 50265"
for shape in "$deberta" "$roberta"; do
    common="$shape --batch 32 --length 128 --rank 8 --device cuda --threads 1 --warmup 10 --dtype bfloat16"
    echo
    python3 bench/turns.py "$rounds" "$LORA2_BENCH peak --serve true --threads 1" \
        "LoRA2.Native, LoRA2" "$LORA2_BENCH step --serve true --method lora2 $common" \
        "the same, kernel by kernel" "$LORA2_BENCH step --serve true --method lora2 --record false $common" ${pytorch:+"${pytorch[0]}" "${pytorch[1]} $common"} || status=1
done
exit $status
