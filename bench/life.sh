#!/usr/bin/env bash
# A server's long life: a soak of many requests (right ones, bad ones, clients that go away; the server is a process of its own), and servers stopped under load, as Markdown tables.
#   bench/life.sh [soak [REQUESTS]] [stops [ROUNDS]]     [both: 1000000 requests, 1000 rounds]
# The model is the tests' tiny classifier with two adapters: it is the server that is tried, not the products.
set -euo pipefail
cd "$(dirname "$(realpath "$0")")/.."
case=tests/Fixtures/cases/05-adapters-in-a-loop
dotnet build -c Release bench/serving/Life -v:q -clp:NoSummary >&2
life=bench/serving/Life/bin/Release/net10.0/Life
[ $# -gt 0 ] || set -- soak stops
echo "$(lscpu | sed -n 's/^Model name: *//p'), $(nproc) cores, load $(cut -d' ' -f1 /proc/loadavg); $(date +%F); commit $(git rev-parse --short HEAD)"
while [ $# -gt 0 ]; do
    what=$1 count=
    shift
    if [[ ${1:-} =~ ^[0-9]+$ ]]; then count=$1; shift; fi
    printf '\n## %s\n\n' "$what"
    case $what in
        soak) "$life" soak $case/base $case/a $case/b "${count:-1000000}" 16 ;;
        stops) "$life" stops $case/base $case/a $case/b "${count:-1000}" 16 ;;
        *) sed -n 's/^# \{0,1\}//p' "$0" | sed -n 1,3p >&2; exit 2 ;;
    esac
done
