#!/usr/bin/env bash
# Mutation testing: small faults are put into the code, one at a time, and the tests have to notice. Writes Stryker's reports to bench/mutation/.
#   bench/mutation.sh [PART ...] [-- STRYKER OPTIONS]
# PART is schedules, scorer, safetensors, tokenizers, training, data or tensors; all of them by default. schedules and scorer run only the tests that are about them, safetensors all but
# those that damage thousands of files, which take 12 s for every mutant; a whole run takes hours on two cores. Results: bench/results/mutation.md.
set -euo pipefail
cd "$(dirname "$(realpath "$0")")/.."
declare -A project=([schedules]="" [scorer]=Tensors [safetensors]=Safetensors [tokenizers]=Tokenizers [training]="" [data]="" [tensors]=Tensors)
declare -A mutated=(
    [schedules]='"Training/BudgetSchedule.cs", "Training/LearningRateSchedule.cs", "Training/BatchPlan.cs", "Training/TrainingState.cs"'
    [scorer]='"LowRank/ImportanceScorer.cs"' [safetensors]='"**/*.cs"' [tokenizers]='"**/*.cs"' [training]='"Training/**/*.cs"' [data]='"Data/**/*.cs"' [tensors]='"**/*.cs"')
declare -A tests=([schedules]="FullyQualifiedName~Schedule|FullyQualifiedName~BatchPlan|FullyQualifiedName~RankWarmup|FullyQualifiedName~TrainingState" [scorer]="FullyQualifiedName~ImportanceScorer"
    [safetensors]="FullyQualifiedName!~DamagedFiles")
parts=()
while [ $# -gt 0 ] && [ "$1" != -- ]; do parts+=("$1"); shift; done
[ $# -gt 0 ] && shift
[ ${#parts[@]} -gt 0 ] || parts=(schedules scorer safetensors tokenizers training data tensors)
dotnet tool restore
# On a busy machine the test host is slow to answer, and a mutant is no endless loop because its tests took long.
export VSTEST_CONNECTION_TIMEOUT=${VSTEST_CONNECTION_TIMEOUT:-900}
for part in "${parts[@]}"; do
    name=LoRA2.Native${project[$part]:+.${project[$part]}}
    config=$(mktemp --suffix=.json)
    cat >"$config" <<JSON
{ "stryker-config": { "project": "$name.csproj", "configuration": "Release", "coverage-analysis": "perTest", "additional-timeout": 20000, "mutate": [${mutated[$part]}], ${tests[$part]:+"\"test-case-filter\": \"${tests[$part]}\","} "reporters": ["json", "markdown", "cleartext"] } }
JSON
    (cd "tests/$name.Tests" && dotnet stryker --config-file "$config" --output "../../bench/mutation/$part" "$@")
    rm "$config"
done
