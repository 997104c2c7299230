"""first-passes.py ROUNDS THREADS SHAPES NAME COMMAND [NAME COMMAND …]: see first-passes.sh."""
import datetime
import json
import re
import statistics
import subprocess
import sys

PASSES = 300


def main():
    rounds, threads, shapes, pairs = int(sys.argv[1]), sys.argv[2], sys.argv[3].split(), sys.argv[4:]
    sides = list(zip(pairs[::2], pairs[1::2]))
    machine = re.search(r"Model name:\s+(.*)", subprocess.run(["lscpu"], capture_output=True, text=True).stdout)[1]
    print(f"{machine}; {datetime.date.today()}; {rounds} processes a side, in turn; {threads} threads; load {open('/proc/loadavg').read().split()[0]}. Medians of processor seconds.\n")
    print(f"| | until loaded | first pass | passes 2 to 30, mean | warm (the last hundred of {PASSES}) | passes 2 to 30 over warm |\n| --- | --- | --- | --- | --- | --- |")
    for shape in shapes:
        batch, length = shape.split("x")
        reports = {name: [] for name, _ in sides}
        for _ in range(rounds):
            for name, command in sides:
                words = command.split() + ["--batch", batch, "--length", length, "--threads", threads, "--passes", str(PASSES)]
                reports[name].append(json.loads(subprocess.run(words, capture_output=True, text=True, check=True).stdout))
        for name, _ in sides:
            def median(figure):
                return statistics.median(figure(report) for report in reports[name])

            early, warm = (lambda r: statistics.mean(r["cpu_seconds"][1:30])), (lambda r: statistics.median(r["cpu_seconds"][-100:]))
            print(f"| {name}, {batch} × {length} | {median(lambda r: r['cpu_seconds_until_loaded']):.3f} | {median(lambda r: r['cpu_seconds'][0]):.4f} | {median(early):.4f} | {median(warm):.4f} | "
                  f"{median(lambda r: early(r) / warm(r)):.2f} |")


if __name__ == "__main__":
    main()
