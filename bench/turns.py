"""Lets programs take turns, one step each at a time, and prints a Markdown table of their times and of the ratios within each round. What a shared
machine takes away meanwhile, it takes from all of them. The time from a program's start to its first step is without that of making random weights.
   turns.py ROUNDS PEAK NAME COMMAND [NAME COMMAND ...]
A COMMAND (one argument, split at spaces) says "ready" once it is warm, answers every line on its standard input with the seconds of one step, and
prints a JSON object about itself when its input ends: `step --serve true` and bench/peers/step.py --serve. PEAK answers with GFLOP/s."""
import datetime
import json
import re
import statistics
import subprocess
import sys
import time

SETTLE = 0.05  # OpenMP's threads spin for a while after a step; they must be asleep before the next turn


class Side:
    def __init__(self, name, command):
        self.name, self.command, self.answers = name, command, []
        self.process = subprocess.Popen(command.split(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        while (line := self.read()) != "ready":
            pass

    def read(self):
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"turns.py: {self.name} ended: {self.command}")
        return line.strip()

    def turn(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        self.answers.append(float(self.read()))
        time.sleep(SETTLE)

    def end(self):
        out, _ = self.process.communicate()
        self.report = json.loads(out)


def spread(values, digits):
    low, middle, high = statistics.quantiles(values, n=4) if len(values) > 1 else values * 3
    return f"{middle:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def field(side, name, digits):
    value = side.report.get(name)
    return "" if value is None else f"{value:.{digits}f}"


def said(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True).stdout
    except FileNotFoundError:
        return ""


def ticks():
    return [int(x) for x in open("/proc/stat").readline().split()[1:9]]


def main():
    rounds, peak, pairs = int(sys.argv[1]), sys.argv[2], sys.argv[3:]
    peak = Side("peak", peak)
    sides = [Side(name, command) for name, command in zip(pairs[::2], pairs[1::2])]
    before = ticks()
    for number in range(1, rounds + 1):
        for side in [peak] + sides:
            side.turn()
        print(f"round {number} of {rounds}", end="\r", file=sys.stderr)
    passed = [b - a for a, b in zip(before, ticks())]
    for side in [peak] + sides:
        side.end()
    machine = dict(re.findall(r"^(Model name|CPU\(s\)):\s+(.*)$", said("lscpu"), re.M))
    commit = said("git", "rev-parse", "--short", "HEAD").strip() or "unknown"
    print(f"{machine.get('Model name')}, {machine.get('CPU(s)')} cores; {datetime.date.today()}; commit {commit}; {rounds} rounds of one step each, in turn; "
          f"float32 peak in between {spread(peak.answers, 0)} GFLOP/s; {100 * passed[7] / sum(passed):.0f} % of the time stolen by the host. Medians (quartiles).\n")
    print(f"| | seconds per step | least | tokens/s | over {sides[0].name}'s, by round | peak memory MB | device memory MB | process start to first step, s | managed bytes a step |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    digits = 3 if min(min(side.answers) for side in sides) > 0.1 else 5
    for side in sides:
        ratios = [own / first for own, first in zip(side.answers, sides[0].answers)]
        print(f"| {side.name} | {spread(side.answers, digits)} | {min(side.answers):.{digits}f} | {side.report['tokens'] / statistics.median(side.answers):.0f} | "
              f"{spread(ratios, 2)} | {side.report['peak_memory_mb']:.0f} | {field(side, 'device_memory_mb', 0)} | {field(side, 'seconds_from_start_to_first_step', 2)} | {side.report.get('managed_bytes_per_step', '')} |")
    for i, side in enumerate(sides[1:], 1):
        for other in sides[i + 1:]:
            print(f"\n{side.name} over {other.name}, by round: {spread([own / its for own, its in zip(side.answers, other.answers)], 2)}.")
    print("\nCommands:\n")
    for side in sides:
        print(f"    {side.command}")


if __name__ == "__main__":
    main()
