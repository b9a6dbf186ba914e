"""Whole trainings: what they leave behind, and that a stop changes no bit."""

import itertools
import json
import os
import resource
from pathlib import Path
from typing import Any

import pytest
import torch

import osscl
from osscl.audio.reading import read_audio
from osscl.cli import training_said
from osscl.cli.console import WorkProgress
from osscl.config import FRONTEND
from osscl.errors import (
    CheckpointError,
    MissingExtraError,
    OutputError,
    TrainingDataError,
    TrainingError,
    WorkerLostError,
)
from osscl.export import export_onnx
from osscl.export.checkpoint import load_checkpoint
from osscl.frontend import log_mel
from osscl.model import arcface_logits
from osscl.model_file.bundle import read_bundle
from osscl.model_file.unexported import BEST_FILE, LAST_FILE
from osscl.training import Execution, TrainingData, loop, read_training_data, train
from osscl.training.advice import warnings_before
from osscl.training.checkpoint import read_checkpoint
from osscl.training.hold_out import split_hold_out
from osscl.training.judging import advised
from osscl.training.log_mel_cache import LogMelCache
from osscl.training.planning import measured_pace
from osscl.training.reports import EpochReport, StepReport
from osscl.training.separation import Confused, most_confused
from osscl.training.state import TrainingState
from osscl.training.summary import summarise
from osscl.training.timing import N_TIMED_STEPS, Pace, pace_of
from osscl.training.train_config import TrainConfig
from support.packages import hide
from support.readers import DyingReader, WaitingReader
from support.training_data import MACHINES, small_recipe, write_recordings

HERE = Execution(device="cpu", workers=0)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> TrainingData:
    return read_training_data([write_recordings(tmp_path_factory.mktemp("data"))])


@pytest.fixture(scope="module")
def finished(data: TrainingData, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Any]]:
    folder = tmp_path_factory.mktemp("run") / "finished"
    reports: list[Any] = []
    outcome = train(data, folder, small_recipe(), HERE, listener=reports.append)
    assert outcome.completed
    return folder, reports


def stop_after(n_steps: int) -> Any:
    asked = 0

    def ask() -> bool:
        nonlocal asked
        asked += 1
        return asked >= n_steps

    return ask


def last_tensors(folder: Path) -> dict[str, torch.Tensor]:
    return read_checkpoint(folder / LAST_FILE, "training_state")[0]


def assert_same_bits(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> None:
    assert one.keys() == other.keys()
    for name, value in one.items():
        assert torch.equal(value, other[name]), name


def test_reports_and_files(finished: tuple[Path, list[Any]], data: TrainingData) -> None:
    folder, reports = finished
    steps = [report for report in reports if isinstance(report, StepReport)]
    epochs = [report for report in reports if isinstance(report, EpochReport)]
    n_training = len(split_hold_out(data, 0.2, 5).training)
    assert len(steps) == 2 * (n_training // 3)
    assert [report.epoch for report in epochs] == [1, 2]  # as on screen
    assert all(report.weights == "ema" for report in epochs)
    of_first = [report for report in steps if report.epoch == 1]
    assert [report.step for report in of_first] == list(range(1, len(of_first) + 1))
    assert epochs[0].loss == pytest.approx(sum(report.loss for report in of_first) / len(of_first))
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert [line["kind"] for line in lines].count("epoch") == 2
    assert len(lines) == len(reports)
    assert lines[-1]["hold_out_loss"] == epochs[-1].hold_out_loss


def test_checkpoints_say_where_they_come_from(finished: tuple[Path, list[Any]], data: TrainingData) -> None:
    folder, reports = finished
    tensors, info = read_checkpoint(folder / BEST_FILE, "ema_weights")
    assert info.classes == MACHINES
    assert info.config == small_recipe()
    assert info.front_end_sha256 == FRONTEND.sha256
    assert info.data_fingerprint == data.fingerprint
    split = split_hold_out(data, 0.2, 5)
    assert info.training_clips == tuple(clip.sha256 for clip in split.training)
    assert info.hold_out_clips == tuple(clip.sha256 for clip in split.hold_out)
    lowest = min((r for r in reports if isinstance(r, EpochReport)), key=lambda r: r.hold_out_loss)
    assert info.progress.best is not None
    assert info.progress.best.hold_out_loss == lowest.hold_out_loss
    assert not any(name.startswith(("live.", "adamw.")) for name in tensors)
    assert info.verdict is not None
    assert info.verdict.n_clips == len(split.hold_out)
    assert info.verdict.accuracy == pytest.approx(lowest.hold_out_accuracy)
    assert info.verdict.margin == lowest.hold_out_margin
    confusion = info.progress.best.confusion
    assert [sum(row) for row in confusion] == [
        sum(clip.machine == name for clip in split.hold_out) for name in MACHINES
    ]
    assert sum(confusion[i][i] for i in range(3)) == info.verdict.n_right


@pytest.mark.parametrize("n_steps", [1, 2, 3, 4, 5])
def test_stopped_anywhere_and_resumed_is_bit_equal(
    finished: tuple[Path, list[Any]], data: TrainingData, tmp_path: Path, n_steps: int
) -> None:
    stopped = train(data, tmp_path, small_recipe(), HERE, should_stop=stop_after(n_steps))
    assert not stopped.completed
    resumed = train(data, tmp_path, None, HERE, resume=True)
    assert resumed.completed
    assert_same_bits(last_tensors(tmp_path), last_tensors(finished[0]))
    best, expected = (read_checkpoint(path / BEST_FILE, "ema_weights") for path in (tmp_path, finished[0]))
    assert_same_bits(best[0], expected[0])
    assert best[1].progress.best == expected[1].progress.best
    kept = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    whole = [json.loads(line) for line in (finished[0] / "metrics.jsonl").read_text().splitlines()]
    for line in (*kept, *whole):
        del line["clips_per_s"]
    assert kept == whole


def test_lost_steps_leave_no_trace_in_the_metrics(
    finished: tuple[Path, list[Any]], data: TrainingData, tmp_path: Path
) -> None:
    """As after a power cut: reports of steps that no checkpoint holds."""
    train(data, tmp_path, small_recipe(), HERE, should_stop=stop_after(2))
    saved = (tmp_path / LAST_FILE).read_bytes()
    train(data, tmp_path, None, HERE, resume=True, should_stop=stop_after(1))
    (tmp_path / LAST_FILE).write_bytes(saved)
    with (tmp_path / "metrics.jsonl").open("a") as file:
        file.write('{"kind":"step","epo')
    train(data, tmp_path, None, HERE, resume=True)
    assert_same_bits(last_tensors(tmp_path), last_tensors(finished[0]))
    lines = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert [line["n_steps"] for line in lines if line["kind"] == "step"] == list(range(1, 7))


def test_workers_and_cache_change_no_bit(
    finished: tuple[Path, list[Any]], data: TrainingData, tmp_path: Path
) -> None:
    for run in ("fills the cache", "reads it"):
        execution = Execution(device="cpu", workers=1, cache=tmp_path / "cache")
        train(data, tmp_path / run, small_recipe(), execution)
        assert_same_bits(last_tensors(tmp_path / run), last_tensors(finished[0]))
    assert len(list((tmp_path / "cache" / FRONTEND.sha256).rglob("*.f32"))) == len(data.clips)


def test_cache_of_another_front_end_is_not_read(data: TrainingData, tmp_path: Path) -> None:
    clip = data.clips[0]
    waveform = read_audio(clip.path)
    other = tmp_path / ("0" * 64) / clip.sha256[:2] / f"{clip.sha256}.f32"
    other.parent.mkdir(parents=True)
    log_mel(waveform).astype("<f4").tofile(other)
    said = warnings_before(data, small_recipe(), Execution(device="cpu", cache=tmp_path))
    assert any("another front end" in sentence for sentence in said)
    cache = LogMelCache(tmp_path)
    assert (cache.get(clip.sha256, waveform) == log_mel(waveform)).all()
    own = tmp_path / FRONTEND.sha256 / clip.sha256[:2] / f"{clip.sha256}.f32"
    own.write_bytes(own.read_bytes()[:-4])  # damaged: computed again
    assert (cache.get(clip.sha256, waveform) == log_mel(waveform)).all()
    assert own.stat().st_size == 4 * 128 * 313


def test_exported_scores_equal_pytorchs(
    finished: tuple[Path, list[Any]], data: TrainingData, tmp_path: Path
) -> None:
    said: list[str] = []
    manifest = export_onnx(finished[0] / BEST_FILE, tmp_path / "model.onnx", on_warning=said.append)
    assert manifest.network.model.classes == MACHINES
    assert manifest.network.checkpoint.layout == "osscl"
    assert data.fingerprint in manifest.training_data
    best = read_checkpoint(finished[0] / BEST_FILE, "ema_weights")[1]
    assert manifest.verdict == best.verdict
    assert manifest.verdict is not None
    assert manifest.verdict.word != "learned"
    assert manifest.decisions is not None
    n_clips = len(manifest.decisions.training_clips or ())
    assert said == [advised(manifest.verdict, n_clips)]
    again: list[str] = []
    export_onnx(tmp_path / "model.onnx", tmp_path / "again.onnx", on_warning=again.append)
    assert again == said
    assert read_bundle(tmp_path / "again.onnx").manifest.verdict == manifest.verdict
    assert manifest.decisions is not None
    assert manifest.decisions.background is None, "of 3 machines nothing is pooled"
    assert manifest.decisions.training_clips == tuple(sorted(clip.sha256[:16] for clip in data.clips))
    model = load_checkpoint(finished[0] / BEST_FILE).model
    with osscl.load(tmp_path / "model.onnx") as detector, torch.inference_mode():
        for clip in data.clips[:3]:
            waveform = read_audio(clip.path)
            _, cosine = model(torch.from_numpy(log_mel(waveform))[None])
            got = detector.score(waveform, clip.machine).score
            label = torch.tensor([data.label(clip)])
            logits = arcface_logits(cosine, label, 0.4, 30.0)
            expected = torch.nn.functional.cross_entropy(logits, label).item()
            assert got[0] == pytest.approx(expected, abs=5e-4)


@pytest.mark.parametrize(
    "changes",
    [
        {"inputs": "three_maps"},
        {"head": "none", "supcon": False, "mixup": False},
        {"head": "leaky_relu", "margin": 0.0},
        {"precision": "bf16"},
    ],
)
def test_every_ablation_trains(data: TrainingData, tmp_path: Path, changes: dict[str, Any]) -> None:
    reports: list[Any] = []
    train(data, tmp_path, small_recipe(epochs=1, **changes), HERE, listener=reports.append)
    assert all(torch.tensor(report.loss).isfinite() for report in reports)
    config = load_checkpoint(tmp_path / BEST_FILE).config
    assert config == small_recipe(**changes).model(MACHINES)


def test_seeds_differ_and_are_summarised(data: TrainingData, tmp_path: Path) -> None:
    outcomes = [
        train(data, tmp_path / f"seed_{seed}", small_recipe(epochs=1, seed=seed), HERE) for seed in (0, 1)
    ]
    one, other = (last_tensors(outcome.folder)["live.arcface.weight"] for outcome in outcomes)
    assert not torch.equal(one, other)
    summary: Any = summarise(outcomes, tmp_path)
    losses = [outcome.best.hold_out_loss for outcome in outcomes if outcome.best]
    assert summary["hold_out_loss"]["mean"] == pytest.approx(sum(losses) / 2)
    assert summary["hold_out_loss"]["spread"] == pytest.approx(abs(losses[0] - losses[1]) / 2**0.5)
    assert json.loads((tmp_path / "summary.json").read_text()) == summary
    assert summary["classes"] == list(MACHINES)
    for row, outcome in zip(summary["seeds"], outcomes, strict=True):
        assert outcome.verdict is not None
        assert outcome.best is not None
        assert row["verdict"]["word"] == outcome.verdict.word
        assert row["epoch"] == outcome.best.n_epochs == 1
        assert tuple(map(tuple, row["confusion"])) == outcome.best.confusion
        pairs = most_confused(MACHINES, outcome.best.confusion)
        assert [Confused(**each) for each in row["most_confused"]] == pairs
        assert outcome.page.read_text().startswith("<!doctype html>")


def test_a_started_folder_is_not_started_again(finished: tuple[Path, list[Any]], data: TrainingData) -> None:
    with pytest.raises(TrainingError, match="holds a training already; go on with it"):
        train(data, finished[0], small_recipe(), HERE)


def test_weights_of_an_earlier_training_are_kept(data: TrainingData, tmp_path: Path) -> None:
    (tmp_path / BEST_FILE).write_text("the work of a week")
    with pytest.raises(TrainingError, match=r"holds best\.safetensors of an earlier training, which would"):
        train(data, tmp_path, small_recipe(), HERE)
    assert (tmp_path / BEST_FILE).read_text() == "the work of a week"


def test_what_the_page_needs_is_missed_before_the_first_step(
    data: TrainingData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hide(monkeypatch, "jinja2", "Jinja2")  # as Python and as pip know it
    with pytest.raises(MissingExtraError, match="needs the package jinja2, which is not installed"):
        train(data, tmp_path / "run", small_recipe(), HERE)
    assert not (tmp_path / "run").exists()


def test_nothing_to_resume(data: TrainingData, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="no training to resume"):
        train(data, tmp_path, small_recipe(), HERE, resume=True)


def test_another_recipe_is_not_resumed(finished: tuple[Path, list[Any]], data: TrainingData) -> None:
    with pytest.raises(TrainingError, match=r"margin was 0.4, is 0.3; temperature was 0.02, is 0.05"):
        train(data, finished[0], small_recipe(margin=0.3, temperature=0.05), HERE, resume=True)


def test_other_data_are_not_resumed(finished: tuple[Path, list[Any]], tmp_path: Path) -> None:
    more = read_training_data([write_recordings(tmp_path, n_of_machine=5)])
    with pytest.raises(TrainingError, match="0 clips of then are missing, 3 are new"):
        train(more, finished[0], None, HERE, resume=True)


def test_a_recipe_that_leaves_the_warm_up_open_goes_on_with_what_was_decided(
    finished: tuple[Path, list[Any]], data: TrainingData, tmp_path: Path
) -> None:
    left_open = small_recipe(ema_warmup=None)
    assert not train(data, tmp_path, left_open, HERE, should_stop=stop_after(2)).completed
    stored = read_checkpoint(tmp_path / LAST_FILE, "training_state")[1].config
    assert stored == small_recipe(ema_warmup=True)
    assert train(data, tmp_path, left_open, HERE, resume=True).completed
    assert_same_bits(last_tensors(tmp_path), last_tensors(finished[0]))
    with pytest.raises(TrainingError, match="ema_warmup was True, is False"):
        train(data, tmp_path, small_recipe(ema_warmup=False), HERE, resume=True)


def test_the_pace_is_measured_by_steps_that_leave_nothing(data: TrainingData, tmp_path: Path) -> None:
    ticks = itertools.count()
    pace = measured_pace(data, small_recipe(epochs=1), HERE, now=lambda: float(next(ticks)))
    n_training, n_held_out = map(len, split_hold_out(data, 0.2, 5))
    assert pace == pace_of(1.0, n_training, n_held_out, 3)
    assert next(ticks) == 1 + N_TIMED_STEPS
    assert list(tmp_path.iterdir()) == []


def test_measuring_the_pace_ends_with_the_time_that_there_is(data: TrainingData) -> None:
    ticks = itertools.count()

    def paced(n_steps: int) -> Pace:
        """The pace where there is time for so many steps."""
        left = iter([1.0] * n_steps)
        return measured_pace(
            data, small_recipe(epochs=1), HERE, lambda: next(left, 0.0), now=lambda: float(next(ticks))
        )

    assert paced(2).step_s == 1.0  # two steps are done, and one of them is timed
    assert next(ticks) == 2
    for too_few, enough in (
        (0, "reading the recordings took all of it: name one several times as long, or"),
        (1, "before it took 1 s, so that an epoch takes at most about .*: name a limit that is so much"),
    ):
        said = f"--time-limit is too short: it is over before two steps .*{enough}"
        with pytest.raises(TrainingError, match=said):
            paced(too_few)


def test_what_is_said_of_a_training_while_it_runs(
    data: TrainingData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(training_said, "say", said.append)
    recipe = small_recipe(epochs=2)
    with WorkProgress("steps") as bar:
        told = training_said.Told(data, tmp_path, recipe, HERE, bar)
        broken_off = []

        def listen(report: Any) -> None:
            told.show(report)
            broken_off.append(told.what_is_saved)

        train(data, tmp_path, recipe, HERE, listener=listen, on_start=told.begin)
    n_steps = max(int(line.split()[1]) for line in said if line.startswith("training: "))
    assert broken_off[0] == "broken off; nothing was saved yet"
    assert f"step {n_steps // 2}; the same command and --resume" in broken_off[n_steps // 2]
    assert f"step {n_steps}; the same command and --resume" in broken_off[-1]
    assert not any("for 0 steps" in line for line in said)


def test_moved_data_are_resumed(finished: tuple[Path, list[Any]], tmp_path: Path) -> None:
    moved = read_training_data([write_recordings(tmp_path / "elsewhere")])
    assert train(moved, finished[0], None, HERE, resume=True).completed


def test_a_learning_rate_too_high_stops_at_the_first_loss_that_is_not_finite(
    data: TrainingData, tmp_path: Path
) -> None:
    with pytest.raises(
        TrainingError, match=r"epoch 1, step 2: the loss is nan; nothing was saved yet: train with"
    ):
        train(data, tmp_path, small_recipe(learning_rate=1e30), HERE)
    assert not (tmp_path / LAST_FILE).exists()


def test_loss_that_is_not_finite_keeps_the_last_checkpoint(
    data: TrainingData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(data, tmp_path, small_recipe(), HERE, should_stop=stop_after(4))
    before = (tmp_path / LAST_FILE).read_bytes()
    real = TrainingState.restore

    def poisoned(self: Any, *arguments: Any) -> None:
        real(self, *arguments)
        with torch.no_grad():
            self.model.arcface.weight[0, 0] = float("nan")

    monkeypatch.setattr(TrainingState, "restore", poisoned)
    with pytest.raises(TrainingError, match=r"epoch 2, step 2: the loss is nan; the checkpoint .* is kept"):
        train(data, tmp_path, None, HERE, resume=True)
    assert (tmp_path / LAST_FILE).read_bytes() == before


def test_a_checkpoint_that_finds_no_room_keeps_the_old_one(
    finished: tuple[Path, list[Any]], data: TrainingData, tmp_path: Path
) -> None:
    train(data, tmp_path, small_recipe(), HERE, should_stop=stop_after(1))
    before = (tmp_path / LAST_FILE).read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) // 2, limits[1]))  # writing fails half-way
    try:
        with pytest.raises(OutputError, match=r"cannot be written: .*; the checkpoint before it is kept"):
            train(data, tmp_path, None, HERE, resume=True, should_stop=stop_after(1))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert (tmp_path / LAST_FILE).read_bytes() == before
    assert not list(tmp_path.glob("*.part"))
    assert not list(tmp_path.glob(".osscl*"))
    train(data, tmp_path, None, HERE, resume=True)
    assert_same_bits(last_tensors(tmp_path), last_tensors(finished[0]))


@pytest.mark.parametrize("workers", [0, 1])
def test_a_clip_that_vanishes_stops_the_training_and_loses_nothing(
    finished: tuple[Path, list[Any]], tmp_path: Path, workers: int
) -> None:
    data = read_training_data([write_recordings(tmp_path / "data")])
    train(data, tmp_path / "run", small_recipe(), HERE, should_stop=stop_after(2))
    vanished = Path(split_hold_out(data, 0.2, 5).training[0].path)
    content = vanished.read_bytes()
    vanished.unlink()
    with pytest.raises(TrainingDataError) as error:
        train(data, tmp_path / "run", None, Execution(device="cpu", workers=workers), resume=True)
    assert str(error.value).startswith(f"{vanished} could be read when the training began, and cannot now: ")
    vanished.write_bytes(content)
    train(data, tmp_path / "run", None, HERE, resume=True)
    assert_same_bits(last_tensors(tmp_path / "run"), last_tensors(finished[0]))


def test_a_reader_that_is_killed_ends_the_training_and_loses_nothing(
    finished: tuple[Path, list[Any]], data: TrainingData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "ClipReader", DyingReader)  # in the first epoch, which has every clip
    with pytest.raises(WorkerLostError, match=r"SIGKILL.* --resume"):
        train(data, tmp_path, small_recipe(), Execution(device="cpu", workers=1))
    monkeypatch.undo()
    _, info = read_checkpoint(tmp_path / LAST_FILE, "training_state")
    assert info.progress.epoch == 0
    train(data, tmp_path, None, HERE, resume=True)
    assert_same_bits(last_tensors(tmp_path), last_tensors(finished[0]))


def test_a_training_that_waits_for_clips_can_be_stopped(
    finished: tuple[Path, list[Any]], data: TrainingData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def waiting(*arguments: Any) -> WaitingReader:
        reader = WaitingReader(*arguments)
        reader.pipe = tmp_path / "pipe"
        return reader

    os.mkfifo(tmp_path / "pipe")
    monkeypatch.setattr(loop, "ClipReader", waiting)
    execution = Execution(device="cpu", workers=1)
    assert not train(data, tmp_path, small_recipe(), execution, should_stop=lambda: True).completed
    monkeypatch.undo()
    train(data, tmp_path, None, HERE, resume=True)
    assert_same_bits(last_tensors(tmp_path), last_tensors(finished[0]))


def test_a_step_that_finds_no_memory_says_so(
    data: TrainingData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where others take it after the start: the allocator's own error."""
    monkeypatch.setattr(loop, "training_step", lambda *_: torch.empty(10**13))
    with pytest.raises(TrainingError) as error:
        train(data, tmp_path, small_recipe(), HERE)
    assert "does not hold a step of 3 clips; nothing was saved yet: train with a smaller" in str(error.value)


def test_a_damaged_checkpoint_is_neither_resumed_nor_exported(
    finished: tuple[Path, list[Any]], data: TrainingData, tmp_path: Path
) -> None:
    for name in (LAST_FILE, BEST_FILE):
        content = bytearray((finished[0] / name).read_bytes())
        content[-1000] ^= 1  # in the middle of a tensor: a number like any other
        (tmp_path / name).write_bytes(content)
    with pytest.raises(CheckpointError, match=r"last.safetensors: the checkpoint is damaged"):
        train(data, tmp_path, None, HERE, resume=True)
    with pytest.raises(CheckpointError, match=r"best.safetensors: the checkpoint is damaged"):
        export_onnx(tmp_path / BEST_FILE, tmp_path / "model.onnx")


def test_warnings(data: TrainingData) -> None:
    said = warnings_before(data, TrainConfig(epochs=2, ema_warmup=False), HERE)
    assert any("3 classes are few" in sentence for sentence in said)
    assert any("100% of the averaged weights" in sentence for sentence in said)
    for warms_up in (True, None):
        said = warnings_before(data, TrainConfig(epochs=2, ema_warmup=warms_up), HERE)
        assert not any("averaged" in sentence for sentence in said)
