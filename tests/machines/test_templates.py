"""Templates of paths: what their fields may stand for, all of it, and what is no template."""

import random
import re
from itertools import combinations

import pytest

from osscl.machines.templates import Template, TemplateError


@pytest.mark.parametrize(
    ("template", "path", "machines"),
    [
        ("{machine}_{time}.wav", "Press-3_2026-01-05T04-00.wav", {"Press-3"}),
        ("{machine}_{time}", "Press-3_2026-01-05T04-00.wav", {"Press-3"}),
        ("{machine}_{time}.wav", "Press-3_2026-01-05T04-00.WAV", {"Press-3"}),
        ("{machine}_{time}.WAV", "Press-3_2026-01-05T04-00.wav", {"Press-3"}),
        ("{machine}_x.wav", "press_3_x.Wav", {"press_3"}),
        ("{machine}_{time}.{ending}", "Press-3_2026-01-05T04-00.flac", {"Press-3"}),
        ("{machine}_{time}.wav", "press_3_20260105_040000.wav", {"press_3"}),  # a time holds its own _
        ("{time}_{machine}", "2026-01-05T04-00_press.3.wav", {"press.3"}),  # no field takes the ending
        ("{machine}", "1767585600.wav", {"1767585600"}),
        ("{machine}/{time}.wav", "north/1767585600.wav", {"north"}),
        ("{machine}_{rest}.wav", "press_3_x.wav", {"press", "press_3"}),
        ("{machine}-{machine_state}/{day}/{n}.wav", "a-b-c/5/0.wav", {"a", "a-b"}),
        ("{{{machine}}}_{n}.wav", "{a}_0.wav", {"a"}),
        ("{line}/{machine}.wav", "ä/ö.wav", {"ö"}),
        ("x{machine}x.wav", "xxxx.wav", {"xx"}),
    ],
)
def test_all_that_a_field_may_stand_for(template: str, path: str, machines: set[str]) -> None:
    found = Template(template).readings(path)
    assert found is not None
    assert found["machine"] == machines


@pytest.mark.parametrize(
    ("template", "path"),
    [
        ("{machine}_{time}.wav", "day/Press-3_2026-01-05T04-00.wav"),  # fields end at slashes
        ("{machine}/{time}.wav", "2026-01-05T04-00.wav"),
        ("{machine}_{time}.wav", "Press-3_2026-01-05T24-00.wav"),  # no such time
        ("{machine}_{time}.wav", "Press-3_copy.wav"),
        ("{machine}_{time}.wav", "_2026-01-05T04-00.wav"),  # a field stands for something
        ("{machine}.wav", "north.flac"),
        ("{machine}_x.wav", "press_X.wav"),  # the ending alone may be in capitals
        ("x{machine}x.wav", "xx.wav"),
    ],
)
def test_what_does_not_fit(template: str, path: str) -> None:
    assert Template(template).readings(path) is None


@pytest.mark.parametrize(
    ("template", "path", "part"),
    [
        (
            "{machine}_{time}",
            "day/P_2026-01-05T04-00.wav",
            "it lies in 1 folder below the one .* the pattern has none",
        ),
        (
            "{machine}/{day}/{n}",
            "0.wav",
            "it lies in 0 folders below the one that was named, and the pattern has 2",
        ),
        (
            "{machine}_{time}",
            "Press-3_copy.wav",
            "its name: what stands in the place of {time} is no date and time",
        ),
        (
            "{machine}/{time}/{n}",
            "a/5/0.wav",
            "its folder 2 of 2: what stands in the place of {time} is no date",
        ),
        ("rec-{machine}_{n}", "press_3.wav", "its name: it does not begin with rec-"),
        (
            "{machine}_{n}",
            "press3.wav",
            "its name: its parts do not stand where|its name: _ stands nowhere in it",
        ),
        ("{machine}.wav", "north.flac", "its name: it does not end in .wav"),
        ("in/{machine}", "out/a.wav", "its folder 1 of 1: it is not in"),
        ("{machine}_{n}", "_3.wav", "its name: its parts do not stand where the pattern has them"),
    ],
)
def test_which_part_does_not_fit(template: str, path: str, part: str) -> None:
    made = Template(template)
    assert made.readings(path) is None
    assert re.match(part.replace("{time}", r"\{time\}"), made.misfit(path)), made.misfit(path)


@pytest.mark.parametrize(
    ("template", "telling"),
    [
        ("{machine}{time}.wav", "nothing stands between {machine} and {time}"),
        ("{machine}/{machine}_{time}.wav", "{machine} stands in it twice"),
        ("/{machine}.wav", "no path fits it"),
        ("./{machine}.wav", "no path fits it"),
        ("../{machine}.wav", "no path fits it"),
        ("{machine}//x.wav", "no path fits it"),
        ("{machine}/", "no path fits it"),
        ("{machine}_{}.wav", "{} is no field"),
        ("{machine}_{0}.wav", "{0} is no field"),
        ("{machine}_{n:03}.wav", "{n} is no field"),
        ("{machine}_{n!r}.wav", "{n} is no field"),
        ("{machine}_{n.wav", "brace"),
        ("{machine}_}.wav", "brace"),
    ],
)
def test_what_is_no_template(template: str, telling: str) -> None:
    with pytest.raises(TemplateError) as caught:
        Template(template)
    assert telling in str(caught.value)


def test_the_readings_are_those_of_all_ways_to_cut_a_name() -> None:
    """Against a search through all cuts of random names, whose letters make many of them fit in many ways."""
    rng = random.Random(0)
    n_several = 0
    for _ in range(300):
        first, *between, last = (rng.choice(["", "_"]), *rng.choices("a_", k=2), rng.choice(["", "a"]))
        name = "".join(rng.choices("a_", k=rng.randint(5, 11)))
        expected: dict[str, set[str]] = {"x": set(), "y": set(), "z": set()}
        for cuts in combinations(range(len(name) + 1), 6):
            x, y, z = (name[start:end] for start, end in zip(cuts[::2], cuts[1::2], strict=True))
            if name == f"{first}{x}{between[0]}{y}{between[1]}{z}{last}":
                for field, text in zip("xyz", (x, y, z), strict=True):
                    expected[field].add(text)
        template = f"{first}{{x}}{between[0]}{{y}}{between[1]}{{z}}{last}"
        assert Template(template).readings(name) == (expected if expected["x"] else None), (template, name)
        n_several += len(expected["x"]) > 1
    assert n_several > 50


def test_names_that_fit_in_very_many_ways_take_few_steps() -> None:
    """A search that goes back and forth would take 10^13 steps here, and never end."""
    template = Template("_".join(f"{{f{number}}}" for number in range(12)))
    found = template.readings("_" * 250)
    assert found is not None
    assert len(found["f0"]) > 100
    assert template.readings("_" * 249 + "x/") is None
