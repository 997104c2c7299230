#!/usr/bin/env bash
# Hosts as network namespaces of this machine, each with an address of its own, with latency and a rate by tc: a run by MPI over them, and one that a partition ends.
#   bench/hosts.sh [--hosts N] [--delay MS] [--rate MBIT] [--epochs N]
# Needs root with CAP_NET_ADMIN and CAP_SYS_ADMIN, iproute2, Open MPI's mpirun and a build of src/LoRA2.Native.Cli. The launch agent is `ip netns exec`. Where the kernel has no netem,
# tbf limits the rate and bench/wire.py delays what the hosts send each other; that needs ethtool and python3.
set -euo pipefail
hosts=3 delay=5 rate=1000 epochs=40 wire= netem=yes ends=()
while [ $# -gt 0 ]; do
  case $1 in
    --hosts) hosts=$2 ;;
    --delay) delay=$2 ;;
    --rate) rate=$2 ;;
    --epochs) epochs=$2 ;;
    *) sed -n 's/^# \{0,1\}//p' "$0" | sed -n 1,5p >&2; exit 2 ;;
  esac
  shift 2
done
cd "$(dirname "$(realpath "$0")")/.."
lora2=$PWD/src/LoRA2.Native.Cli/bin/Release/net10.0/lora2.dll
work=$(mktemp -d)
cleanup() {
  for ((i = 0; i < hosts; i++)); do ip netns pids "lora2-$i" 2>/dev/null | xargs -r kill -9 2>/dev/null || true; done
  for ((i = 0; i < hosts; i++)); do ip netns del "lora2-$i" 2>/dev/null || true; done
  for ((i = 0; i < hosts; i++)); do ip link del "lora2-v$i" 2>/dev/null || true; done
  ip link del lora2-br 2>/dev/null || true
  [ -z "$wire" ] || kill "$wire" 2>/dev/null || true
  rm -rf "$work"
}
trap cleanup EXIT
ip link add lora2-br type bridge || { echo "not possible here: no network devices can be made (CAP_NET_ADMIN)"; exit 77; }
ip link set lora2-br up
tc qdisc add dev lora2-br root netem delay 1ms 2>/dev/null || netem=
for ((i = 0; i < hosts; i++)); do
  ip netns add "lora2-$i" || { echo "not possible here: no network namespaces can be made (CAP_SYS_ADMIN)"; exit 77; }
  ip link add "lora2-v$i" type veth peer name eth0 netns "lora2-$i"
  if [ -n "$netem" ]; then ip link set "lora2-v$i" master lora2-br up; else ip link set "lora2-v$i" up; fi
  ends+=("lora2-v$i")
  ip -n "lora2-$i" link set lo up
  ip -n "lora2-$i" addr add "10.77.0.$((i + 1))/24" dev eth0
  ip -n "lora2-$i" link set eth0 up
  # What is sent to a host that is gone is given up after seconds, not a quarter of an hour.
  ip netns exec "lora2-$i" sysctl -qw net.ipv4.tcp_retries2=4 || true
  if [ -n "$netem" ]; then
    ip netns exec "lora2-$i" tc qdisc add dev eth0 root netem delay "${delay}ms" rate "${rate}mbit"
  else
    ip netns exec "lora2-$i" ethtool -K eth0 tx off tso off gso off gro off >/dev/null
    ip netns exec "lora2-$i" tc qdisc add dev eth0 root tbf rate "${rate}mbit" burst 64kb latency 400ms
  fi
done
if [ -n "$netem" ]; then
  tc qdisc del dev lora2-br root
else
  python3 bench/wire.py "$delay" "${ends[@]}" &
  wire=$!
fi
sleep 1
echo "== a ping between the first two hosts"
ip netns exec lora2-0 ping -c 5 -i 0.2 -q 10.77.0.2 | tail -1
# The agent that mpirun starts its daemons by: agent HOST COMMAND…
cat >"$work/agent" <<'AGENT'
#!/bin/bash
number=$((${1##*.} - 1)); shift
exec ip netns exec "lora2-$number" unshare --uts bash -c "hostname lora2-$number; $*"
AGENT
chmod +x "$work/agent"
for ((i = 0; i < hosts; i++)); do echo "10.77.0.$((i + 1)) slots=1"; done >"$work/hostfile"
mpi=(ip netns exec lora2-0 mpirun --allow-run-as-root --hostfile "$work/hostfile" -n "$hosts" --mca plm_rsh_agent "$work/agent" --mca plm_rsh_no_tree_spawn 1
  --mca btl tcp,self --mca btl_tcp_if_include eth0 --mca oob_tcp_if_include eth0 --mca orte_keep_fqdn_hostnames 1
  --mca oob_tcp_keepalive_time 5 --mca oob_tcp_keepalive_intvl 2 --mca oob_tcp_keepalive_probes 3)
head -41 src/LoRA2.Native.Cli/QuickStart/tickets.train.tsv >"$work/train.tsv"
finetune=(dotnet "$lora2" finetune --model tests/Fixtures/cases/05-adapters-in-a-loop/base --train "$work/train.tsv" --dev "$work/train.tsv" --method lora2 --rank 4 --outer-rank 2
  --target-rank 3 --batch-size 8 --checkpoint-every 1 --dropout 0.1 --threads 1)
export LORA2_RANK_TIMEOUT=6
echo "== one process"
"${finetune[@]}" --epochs $epochs --accumulation 8 --output "$work/one" >"$work/one.log"
grep '^time' "$work/one.log"
echo "== $hosts hosts, $delay ms each way, $rate Mbit/s"
"${mpi[@]}" "${finetune[@]}" --epochs $epochs --output "$work/all" >"$work/all.log" 2>&1 || { tail -5 "$work/all.log"; exit 1; }
grep -E '^(processes|time)' "$work/all.log"
cmp "$work/one/adapter_model.safetensors" "$work/all/adapter_model.safetensors" && echo "the same bits"
echo "== a partition: the last host's link goes down"
"${mpi[@]}" "${finetune[@]}" --epochs $epochs --output "$work/cut" >"$work/cut.log" 2>&1 &
run=$!
for ((wait = 0; wait < 600; wait++)); do
  if [ -e "$work/cut/checkpoint.safetensors" ] || ! kill -0 $run 2>/dev/null; then break; fi
  sleep 0.1
done
if ! kill -0 $run 2>/dev/null; then echo "the run ended before the link was cut; give more --epochs"; tail -5 "$work/cut.log"; exit 1; fi
if [ ! -e "$work/cut/checkpoint.safetensors" ]; then echo "no checkpoint within 60 s"; kill -9 $run; exit 1; fi
ip link set "lora2-v$((hosts - 1))" down
began=$SECONDS said= ended=
while [ $((SECONDS - began)) -lt 60 ]; do
  if [ -z "$said" ] && grep -q '^lora2: process' "$work/cut.log"; then said=$((SECONDS - began)); fi
  if ! kill -0 $run 2>/dev/null; then ended=$((SECONDS - began)); break; fi
  sleep 0.2
done
if [ -e "$work/cut/adapter_model.safetensors" ]; then echo "the run was done before the link was cut; give more --epochs"; exit 1; fi
if [ -n "$said" ]; then echo "lora2 said after $said s: $(grep '^lora2: process' "$work/cut.log")"; else echo "lora2 said nothing of it within 60 s"; tail -5 "$work/cut.log"; fi
if [ -n "$ended" ]; then
  code=0
  wait $run || code=$?
  echo "mpirun ended after $ended s with $code"
else
  echo "mpirun did not end within 60 s and was killed"
  kill -9 $run
  wait $run 2>/dev/null || true
fi
[ -n "$said" ] || exit 1
ip link set "lora2-v$((hosts - 1))" up
"${finetune[@]}" --epochs $epochs --accumulation 8 --output "$work/cut" --resume >"$work/cut2.log"
grep resumed "$work/cut2.log"
cmp "$work/one/adapter_model.safetensors" "$work/cut/adapter_model.safetensors" && echo "resumed by one process to the same bits"
