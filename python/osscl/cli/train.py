"""``osscl train``: recordings of normal machines in, checkpoints out."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from osscl.audio.reading import AS_THEY_ARE, Fit
from osscl.cli import signals
from osscl.cli.console import WorkProgress, as_json
from osscl.cli.interruption import postponed_interrupt
from osscl.cli.messages import emit, say, say_interrupted
from osscl.cli.next_command import say_next_of_training
from osscl.cli.options import takes_shared_options
from osscl.cli.recipe_options import AS_PUBLISHED, RecipeOptions
from osscl.cli.streams import refuse_closed_stdout
from osscl.cli.surveyed import say_survey
from osscl.cli.training_folders import Asked, Trainings, refuse_to_resume, refuse_used_folders, trainings_in
from osscl.cli.training_limit import TimeLimit, planned_recipes
from osscl.cli.training_result import print_result, say_verdicts
from osscl.cli.training_said import Told
from osscl.machines.dcase import type_of
from osscl.page.rendering import load_jinja2
from osscl.runs.passed_over import PassedOver
from osscl.support.durations import parse_duration
from osscl.support.failed_import import needing
from osscl.support.outputs import check_output_folder
from osscl.support.own_cache import keep_torch_inside
from osscl.support.paths import printable
from osscl.support.plurals import counted, plural
from osscl.training.config_file import read_config

if TYPE_CHECKING:
    from osscl.training import Execution, Outcome, TrainConfig, TrainingData

EXAMPLES = """[bold]Examples[/bold]\n
  osscl train dcase2020/dev_data dcase2020/eval_data --output runs/published --device cuda\n
  osscl train recordings --output runs/short --epochs 20 --learning-rate 1e-3 --precision bf16\n
  osscl train recordings --output runs/two_hours --config recipe.toml --time-limit 2h\n
  osscl train recordings --output runs/array --resample --channel 0 --pad repeat\n
  osscl train recordings --output runs/seeds --config recipe.toml --seeds 0,1,2\n
  osscl train recordings --output runs/short --resume\n
  osscl-export runs/short/best.safetensors --output model.onnx\n
\n
Ctrl-C saves after the current step, and --resume goes on. On a CPU the result is the same, bit for bit, as
without the stop.\n
Exit code: 0 complete, 1 failed, 2 wrong usage; stopped and saved: 130 by Ctrl-C,
143 by SIGTERM, 129 by SIGHUP.
"""


@takes_shared_options()
def train(
    data: Annotated[
        list[Path],
        typer.Argument(
            help="Folders with <type>/train/*.wav, .flac, .w64 or .rf64 at any depth, named like "
            "normal_id_00_00000000.wav; what several hold of one type is merged.",
            metavar="DATA",
        ),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder of the run.", metavar="RUN", readable=False)
    ],
    seeds: Annotated[
        str | None,
        typer.Option(
            help="Seed; or several, each trained in RUN/seed_N, with mean and spread; they take the place of "
            "the recipe's seed.",
            metavar="N,N",
            show_default="the recipe's, 2024",
        ),
    ] = None,
    recipe: RecipeOptions = AS_PUBLISHED,
    labels: Annotated[
        Path | None,
        typer.Option(
            help="CSV table with the columns path and machine, and perhaps label, domain and recording, of "
            "recordings in any folders.",
            metavar="TABLE",
        ),
    ] = None,
    each_type: Annotated[
        bool,
        typer.Option("--each-type", help="A network for each machine type, in RUN/<type>, not one for all."),
    ] = False,
    time_limit: Annotated[
        str | None,
        typer.Option(
            help="Time for the whole command, such as 90min or 2h: as many epochs are planned as fit, by the "
            "speed of a few steps, and no more than the recipe has; --resume keeps what was planned.",
            metavar="TIME",
        ),
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "auto",
    workers: Annotated[
        int | None,
        typer.Option(
            help="Processes that read recordings.",
            show_default="1 on a CPU, else all processors but one, at most 8",
        ),
    ] = None,
    compile: Annotated[  # noqa: A002 - the option's name
        bool, typer.Option("--compile", help="Compile the network first: slow start, faster steps.")
    ] = False,
    cache: Annotated[
        Path | None, typer.Option(help="Folder that keeps log-mels between epochs and runs.")
    ] = None,
    fit: Fit = AS_THEY_ARE,
    skip_bad: Annotated[
        bool, typer.Option("--skip-bad", help="Leave out recordings that cannot be used.")
    ] = False,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume",
            help="Go on with the run that lies in RUN, by its recipe: epochs cannot be added, and a longer "
            "training starts anew in another folder.",
        ),
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Train a network on recordings of normal machines; weights that do best on held-out ones are kept."""
    limit = None if time_limit is None else TimeLimit(parse_duration(time_limit, "--time-limit"))
    changes = recipe.changes | fit.stated()
    asked = read_config(recipe.config, changes)  # before torch takes its seconds
    check_output_folder(output)
    if not (resume or each_type):  # the folders of types are known once recordings are found
        refuse_used_folders(output, seeds)
    if resume and not each_type:
        refuse_to_resume(output, seeds, Asked(recipe.config, changes, resume, limit is not None))
    load_jinja2()  # for the page, which is written hours later
    keep_torch_inside()
    with needing("training", "train"):
        from osscl.training import Execution
        from osscl.training.log_mel_cache import LogMelCache
        from osscl.training.summary import summarise
    if cache is not None:
        LogMelCache(cache)  # as above: it is made, or refused
    if json:
        refuse_closed_stdout()
    execution = Execution(device, workers, compile, cache)
    if each_type and limit is not None:
        raise typer.BadParameter(
            "--time-limit plans the trainings of one network; with --each-type give --epochs instead"
        )

    def planned(place: Path, *, of_several: bool = False) -> Trainings:
        named = Asked(recipe.config, changes, resume=resume, is_planned=limit is not None)
        return trainings_in(place, seeds, named, of_several=of_several)

    whole = None if each_type else planned(output)
    first = asked if whole is None else next(iter(whole.recipes.values()))
    plans: dict[str, Trainings] = {}

    def plan_types(machines: Sequence[str]) -> None:
        for name in dict.fromkeys(map(type_of, machines)) if each_type else ():
            if not resume:
                refuse_used_folders(_folder_of_type(output, name), seeds)
            plans[name] = planned(_folder_of_type(output, name), of_several=True)

    clips = _read(data, first, skip_bad, labels, plan_types)
    if whole is None:
        networks = {output / name: (clips.of_type(name), plans[name]) for name in clips.types}
    else:
        if limit is not None:
            epochs = planned_recipes(clips, whole.recipes, execution, limit, is_begun=bool(whole.begun))
            whole = Trainings(epochs, whole.begun)
        networks = {output: (clips, whole)}
    summaries = {}
    networks_done: list[tuple[list[Outcome], int]] = []
    for place, (part, trainings) in networks.items():
        outcomes = _train_all(part, trainings, execution)
        summaries[place] = summarise(outcomes, place)
        networks_done.append((outcomes, len(part.clips)))
        if not json:
            print_result(outcomes, summaries[place])
    if json:
        emit(as_json({str(at): each for at, each in summaries.items()} if each_type else summaries[output]))
    n_trainings = sum(len(outcomes) for outcomes, _ in networks_done)
    for outcomes, n_clips in networks_done:
        say_verdicts(outcomes, n_clips, of_several=n_trainings > 1)
    if not json:
        for outcomes, _ in networks_done:
            say_next_of_training(outcomes, of_several=each_type)


def _train_all(clips: "TrainingData", trainings: Trainings, execution: "Execution") -> "list[Outcome]":
    """Do the trainings of one network, one after the other; ends the program where one is stopped."""
    outcomes = []
    for folder, recipe in trainings.recipes.items():
        outcomes.append(_train_one(clips, folder, recipe, execution, resume=folder in trainings.begun))
        if not outcomes[-1].completed:
            say_interrupted(f"stopped and saved in {folder}; go on with the same command and --resume")
            raise typer.Exit(signals.exit_code())
    return outcomes


def _folder_of_type(output: Path, machine_type: str) -> Path:
    """Where the network of a machine type is written; the type's name becomes a folder's."""
    if machine_type in ("", ".", ".."):
        raise typer.BadParameter(
            f"--each-type names a folder after each machine type, and '{machine_type}' is none; rename the "
            "machine"
        )
    return output / machine_type


def _read(
    roots: list[Path],
    recipe: "TrainConfig",
    skip_bad: bool,
    labels: Path | None,
    on_machines: Callable[[Sequence[str]], object],
) -> "TrainingData":
    from osscl.training import read_training_data
    from osscl.training.clips import fit_of

    passed_over = PassedOver()
    with WorkProgress("clips") as progress:

        def show(done: int, total: int) -> None:
            progress.set_total(total)
            progress.show(done)

        clips = read_training_data(
            roots,
            fit=fit_of(recipe),
            skip_bad=skip_bad,
            labels=labels,
            classes=recipe.classes,
            passed_over=passed_over,
            on_survey=say_survey,
            on_machines=on_machines,
            on_clip=show,
        )
    for bad in clips.bad:
        say(f"left out: {printable(bad.path)}: {bad.problem}")
    for note in passed_over.notes():
        say(note)
    if clips.n_anomalous:
        say(f"left out, said to be anomalous: {clips.n_anomalous} {plural(clips.n_anomalous, 'recording')}")
    if clips.n_unlabelled:
        say(f"left out, without a label: {clips.n_unlabelled} {plural(clips.n_unlabelled, 'recording')}")
    if clips.n_without_row:
        without = counted(clips.n_without_row, "clip")
        say(f"attributes told by names alone, without a row in a table: {without}")
    what = counted(len(clips.classes), "machine" if clips.class_machines is None else "class")
    if clips.class_machines is not None:
        what += f" of {counted(len(set(clips.machines)), 'machine')}"
    say(f"{counted(len(clips.clips), 'clip')} of {what}: {', '.join(clips.classes)}")
    return clips


def _train_one(
    clips: "TrainingData", folder: Path, recipe: "TrainConfig", execution: "Execution", *, resume: bool
) -> "Outcome":
    from osscl.training import train as train_network

    with (
        WorkProgress("steps") as progress,
        postponed_interrupt("stopping after this step; Ctrl-C again breaks off at once") as should_stop,
    ):
        told = Told(clips, folder, recipe, execution, progress)
        try:
            return train_network(
                clips,
                folder,
                recipe,
                execution,
                resume=resume,
                listener=told.show,
                on_start=told.begin,
                should_stop=should_stop,
            )
        except KeyboardInterrupt:  # the second one
            say_interrupted(told.what_is_saved)
            raise typer.Exit(signals.exit_code()) from None
