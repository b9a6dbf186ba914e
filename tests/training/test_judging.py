"""The verdict on a training: from counts alone, by exact bounds."""

import math

import pytest
from scipy.stats import beta, binomtest

from osscl.decisions.uncertainty import exact_bounds
from osscl.model_file.verdict import Verdict, contradiction_in
from osscl.training.judging import ADVICE, advised, early_warning, enough_held_out, judge

TWELVE = [200] * 12


@pytest.mark.parametrize(("hits", "trials"), [(0, 5), (5, 5), (1, 12), (10, 120), (116, 120), (1, 1)])
def test_bounds_are_clopper_and_pearsons(hits: int, trials: int) -> None:
    low, high = exact_bounds(hits, trials, 0.95)
    assert low == pytest.approx(beta.ppf(0.05, hits, trials - hits + 1) if hits else 0.0, abs=1e-9)
    assert high == pytest.approx(beta.ppf(0.95, hits + 1, trials - hits) if hits < trials else 1.0, abs=1e-9)
    two_sided = binomtest(hits, trials).proportion_ci(0.90)
    assert (low, high) == pytest.approx((two_sided.low, two_sided.high), abs=1e-9)


@pytest.mark.parametrize(
    ("right", "clips", "of_class", "word"),
    [
        pytest.param(10, 120, TWELVE, "nothing", id="an accuracy of 0.083 of 12 machines"),
        pytest.param(1, 12, TWELVE, "nothing", id="the same of a clip each"),
        pytest.param(116, 120, TWELVE, "learned", id="nearly all"),
        pytest.param(12, 12, TWELVE, "learned", id="all of few"),
        pytest.param(99, 120, TWELVE, "partly", id="0.83: not converged"),
        pytest.param(108, 120, TWELVE, "learned", id="0.9 is enough"),
        pytest.param(107, 120, TWELVE, "partly", id="less than 0.9 is not"),
        pytest.param(1200, 10_000, TWELVE, "nothing", id="above chance, and hardly"),
        pytest.param(4, 12, TWELVE, "partly", id="few, and above chance"),
        pytest.param(3, 12, TWELVE, "cannot_tell", id="few, and perhaps above chance"),
        pytest.param(3, 3, [4, 4], "cannot_tell", id="three of three between two"),
        pytest.param(20, 40, [40, 40], "nothing", id="a coin"),
        pytest.param(10, 20, [40, 40], "cannot_tell", id="a coin thrown too seldom"),
        pytest.param(0, 3, [4, 4, 4], "cannot_tell", id="none of three"),
        pytest.param(900, 1000, [900, 100], "nothing", id="always the most frequent machine"),
    ],
)
def test_words(right: int, clips: int, of_class: list[int], word: str) -> None:
    verdict = judge(right, clips, of_class, 0.1)
    assert verdict.word == word
    assert contradiction_in(verdict) is None


def test_a_verdict_says_its_figures_and_what_to_do() -> None:
    verdict = judge(10, 120, TWELVE)
    assert str(verdict) == (
        "the network learned nothing: 10 of 120 held-out clips lie nearest to their own class of 12 "
        "(accuracy 0.083, 0.046 to 0.137 by an exact bound; chance 0.083)"
    )
    assert advised(verdict) == f"{verdict}; {ADVICE['nothing']}"
    assert "osscl score --rule memory" in advised(verdict)
    learned = judge(120, 120, TWELVE)
    assert advised(learned) == str(learned)


@pytest.mark.parametrize("n_classes", [2, 6, 41])
def test_so_many_clips_held_out_tell_whatever_comes_out(n_classes: int) -> None:
    of_class = [10] * n_classes
    verdict = judge(1, 3, of_class)
    assert verdict.word == "cannot_tell"
    enough = enough_held_out(verdict)
    words = [{judge(right, n, of_class).word for right in range(n + 1)} for n in (enough, enough - 5)]
    assert ["cannot_tell" in each for each in words] == [False, True]
    share = f"--hold-out {math.ceil(enough / 10) / 100:g}"
    assert f"{enough} of these 1000 clips would do: train with {share};" in advised(verdict, 1000)
    assert f"these are {enough} clips in all: record more" in advised(verdict, enough)
    assert "train with a larger --hold-out, or record more" in advised(verdict)


def test_what_contradicts_itself_is_seen() -> None:
    def changed(**fields: float) -> Verdict:
        figures = {"n_clips": 12, "n_right": 1, "n_classes": 12, "chance": 1 / 12, "low": 0.0, "high": 0.4}
        return Verdict(word="nothing", **(figures | fields))  # type: ignore[arg-type]

    assert contradiction_in(changed()) is None
    assert "13 of 12 held-out clips" in str(contradiction_in(changed(n_right=13)))
    assert "lies outside 0.2 to 0.4" in str(contradiction_in(changed(low=0.2)))


def test_one_early_warning_after_half_of_the_epochs() -> None:
    at_chance, trained = judge(10, 120, TWELVE, -0.013), judge(119, 120, TWELVE, 0.4)
    said = {
        epochs: [early_warning(n, epochs, at_chance) for n in range(1, epochs + 1)] for epochs in (1, 2, 7)
    }
    assert [[warning is not None for warning in each] for each in said.values()] == [
        [False],
        [True, False],
        [False] * 3 + [True] + [False] * 3,
    ]
    warning = said[2][0]
    assert warning is not None
    assert "10 of 120 held-out clips lie nearest to their own class (chance 0.083)" in warning
    assert "their own class is 0.013 farther by cosine than the best other one" in warning
    assert "osscl score --rule memory, rather than network or both" in warning
    assert early_warning(1, 2, trained) is None
