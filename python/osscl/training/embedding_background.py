"""How a trained network's embeddings of one machine's clips vary: memories of embeddings start from it."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from msgspec.structs import replace

from osscl.decisions import pooled_embedding_background
from osscl.decisions.background import MIN_CLIPS, MIN_MACHINES
from osscl.errors import DecisionError
from osscl.model import OSSCL
from osscl.model_file.decisions import StoredEmbeddingBackground
from osscl.model_file.restored import stored_embedding_background
from osscl.training.checkpoint import read_checkpoint, write_checkpoint
from osscl.training.clips import TrainingClip
from osscl.training.step import Batch, as_network_inputs

CLIPS_A_MACHINE = 24
"""Of more, so many are drawn: the covariance is pooled, and the pass stays short."""


def clips_of_background(training: Sequence[TrainingClip], seed: int) -> list[TrainingClip]:
    """Choose clips whose embeddings make a background.

    Parameters
    ----------
    training : sequence of TrainingClip
        Clips that are trained on.
    seed : int
        Of the draw.

    Returns
    -------
    list of TrainingClip
        At most 24 of each machine that has 4, in their order; empty where fewer than 4 machines do.
    """
    places_of: dict[str, list[int]] = {}
    for place, clip in enumerate(training):
        places_of.setdefault(clip.machine, []).append(place)
    enough = [places for places in places_of.values() if len(places) >= MIN_CLIPS]
    if len(enough) < MIN_MACHINES:
        return []
    rng = np.random.default_rng(seed)
    drawn = [rng.permutation(places)[:CLIPS_A_MACHINE].tolist() for places in enough]
    return [training[place] for place in sorted(place for places in drawn for place in places)]


@torch.inference_mode()
def embeddings_of(
    model: OSSCL, batches: Iterable[Batch], should_stop: Callable[[], bool]
) -> npt.NDArray[np.float32] | None:
    """Embed clips.

    Parameters
    ----------
    model : OSSCL
        The network, in eval mode.
    batches : iterable of Batch
        The clips, on the network's device.
    should_stop : callable
        Asked after each batch.

    Returns
    -------
    ndarray of float32, [clips, 128], or None
        None where it was to stop first.
    """
    parts = []
    for batch in batches:
        embedding, _ = model(*as_network_inputs(batch.inputs))  # [B, 128]
        parts.append(embedding.float().cpu().numpy())
        if should_stop():
            return None
    found: npt.NDArray[np.float32] = np.concatenate(parts)
    return found


def embedding_background_of(
    embeddings: npt.NDArray[np.float32], clips: Sequence[TrainingClip], source: str
) -> StoredEmbeddingBackground | None:
    """Make a background of a network's embeddings.

    Parameters
    ----------
    embeddings : ndarray of float32, [clips, 128]
        Of each clip.
    clips : sequence of TrainingClip, [clips]
        As `clips_of_background` chooses them.
    source : str
        What they are, in words.

    Returns
    -------
    StoredEmbeddingBackground or None
        As a checkpoint holds it; None where embeddings do not vary.
    """
    machines = np.array([clip.machine for clip in clips])
    by_machine = {str(machine): embeddings[machines == machine] for machine in dict.fromkeys(machines)}
    try:
        made = pooled_embedding_background(by_machine, source)
    except DecisionError:
        return None
    return stored_embedding_background(made, None)


def kept_with_background(
    best: Path,
    training: Sequence[TrainingClip],
    batches_of: Callable[[Sequence[TrainingClip]], Iterable[Batch]],
    device: torch.device,
    should_stop: Callable[[], bool],
) -> bool:
    """Write into a checkpoint of kept weights how the embeddings vary that they give.

    A network is made of these weights anew: the one that learns may have classes and parts that are not kept.

    Parameters
    ----------
    best : Path
        The checkpoint; where there is none, or it holds a background, nothing is done.
    training : sequence of TrainingClip
        Clips that are trained on.
    batches_of : callable
        Gives batches of clips in their order, on the device.
    device : torch.device
        Where the network is computed.
    should_stop : callable
        Asked after each batch.

    Returns
    -------
    bool
        False where it was to stop first: nothing is written.
    """
    if not best.exists():
        return True
    weights, info = read_checkpoint(best, "ema_weights")
    clips = clips_of_background(training, info.config.seed)
    if not clips or info.embedding_background is not None:  # the training was complete before
        return True
    model = OSSCL(info.config.model(info.classes)).to(device).eval()
    model.load_state_dict(weights)
    embeddings = embeddings_of(model, batches_of(clips), should_stop)
    if embeddings is None:
        return False
    source = f"training clips, fingerprint {info.data_fingerprint}"
    made = embedding_background_of(embeddings, clips, source)
    write_checkpoint(best, weights, replace(info, embedding_background=made))
    return True
