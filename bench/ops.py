"""Asks our ops and TorchSharp's in turn, one op and size at a time, and prints a Markdown table of medians over rounds and of the ratios within each round.
   ops.py ROUNDS SECONDS THREADS OURS THEIRS
OURS and THEIRS are commands (one argument each) that answer "name elements seconds" with the seconds and the managed bytes of one call; times are the processor's with one thread."""
import datetime
import re
import statistics
import subprocess
import sys

OPS = ["add", "multiply", "scale", "maximum", "less", "where", "relu", "exp", "tanh", "sigmoid", "gelu", "sum", "max", "sum-rows", "sum-columns", "argmax-rows", "softmax"]
SIZES = [1_000, 100_000, 10_000_000]
STEPS = ["mlp", "lstm", "convolution"]
# Bytes read and written of each element, for the rate of the large ones.
BYTES = {"add": 12, "multiply": 12, "scale": 8, "maximum": 12, "less": 9, "where": 13, "relu": 8, "exp": 8, "tanh": 8, "sigmoid": 8, "gelu": 8, "sum": 4, "max": 4, "sum-rows": 4, "sum-columns": 4, "argmax-rows": 4, "softmax": 8}


class Side:
    def __init__(self, command):
        self.process = subprocess.Popen(command.split(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().split()
        if not answer:
            sys.exit(f"ops.py: no answer to '{line}'")
        return float(answer[0]), float(answer[1])


def said(*command):
    return subprocess.run(command, capture_output=True, text=True).stdout


def main():
    rounds, seconds, threads = int(sys.argv[1]), sys.argv[2], sys.argv[3]
    sides = [Side(command) for command in sys.argv[4:6]]
    machine = re.search(r"^Model name:\s+(.*)$", said("lscpu"), re.M).group(1)
    commit = said("git", "rev-parse", "--short", "HEAD").strip()
    load = open("/proc/loadavg").read().split()[0]
    print(f"{machine}; {datetime.date.today()}; commit {commit}; {threads} thread(s); {rounds} rounds of {seconds} s each, in turn; load at the start {load}. Medians over rounds; above 1 we are faster.\n")
    print("| op | elements | ours, µs | TorchSharp, µs | TorchSharp over ours, by round | least | GB/s, ours | managed bytes a call, ours | TorchSharp's |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    below = []
    for name, size in [(op, size) for size in SIZES for op in OPS] + [(step, 1) for step in STEPS]:
        asked = [[side.ask(f"{name} {size} {seconds}") for side in sides] for _ in range(rounds + 1)][1:]
        ours, theirs = ([turn[i][0] for turn in asked] for i in (0, 1))
        ratios = [b / a for a, b in zip(ours, theirs)]
        ratio = statistics.median(ratios)
        rate = f"{BYTES[name] * size / statistics.median(ours) / 1e9:.1f}" if name in BYTES and size == SIZES[-1] else ""
        goal = 1.2 if name in ("mlp", "lstm") else 2 if size == SIZES[0] else 1 if name in BYTES else 0
        if ratio < goal:
            below.append(f"{name} {size:,}" if name in BYTES else name)
        print(f"| {name} | {size if name in BYTES else ''} | {statistics.median(ours) * 1e6:.2f} | {statistics.median(theirs) * 1e6:.2f} | {ratio:.2f} | {min(ratios):.2f} | {rate} | {asked[-1][0][1]:.0f} | {asked[-1][1][1]:.0f} |", flush=True)
    print(f"\nBelow their goals (2 at 1,000 elements, 1 above, 1.2 for the steps): {', '.join(below) or 'none'}.")


if __name__ == "__main__":
    main()
