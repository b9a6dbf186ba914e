"""The table of a recipe's keys is what the program reads."""

import re
import runpy
import tomllib

import msgspec

from conftest import REPOSITORY
from osscl.training.train_config import TrainConfig

MADE = runpy.run_path(str(REPOSITORY / "docs" / "recipe_reference.py"))

ROW = re.compile(r"^\| `(\w+)` \| (.+?) \| (?:`(.+?)`)? ?\| (.+) \|$", re.MULTILINE)


def test_every_key_stands_there_once_with_its_default() -> None:
    rows = ROW.findall(MADE["recipe_reference"]())
    fields = msgspec.structs.fields(TrainConfig)
    assert [name for name, *_ in rows] == [field.name for field in fields]
    recipe = "\n".join(f"{name} = {default}" for name, _, default, _ in rows if default)
    assert TrainConfig(**tomllib.loads(recipe)) == TrainConfig()
    without = {name for name, _, default, _ in rows if not default}
    assert without == {field.name for field in fields if field.default is None}
    assert all(len(what) > 5 for *_, what in rows)
