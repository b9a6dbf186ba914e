"""Why a clip has its score: by the machine's memory, by what the network listens to, or by both."""

from dataclasses import replace

from osscl.audio.mel_bands import BAND_EDGES_HZ
from osscl.audio.samples import Samples
from osscl.decisions import Memory
from osscl.explanation import wording
from osscl.explanation.by_memory import explain_by_memory
from osscl.explanation.explained import Explanation
from osscl.explanation.occlusion import Score, occlude
from osscl.explanation.scales import FRAME_RATE_HZ


def explain(waveform: Samples, machine: str, memory: Memory | None, score: Score | None) -> Explanation:
    """Explain a clip.

    Parameters
    ----------
    waveform : ndarray of int16 or float32, [160000]
        One clip with sound in it.
    machine : str
        Machine ID that it claims to be.
    memory : Memory or None
        Of the machine, where there is one.
    score : callable or None
        The network's score of this machine; None where it is not asked.

    Returns
    -------
    Explanation
        What the memory finds unusual first, then what the network's score rests on.
    """
    found = None if memory is None else explain_by_memory(waveform, machine, memory)
    if score is None:
        assert found is not None
        return found
    occlusion = occlude(waveform, score)
    said = wording.occlusion(occlusion)
    if found is None:
        return Explanation(
            machine=machine,
            sentence=said,
            findings=(),
            band_edges_hz=BAND_EDGES_HZ,
            hop_s=1.0 / FRAME_RATE_HZ,
            occlusion=occlusion,
        )
    return replace(found, sentence=f"{found.sentence}; {said}", occlusion=occlusion)
