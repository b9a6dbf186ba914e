"""The notebook of examples/: every cell runs, in a kernel of its own, and no output is kept."""

import os
import re
from typing import Any

import pytest

from conftest import REPOSITORY

nbformat = pytest.importorskip("nbformat", reason="reads the notebook: pip install nbformat")
nbclient = pytest.importorskip("nbclient", reason="runs the notebook: pip install nbclient")
pytest.importorskip("ipykernel", reason="is the notebook's kernel: pip install ipykernel")
pytest.importorskip("matplotlib", reason="makes the notebook's plots: pip install matplotlib")

NOTEBOOK = REPOSITORY / "examples" / "notebook.ipynb"
KERNEL_S = 300  # only stops a kernel that hangs


def read() -> Any:
    return nbformat.read(NOTEBOOK, as_version=4)


def outputs(notebook: Any, kind: str) -> list[Any]:
    """All outputs of code cells that are of a MIME type, or "text" of streams."""
    made = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    if kind == "text":
        return [output.text for output in made if output.output_type == "stream"]
    return [output.data[kind] for output in made if kind in output.get("data", {})]


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The notebook after all its cells ran; what Jupyter and Matplotlib keep lies in temporary folders."""
    home = tmp_path_factory.mktemp("home")
    own = {
        "HOME": str(home),
        "IPYTHONDIR": str(home),
        "MPLCONFIGDIR": str(home),
    }
    own |= {f"JUPYTER_{kind}_DIR": str(home / kind) for kind in ("CONFIG", "DATA", "RUNTIME")}
    environment = {name: value for name, value in (os.environ | own).items() if name != "MPLBACKEND"}
    notebook = read()
    client = nbclient.NotebookClient(
        notebook, timeout=KERNEL_S, kernel_name="python3", resources={"metadata": {"path": str(home)}}
    )
    client.execute(env=environment)
    return notebook


def test_every_cell_runs_and_shows_two_plots(executed: Any) -> None:
    code = [cell for cell in executed.cells if cell.cell_type == "code"]
    assert all(cell.execution_count is not None for cell in code)
    assert len(outputs(executed, "image/png")) == 2


def test_it_finds_what_is_faulty_and_says_why(executed: Any) -> None:
    text = "".join(outputs(executed, "text"))
    assert "56 normal recordings to learn from, 32 to judge, 16 of them faulty" in text
    found = re.findall(
        r"(memory|both): (\d+) of 16 faulty clips found, (\d+) false alarms, AUC ([\d.]+)", text
    )
    assert [rule for rule, *_ in found] == ["memory", "both"]
    for _, n_found, n_false_alarms, area in found:
        assert int(n_found) >= 11
        assert int(n_false_alarms) <= 4
        assert float(area) > 0.9
    assert "anomalous: True" in text
    assert " dB" in text


def test_the_repository_keeps_no_outputs() -> None:
    for cell in read().cells:
        if cell.cell_type == "code":
            assert cell.outputs == []
            assert cell.execution_count is None
