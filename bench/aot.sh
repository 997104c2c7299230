#!/usr/bin/env bash
# The sample Classify as an application of somebody else's: built of the packed packages, published ahead of time with nothing but PublishAot, then its size, its time from the start to the first answer beside the same under the
# just-in-time compiler, and what a pass costs under either (bench/published), sides in turn. Needs gcc or clang for the linker.
#   bench/aot.sh [--rounds 20] [--threads 1]
set -euo pipefail
cd "$(dirname "$(realpath "$0")")/.."
rounds=20 threads=1
while [ $# -gt 0 ]; do
    case $1 in
        --rounds) rounds=${2:?--rounds needs a number} ;;
        --threads) threads=${2:?--threads needs a number} ;;
        *) sed -n 's/^# \{0,1\}//p' "$0" | sed -n 1,3p >&2; exit 2 ;;
    esac
    shift 2
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
. bench/peers/models.sh
lora2="dotnet src/LoRA2.Native.Cli/bin/Release/net10.0/lora2.dll"
$lora2 finetune --max-steps 60 --output "$work/adapter" >&2
for project in Files Safetensors Tokenizers Tensors; do dotnet pack -c Release "src/LoRA2.Native.$project" -o "$work/feed" -v:q >&2; done
dotnet pack -c Release src/LoRA2.Native -o "$work/feed" -v:q >&2
version=$(basename "$work"/feed/LoRA2.Native.Tensors.*.nupkg .nupkg)
version=${version#LoRA2.Native.Tensors.}
mkdir "$work/app"
cp src/Samples/Classify/Program.cs "$work/app"
cat >"$work/app/Classify.csproj" <<PROJECT
<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup>
    <OutputType>Exe</OutputType>
    <TargetFramework>net10.0</TargetFramework>
    <Nullable>enable</Nullable>
    <ImplicitUsings>enable</ImplicitUsings>
    <TreatWarningsAsErrors>true</TreatWarningsAsErrors>
  </PropertyGroup>
  <ItemGroup>
    <PackageReference Include="LoRA2.Native" Version="$version" />
  </ItemGroup>
</Project>
PROJECT
cat >"$work/app/nuget.config" <<CONFIG
<configuration><packageSources><add key="packed" value="$work/feed" /></packageSources></configuration>
CONFIG
# A package cache of its own, so that what is packed is what is taken, and nothing stays.
export NUGET_PACKAGES=$work/packages
dotnet publish -c Release -r linux-x64 -p:PublishAot=true "$work/app" -o "$work/ahead" >&2
dotnet publish -c Release -r linux-x64 --self-contained false "$work/app" -o "$work/just" >&2
unset NUGET_PACKAGES
echo "$(lscpu | sed -n 's/^Model name: *//p'), $(nproc) cores, load $(cut -d' ' -f1 /proc/loadavg); $(date +%F); commit $(git rev-parse --short HEAD); \`bench/aot.sh --rounds $rounds --threads $threads\`"
printf '\nThe application ahead of time: %s MB in one file (%s MB with its debug symbols beside it).\n\n' "$(stat -c %s "$work/ahead/Classify" | awk '{ printf "%.2f", $1 / 1e6 }')" "$(du -sb "$work/ahead" | awk '{ printf "%.1f", $1 / 1e6 }')"
python3 - "$rounds" "$work/ahead/Classify" "$work/just/Classify" "$minilm/folder" "$work/adapter" <<'PYTHON'
import os, resource, statistics, subprocess, sys, time
rounds, sides, arguments = int(sys.argv[1]), {"ahead of time": sys.argv[2], "just in time": sys.argv[3]}, sys.argv[4:]
found = {name: [] for name in sides}
for turn in range(rounds + 1):
    for name, command in sides.items():
        before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        with subprocess.Popen([command, *arguments], stdout=subprocess.PIPE, env={**os.environ, "LORA2_THREADS": "1"}) as process:
            said = [process.stdout.readline(), process.stdout.readline()]
            wall = time.perf_counter() - start
            said.append(process.stdout.read())
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        if process.returncode or b"probabilities add up to 1.000" not in said[1]: sys.exit(f"{name}: {said!r}")
        if turn: found[name].append((wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime))
print("| MiniLM with an adapter, from the start to the first answer | seconds | least | processor seconds of the whole, four answers |\n| --- | --- | --- | --- |")
for name, times in found.items():
    print(f"| {name} | {statistics.median(t[0] for t in times):.3f} | {min(t[0] for t in times):.3f} | {statistics.median(t[1] for t in times):.3f} |")
PYTHON
for mode in ahead just; do
    aot=$([ $mode = ahead ] && echo true || echo false)
    dotnet publish -c Release -p:PublishAot=$aot bench/published -o "$work/published-$mode" >&2
done
program=LoRA2.Native.Benchmarks
for precision in float32 bfloat16x3 int8; do
    for shape in "1 32" "8 128"; do
        read -r batch length <<<"$shape"
        printf '\n## %s × %s tokens, %s\n\n' "$batch" "$length" "$precision"
        options="encode --serve true --model $minilm/folder --threads $threads --batch $batch --length $length --precision $precision --warmup $((64 / batch + 4))"
        python3 bench/turns.py "$rounds" "$work/published-just/$program peak --serve true --threads $threads" "ahead of time" "$work/published-ahead/$program $options" "just in time" "$work/published-just/$program $options"
    done
done
