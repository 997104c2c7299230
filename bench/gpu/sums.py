"""What tensor cores' sums may do to a float32 product made of six products of bfloat16 terms (--precision bfloat16x6), by a model; needs NumPy, no GPU.
The model: within a block of products and the accumulator all are shifted to the largest one's exponent and cut to 24 bits and some more, added, and the sum is cut to
24 bits (Fasi, Higham, Mikaitis, Pranesh, "Numerical behavior of NVIDIA tensor cores", PeerJ CS 2021: Ampere, blocks of 8, one bit more; Hopper taken as blocks of 16, two).
Prints the largest error over the largest result, beside that of float32 sums in order, each term and sum rounded as a fused multiply-add does.
   sums.py [SIDE]"""
import sys

import numpy

ORDER = (2, 0), (1, 1), (0, 2), (1, 0), (0, 1), (0, 0)  # SplitTerms: the smallest first


def terms(x):
    """x as three bfloat16 terms, each rounded to nearest even."""
    result, rest = [], x.astype(numpy.float32)
    for _ in range(3):
        bits = rest.view(numpy.uint32)
        term = ((bits + ((bits >> 16) & 1) + 0x7FFF) & 0xFFFF0000).view(numpy.float32)
        result.append(term.astype(numpy.float64))
        rest = rest - term
    return result


def exponent(x):
    return numpy.frexp(x)[1] - 1


def cut(x, unit):
    return numpy.trunc(x / unit) * unit


def tensor_cores(a, b, block, more):
    left, right = terms(a), terms(b)
    sums = numpy.zeros((a.shape[0], b.shape[1]))
    for i, j in ORDER:
        for k in range(0, a.shape[1], block):
            parts = left[i][:, k:k + block, None] * right[j][None, k:k + block, :]
            parts = numpy.concatenate([parts, sums[:, None, :]], axis=1)
            largest = exponent(numpy.abs(parts).max(axis=1))
            exact = cut(parts, numpy.exp2(largest - 23.0 - more)[:, None, :]).sum(axis=1)
            sums = cut(exact, numpy.exp2(exponent(exact) - 23.0))
    return sums


def in_order(a, b):
    sums = numpy.zeros((a.shape[0], b.shape[1]), numpy.float32)
    for k in range(a.shape[1]):
        sums = (sums + a[:, k, None].astype(numpy.float64) * b[k]).astype(numpy.float32)
    return sums


def main():
    side = int(sys.argv[1]) if len(sys.argv) > 1 else 24
    random = numpy.random.default_rng(1)
    print("| operands | k | float32, in order | Ampere | Hopper |\n| --- | --- | --- | --- | --- |")
    for name, drawn in ("normal", lambda *shape: random.standard_normal(shape)), ("all positive", lambda *shape: numpy.abs(random.standard_normal(shape))):
        for depth in 768, 3072:
            a, b = drawn(side, depth).astype(numpy.float32), drawn(depth, side).astype(numpy.float32)
            exact = a.astype(numpy.float64) @ b.astype(numpy.float64)
            errors = [numpy.abs(c - exact).max() / numpy.abs(exact).max() for c in (in_order(a, b), tensor_cores(a, b, 8, 1), tensor_cores(a, b, 16, 2))]
            print(f"| {name} | {depth} | " + " | ".join(f"{error:.1e}" for error in errors) + " |")


if __name__ == "__main__":
    main()
