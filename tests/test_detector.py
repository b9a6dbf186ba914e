"""The detector: the published scores, whatever the batch, the thread or the process."""

import os
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import soundfile
import torch
from scipy.stats import rankdata

import osscl
from osscl.audio.samples import Waveforms
from osscl.errors import (
    BackendError,
    ConfigError,
    InputError,
    MachineError,
    ModelFileError,
)
from osscl.model_file.golden import golden_clips
from support.reference import Reference

CLIPS = golden_clips(3)


@pytest.fixture(scope="module")
def detector(model_file: Path) -> osscl.Detector:
    return osscl.load(model_file)


@pytest.fixture(scope="module")
def scores(detector: osscl.Detector) -> npt.NDArray[np.float32]:
    return detector.score(CLIPS, "fan/id_00").score


def test_shipped_path_equals_the_reference(reference: Reference, reference_model: Path) -> None:
    outputs = reference.outputs
    waveforms = np.stack([osscl.read_audio(path) for path in reference.clips])
    with osscl.load(reference_model) as detector:
        embedding = detector.embed(waveforms)
        cosine = detector._run(waveforms).cosine
        score = detector.score(waveforms, reference.machines).score
    assert np.abs(embedding - outputs["embedding"]).max() <= 2e-5
    assert np.abs(cosine - outputs["cosine"]).max() <= 2e-5
    assert np.abs(score - outputs["score"]).max() <= 5e-4
    assert np.array_equal(rankdata(score), rankdata(outputs["score"]))


@pytest.mark.parametrize("batch_size", [1, 2, 8, 36])
def test_batches_in_any_order_give_the_same_scores(
    reference: Reference, reference_model: Path, batch_size: int
) -> None:
    order = np.random.default_rng(batch_size).permutation(len(reference.clips))
    paths = [reference.clips[i] for i in order]
    with osscl.load(reference_model, batch_size=batch_size) as detector:
        records = list(detector.score_files(paths))
    assert [record.path for record in records] == [str(path) for path in paths]
    got = np.array([record.score for record in records])
    assert np.abs(got - reference.outputs["score"][order]).max() <= 5e-4
    with osscl.load(reference_model, threads=1) as detector:
        alone = np.array([record.score for record in detector.score_files(paths)])
    assert np.abs(got - alone).max() <= 1e-4


def test_int16_and_float_samples_score_alike(
    detector: osscl.Detector, scores: npt.NDArray[np.float32]
) -> None:
    for waveforms in (CLIPS / 32768.0, (CLIPS / 32768.0).astype(np.float32)):
        assert np.array_equal(detector.score(waveforms, "fan/id_00").score, scores)
    one = detector.score(CLIPS[1], "fan/id_00")
    assert one.score.shape == (1,)
    assert np.abs(one.score - scores[1]) <= 1e-4


def test_a_batch_may_mix_int16_and_float_files(
    model_file: Path, scores: npt.NDArray[np.float32], tmp_path: Path
) -> None:
    for number, subtype in enumerate(("PCM_16", "FLOAT", "PCM_24")):
        path = tmp_path / f"{number}.wav"
        soundfile.write(path, CLIPS[number] / np.float32(32768), 16_000, subtype=subtype)
    with osscl.load(model_file, batch_size=3) as detector:
        records = list(detector.score_files(sorted(tmp_path.iterdir()), "fan/id_00"))
    assert np.abs(np.array([record.score for record in records]) - scores).max() <= 1e-4


def test_each_clip_has_its_own_machine(detector: osscl.Detector, scores: npt.NDArray[np.float32]) -> None:
    mixed = detector.score(CLIPS, ["fan/id_00", "valve/id_06", "fan/id_00"])
    assert mixed.machine == ("fan/id_00", "valve/id_06", "fan/id_00")
    assert np.array_equal(mixed.score[[0, 2]], scores[[0, 2]])
    assert mixed.score[1] != scores[1]


def test_an_empty_batch_is_scored(detector: osscl.Detector) -> None:
    empty = np.empty((0, 160_000), np.float32)
    assert detector.score(empty, "fan/id_00").score.shape == (0,)
    assert detector.embed(empty).shape == (0, 128)


@pytest.mark.parametrize("dtype", [">i2", ">f4", ">f8"])
def test_samples_in_another_byte_order_are_the_same_sound(detector: osscl.Detector, dtype: str) -> None:
    foreign = (CLIPS if dtype == ">i2" else CLIPS / 32768).astype(dtype)
    native = foreign.astype(foreign.dtype.newbyteorder("="))
    scores = detector.score(native, "fan/id_00").score
    assert np.array_equal(detector.score(foreign, "fan/id_00").score, scores)
    assert np.array_equal(detector.embed(foreign), detector.embed(native))


def test_nothing_is_decided_without_a_calibration(
    detector: osscl.Detector,
) -> None:
    result = detector.score(CLIPS[:2], ["fan/id_00", "pump/id_01"])
    assert np.isnan(result.p_value).all()
    assert np.isnan(result.threshold).all()
    assert result.is_anomaly.mask.all()
    assert result.rule == ["network", "network"]
    assert np.isnan(result.z).all()


@pytest.mark.parametrize(
    ("waveforms", "machine", "rate", "error", "message"),
    [
        (CLIPS, "fan/id_00", 8000, InputError, "sample_rate_hz is 8000, expected 16000"),
        (CLIPS[:, :5], "fan/id_00", 16_000, InputError, r"shape \[3, 5\]; expected \[160000\]"),
        (CLIPS[None], "fan/id_00", 16_000, InputError, r"shape \[1, 3, 160000\]"),
        (CLIPS.astype(np.int32), "fan/id_00", 16_000, InputError, "dtype int32"),
        (CLIPS.astype(np.float32), "fan/id_00", 16_000, InputError, "divide"),
        (CLIPS * np.nan, "fan/id_00", 16_000, InputError, "NaN or infinity"),
        (np.ma.masked_array(CLIPS), "fan/id_00", 16_000, InputError, "masked array"),
        ([CLIPS[0], CLIPS[1, :9]], "fan/id_00", 16_000, InputError, "as many in each row"),
        (CLIPS, ["fan/id_00"], 16_000, InputError, "1 machine for 3 clips"),
        (CLIPS, "fan/id_77", 16_000, MachineError, "fan/id_77 is not known"),
    ],
)
def test_wrong_input_is_named(
    detector: osscl.Detector,
    waveforms: Waveforms,
    machine: str,
    rate: int,
    error: type[Exception],
    message: str,
) -> None:
    with pytest.raises(error, match=message):
        detector.score(waveforms, machine, sample_rate_hz=rate)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"device": "gpu"}, ConfigError, "device 'gpu' does not exist"),
        ({"backend": "tensorflow"}, ConfigError, "backend 'tensorflow' does not exist"),
        ({"device": "cpu", "backend": "tensorrt"}, BackendError, "'tensorrt' does not compute on the CPU"),
        ({"threads": 0}, ConfigError, "threads is 0"),
        ({"batch_size": 0}, ConfigError, "batch_size is 0"),
    ],
)
def test_wrong_options_are_named(
    model_file: Path, options: dict[str, object], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        osscl.load(model_file, **options)  # type: ignore[arg-type]


def test_a_file_that_is_no_model_is_named(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_text("hello")
    with pytest.raises(ModelFileError, match=r"model\.onnx"):
        osscl.load(tmp_path / "model.onnx")


def test_a_closed_detector_says_so(model_file: Path) -> None:
    with osscl.load(model_file) as detector:
        pass
    with pytest.raises(BackendError, match="the detector is closed"):
        detector.embed(CLIPS)


def test_eight_threads_share_one_detector(detector: osscl.Detector, scores: npt.NDArray[np.float32]) -> None:
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda i: detector.score(CLIPS[i % 3], "fan/id_00").score[0], range(24)))
    assert np.array_equal(np.array(results).reshape(8, 3), np.tile(scores, (8, 1)))


def test_a_detector_pickles_as_path_and_options(
    detector: osscl.Detector, scores: npt.NDArray[np.float32]
) -> None:
    pickled = pickle.dumps(detector)
    assert len(pickled) < 1000
    with pickle.loads(pickled) as copy:
        assert np.array_equal(copy.score(CLIPS, "fan/id_00").score, scores)


def test_a_pickled_detector_finds_its_model_from_any_folder(
    model_file: Path, scores: npt.NDArray[np.float32], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(model_file.parent)
    with osscl.load(model_file.name, engine_cache="engines", on_build=lambda *_: None) as detector:
        pickled = pickle.dumps(detector)
    monkeypatch.chdir(tmp_path)
    with pickle.loads(pickled) as copy:
        assert np.array_equal(copy.score(CLIPS, "fan/id_00").score, scores)


def test_a_forked_child_reopens_the_model(model_file: Path) -> None:
    program = """
import os, sys, numpy as np, osscl
from osscl.model_file.golden import golden_clips
detector = osscl.load(sys.argv[1], threads=2)
clips = golden_clips(2)
before = detector.score(clips, "fan/id_00").score
child = os.fork()
if child == 0:
    os._exit(0 if np.array_equal(detector.score(clips, "fan/id_00").score, before) else 1)
status = os.waitpid(child, 0)[1]
assert np.array_equal(detector.score(clips, "fan/id_00").score, before)
sys.exit(os.waitstatus_to_exitcode(status))
"""
    command = [sys.executable, "-W", "ignore", "-c", program, str(model_file)]
    assert subprocess.run(command, timeout=300).returncode == 0


class _Clips(torch.utils.data.Dataset[float]):
    """Scores its clips where they are loaded, as a training script might."""

    def __init__(self, detector: osscl.Detector) -> None:
        self.detector = detector

    def __len__(self) -> int:
        return len(CLIPS)

    def __getitem__(self, index: int) -> float:
        return float(self.detector.score(CLIPS[index], "fan/id_00").score[0])


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Python's, on every fork beside threads
def test_data_loader_workers_score(detector: osscl.Detector, scores: npt.NDArray[np.float32]) -> None:
    loader = torch.utils.data.DataLoader(_Clips(detector), num_workers=2, batch_size=3)
    (batch,) = list(loader)
    assert np.abs(batch.numpy() - scores).max() <= 1e-4


def test_one_thread_starts_none(model_file: Path) -> None:
    program = """
import os, sys, osscl
from osscl.model_file.golden import golden_clips
clips = golden_clips(2)
import soundfile, onnxruntime
before = len(os.listdir("/proc/self/task"))
with osscl.load(sys.argv[1], threads=1) as detector:
    detector.score(clips, "fan/id_00")
    assert len(os.listdir("/proc/self/task")) == before, os.listdir("/proc/self/task")
"""
    if not Path("/proc/self/task").is_dir():
        pytest.skip("threads are counted through /proc, which this system lacks")
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1"}
    subprocess.run([sys.executable, "-c", program, str(model_file)], check=True, timeout=300, env=environment)


def test_importing_loads_nothing_but_the_standard_library() -> None:
    program = """
import sys
before = set(sys.modules)
import osscl
loaded = set(sys.modules) - before
assert {name.partition(".")[0] for name in loaded} <= sys.stdlib_module_names | {"osscl"}, loaded
assert {name for name in loaded if name.startswith("osscl")} == {"osscl"}
"""
    subprocess.run([sys.executable, "-c", program], check=True)


def test_the_library_is_silent_unless_asked() -> None:
    program = (
        "import osscl; osscl.log_mel([0.0] * 999)\n"
        "from osscl.support.log import quiet_logger; quiet_logger('osscl.backends').warning('said to nobody')"
    )
    result = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)
    assert result.stdout == result.stderr == b""


def test_the_public_face_is_sorted_and_complete() -> None:
    assert list(osscl.__all__) == sorted(osscl.__all__)
    assert all(getattr(osscl, name) is not None for name in osscl.__all__)
    with pytest.raises(AttributeError, match="no attribute 'lode'"):
        osscl.lode  # noqa: B018
