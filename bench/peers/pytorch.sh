#!/usr/bin/env bash
# Runs python3 with its arguments in the environment PyTorch is fastest in on a CPU: OpenBLAS built with OpenMP (the
# pthread build fights PyTorch's own threads), and a malloc that keeps freed memory instead of returning it each step.
#   pytorch.sh THREADS script.py ...       PYTHON names another interpreter than Debian's.
set -euo pipefail
threads=${1:?usage: pytorch.sh THREADS script.py ...}
shift
openmp=/usr/lib/$(uname -m)-linux-gnu/openblas-openmp
if [ -d "$openmp" ]; then
    export LD_LIBRARY_PATH=$openmp${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
else
    echo "pytorch.sh: $openmp is missing (package libopenblas0-openmp): PyTorch will use its default BLAS" >&2
fi
export OMP_NUM_THREADS=$threads MALLOC_MMAP_THRESHOLD_=4294967296 MALLOC_TRIM_THRESHOLD_=8589934592
exec "${PYTHON:-/usr/bin/python3}" "$@"
