"""Run as a process: multiplies square fp32 matrices of the size on each line of stdin, and answers a line."""

import sys

import numpy as np


def main() -> None:
    """Multiply until stdin ends."""
    operands = {}
    for line in sys.stdin:
        size = int(line)
        if size not in operands:
            generator = np.random.default_rng(size)
            left, right = (generator.standard_normal((size, size), np.float32) for _ in range(2))
            operands[size] = left, right, np.empty_like(left)
        left, right, product = operands[size]
        np.matmul(left, right, out=product)
        print("done", flush=True)  # noqa: T201 - to the process that asked


if __name__ == "__main__":
    main()
