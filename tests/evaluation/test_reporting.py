"""What a report says of domains, on a screen, in Markdown, CSV and JSON."""

import csv
import io
import json

import pytest

from osscl.evaluation.challenge_rules import Told, rules_of_year
from osscl.evaluation.labelled import Labelled, LabelledScore
from osscl.evaluation.report import to_json, to_markdown
from osscl.evaluation.report_csv import to_csv
from osscl.evaluation.report_notes import notes_of
from osscl.evaluation.report_tables import Report
from osscl.evaluation.reporting import Counting, report_on
from osscl.machines.domains import DOMAINS


def labelled(sign: int, *, target: bool = True) -> Labelled:
    clips = [
        LabelledScore("fan/section_00", f"{n}.wav", sign * n, n > 3, None, DOMAINS[n % 2 if target else 0])
        for n in range(8)
    ]
    return Labelled(scores=clips)


def report(year: int = 2023, by: str = "names", *, max_fpr: float = 0.1, target: bool = True) -> Report:
    rules = rules_of_year(year)
    by_rule = {"network": labelled(-1, target=target), "memory": labelled(1, target=target)}
    counting = Counting(Told(rules, rules.name, by), max_fpr, 0, 0)
    return report_on(labelled(1, target=target), by_rule, counting, {}, None)


def test_rules_stand_side_by_side_by_domain() -> None:
    text = to_markdown(report())
    assert "## Each rule by domain, as DCASE 2022 to 2025 counts, %" in text
    assert "| network | 0.00 | 0.00 | 47.37 | 0.00 |" in text
    assert "| memory | 100.00 | 100.00 | 100.00 | 100.00 |" in text
    document = json.loads(to_json(report()))
    assert document["domains"]["source"]["auc"]["value"] == 1
    assert document["domains_by_rule"]["network"]["target"]["auc"]["value"] == 0
    rows = list(csv.DictReader(io.StringIO(to_csv(report()))))
    told = {(row["rule"], row["level"], row["domain"]): row["auc"] or row["harmonic_mean"] for row in rows}
    assert told["", "total", "target"] == "1.0"
    assert told["network", "total", "both"] == "0.0"


def test_2021_has_a_pauc_a_domain() -> None:
    text = to_markdown(report(2021))
    assert "| section | AUC source | AUC target | pAUC source | pAUC target | harmonic mean |" in text
    assert "AUC and pAUC of its own clips, as DCASE 2021 counts; the names tell these years" in text


@pytest.mark.parametrize(
    ("made", "note"),
    [
        (report(), "of all sections, as DCASE 2022 to 2025 counts its official score. It is 0 where"),
        (report(by="--challenge"), "in the last line of all sections, the official score. It is 0 where one"),
        (report(max_fpr=0.2), "as DCASE 2022 to 2025 counts its official score but for where pAUC ends"),
        (report(target=False), "no official score, as long as figures are missing"),
        (
            report(target=False),
            "left out of the means: fan/section_00, AUC of the target domain: no normal clip.",
        ),
        (report(), "evaluators put 2.2e-16 in its place"),
    ],
)
def test_notes_say_what_is_official_and_what_is_missing(made: Report, note: str) -> None:
    assert note in " ".join(notes_of(made))


def test_without_domains_nothing_is_said_of_them() -> None:
    clips = [clip._replace(domain=None, machine="fan/id_00") for clip in labelled(1).scores]
    rules = rules_of_year(2020)
    told = report_on(
        Labelled(scores=clips), {}, Counting(Told(rules, rules.name, "names"), 0.1, 0, 0), {}, None
    )
    assert told.domains is None
    assert "domain" not in to_markdown(told)
    asked = report_on(
        Labelled(scores=clips), {}, Counting(Told(rules, rules.name, "--challenge"), 0.1, 0, 0), {}, None
    )
    assert "## DCASE 2020, official: ID means, %" in to_markdown(asked)
    assert "| fan | 1 | 100.00 | 100.00 |" in to_markdown(asked)
