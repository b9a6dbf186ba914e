"""Real recordings as WAV files, memories of the quadrotors among them, and what Detector makes of both."""

import json
from pathlib import Path

import soundfile

from osscl.enrolment import EnrolOptions, enroll
from osscl.export import export_onnx
from osscl.model_file.decisions import Rule
from support.once import made_once
from support.scored_elsewhere import Line, Scored, lines_of

REMEMBERED: tuple[str, Rule] = ("uav/id_06", "memory")
EMBEDDED: tuple[str, Rule] = ("uav/id_02", "embedding")
BY_NETWORK: tuple[str, Rule] = ("gearbox/id_00", "network")
N_RECORDINGS = 36 + 32


def real_recordings(shared: Path) -> Scored:
    """Make the memories, and score all recordings by them and by the network: once for all tests."""
    data = shared / "data"
    folder = made_once("real recordings", lambda at: _make(at, data))
    lines = json.loads((folder / "lines.json").read_text())
    read = {rule: {name: Line(*line) for name, line in by_name.items()} for rule, by_name in lines.items()}
    recordings = sorted((folder / "wavs").glob("*.wav"))
    assert len(recordings) == N_RECORDINGS
    return Scored(folder / "model.onnx", recordings, read)


def _make(folder: Path, data: Path) -> None:
    graph, remembered, model = (folder / f"{name}.onnx" for name in ("graph", "memory", "model"))
    export_onnx("demo", graph, front_end="graph")
    enroll(data / "uav" / "train", remembered, graph)
    enroll(data / "uav" / "train", model, remembered, EnrolOptions(rule="embedding"))
    (folder / "wavs").mkdir()
    recordings = [*data.glob("dcase2020/*/test/*.wav"), *data.glob("uav/test/*.flac")]
    names = {path: f"{path.parts[-3]}_{path.stem}.wav" for path in sorted(recordings)}
    paths = [_as_wav(path, folder / "wavs" / name) for path, name in names.items()]
    asked = (REMEMBERED, EMBEDDED, BY_NETWORK)
    lines = {rule: lines_of(model, rule, machine, paths) for machine, rule in asked}
    (folder / "lines.json").write_text(json.dumps(lines))


def _as_wav(path: Path, wav: Path) -> Path:
    samples, rate_hz = soundfile.read(path, dtype="int16")
    soundfile.write(wav, samples, rate_hz, subtype="PCM_16")
    return wav
