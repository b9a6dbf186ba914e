#!/bin/sh
# Prints how many instructions the steps of the front end take a clip, counted by callgrind: unlike times,
# the same on every run. front_end_profile.txt holds the last output. Valgrind does not know AVX-512.
#
# usage: benchmarks/front_end_profile.sh [BUILD_FOLDER]     needs cmake, a C++ compiler, valgrind
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
build=${1:-$(mktemp -d)}
n_clips=4

cmake -S "$root" -B "$build" >/dev/null
cmake --build "$build" --target osscl_core >/dev/null
${CXX:-c++} -O2 -std=c++20 -I"$root/csrc" "$root/benchmarks/front_end_profile.cpp" "$build/libosscl_core.a" \
    -pthread -o "$build/front_end_profile"

for isa in sse2 avx2; do
    valgrind --tool=callgrind --callgrind-out-file="$build/callgrind.$isa" \
        --toggle-collect='void osscl::LogMel::transform<short>*' \
        "$build/front_end_profile" $isa $n_clips 2>/dev/null
    callgrind_annotate --inclusive=yes --threshold=100 "$build/callgrind.$isa" |
        awk -v isa=$isa -v n_clips=$n_clips '
            function count() { gsub(",", "", $1); return $1 / n_clips }
            function row(name, value) {
                printf "%-5s %-24s %12d %6.1f %%\n", isa, name, value, 100 * value / total
            }
            /PROGRAM TOTALS/ { total = count(); next }
            match($0, /(transpose_hops|transform_columns|transform_rows_to_power|filter_to_decibel)/) {
                name = substr($0, RSTART, RLENGTH)
                # the inclusive count of a step is the largest that bears its name
                if (count() > steps[name]) steps[name] = count()
            }
            END {
                if (isa == "sse2") printf "%-5s %-24s %12s %8s\n", "", "step", "instructions", "share"
                n = split("transpose_hops transform_columns transform_rows_to_power filter_to_decibel", order)
                rest = total
                for (i = 1; i <= n; i++) { row(order[i], steps[order[i]]); rest -= steps[order[i]] }
                row("anything else", rest)
                row("a clip of 10 s", total)
            }'
done
