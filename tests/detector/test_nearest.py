"""Which machines a network takes a clip for."""

from collections.abc import Iterator

import numpy as np
import pytest
from msgspec.structs import replace

import osscl
from osscl.detector.nearest import Neighbour, neighbours
from osscl.errors import ConfigError, ModelFileError
from support.remembering import normal_clips, stored_memory, write_model


@pytest.fixture(scope="module")
def demo() -> Iterator[osscl.Detector]:
    with osscl.load("demo") as detector:
        yield detector


def test_the_nearest_machines_come_first(demo: osscl.Detector) -> None:
    clips = normal_clips(5, 2)
    found = demo.nearest(clips, n=48)
    assert [len(of_clip) for of_clip in found] == [48, 48]
    for of_clip in found:
        cosines = [each.cosine for each in of_clip]
        assert cosines == sorted(cosines, reverse=True)
        assert {each.machine for each in of_clip} == set(demo.machines)
    assert demo.nearest(clips[0]) == [found[0][:3]]
    with pytest.raises(ConfigError, match="n is 0"):
        demo.nearest(clips, n=0)


def test_an_explanation_names_another_machine_that_a_clip_sounds_like(demo: osscl.Detector) -> None:
    clip = normal_clips(5, 1)[0]
    nearest, other = demo.nearest(clip, n=2)[0]
    stranger = demo.explain(clip, other.machine)
    assert stranger.sounds_like == nearest.machine
    assert stranger.sentence.endswith(f"; sounds like {nearest.machine}")
    own = demo.explain(clip, nearest.machine)
    assert own.sounds_like is None
    assert "sounds like" not in own.sentence


def test_a_machine_of_several_classes_counts_once_by_its_nearest(demo: osscl.Detector) -> None:
    model = replace(demo.manifest.network.model, classes=("a", "b", "c"))
    manifest = replace(demo.manifest, model=model, class_machines=("fan", "pump", "fan"))
    cosine = np.array([0.1, 0.5, 0.75], np.float32)
    assert neighbours(cosine, manifest) == [Neighbour("fan", 0.75), Neighbour("pump", 0.5)]


def test_memories_alone_know_no_neighbours(tmp_path_factory: pytest.TempPathFactory) -> None:
    model = tmp_path_factory.mktemp("memories") / "model.onnx"
    write_model(model, [stored_memory("fan/id_00", normal_clips(1, 10))], network=False)
    with osscl.load(model) as detector, pytest.raises(ModelFileError, match="no network"):
        detector.nearest(normal_clips(5, 1)[0])
