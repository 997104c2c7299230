#!/usr/bin/env bash
# Mutation testing: small faults are put into the code, one at a time, and the tests have to notice. Writes Stryker's reports to bench/mutation/.
#   bench/mutation.sh [PART ...] [-- STRYKER OPTIONS]
# PART is tensors, safetensors, tokenizers, training or data; all of them by default. A whole run takes hours on two cores.
set -euo pipefail
cd "$(dirname "$(realpath "$0")")/.."
declare -A project=([tensors]=Tensors [safetensors]=Safetensors [tokenizers]=Tokenizers [training]="" [data]="")
declare -A folders=([tensors]="**/*.cs" [safetensors]="**/*.cs" [tokenizers]="**/*.cs" [training]="Training/**/*.cs" [data]="Data/**/*.cs")
parts=()
while [ $# -gt 0 ] && [ "$1" != -- ]; do parts+=("$1"); shift; done
[ $# -gt 0 ] && shift
[ ${#parts[@]} -gt 0 ] || parts=(safetensors tokenizers training data tensors)
dotnet tool restore
for part in "${parts[@]}"; do
    name=LoRA2.Native${project[$part]:+.${project[$part]}}
    (cd "tests/$name.Tests" && dotnet stryker --project "$name.csproj" --mutate "${folders[$part]}" --configuration Release --output "../../bench/mutation/$part" "$@")
done
