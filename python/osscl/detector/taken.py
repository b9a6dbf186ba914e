"""Arrays that a model takes, and the machines that they claim to be of: checked before all work."""

from collections.abc import Sequence

from osscl.audio.samples import Samples, Waveforms, as_samples
from osscl.detector.given import check_names, is_source
from osscl.errors import InputError
from osscl.machines.dcase import check_machine
from osscl.model_file.manifest import Manifest
from osscl.scoring.judges import Judges
from osscl.support.plurals import counted


class TakesArrays:
    """What an opened model refuses of arrays.

    Parameters
    ----------
    manifest : Manifest
        What the model file says of itself.
    judges : Judges
        How each machine is scored and decided.
    """

    def __init__(self, manifest: Manifest, judges: Judges) -> None:
        self._manifest, self._judges = manifest, judges

    def check(
        self,
        waveforms: Waveforms,
        machine: str | Sequence[str],
        sample_rate_hz: int = 16_000,
    ) -> tuple[Samples, tuple[str, ...]]:
        """Refuse what `score` would refuse, before anything is computed.

        Parameters
        ----------
        waveforms : array_like, [160000] or [B, 160000]
            As for `score`.
        machine : str or sequence of str
            Likewise.
        sample_rate_hz : int
            Likewise.

        Returns
        -------
        clips : ndarray of int16 or float32, [B, 160000]
            The samples.
        machines : tuple of str
            Machine ID of each clip.

        Raises
        ------
        InputError, MachineError
            As by `score`.
        """
        clips = self._clips(waveforms, sample_rate_hz)
        check_names(machine, "clip")
        machines = (machine,) * len(clips) if isinstance(machine, str) else tuple(machine)
        if len(machines) != len(clips):
            raise InputError(
                f"{counted(len(machines), 'machine')} for {counted(len(clips), 'clip')}; give one name, or "
                "one a clip"
            )
        for name in dict.fromkeys(machines):
            check_machine(name, self._judges.machines)
            self._judges.of(name)
        return clips, machines

    def _clips(self, waveforms: Waveforms, sample_rate_hz: int | None = None) -> Samples:
        if is_source(waveforms):
            raise InputError(
                f"waveforms is an object of type {type(waveforms).__name__}, and samples are expected; "
                "score_file scores a recording, osscl.read_audio gives its waveform"
            )
        if sample_rate_hz is not None:
            self._check_rate(sample_rate_hz)
        samples = as_samples(waveforms, InputError)
        n_samples = self._manifest.clip.n_samples
        if samples.ndim not in (1, 2) or samples.shape[-1] != n_samples:
            longer = samples.ndim == 1 and samples.shape[0] > n_samples
            raise InputError(
                f"waveforms has shape {list(samples.shape)}; expected [{n_samples}] or [clips, {n_samples}]"
                + ("; score_windows scores one of any length" if longer else "")
            )
        return samples.reshape(-1, n_samples)

    def _check_rate(self, sample_rate_hz: int) -> None:
        expected_hz = self._manifest.front_end.settings.sample_rate_hz
        if sample_rate_hz != expected_hz:
            raise InputError(
                f"sample_rate_hz is {sample_rate_hz}, expected {expected_hz}; resample the waveforms first"
            )
