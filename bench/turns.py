"""Lets programs take turns, one step each at a time, and prints a Markdown table of their times and of the ratios within each round. What a shared
machine takes away meanwhile, it takes from all of them. The time from a program's start to its first step is without that of making random weights.
   turns.py ROUNDS PEAK NAME COMMAND [NAME COMMAND ...]
A COMMAND (one argument, split at spaces) says "ready" once it is warm, answers every line on its standard input with the seconds of one step and the
processor seconds of all its threads, and prints a JSON object about itself when its input ends: `step --serve true` of ours and of bench/peers. PEAK answers with GFLOP/s.
Processor seconds are what to look at on a machine that others use too; a thread that spins while it waits counts as working."""
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
        self.name, self.command, self.answers, self.cpu = name, command, [], []
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
        answer = self.read().split()
        self.answers.append(float(answer[0]))
        self.cpu.extend(map(float, answer[1:]))
        time.sleep(SETTLE)

    def end(self):
        out, _ = self.process.communicate()
        self.report = json.loads(out)


def spread(values, digits):
    low, middle, high = statistics.quantiles(values, n=4) if len(values) > 1 else values * 3
    return f"{middle:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def ratios(own, others):
    return spread([a / b for a, b in zip(own, others)], 2) if own and others else ""


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
    before, load = ticks(), []
    for number in range(1, rounds + 1):
        for side in [peak] + sides:
            side.turn()
        load.append(float(open("/proc/loadavg").read().split()[0]))
        print(f"round {number} of {rounds}", end="\r", file=sys.stderr)
    passed = [b - a for a, b in zip(before, ticks())]
    for side in [peak] + sides:
        side.end()
    machine = dict(re.findall(r"^(Model name|CPU\(s\)):\s+(.*)$", said("lscpu"), re.M))
    commit = said("git", "rev-parse", "--short", "HEAD").strip() or "unknown"
    print(f"{machine.get('Model name')}, {machine.get('CPU(s)')} cores; {datetime.date.today()}; commit {commit}; {rounds} rounds of one step each, in turn; "
          f"float32 peak in between {spread(peak.answers, 0)} GFLOP/s; load {min(load):.1f} to {max(load):.1f}; {100 * passed[7] / sum(passed):.0f} % of the time stolen by the host. Medians (quartiles).\n")
    first = sides[0]
    print(f"| | seconds per step | least | processor seconds | tokens/s | over {first.name}'s, by round | processor seconds over its | peak memory MB | device memory MB | process start to first step, s |"
          "\n| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    digits = 3 if min(min(side.answers) for side in sides) > 0.1 else 5
    for side in sides:
        print(f"| {side.name} | {spread(side.answers, digits)} | {min(side.answers):.{digits}f} | {spread(side.cpu, digits) if side.cpu else ''} | {side.report['tokens'] / statistics.median(side.answers):.0f} | "
              f"{ratios(side.answers, first.answers)} | {ratios(side.cpu, first.cpu)} | {side.report['peak_memory_mb']:.0f} | {field(side, 'device_memory_mb', 0)} | {field(side, 'seconds_from_start_to_first_step', 2)} |")
    for i, side in enumerate(sides[1:], 1):
        for other in sides[i + 1:]:
            print(f"\n{side.name} over {other.name}, by round: {ratios(side.answers, other.answers)}; processor seconds {ratios(side.cpu, other.cpu)}.")
    print("\nCommands:\n")
    for side in sides:
        print(f"    {side.command}")


if __name__ == "__main__":
    main()
