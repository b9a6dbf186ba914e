"""Makes the picture of the README from what ``osscl demo`` left behind.

usage: python docs/picture_of_demo.py osscl-demo docs/demo.png

Above, one faulty clip that was found: its waveform, its log-mel, and how far each band and moment lies from
the machine's normal clips. Below, the score of every clip against the threshold of its machine. Needs
matplotlib.
"""

import argparse
import textwrap
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib import pyplot

import osscl
from osscl.audio.mel_bands import BAND_EDGES_HZ
from osscl.config import FRONTEND
from osscl.demo import MODEL, SCORES
from osscl.runs.score_table import read_records
from osscl.scoring.record import Record

SHOWN = "gearbox/test/anomaly_id_01_00000000.wav"
NORMAL, FAULTY, LINE = "#3b6ea5", "#c44e52", "#333333"


def main() -> None:
    """Make it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("demo", type=Path, help="folder of osscl demo")
    parser.add_argument("picture", type=Path, help="PNG to write")
    asked = parser.parse_args()
    draw(asked.demo, asked.picture)


def draw(demo: Path, picture: Path) -> None:
    """Draw the picture of a demonstration."""
    mpl.use("agg")
    records = list(read_records(demo / SCORES))
    shown = next(record for record in records if record.path.endswith(SHOWN))
    figure = pyplot.figure(figsize=(9, 5.4), layout="constrained", dpi=110)
    above, below = figure.subfigures(2, 1, height_ratios=(3, 2))
    draw_clip(above, demo, shown)
    draw_scores(below.subplots(), records)
    figure.savefig(picture)


def draw_clip(figure: Any, demo: Path, record: Record) -> None:
    """Waveform, log-mel and deviation of a clip, side by side."""
    waveform = osscl.read_audio(record.path)  # [160000]
    with osscl.load(demo / MODEL) as detector:
        assert record.machine is not None
        explained = detector.explain(waveform, record.machine)
    heard = textwrap.fill(f"{record.machine}, a faulty clip: {explained.sentence}", 130)
    figure.suptitle(heard, fontsize=9)
    wave, mel, deviation = figure.subplots(1, 3)
    seconds = len(waveform) / FRONTEND.sample_rate_hz
    wave.plot(np.linspace(0, seconds, len(waveform)), waveform, color=NORMAL, linewidth=0.2)
    wave.set(title="waveform", xlabel="s", xlim=(0, seconds))
    spectrum = osscl.log_mel(waveform)  # [128, 313]
    mel.imshow(spectrum, origin="lower", aspect="auto", cmap="cividis", extent=(0, seconds, 0, len(spectrum)))
    mel.set(title="log-mel, dB", xlabel="s", ylabel="mel band")
    far = explained.deviation
    assert far is not None
    image = deviation.imshow(
        far, origin="lower", aspect="auto", cmap="RdBu_r", vmin=-8, vmax=8, extent=(0, seconds, 0, len(far))
    )
    ticks = np.arange(4, len(far) + 1, 7)
    deviation.set_yticks(ticks, [f"{BAND_EDGES_HZ[tick] / 1000:.1f}" for tick in ticks])
    deviation.set(title="deviation from normal", xlabel="s", ylabel="kHz")
    figure.colorbar(image, ax=deviation, label="spreads")


def draw_scores(axes: Any, records: list[Record]) -> None:
    """Score of each clip over the threshold of its machine."""
    machines = sorted({record.machine for record in records if record.machine})
    for name, is_faulty, colour in (("normal", False, NORMAL), ("faulty", True, FAULTY)):
        clips = [record for record in records if ("anomaly" in Path(record.path).name) is is_faulty]
        over = [(record.score or 0.0) / (record.threshold or 1.0) for record in clips]
        at = [machines.index(record.machine or "") for record in clips]
        axes.scatter(at, over, color=colour, label=f"{name} clips", s=22, alpha=0.8)
    axes.axhline(1, color=LINE, linewidth=1, label="threshold at 5 % false alarms")
    axes.set_yscale("symlog", linthresh=1)
    ticks = [-1, 0, 1, 3, 10, 30]
    axes.set_yticks(ticks, [str(tick) for tick in ticks])
    axes.set_xticks(range(len(machines)), machines, rotation=30, ha="right", fontsize=7)
    axes.set(ylabel="score / threshold")
    axes.legend(fontsize=8, loc="lower right", bbox_to_anchor=(1, 1), ncols=3, frameon=False)


if __name__ == "__main__":
    main()
