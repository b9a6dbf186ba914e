"""Public data sets: what is said of each, and where its commands unpack it."""

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from osscl.errors import ConfigError
from osscl.machines.sets import PUBLIC_SETS, PublicSet, public_set

SETS = [pytest.param(each, id=each.name) for each in PUBLIC_SETS]


def test_every_set_that_was_asked_for_is_there_once() -> None:
    names = [each.name for each in PUBLIC_SETS]
    years = [f"dcase{year}" for year in range(2020, 2026)]
    assert names == [*years, "mimii", "mimii_due", "mimii_dg", "toyadmos", "toyadmos2", "idmt"]
    records = [part.record for each in PUBLIC_SETS for part in each.parts]
    assert len(set(records)) == len(records) == 6 * 3 + 6
    assert all(re.fullmatch(r"[0-9]{7,8}", str(record)) for record in records)


@pytest.mark.parametrize("each", SETS)
def test_the_commands_name_every_record_and_are_shell(each: PublicSet) -> None:
    fetch = "\n".join(each.fetching())
    assert re.findall(r"zenodo_get ([0-9]+) -o", fetch) == [str(part.record) for part in each.parts]
    done = subprocess.run(["sh", "-n"], input="\n".join([fetch, *each.unpacking()]), text=True, timeout=60)
    assert done.returncode == 0


def unpack(each: PublicSet, archives: dict[str, list[str]], folder: Path) -> set[str]:
    """Run the commands on archives of empty files; where these lie afterwards."""
    for archive, names in archives.items():
        path = folder / each.name / "archives" / archive
        path.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(path, "w") as zipped:
            for name in names:
                zipped.writestr(name, "")
    # python3 of the commands is the one that runs the tests, wherever that lies
    (folder / "bin").mkdir()
    (folder / "bin" / "python3").symlink_to(sys.executable)
    commands = f"PATH={folder}/bin:$PATH\n" + "\n".join(each.unpacking())
    done = subprocess.run(
        ["sh", "-e", "-c", commands], cwd=folder, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    found = (path.relative_to(folder / each.name) for path in (folder / each.name).rglob("*.wav"))
    return {path.as_posix() for path in found}


def test_training_and_test_clips_of_the_evaluation_set_come_together(tmp_path: Path) -> None:
    archives = {
        "development/dev_fan.zip": ["fan/train/a.wav", "fan/test/b.wav"],
        "additional-training/eval_data_saw_train.zip": ["saw/train/c.wav"],
        "evaluation/eval_data_saw_test.zip": ["saw/test/d.wav"],
    }
    assert unpack(public_set("DCASE2023"), archives, tmp_path) == {
        "dev_data/fan/train/a.wav",
        "dev_data/fan/test/b.wav",
        "eval_data/saw/train/c.wav",
        "eval_data/saw/test/d.wav",
    }


def test_levels_of_noise_of_mimii_do_not_overwrite_each_other(tmp_path: Path) -> None:
    clip = "fan/id_00/normal/00000000.wav"
    archives = {"all/-6_dB_fan.zip": [clip], "all/6_dB_fan.zip": [clip]}
    assert unpack(public_set("mimii"), archives, tmp_path) == {f"-6_dB_fan/{clip}", f"6_dB_fan/{clip}"}


def test_another_name_is_answered_with_those_that_there_are() -> None:
    with pytest.raises(ConfigError, match=r"no data set is called 'dcase2019'; expected one of: dcase2020, "):
        public_set("dcase2019")
