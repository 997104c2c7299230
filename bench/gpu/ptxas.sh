#!/usr/bin/env bash
# Assembles the kernels' PTX, built if it is not there yet, with NVIDIA's ptxas and prints, as Markdown, what each kernel takes: registers, static shared memory, spills. Needs no GPU.
#   PTXAS=/path/to/ptxas bench/gpu/ptxas.sh [sm_90]
# Fails when ptxas refuses a kernel or a kernel spills registers.
set -euo pipefail
architecture=${1:-sm_90} ptxas=${PTXAS:-ptxas}
cd "$(dirname "$(realpath "$0")")/../.."
dotnet build -c Release src/LoRA2.Native.Cuda >&2
cd src/LoRA2.Native.Cuda/obj/Release/net10.0/kernels
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
echo "$("$ptxas" --version | tail -1), $architecture"
echo
echo "| family | kernel | registers | shared bytes | spilled bytes |"
echo "| --- | --- | --- | --- | --- |"
for file in *.ptx; do
    "$ptxas" -arch="$architecture" -v "$file" -o "$work/cubin" 2>"$work/log" || { cat "$work/log" >&2; exit 1; }
    awk -v family="${file%%.*}" '
        /Compiling entry function/ { split($0, name, "'"'"'") }
        /spill stores/ { for (i = 1; i <= NF; i++) if ($(i + 1) == "bytes" && $(i + 2) == "spill") spilled += $i }
        /Used [0-9]+ registers/ {
            match($0, /Used [0-9]+/); registers = substr($0, RSTART + 5, RLENGTH - 5)
            shared = match($0, /[0-9]+ bytes smem/) ? substr($0, RSTART, RLENGTH - 11) : 0
            print "| " family " | " name[2] " | " registers " | " shared " | " spilled + 0 " |"
            if (spilled) bad = 1
            spilled = 0
        }
        END { exit bad }' "$work/log"
done
