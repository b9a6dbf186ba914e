"""``osscl train``: recordings of normal machines in, checkpoints out."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from osscl.audio.reading import AS_THEY_ARE, Fit
from osscl.cli import signals
from osscl.cli.console import WorkProgress, as_json, print_facts
from osscl.cli.interruption import postponed_interrupt
from osscl.cli.messages import emit, say
from osscl.cli.options import takes_shared_options
from osscl.cli.streams import refuse_closed_stdout
from osscl.cli.surveyed import say_survey
from osscl.config import HeadKind, ModelInputs
from osscl.runs.passed_over import PassedOver
from osscl.support.failed_import import needing
from osscl.support.outputs import check_output_folder
from osscl.support.own_cache import keep_torch_inside
from osscl.support.paths import printable
from osscl.support.plurals import plural
from osscl.training.train_config import ClassKind, TrainingPrecision

if TYPE_CHECKING:
    from osscl.training import Execution, Outcome, TrainConfig, TrainingData
    from osscl.training.loop import Training
    from osscl.training.reports import EpochReport, Report, StepReport

EXAMPLES = """[bold]Examples[/bold]\n
  osscl train dcase2020/dev_data dcase2020/eval_data_train_add --output runs/published --device cuda\n
  osscl train recordings --output runs/short --epochs 20 --learning-rate 1e-3 --ema-warmup --precision bf16\n
  osscl train recordings --output runs/array --resample --channel 0 --pad repeat\n
  osscl train recordings --output runs/seeds --config recipe.toml --seeds 0,1,2\n
  osscl train recordings --output runs/short --resume\n
  osscl train dcase2023 --output runs/2023 --classes attributes\n
  osscl train recordings --labels machines.csv --output runs/own --each-type\n
  osscl-export runs/short/best.safetensors --output model.onnx\n
\n
Ctrl-C saves after the step at hand; --resume goes on, on a CPU to the very bits of a run without a stop.\n
Exit code: 0 complete, 1 failed, 2 wrong usage; stopped and saved: 130 by Ctrl-C,
143 by SIGTERM, 129 by SIGHUP.
"""


@takes_shared_options()
def train(
    data: Annotated[
        list[Path],
        typer.Argument(
            help="Folders of a data set as it is laid out, such as fan/train/normal_id_00_00000000.wav, "
            "searched at any depth; what several hold of one type is merged.",
            metavar="DATA",
        ),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder of the run.", metavar="RUN", readable=False)
    ],
    config: Annotated[
        Path | None, typer.Option(help="Recipe, a TOML file; options below change it. Default: as published.")
    ] = None,
    seeds: Annotated[
        str | None,
        typer.Option(
            help="Seed; or several, each trained in RUN/seed_N, with mean and spread.", metavar="N,N"
        ),
    ] = None,
    epochs: Annotated[int | None, typer.Option(help="Passes over the training clips (default: 300).")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Clips in a step (default: 64).")] = None,
    learning_rate: Annotated[float | None, typer.Option(help="Of the first epoch (default: 1e-4).")] = None,
    weight_decay: Annotated[float | None, typer.Option(help="Of AdamW (default: 0.01).")] = None,
    hold_out: Annotated[
        float | None, typer.Option(help="Share of the clips held out to select the weights (default: 0.05).")
    ] = None,
    classes: Annotated[
        ClassKind | None,
        typer.Option(
            help="What is told apart: machine (IDs or sections; default), section, or attributes (a "
            "machine's conditions, as names tell them)."
        ),
    ] = None,
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
    inputs: Annotated[
        ModelInputs | None, typer.Option(help="Maps the encoder sees (default: three_maps).")
    ] = None,
    head: Annotated[HeadKind | None, typer.Option(help="Feature-perturbation head (default: basic).")] = None,
    margin: Annotated[float | None, typer.Option(help="Angular margin, radians (default: 0.4).")] = None,
    scale: Annotated[float | None, typer.Option(help="Scale of the logits (default: 30).")] = None,
    temperature: Annotated[
        float | None, typer.Option(help="Of the contrastive loss (default: 0.02).")
    ] = None,
    supcon: Annotated[
        bool | None, typer.Option("--supcon/--no-supcon", help="Contrastive loss (default: on).")
    ] = None,
    mixup: Annotated[
        bool | None, typer.Option("--mixup/--no-mixup", help="Mix clips in pairs (default: on).")
    ] = None,
    ema_warmup: Annotated[
        bool | None,
        typer.Option(
            "--ema-warmup/--no-ema-warmup",
            help="Averaged weights forget the initialisation at once; for short runs (default: off).",
        ),
    ] = None,
    precision: Annotated[
        TrainingPrecision | None, typer.Option(help="Of convolutions in training (default: fp32).")
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "auto",
    workers: Annotated[int | None, typer.Option(help="Processes that read recordings.")] = None,
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
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run that lies in RUN.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Train a network on recordings of normal machines; weights that do best on held-out ones are kept."""
    keep_torch_inside()
    with needing("training", "train"):
        from osscl.training import Execution
        from osscl.training.config_file import read_config
        from osscl.training.log_mel_cache import LogMelCache
        from osscl.training.runs import summarise
    changes = {
        name: value
        for name, value in (
            ("epochs", epochs),
            ("batch_size", batch_size),
            ("learning_rate", learning_rate),
            ("weight_decay", weight_decay),
            ("hold_out", hold_out),
            ("classes", classes),
            ("inputs", inputs),
            ("head", head),
            ("margin", margin),
            ("scale", scale),
            ("temperature", temperature),
            ("supcon", supcon),
            ("mixup", mixup),
            ("ema_warmup", ema_warmup),
            ("precision", precision),
        )
        if value is not None
    } | fit.stated()
    check_output_folder(output)  # before hours of reading
    if cache is not None:
        LogMelCache(cache)  # as above: it is made, or refused
    if json:
        refuse_closed_stdout()
    execution = Execution(device, workers, compile, cache)
    whole = None if each_type else _planned(output, seeds, config, changes, resume=resume)
    recipe = read_config(config, changes) if whole is None else next(iter(whole.recipes.values()))
    clips = _read(data, recipe, skip_bad, labels)
    networks = {output: (clips, whole)} if whole is not None else {
        output / name: (part, _planned(output / name, seeds, config, changes, resume=resume, of_several=True))
        for name, part in _by_type(clips).items()
    }  # fmt: skip
    summaries = {}
    for place, (part, plan) in networks.items():
        outcomes = []
        for folder, its_recipe in plan.recipes.items():
            outcomes.append(_train_one(part, folder, its_recipe, execution, resume=folder in plan.begun))
            if not outcomes[-1].completed:
                say(f"stopped and saved in {folder}; go on with the same command and --resume")
                raise typer.Exit(signals.exit_code())
        summaries[place] = summarise(outcomes, place)
        if not json:
            _print_result(outcomes, summaries[place])
    if json:
        emit(
            as_json(summaries[output] if not each_type else {str(at): each for at, each in summaries.items()})
        )


class _Plan(NamedTuple):
    """Trainings of one network: the recipe of each folder, and the folders that are gone on with."""

    recipes: "dict[Path, TrainConfig]"
    begun: list[Path]


def _planned(
    output: Path,
    seeds: str | None,
    config: Path | None,
    changes: dict[str, Any],
    *,
    resume: bool,
    of_several: bool = False,
) -> _Plan:
    """Plan the trainings of one network; of several, those that had not begun need nothing to resume."""
    runs = _runs(output, seeds)
    begun = _begun(runs, of_several=of_several) if resume else []
    return _Plan(_recipes(runs, config, changes, begun), begun)


def _by_type(clips: "TrainingData") -> "dict[str, TrainingData]":
    """Clips of each machine type, each enough for a network of its own; its name becomes a folder's."""
    parts = {}
    for name in clips.types:
        if name in ("", ".", ".."):
            raise typer.BadParameter(
                f"--each-type names a folder after each machine type, and '{name}' is none; rename the "
                "machine"
            )
        parts[name] = clips.of_type(name)
    return parts


def _runs(output: Path, seeds: str | None) -> dict[Path, dict[str, int]]:
    """Folder of each training, and the seed where one was named."""
    if seeds is None:
        return {output: {}}
    words = seeds.split(",")
    if not all(word.strip().isdecimal() for word in words) or len(set(map(int, words))) < len(words):
        raise typer.BadParameter(f"--seeds is '{seeds}'; expected different whole numbers, such as 0,1,2")
    if len(words) == 1:
        return {output: {"seed": int(seeds)}}
    return {output / f"seed_{int(word)}": {"seed": int(word)} for word in words}


def _begun(runs: dict[Path, dict[str, int]], *, of_several: bool) -> list[Path]:
    """Folders to resume in; of several trainings, those that had not begun have nothing to resume."""
    from osscl.training.runs import holds_training

    return [folder for folder in runs if holds_training(folder) or (len(runs) == 1 and not of_several)]


def _recipes(
    runs: dict[Path, dict[str, int]], config: Path | None, changes: dict[str, Any], begun: list[Path]
) -> "dict[Path, TrainConfig]":
    """Recipe of each training, the same but for the seed: where one has begun, it is that one's."""
    from msgspec.structs import asdict, replace

    from osscl.training.config_file import read_config
    from osscl.training.runs import stored_config

    if not begun:
        return {folder: read_config(config, changes | seed) for folder, seed in runs.items()}
    first = stored_config(begun[0], config, changes | runs[begun[0]])
    recipes = {folder: replace(first, **seed) for folder, seed in runs.items()}
    for folder in begun[1:]:
        stored_config(folder, None, asdict(recipes[folder]))  # refused before the first one takes its hours
    return recipes


def _read(roots: list[Path], recipe: "TrainConfig", skip_bad: bool, labels: Path | None) -> "TrainingData":
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
        say(f"attributes told by names alone, without a row in a table: {clips.n_without_row} clips")
    what = "machines" if clips.class_machines is None else f"classes of {len(set(clips.machines))} machines"
    say(f"{len(clips.clips)} clips of {len(clips.classes)} {what}: {', '.join(clips.classes)}")
    return clips


def _train_one(
    clips: "TrainingData", folder: Path, recipe: "TrainConfig", execution: "Execution", *, resume: bool
) -> "Outcome":
    from osscl.training import train as train_network
    from osscl.training.advice import warnings_before
    from osscl.training.background import NO_BACKGROUND
    from osscl.training.reports import EpochReport

    with (
        WorkProgress("steps") as progress,
        postponed_interrupt("stopping after this step; Ctrl-C again breaks off at once") as should_stop,
    ):

        def begin(training: "Training") -> None:
            done = training.state.progress.n_steps
            for warning in warnings_before(clips, recipe, execution):
                say(f"warning: {warning}")
            if training.info.background is None:
                say(f"warning: {NO_BACKGROUND}")
            memory = training.step_memory()
            if memory is not None:
                say(str(memory))
            say(
                f"{'going on after step ' + str(done) if done else 'training'}: {training.n_steps} steps, "
                f"seed {recipe.seed}, {training.info.device} -> {folder}"
            )
            progress.set_total(training.n_steps)

        def show(report: "Report") -> None:
            if isinstance(report, EpochReport):
                say(_epoch_line(report, recipe.epochs))
            else:
                progress.show(report.n_steps, _step_note(report))

        return train_network(
            clips,
            folder,
            recipe,
            execution,
            resume=resume,
            listener=show,
            on_start=begin,
            should_stop=should_stop,
        )


def _step_note(report: "StepReport") -> str:
    return f"epoch {report.epoch + 1}, loss {report.loss:.3f}, {report.clips_per_s:.1f} clips/s"


def _epoch_line(report: "EpochReport", n_epochs: int) -> str:
    return (
        f"epoch {report.epoch + 1}/{n_epochs}: loss {report.loss:.3f} "
        f"(cross-entropy {report.cross_entropy:.3f}, contrastive {report.contrastive:.3f}), "
        f"accuracy {report.accuracy:.3f}, {report.clips_per_s:.1f} clips/s; averaged weights on hold-out: "
        f"loss {report.hold_out_loss:.3f}, accuracy {report.hold_out_accuracy:.3f}"
        f"{', best so far' if report.is_best else ''}"
    )


def _print_result(outcomes: "list[Outcome]", summary: dict[str, Any]) -> None:
    for outcome in outcomes:
        assert outcome.best is not None, "a complete training has a best epoch"
        print_facts(
            {
                "seed": outcome.seed,
                "weights": f"{outcome.weights} (averaged, after epoch {outcome.best.epoch + 1})",
                "hold-out loss": f"{outcome.best.hold_out_loss:.4f}",
                "hold-out accuracy": f"{outcome.best.hold_out_accuracy:.4f}",
            }
        )
    if len(outcomes) > 1:
        print_facts(
            {
                f"{name.replace('_', ' ')}, {len(outcomes)} seeds": f"mean {figures['mean']:.4f}, "
                f"standard deviation {figures['spread']:.4f}"
                for name, figures in summary.items()
                if isinstance(figures, dict)
            }
        )
