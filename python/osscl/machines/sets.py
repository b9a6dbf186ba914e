"""Public data sets of machine sound: what each is, where it lies, and the commands that fetch and unpack it.

osscl downloads nothing itself. What is not known for certain is None here: the record's page says it.
"""

from typing import Literal, NamedTuple, TypeAlias

from osscl.errors import ConfigError

Archive: TypeAlias = Literal["zip", "zip that needs a folder", "7z in pieces", "zip of videos"]
"""How recordings are packed. Some archives hold equal paths: each of them then needs a folder of its own."""


class Part(NamedTuple):
    """What one Zenodo record holds.

    Attributes
    ----------
    name : str
        What the set's makers call it.
    record : int
        Number of the record.
    folder : str
        Where it is unpacked, below the folder of the set; empty for that folder itself.
    size : str or None
        What is downloaded.
    """

    name: str
    record: int
    folder: str = ""
    size: str | None = None

    @property
    def address(self) -> str:
        """Page of the record."""
        return f"https://zenodo.org/records/{self.record}"


class PublicSet(NamedTuple):
    """A data set.

    Attributes
    ----------
    name : str
        How ``osscl data`` calls it, and the folder that its commands make.
    title : str
        Its own name.
    what : str
        What was recorded.
    parts : tuple of Part
        Its records.
    licence : str or None
        What it may be used for.
    archive : str
        How it is packed.
    options : str or None
        What osscl has to be told so that its recordings fit or their machines are known.
    labels : str or None
        Where the labels of its evaluation set lie.
    """

    name: str
    title: str
    what: str
    parts: tuple[Part, ...]
    licence: str | None = None
    archive: Archive = "zip"
    options: str | None = None
    labels: str | None = None

    def fetching(self) -> list[str]:
        """Shell commands that download the set into a folder of its name; complete files are kept."""
        return [
            "pip install zenodo-get",
            *(f"zenodo_get {part.record} -o {self._archives(part)}" for part in self.parts),
        ]

    def unpacking(self) -> list[str]:
        """Shell commands that unpack what was downloaded."""
        return [command for part in self.parts for command in self._unpack(part)]

    def _archives(self, part: Part) -> str:
        return f"{self.name}/archives/{part.name.replace(' ', '-')}"

    def _unpack(self, part: Part) -> list[str]:
        archives, folder = self._archives(part), f"{self.name}/{part.folder}".rstrip("/")
        if self.archive == "7z in pieces":
            return [f'for first in {archives}/*.001; do 7z x "$first" -o{folder}; done']
        own = '/$(basename "$zip" .zip)' if self.archive == "zip that needs a folder" else ""
        unzip = f'for zip in {archives}/*.zip; do python3 -m zipfile -e "$zip" "{folder}{own}"; done'
        if self.archive == "zip of videos":
            convert = 'ffmpeg -nostdin -loglevel error -i "$1" -vn "${1%.mp4}.wav"'
            return [unzip, f"find {folder} -name '*.mp4' -exec sh -c '{convert}' sh {{}} \\;"]
        return [unzip]


def _dcase(
    year: int, what: str, records: tuple[int, int, int], labels: str, options: str | None = None
) -> PublicSet:
    development, additional, evaluation = records
    return PublicSet(
        name=f"dcase{year}",
        title=f"DCASE {year} Challenge Task 2",
        what=what,
        parts=(
            Part("development", development, "dev_data"),
            Part("additional training", additional, "eval_data"),
            Part("evaluation", evaluation, "eval_data"),
        ),
        licence="CC BY-NC-SA 4.0",
        options=options,
        labels=labels,
    )


_EVALUATORS = "https://github.com/nttcslab/dcase{}_task2_evaluator"

PUBLIC_SETS: tuple[PublicSet, ...] = (
    _dcase(
        2020,
        "six machine types, IDs; normal clips to train on; the set of the OS-SCL paper",
        (3678171, 3727685, 3841772),
        "https://zenodo.org/records/3951620/files/eval_data_list.csv",
    ),
    _dcase(
        2021,
        "seven machine types, sections; source and target domain, tested apart",
        (4562016, 4660992, 4884786),
        "https://github.com/y-kawagu/dcase2021_task2_evaluator",
    ),
    _dcase(
        2022,
        "seven machine types, sections; domains not told apart in the test, attributes",
        (6355122, 6462969, 6586456),
        "https://github.com/Kota-Dohi/dcase2022_evaluator",
    ),
    _dcase(
        2023,
        "first-shot: one section a type, other machine types in the evaluation set",
        (7882613, 7830345, 7860847),
        _EVALUATORS.format(2023),
        "--pad repeat",
    ),
    _dcase(
        2024,
        "first-shot, nine new machine types in the evaluation set, some without attributes",
        (10902294, 11259435, 11363076),
        _EVALUATORS.format(2024),
        "--pad repeat",
    ),
    _dcase(
        2025,
        "first-shot, eight new machine types; clean machine or noise alone as supplement",
        (15097779, 15392814, 15519362),
        _EVALUATORS.format(2025),
        "--pad repeat",
    ),
    PublicSet(
        "mimii",
        "MIMII",
        "fans, pumps, sliders and valves, four of each, at three levels of noise; eight channels",
        (Part("all", 3384388, "", "100 GB"),),
        "CC BY-SA 4.0",
        "zip that needs a folder",
        "--channel 0",
    ),
    PublicSet(
        "mimii_due",
        "MIMII DUE",
        "five industrial machine types, sections; source and target domain",
        (Part("all", 4740355),),
        "CC BY-NC-SA 4.0",
    ),
    PublicSet(
        "mimii_dg",
        "MIMII DG",
        "five industrial machine types, three sections each, made for domain generalisation",
        (Part("all", 6529888, "", "4.4 GB"),),
    ),
    PublicSet(
        "toyadmos",
        "ToyADMOS",
        "toy cars, conveyors and trains, 540 hours; four microphones, 48 kHz",
        (Part("all", 3351307, "", "180 GB"),),
        "the makers' own",
        "7z in pieces",
        "--resample and --labels TABLE: its names tell no machine as osscl reads them",
    ),
    PublicSet(
        "toyadmos2",
        "ToyADMOS2",
        "toy cars and trains at several speeds, with graded damage; MPEG-4 files",
        (Part("all", 4580270),),
        "the makers' own",
        "zip of videos",
        "--resample",
    ),
    PublicSet(
        "idmt",
        "IDMT-ISA-ELECTRIC-ENGINE",
        "one electric engine: good, broken, under heavy load; clips of 3 s, 44.1 kHz",
        (Part("all", 7551261),),
        "CC BY-NC-ND 4.0",
        options="--resample --pad repeat",
    ),
)
"""All sets that osscl knows, in the order in which they are listed.

References
----------
Records: the read-me files of the challenge's baselines (``nttcslab/dcase2023_task2_baseline_ae``) and of
each set's makers.
"""

MISSING = "see the record's page"
"""What stands for a fact that is not known here."""


def public_set(name: str) -> PublicSet:
    """Find a set by its name.

    Parameters
    ----------
    name : str
        Name of one of `PUBLIC_SETS`, in any case.

    Returns
    -------
    PublicSet
        The set.

    Raises
    ------
    ConfigError
        There is none of that name.
    """
    for each in PUBLIC_SETS:
        if each.name == name.lower():
            return each
    raise ConfigError(
        f"no data set is called '{name}'; expected one of: {', '.join(s.name for s in PUBLIC_SETS)}"
    )
