"""The reference of a recipe's keys, as it stands in the built pages, is what the program reads."""

import re
import sys
import tomllib

import msgspec

from conftest import REPOSITORY
from osscl.training.train_config import TrainConfig

sys.path.insert(0, str(REPOSITORY / "docs"))

from recipe_reference import MARK, recipe_reference

ROW = re.compile(r"^\| `(\w+)` \| (.+?) \| (?:`(.+?)`)? ?\| (.+) \|$", re.MULTILINE)


def test_every_key_stands_there_once_with_its_default() -> None:
    rows = ROW.findall(recipe_reference())
    fields = msgspec.structs.fields(TrainConfig)
    assert [name for name, *_ in rows] == [field.name for field in fields]
    recipe = "\n".join(f"{name} = {default}" for name, _, default, _ in rows if default)
    assert TrainConfig(**tomllib.loads(recipe)) == TrainConfig()
    without = {name for name, _, default, _ in rows if not default}
    assert without == {field.name for field in fields if field.default is None}
    assert all(len(what) > 5 for *_, what in rows)


def test_the_page_has_a_place_for_it() -> None:
    page = (REPOSITORY / "docs" / "training.md").read_text(encoding="utf-8")
    assert page.count(MARK) == 1
    assert f"## Keys of a recipe\n\n{MARK}" in page or page.index("## Keys of a recipe") < page.index(MARK)
