"""Runs osscl and what one would use instead side by side, in one process and in rounds of shuffled order.

usage: python benchmarks/compare.py CHECKPOINT WAV_FOLDER [--parts PARTS] [--rounds N] [--json OUT]

CHECKPOINT is a .safetensors file of osscl train, or a .pth file in the published layout with config.json
beside it. WAV_FOLDER holds recordings of 10 s at 16 kHz at any depth: 500 or more for a figure to be
recorded. Files of machines that the model does not know are scored as one class or another, which changes no
time. N is the number of rounds of the part network. PARTS are, with a comma between them:

network     waveform and log-mel in memory to embedding and cosine, batch 1; on all processors, the faster of
            one stream on all and one stream on each
end_to_end  files to scores on all processors, in blocks of 50 files

Figures are medians of rounds; the peak is the best matrix product of the same rounds, in the precision of the
row. Exit code 1 if an fp32 score lies further than 1e-3 from the published way's.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import msgspec
import torch
from comparing.end_to_end import compare_end_to_end
from comparing.models import export_all
from comparing.network import compare_networks

from osscl.bench import DISTURBING_CPUS
from osscl.bench.machine import machine_facts
from osscl.runs.folder import find_recordings

PARTS = ("network", "end_to_end")
MAX_SCORE_DIFFERENCE = 1e-3


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("wav_folder", type=Path)
    parser.add_argument("--parts", default=",".join(PARTS))
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    parts = arguments.parts.split(",")
    if unknown := sorted(set(parts) - set(PARTS)):
        parser.error(f"there is no part {', '.join(unknown)}; choose out of: {', '.join(PARTS)}")
    paths = [candidate.path for candidate in find_recordings([arguments.wav_folder])]
    if not paths:
        parser.error(f"{arguments.wav_folder} holds no recordings (.wav or .flac)")
    machine = machine_facts()
    versions = machine.versions | {"torch": str(torch.__version__)}
    print(f"{machine.cpu}, {machine.usable_cpus} processors; {versions}")
    found: dict[str, object] = {"machine": machine, "torch": str(torch.__version__)}
    difference = 0.0
    with tempfile.TemporaryDirectory() as folder:
        models = export_all(arguments.checkpoint, Path(folder))
        if "network" in parts:
            found["network"] = network = compare_networks(
                arguments.checkpoint, models, paths, arguments.rounds, show_progress
            )
            print_network(network)
        if "end_to_end" in parts:
            found["end_to_end"] = end_to_end = compare_end_to_end(
                arguments.checkpoint, models, paths, show_progress
            )
            print_end_to_end(end_to_end)
            difference = max(
                row["score_difference"] for row in end_to_end["rows"] if row["precision"] == "fp32"
            )
    if arguments.json:
        arguments.json.write_bytes(msgspec.json.format(msgspec.json.encode(found)) + b"\n")
    if not difference <= MAX_SCORE_DIFFERENCE:
        print(f"fp32 scores differ by {difference:.2e}, {MAX_SCORE_DIFFERENCE:g} allowed", file=sys.stderr)
        return 1
    return 0


def show_progress(number: int) -> None:
    """One more round is done."""
    if sys.stderr.isatty():
        print(f"\rround {number + 1} ", end="", file=sys.stderr, flush=True)


def print_network(found: dict) -> None:
    """One line a way, first on one processor, then on all."""
    print(f"\nnetwork, batch 1, {found['n_clips']} clips in turn, medians of {found['rounds']} rounds")
    print_peaks(found)
    print(
        f"{'':34}{'threads':>8}{'streams':>8}{'ms/clip':>9}{'clips/s':>9}{'GFLOP/s':>9}{'of peak':>9}"
        f"{'to plain':>10}{'to eager':>10}  embedding differs"
    )
    for row in found["rows"]:
        print(
            f"{row['name']:34}{row['threads']:8}{row['streams']:8}{row['ms_per_clip']:9.2f}"
            f"{row['clips_per_s']:9.1f}{row['gflop_per_s']:9.1f}{row['peak_share']:9.1%}"
            f"{row['to_plain']:10.2f}{row['to_eager']:10.2f}  {row['difference']:.1e}"
        )


def print_end_to_end(found: dict) -> None:
    """One line a way."""
    print(
        f"\nend to end, {found['n_files']} files, {found['threads']} processors, "
        f"medians of blocks of {found['block']}"
    )
    print_peaks(found)
    print(
        f"{'':34}{'ms/clip':>9}{'clips/s':>9}{'to published':>14}{'of peak':>9}{'score differs':>15}"
        f"{'rank corr.':>12}{'mean-ID AUC':>13}"
    )
    for row in found["rows"]:
        area = "-" if row["auc"] is None else f"{row['auc']:.4f}"
        print(
            f"{row['name']:34}{row['ms_per_clip']:9.2f}{row['clips_per_s']:9.1f}{row['to_published']:14.2f}"
            f"{row['peak_share']:9.1%}{row['score_difference']:15.1e}{row['rank_correlation']:12.6f}{area:>13}"
        )


def print_peaks(found: dict) -> None:
    """Matrix-product rates, and who else was at work."""
    if found["other_cpus"] is not None:
        remark = ": NOT FOR THE RECORD" if found["other_cpus"] > DISTURBING_CPUS else ""
        print(f"other processes used {found['other_cpus']:.2f} processors meanwhile{remark}")
    for row in found["peaks"]:
        print(
            f"matrix product {row['precision']}, {row['library']}, {row['threads']} threads: "
            f"{row['best_gflop_per_s']:.0f} GFLOP/s, median {row['gflop_per_s']:.0f} (size {row['size']})"
        )


if __name__ == "__main__":
    sys.exit(main())
