"""``osscl data``: the list, one set, JSON, and a name that is none."""

import json

from osscl.machines.sets import PUBLIC_SETS
from support.console import osscl_each


def test_sets_are_listed_and_shown_with_commands_that_can_be_copied() -> None:
    listed, shown, document, everything, wrong = osscl_each(
        [
            ("data",),
            ("data", "mimii_dg"),
            ("data", "dcase2020", "--json"),
            ("data", "--json"),
            ("data", "dcase1999"),
        ]
    )
    assert [line.split()[0] for line in listed.stdout.splitlines() if line[:1].strip()] == [
        "set",
        *(each.name for each in PUBLIC_SETS),
    ]
    sizes = [
        line
        for each in PUBLIC_SETS
        if each.parts[0].size is None
        for line in listed.stdout.splitlines()
        if line.startswith(f"{each.name} ")
    ]
    assert sizes
    assert all("see the record's page" in line for line in sizes)  # no cell is empty
    # what is not known is said to be elsewhere, and never guessed
    assert "licence" in shown.stdout
    assert "see the record's page" in shown.stdout
    lines = shown.stdout.splitlines()
    assert "zenodo_get 6529888 -o mimii_dg/archives/all" in lines
    assert any(line.startswith("for zip in mimii_dg/archives/all/*.zip;") for line in lines)
    one = json.loads(document.stdout)
    assert [part["zenodo_record"] for part in one["parts"]] == [3678171, 3727685, 3841772]
    assert one["parts"][0]["address"] == "https://zenodo.org/records/3678171"
    assert one["fetch"][0] == "pip install zenodo-get"
    assert one["parts"][0]["size"] is None
    assert len(json.loads(everything.stdout)["sets"]) == len(PUBLIC_SETS)
    assert wrong.returncode == 2
    assert "no data set is called 'dcase1999'; expected one of: dcase2020" in " ".join(
        wrong.stderr.replace("│", " ").split()
    )
