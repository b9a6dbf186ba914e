"""The judge of a machine by the rule embedding, and why there may be none."""

from osscl.model_file.decisions import StoredDecisions, StoredEmbeddings
from osscl.model_file.restored import restored_embeddings
from osscl.scoring.judge import Judge, NormalScores

MAY_BE_TRAINED_ON = (
    "normal clips that it was calibrated on were trained on, or may have been: more normal clips than asked "
    "for may be flagged"
)


def lacking_of_embeddings(
    stored: StoredEmbeddings | None, checkpoint_sha256: str | None, precision: str | None
) -> str | None:
    """Say what the rule embedding would need of a machine and the file does not hold.

    Parameters
    ----------
    stored : StoredEmbeddings or None
        The machine's memory of embeddings.
    checkpoint_sha256, precision : str or None
        The file's network; None without one.

    Returns
    -------
    str or None
        One sentence; None where its clips can be scored.
    """
    again = "by osscl enroll --rule embedding"
    if stored is None:
        return f"it has no memory of embeddings; make one from its normal recordings {again}"
    if stored.checkpoint_sha256 != checkpoint_sha256:
        return (
            f"its memory of embeddings was made with another network than the file's: enroll it again {again}"
        )
    if stored.precision != precision:
        return (
            f"its memory of embeddings was made in {stored.precision} and the model is {precision}: enroll "
            f"it again {again}"
        )
    return None


def judge_by_embeddings(machine: str, decisions: StoredDecisions, *, is_class: bool) -> Judge:
    """Make the judge of a machine that nothing is lacking of.

    Parameters
    ----------
    machine : str
        Which machine.
    decisions : StoredDecisions
        What the model file holds.
    is_class : bool
        Whether the network knows the machine.

    Returns
    -------
    Judge
        At no rate that was asked for, and with doubts by fixed bounds alone.
    """
    stored = decisions.embeddings_of(machine)
    assert stored is not None, "`lacking_of_embeddings` tells"
    embeddings = restored_embeddings(stored, decisions.embedding_background)
    return Judge(
        machine,
        "embedding",
        embeddings=embeddings,
        normal=NormalScores(embeddings.calibration_scores, embeddings.calibration_recordings),
        padding=stored.fit.pad if stored.is_padded else None,
        caveat=_caveat_of(stored, decisions, is_class=is_class),
    )


def _caveat_of(stored: StoredEmbeddings, decisions: StoredDecisions, *, is_class: bool) -> str | None:
    """Why new normal clips may lie further off than those that were enrolled."""
    known = decisions.training_clips
    if known is None:  # clips of a machine that it does not know, it was not trained on
        return MAY_BE_TRAINED_ON if is_class else None
    clips = {clip.sha256 for clip in (*stored.clips, *stored.held_out)}
    return None if clips.isdisjoint(known) else MAY_BE_TRAINED_ON
