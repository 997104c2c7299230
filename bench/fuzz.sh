#!/usr/bin/env bash
# Mutated files to everything that reads files: no exception but InputException, and what is accepted means the same when it is saved again.
#   bench/fuzz.sh [--cases N] [--seconds S] [--seed N] [--target NAME]
# By default 10^6 cases, as many of each target; .ci/run does 60 seconds. A case that fails is kept in the current folder.
set -euo pipefail
cd "$(dirname "$(realpath "$0")")/.."
exec dotnet run -c Release --no-build --project bench/LoRA2.Native.Benchmarks -- fuzz "$@"
