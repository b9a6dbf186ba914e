"""What a report says in words, and that it gives no interval of a few clips."""

import json

from osscl.evaluation.labelled import Labelled, LabelledScore
from osscl.evaluation.published_figures import PAPER
from osscl.evaluation.report import to_json, to_markdown
from osscl.evaluation.report_notes import notes_of
from osscl.evaluation.report_tables import Report, Unscored
from osscl.evaluation.report_words import words_of
from osscl.evaluation.reporting import Counting, report_on


def clips(n: int, *, decided: bool, machine: str = "fan/id_00", first: float = 0.0) -> list[LabelledScore]:
    """Normal clips that score 0, 1 ... and as many anomalous ones from `first` on; half of n is flagged."""
    return [
        LabelledScore(
            machine,
            f"{'anomaly' if is_anomaly else 'normal'}_{number}.wav",
            number + first * is_anomaly,
            is_anomaly,
            number + first * is_anomaly >= n / 2 if decided else None,
        )
        for is_anomaly in (False, True)
        for number in range(n)
    ]


def report(scores: list[LabelledScore]) -> Report:
    return report_on(Labelled(scores=scores), {}, Counting(None, 0.1, 50, 0), {}, None)


def test_missed_clips_are_named_and_counted() -> None:
    pump = clips(12, decided=True, machine="pump/id_00", first=20)
    found = report([*clips(12, decided=True, first=4.5), *pump])
    meaning, missed, following = words_of(found)
    assert meaning == (
        "AUC counts the pairs of an anomalous and a normal clip of one machine in which the anomalous one "
        "scores higher: here 90.3 of 100, fewest of fan/id_00 (80.6); 50 is chance, 100 is perfect."
    )
    assert missed == (
        "missed: 2 of 24 anomalous clips (anomaly_0.wav of fan/id_00, anomaly_1.wav of fan/id_00); "
        "12 of 24 normal clips flagged by mistake."
    )
    assert following.startswith("next: listen to what was missed (osscl report SCORES")
    document = json.loads(to_json(found))
    assert [clip["name"] for clip in document["missed"]] == ["anomaly_0.wav", "anomaly_1.wav"]
    assert missed in to_markdown(found)
    none = report(clips(12, decided=True, first=20))
    assert list(words_of(none))[1:] == [
        "none of 12 anomalous clips missed; 6 of 12 normal clips flagged by mistake.",
        "next: evaluate recordings of other days in the same way, before the model is relied on.",
    ]


def test_where_nothing_was_decided_the_scores_speak() -> None:
    found = report(clips(12, decided=False, first=2))
    _, undecided, following = words_of(found)
    names = ", ".join(f"anomaly_{number}.wav of fan/id_00" for number in range(4))
    assert undecided == (
        "nothing was decided, so no clip was found or missed; by score alone 4 of 12 anomalous clips lie "
        f"below half of the normal clips of their machine ({names})."
    )
    assert following.startswith("next: let the model decide (osscl enroll or calibrate")


def test_of_scores_no_better_than_chance_nothing_is_to_be_decided() -> None:
    chance = list(words_of(report(clips(12, decided=False))))[-1]
    assert chance.startswith("next: decide nothing by these scores, which are no better than chance: ask")
    assert "let the model decide" not in chance
    better = list(words_of(report(clips(12, decided=False, first=2))))[-1]
    assert "no better than chance" not in better


def test_published_figures_of_other_machines_are_no_table() -> None:
    def beside(machine: str) -> str:
        scores = Labelled(scores=clips(12, decided=False, machine=machine))
        return to_markdown(report_on(scores, {}, Counting(None, 0.1, 50, 0), {}, PAPER))

    title, note = "Beside the published figures", "no published figure is of these machine types"
    assert (title in beside("fan/id_00"), note in beside("fan/id_00")) == (True, False)
    assert (title in beside("blower/id_00"), note in beside("blower/id_00")) == (False, True)


def test_a_few_clips_have_no_interval() -> None:
    few = report([*clips(2, decided=True), *clips(12, decided=True, machine="pump/id_00")])
    text = to_markdown(few)
    assert "| fan/id_00 | 2 | 2 | 50.00 | too few |" in text
    assert "too few: an interval means nothing where a machine ID has fewer than 10 normal" in text
    assert "as 1 of 2 here" in text
    assert list(words_of(few))[-1].endswith(
        ", and evaluate more recordings, since with so few clips chance decides the figures."
    )
    of_few = [row for row in text.splitlines() if row.startswith(("| fan |", "| mean of types |"))]
    assert len(of_few) == 2
    assert all("–" not in row and "too few" in row for row in of_few)
    many = to_markdown(report(clips(12, decided=True)))
    assert "too few" not in many
    assert "–" in many


def test_clips_without_a_score_are_named() -> None:
    made = report(clips(12, decided=True))
    unscored = [Unscored("a.wav", "corrupt", "the file is empty"), Unscored("b.wav", "unknown_machine", None)]
    told = " ".join(notes_of(Report(source={}, evaluation=made.evaluation, unscored=unscored)))
    assert "in no figure: 2 clips (a.wav: the file is empty, b.wav: unknown_machine)." in told
