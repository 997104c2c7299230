#!/usr/bin/env bash
# Fuzzing that is led by the branches a case takes: SharpFuzz instruments the readers, afl-fuzz (Debian's afl++) mutates. The targets and the oracle are those of bench/fuzz.sh.
#   bench/fuzz-guided.sh [--seconds S] [--output DIR] [TARGET ...]
# Every target has S seconds (60). Prints the cases of each, how many ways through the code they found, and the crashes, which are kept in DIR/TARGET/default/crashes.
set -euo pipefail
cd "$(dirname "$(realpath "$0")")/.."
seconds=60 output=$PWD/fuzz-guided targets=()
while [ $# -gt 0 ]; do
  case $1 in
    --seconds) seconds=$2; shift 2 ;;
    --output) output=$(realpath -m "$2"); shift 2 ;;
    *) targets+=("$1"); shift ;;
  esac
done
command -v afl-fuzz >/dev/null || { echo "afl-fuzz is missing: apt-get install afl++"; exit 2; }
mkdir -p "$output"
dotnet build bench/guided -c Release -v q -o "$output/plain"
rm -rf "$output/built"
cp -r "$output/plain" "$output/built"
dotnet tool restore
# The tensors' kernels are left as they are: they read no files, and would be many times slower.
for name in LoRA2.Native LoRA2.Native.Files LoRA2.Native.Safetensors LoRA2.Native.Tokenizers LoRA2.Native.Parquet; do dotnet sharpfuzz "$output/built/$name.dll"; done
plain=(dotnet "$output/plain/LoRA2.Native.Benchmarks.dll") fixtures=$PWD/tests/Fixtures
export AFL_SKIP_BIN_CHECK=1 AFL_SKIP_CPUFREQ=1 AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1 AFL_NO_UI=1 AFL_NO_AFFINITY=1 DOTNET_TieredPGO=0
[ ${#targets[@]} -gt 0 ] || mapfile -t targets < <("${plain[@]}" targets "$fixtures")
failures=0
for target in "${targets[@]}"; do
  "${plain[@]}" seeds "$fixtures" "$target" "$output/$target/seeds"
  afl-fuzz -i "$output/$target/seeds" -o "$output/$target" -V "$seconds" -t 20000 -m none -- dotnet "$output/built/LoRA2.Native.Benchmarks.dll" run "$fixtures" "$target" >"$output/$target/log" 2>&1 || { tail -5 "$output/$target/log"; failures=$((failures + 1)); continue; }
  value() { sed -n "s/^$1 *: *//p" "$output/$target/default/fuzzer_stats"; }
  echo "$target: $(value execs_done) cases, $(value corpus_count) ways, $(value saved_crashes) crashes, $(value saved_hangs) hangs"
  failures=$((failures + $(value saved_crashes) + $(value saved_hangs)))
done
echo "$failures failures"
[ "$failures" -eq 0 ]
