"""What is not there is told in words, everywhere the same."""

from pathlib import Path

from support.console import osscl_each

TOLD = {
    "score demo nowhere": "folder nowhere",
    "score demo nowhere.wav": "file nowhere.wav",
    "score nowhere.onnx .": "model file nowhere.onnx",
    "score demo . --labels nowhere.csv": "table nowhere.csv",
    "evaluate demo nowhere": "folder nowhere",
    "evaluate nowhere.csv": "file nowhere.csv",
    "compare nowhere.onnx demo .": "model file nowhere.onnx",
    "embed nowhere --output new.npz": "folder nowhere",
    "enroll demo nowhere --output new.onnx": "folder nowhere",
    "doctor --recordings nowhere": "folder nowhere",
    "inspect nowhere.onnx": "model file nowhere.onnx",
    "inspect nowhere.safetensors": "checkpoint nowhere.safetensors",
    "serve nowhere.onnx --port 0": "model file nowhere.onnx",
    "engine build nowhere.onnx": "model file nowhere.onnx",
    "train nowhere --output new": "folder nowhere",
    "train . --output new --config nowhere.toml": "recipe nowhere.toml",
}


def test_a_model_file_behind_the_recordings_is_told_from_a_missing_one(tmp_path: Path) -> None:
    (tmp_path / "normal").mkdir()
    (tmp_path / "a.wav").write_bytes(b"RIFF")
    calls = [("score", "normal", "m.onnx"), ("watch", "normal", "m.onnx", "-o", "w.csv")]
    calls += [("explain", "a.wav", "m.onnx"), ("evaluate", "normal", "m.onnx")]
    for call, done in zip(calls, osscl_each(calls, tmp_path), strict=True):
        assert done.returncode == 2, done.stderr
        assert done.stderr.partition(" (osscl")[0] == (
            f"error: {call[1]} is no model file and m.onnx looks like one: the two seem to be swapped; name "
            "the model file first"
        )


def test_what_is_not_there_is_told_in_words(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"")
    ended = osscl_each([row.split() for row in TOLD], tmp_path)
    for (row, what), done in zip(TOLD.items(), ended, strict=True):
        said = done.stderr.partition(" (osscl")[0].strip()
        assert (row, said) == (row, f"error: there is no {what}")
        assert done.returncode in (1, 2)
