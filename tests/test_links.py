"""Links that lead nowhere, and what is missing."""

from pathlib import Path

from osscl.support.links import missing


def test_what_cannot_be_looked_at_is_there(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "dangling").symlink_to("nothing")
    (tmp_path / "file").touch()
    found = {
        name: missing(tmp_path / name) is None for name in ("loop", "dangling", "file", "file/x", "none")
    }
    assert found == {"loop": True, "dangling": False, "file": True, "file/x": False, "none": False}
