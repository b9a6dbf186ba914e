#!/usr/bin/env bash
# Peak memory of `osscl score` on folders of different sizes, made of links to one recording.
# usage: benchmarks/memory.sh MODEL RECORDING.wav   (the recording's machine: fan/id_06)
set -euo pipefail
model=$(realpath "$1") recording=$(realpath "$2")
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
for count in 100 1000; do
    mkdir "$work/$count"
    for ((i = 0; i < count; i++)); do ln -s "$recording" "$work/$count/$i.wav"; done
    python - "$model" "$work/$count" "$work/$count.csv" <<'PYTHON'
import resource, subprocess, sys, time
start = time.perf_counter()
subprocess.run(["osscl", "score", sys.argv[1], sys.argv[2], "-o", sys.argv[3], "--machine", "fan/id_06"],
               check=True, stderr=subprocess.DEVNULL)
seconds = time.perf_counter() - start
files = sum(1 for _ in open(sys.argv[3])) - 1
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
print(f"{files} files: peak {peak:.1f} MiB, {files / seconds:.1f} files/s, start and load included")
PYTHON
done
