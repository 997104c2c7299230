"""Times PyTorch's matrix products for `LoRA2.Native.Benchmarks -- products --peer`: answers each line "TYPE M N K SECONDS" on standard input with the
median seconds of a product, measured for SECONDS. Run it through pytorch.sh, which sets the environment PyTorch is fastest in."""
import argparse
import statistics
import sys
import time

import torch


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="cpu", help="cpu, cuda")
    chosen = parser.parse_args()
    torch.set_num_threads(chosen.threads)
    # On a GPU a product is shorter than the way to it: many are queued, and waited for once.
    calls, wait = (1, lambda: None) if chosen.device == "cpu" else (20, torch.cuda.synchronize)
    torch.manual_seed(1)
    operands = {}
    for line in sys.stdin:
        dtype, m, n, k, duration = line.split()
        key = (dtype, int(m), int(n), int(k))
        if key not in operands:
            _, m, n, k = key
            a = torch.randn(m, k).to(chosen.device, getattr(torch, dtype))
            operands[key] = (a, torch.randn(k, n).to(a), torch.empty(m, n).to(a))
        a, b, c = operands[key]
        for _ in range(2):
            torch.mm(a, b, out=c)
        wait()
        seconds = []
        begin = time.perf_counter()
        while len(seconds) < 5 or time.perf_counter() - begin < float(duration):
            start = time.perf_counter()
            for _ in range(calls):
                torch.mm(a, b, out=c)
            wait()
            seconds.append((time.perf_counter() - start) / calls)
        print(statistics.median(seconds), flush=True)


if __name__ == "__main__":
    main()
