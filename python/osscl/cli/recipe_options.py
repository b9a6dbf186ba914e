"""Options of a recipe, as one object: what is stated is changed, all else stays as the recipe has it."""

from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

from osscl.config import HeadKind, ModelInputs
from osscl.training.train_config import ClassKind, Exchange, TrainingPrecision


class RecipeOptions(NamedTuple):
    """A recipe, as it was asked for.

    Attributes
    ----------
    config : Path or None
        Its file.
    changes : dict of str to object
        Fields of `TrainConfig` that were stated, by name.
    """

    config: Path | None
    changes: dict[str, Any]


AS_PUBLISHED = RecipeOptions(None, {})


def recipe_options(
    config: Annotated[
        Path | None, typer.Option(help="Recipe, a TOML file; options below change it. Default: as published.")
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
    exposure: Annotated[
        float | None,
        typer.Option(
            help="Share of the clips that are altered in a range of bands and told apart from those that are "
            "not, such as 0.3 (default: 0)."
        ),
    ] = None,
    exchange: Annotated[
        Exchange | None,
        typer.Option(help="What clips exchange to be classes of their own (default: none)."),
    ] = None,
    sub_centres: Annotated[
        int | None, typer.Option(help="Weight vectors of each class; the nearest counts (default: 1).")
    ] = None,
    feature_loss: Annotated[
        float | None,
        typer.Option(
            help="Weight of the loss by which embeddings keep levels and fluctuations of bands, such as 2 "
            "(default: 0)."
        ),
    ] = None,
    ema_warmup: Annotated[
        bool | None,
        typer.Option(
            "--ema-warmup/--no-ema-warmup",
            help="Averaged weights forget the initialisation at once; by default where a run is too short "
            "for them to forget it otherwise.",
        ),
    ] = None,
    precision: Annotated[
        TrainingPrecision | None, typer.Option(help="Of convolutions in training (default: fp32).")
    ] = None,
) -> RecipeOptions:
    """Options of a recipe; each is named as its field of `TrainConfig`."""
    changes = {
        "epochs": epochs,
        "batch_size": batch_size,
        "learning_rate": learning_rate,
        "weight_decay": weight_decay,
        "hold_out": hold_out,
        "classes": classes,
        "inputs": inputs,
        "head": head,
        "margin": margin,
        "scale": scale,
        "temperature": temperature,
        "supcon": supcon,
        "mixup": mixup,
        "exposure": exposure,
        "exchange": exchange,
        "sub_centres": sub_centres,
        "feature_loss": feature_loss,
        "ema_warmup": ema_warmup,
        "precision": precision,
    }
    return RecipeOptions(config, {name: value for name, value in changes.items() if value is not None})
