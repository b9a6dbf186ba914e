"""Classes that exist in training alone: altered machines, and clips with exchanged parts.

They lie behind the K real classes in the class weight, a block of K for each kind, and are cut off from the
weights that are kept: what is exported and scored knows the real classes only.
"""

from osscl.training.exposure import KINDS
from osscl.training.train_config import TrainConfig


def altered_label(label: int, kind: int, n_classes: int) -> int:
    """Label of a clip of a real class that is altered: these blocks come first.

    Parameters
    ----------
    label : int
        Its real class, below `n_classes`.
    kind : int
        Index into `osscl.training.exposure.KINDS`.
    n_classes : int
        Number of real classes K.

    Returns
    -------
    int
        That of the block ``altered: KINDS[kind]``.
    """
    return n_classes * (1 + kind) + label


def block_names(config: TrainConfig) -> tuple[str, ...]:
    """Kinds of pseudo-classes of a recipe, in the order of their blocks behind the real classes."""
    altered = tuple(f"altered: {kind}" for kind in KINDS) if config.exposure else ()
    exchanged = tuple(f"exchanged {kind} {role}" for kind in config.exchanged for role in ("kept", "taken"))
    return altered + exchanged


def first_label(block: str, n_classes: int, config: TrainConfig) -> int:
    """Label of a block's pseudo-class of the first real class.

    Parameters
    ----------
    block : str
        One of `block_names`.
    n_classes : int
        Number of real classes K.
    config : TrainConfig
        The recipe.

    Returns
    -------
    int
        K for the first block, 2 K for the second, ...
    """
    return n_classes * (1 + block_names(config).index(block))


def all_classes(classes: tuple[str, ...], config: TrainConfig) -> tuple[str, ...]:
    """Name the real classes and all pseudo-classes.

    Parameters
    ----------
    classes : tuple of str
        The K real ones.
    config : TrainConfig
        The recipe.

    Returns
    -------
    tuple of str
        K (1 + number of blocks) different names.
    """
    pseudo = (f"{name} ({kind})" for kind in block_names(config) for name in classes)
    return (*classes, *pseudo)
