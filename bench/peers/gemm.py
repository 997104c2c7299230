"""Times PyTorch's matrix products at the shapes of GemmBenchmarks and BFloat16GemmBenchmarks, and prints one JSON object. Run it through
pytorch.sh, which sets the environment PyTorch is fastest in."""
import argparse
import json
import statistics
import time

import torch

SHAPES = (("square", 1024, 1024, 1024), ("attention projection", 1024, 768, 768), ("feed-forward up", 1024, 3072, 768),
          ("feed-forward down", 1024, 768, 3072), ("weight gradient", 768, 768, 1024))


def options():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repetitions", type=int, default=50)
    parser.add_argument("--dtype", choices=("float32", "bfloat16", "both"), default="both")
    return parser.parse_args()


def measure(product, repetitions):
    for _ in range(3):
        product()
    seconds = []
    for _ in range(repetitions):
        start = time.perf_counter()
        product()
        seconds.append(time.perf_counter() - start)
    return seconds


def main():
    chosen = options()
    torch.set_num_threads(chosen.threads)
    torch.manual_seed(1)
    results = []
    for dtype in ("float32", "bfloat16") if chosen.dtype == "both" else (chosen.dtype,):
        for name, m, n, k in SHAPES:
            a = torch.randn(m, k).to(getattr(torch, dtype))
            b = torch.randn(k, n).to(a.dtype)
            c = torch.empty(m, n, dtype=a.dtype)
            seconds = measure(lambda: torch.mm(a, b, out=c), chosen.repetitions)
            work = 2e-9 * m * n * k
            results.append({"shape": name, "m": m, "n": n, "k": k, "dtype": dtype, "seconds_min": min(seconds),
                            "seconds_median": statistics.median(seconds), "gflops_best": work / min(seconds),
                            "gflops_median": work / statistics.median(seconds)})
    print(json.dumps({"torch": torch.__version__, "threads": chosen.threads, "results": results}, indent=1))


if __name__ == "__main__":
    main()
