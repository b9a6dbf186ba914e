"""Rewrites in the manifest and on the console; model files that are exported again."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from msgspec.structs import replace

import osscl as library
from osscl.errors import CheckpointError, ConfigError, ModelFileError, OutputError, ParityError
from osscl.export import export_onnx
from osscl.export.rewrites import REWRITES
from osscl.model_file.bundle import read_bundle, write_bundle
from osscl.model_file.golden import golden_clips
from osscl.model_file.manifest import Accuracy, Manifest
from support.checkpoints import random_state, write_checkpoint
from support.console import WITH_TORCH, osscl, osscl_each

CLIPS = golden_clips(3)


@pytest.fixture(scope="module")
def plain_file(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The checkpoint without rewrites, with words of its own."""
    path = tmp_path_factory.mktemp("plain") / "plain.onnx"
    export_onnx(checkpoint, path, rewrites=(), licence="MIT", training_data="a pump in the cellar")
    return path


def operators(path: Path) -> list[str]:
    return [node.op_type for node in onnx.load(path).graph.node]


def scores(path: Path) -> Any:
    with library.load(path) as detector:
        return detector.score(CLIPS, ["fan/id_00", "pump/id_02", "valve/id_06"]).score


def embeddings(path: Path) -> Any:
    with library.load(path) as detector:
        return detector.embed(CLIPS)


def test_the_manifest_lists_what_was_done(model_file: Path, plain_file: Path) -> None:
    assert read_bundle(model_file).manifest.graph_rewrites == tuple(REWRITES)
    assert read_bundle(plain_file).manifest.graph_rewrites == ()
    assert "PRelu" in operators(plain_file)
    assert "PRelu" not in operators(model_file)
    assert np.abs(scores(model_file) - scores(plain_file)).max() <= 5e-4


def test_a_rewrite_that_does_not_exist_writes_nothing(plain_file: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="without_rewrite is magic; choose out of: batch_norm_folded"):
        export_onnx(plain_file, tmp_path / "x.onnx", rewrites=["magic"])
    assert list(tmp_path.iterdir()) == []


def what_stays(manifest: Manifest) -> Manifest:
    """A manifest but for what a rewrite changes."""
    parity = replace(manifest.network.parity, measured=manifest.network.parity.tolerance)
    return replace(manifest, parity=parity, graph_rewrites=(), graph_sha256="0" * 64)


def test_a_model_file_is_exported_again_with_rewrites(
    plain_file: Path, model_file: Path, tmp_path: Path
) -> None:
    path = tmp_path / "again.onnx"
    given_back = export_onnx(plain_file, path)
    bundle, before = read_bundle(path), read_bundle(plain_file).manifest
    assert bundle.manifest == given_back
    # golden outputs, checkpoint, classes, margin, licence and training data are the first export's
    assert what_stays(bundle.manifest) == what_stays(before)
    assert (bundle.manifest.licence, bundle.manifest.training_data) == ("MIT", "a pump in the cellar")
    assert bundle.manifest.graph_rewrites == tuple(REWRITES)
    # as if the checkpoint had been exported with all of them at once
    assert bundle.graph_sha256 == read_bundle(model_file).graph_sha256
    assert np.array_equal(scores(path), scores(model_file))


def test_rewrites_are_merged_and_words_can_be_replaced(plain_file: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "first.onnx", tmp_path / "second.onnx"
    export_onnx(plain_file, first, rewrites=["prelu_as_relu"], licence="BSD")
    export_onnx(first, second, rewrites=["batch_norm_folded"], training_data="two pumps")
    manifest = read_bundle(second).manifest
    assert manifest.graph_rewrites == ("batch_norm_folded", "prelu_as_relu")
    assert (manifest.licence, manifest.training_data) == ("BSD", "two pumps")
    assert "PRelu" not in operators(second)
    assert np.abs(scores(second) - scores(plain_file)).max() <= 5e-4


def test_exporting_again_changes_nothing_where_all_is_done(model_file: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.onnx"
    again.write_text("the work of a week")
    with pytest.raises(
        OutputError, match=r"again\.onnx exists; name another file, or use overwrite=True \(--overwrite\)"
    ):
        export_onnx(model_file, again)
    export_onnx(model_file, again, overwrite=True)
    assert again.read_bytes() == model_file.read_bytes()


def test_a_model_file_never_replaces_itself(plain_file: Path, tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    shutil.copy(plain_file, path)
    with pytest.raises(OutputError, match="is read by this very command and would be replaced"):
        export_onnx(path, path)
    assert path.read_bytes() == plain_file.read_bytes()
    assert [entry.name for entry in tmp_path.iterdir()] == ["model.onnx"]


def test_parity_is_measured_against_the_checkpoint_and_not_against_the_file(
    plain_file: Path, tmp_path: Path
) -> None:
    """A file whose graph has drifted from its golden outputs is not certified anew."""
    bundle = read_bundle(plain_file)
    drifted = np.array(bundle.manifest.network.parity.cosine) * 0.999
    parity = replace(bundle.manifest.network.parity, cosine=tuple(map(tuple, drifted.tolist())))
    write_bundle(tmp_path / "drifted.onnx", bundle.model, replace(bundle.manifest, parity=parity))
    with pytest.raises(ParityError, match="cosine"):
        export_onnx(tmp_path / "drifted.onnx", tmp_path / "again.onnx")
    assert not (tmp_path / "again.onnx").exists()


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"margin": 0.4}, "drop --margin"),
        ({"margin": 0.0}, "drop --margin"),
        ({"head": "basic"}, "drop --head"),
        ({"inputs": "three_maps"}, "drop --inputs"),
        ({"classes": ["fan/id_00"]}, "drop --classes"),
        ({"margin": 0.1, "head": "basic"}, "drop --margin, --head"),
    ],
)
def test_options_that_a_model_file_states_itself_are_refused(
    plain_file: Path, tmp_path: Path, options: dict[str, Any], named: str
) -> None:
    with pytest.raises(ConfigError, match=f"a model file states this itself: {named}$"):
        export_onnx(plain_file, tmp_path / "x.onnx", **options)
    assert list(tmp_path.iterdir()) == []


def certified_to_the_same(path: Path, other: Path) -> bool:
    """Whether two files hold the same outputs of the same checkpoint."""
    one, two = read_bundle(path).manifest.network, read_bundle(other).manifest.network
    return (one.checkpoint, one.parity.embedding, one.parity.cosine) == (
        two.checkpoint,
        two.parity.embedding,
        two.parity.cosine,
    )


@pytest.mark.parametrize("rewritten", [True, False])
def test_the_front_end_is_put_into_a_graph_that_lacks_it(
    rewritten: bool, plain_file: Path, model_file: Path, tmp_path: Path
) -> None:
    source, path = model_file if rewritten else plain_file, tmp_path / "graph.onnx"
    rewrites = tuple(REWRITES) if rewritten else ()
    manifest = export_onnx(source, path, front_end="graph", rewrites=rewrites)
    assert manifest.front_end.where == "graph"
    assert [value.name for value in onnx.load(path).graph.input] == ["waveform"]
    assert certified_to_the_same(path, source)
    # measured, not taken over: another log-mel errs otherwise
    assert manifest.network.parity.measured != read_bundle(source).manifest.network.parity.measured
    assert np.abs(scores(path) - scores(source)).max() <= 5e-4


def test_it_computes_what_a_checkpoint_exported_so_computes(
    checkpoint: Path, model_file: Path, tmp_path: Path
) -> None:
    export_onnx(checkpoint, tmp_path / "at_once.onnx", front_end="graph")
    export_onnx(model_file, tmp_path / "later.onnx", front_end="graph")
    at_once, later = (sorted(operators(tmp_path / f"{name}.onnx")) for name in ("at_once", "later"))
    assert later == at_once
    assert np.abs(scores(tmp_path / "later.onnx") - scores(tmp_path / "at_once.onnx")).max() <= 1e-5


def test_a_model_of_the_log_mel_alone_takes_the_waveform_then(tmp_path: Path) -> None:
    checkpoint = write_checkpoint(tmp_path / "x.pth", random_state(inputs="log_mel"), {})
    native, path = tmp_path / "native.onnx", tmp_path / "graph.onnx"
    export_onnx(checkpoint, native, margin=0.4, head="basic", inputs="log_mel")
    assert [spec.name for spec in export_onnx(native, path, front_end="graph").inputs] == ["waveform"]
    assert np.abs(embeddings(path) - embeddings(native)).max() <= 2e-5


def test_the_front_end_stays_where_it_is_unless_it_is_moved(plain_file: Path, tmp_path: Path) -> None:
    inside, again, same = (tmp_path / f"{name}.onnx" for name in ("inside", "again", "same"))
    export_onnx(plain_file, inside, front_end="graph", rewrites=())
    for front_end in (None, "graph"):
        manifest = export_onnx(inside, again, front_end=front_end, rewrites=(), overwrite=True)
        assert manifest.front_end.where == "graph"
        assert again.read_bytes() == inside.read_bytes()
    export_onnx(plain_file, same, front_end="native", rewrites=())
    assert same.read_bytes() == plain_file.read_bytes()


def test_the_front_end_is_not_taken_out_again(plain_file: Path, tmp_path: Path) -> None:
    inside = tmp_path / "inside.onnx"
    export_onnx(plain_file, inside, front_end="graph")
    with pytest.raises(CheckpointError, match="nothing takes it out of a graph again: export its checkpoint"):
        export_onnx(inside, tmp_path / "x.onnx", front_end="native")
    assert list(tmp_path.iterdir()) == [inside]


def test_the_demonstration_model_is_exported_for_other_languages(tmp_path: Path) -> None:
    path = tmp_path / "demo.onnx"
    result = osscl("export", "demo", "--front-end", "graph", "--output", path)
    assert result.returncode == 0, result.stderr
    assert [str(spec) for spec in read_bundle(path).manifest.inputs] == ["waveform float32 [batch, 160000]"]
    with library.load(path) as graph, library.load("demo") as native:
        assert graph.machines == native.machines
        machine = native.machines[0]
        assert np.abs(graph.score(CLIPS, machine).score - native.score(CLIPS, machine).score).max() <= 5e-4


def test_a_model_in_reduced_precision_is_no_source(plain_file: Path, tmp_path: Path) -> None:
    bundle = read_bundle(plain_file)
    source = tmp_path / "bf16.onnx"
    accuracy = Accuracy(
        clips="x",
        backend="openvino",
        n_clips=2,
        n_machines=1,
        score_error=0.1,
        rank_correlation=1.0,
        auc_fp32=None,
        auc=None,
        decision_flips=None,
    )
    write_bundle(source, bundle.model, replace(bundle.manifest, precision="bf16", accuracy=accuracy))
    with pytest.raises(CheckpointError, match="the model is bf16; expected a model in fp32, or a"):
        export_onnx(source, tmp_path / "x.onnx")


def test_an_onnx_file_of_another_program_is_no_source(plain_file: Path, tmp_path: Path) -> None:
    model = onnx.load(plain_file)
    model.ClearField("metadata_props")
    onnx.save(model, tmp_path / "foreign.onnx")
    with pytest.raises(ModelFileError, match="without an osscl manifest"):
        export_onnx(tmp_path / "foreign.onnx", tmp_path / "x.onnx")


def test_the_console_leaves_rewrites_out(plain_file: Path, tmp_path: Path) -> None:
    output = tmp_path / "x.onnx"
    left_out = ["--without-rewrite", "prelu_as_relu", "--without-rewrite", "unused_dropped"]
    result = osscl("export", plain_file, "-o", output, *left_out, "--json")
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["accuracy"] is None
    assert read_bundle(output).manifest.graph_rewrites == (
        "batch_norm_folded",
        "strided_conv_over_frames",
        "conv1d_as_conv2d",
        "gathers_by_rows",
        "norm_not_spread",
    )
    assert "PRelu" in operators(output)
    assert (
        osscl("export", plain_file, "-o", output, "--without-rewrite", "all", "--overwrite").returncode == 0
    )
    assert read_bundle(output).manifest.graph_rewrites == ()
    assert re.search(r"^rewrites +none", osscl("inspect", output).stdout, re.MULTILINE)


def test_the_console_names_the_rewrites_there_are(plain_file: Path, tmp_path: Path) -> None:
    wrong = (["magic"], ["all", "magic"])
    options = [[part for name in names for part in ("--without-rewrite", name)] for names in wrong]
    export = ("export", plain_file, "-o", tmp_path / "x.onnx")
    for result in osscl_each([(*export, *each) for each in options], packages=WITH_TORCH):
        assert result.returncode == 2
        assert result.stderr.splitlines()[-1] == (
            f"error: --without-rewrite is magic; choose out of: {', '.join(REWRITES)}"
        )
    assert list(tmp_path.iterdir()) == []
