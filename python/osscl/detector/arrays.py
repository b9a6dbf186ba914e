"""A model that scores and embeds arrays: clips checked, judged and doubted."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from osscl.audio.samples import Samples, Waveforms, as_samples
from osscl.audio.windows import check_hop
from osscl.backends import Outputs
from osscl.config import Padding, check_fit
from osscl.detector.computing import Computing
from osscl.detector.nearest import Neighbour, neighbours
from osscl.detector.taken import TakesArrays
from osscl.detector.windows import CutWaveform, WindowScores
from osscl.errors import BackendError, ConfigError, InputError
from osscl.features import memory_features
from osscl.machines.dcase import check_machine
from osscl.model_file.manifest import Manifest
from osscl.scoring.by_network import scores_by_network
from osscl.scoring.judge import Judge
from osscl.scoring.judges import Judges
from osscl.scoring.quality import doubts
from osscl.scoring.scores import Scores

_WINDOWS_AT_ONCE = 64


class ScoresArrays(TakesArrays):
    """What an opened model does with arrays.

    Parameters
    ----------
    manifest : Manifest
        What the model file says of itself.
    judges : Judges
        How each machine is scored and decided.
    computing : Computing
        What computes the model.
    """

    def __init__(self, manifest: Manifest, judges: Judges, computing: Computing) -> None:
        super().__init__(manifest, judges)
        self._computing = computing

    def score(
        self,
        waveforms: Waveforms,
        machine: str | Sequence[str],
        sample_rate_hz: int = 16_000,
    ) -> Scores:
        """Score waveforms against the machines they claim to be.

        Parameters
        ----------
        waveforms : array_like, [160000] or [B, 160000]
            int16 samples, or float samples at full scale ±1.
        machine : str or sequence of str
            Machine ID of all clips, or of each of them, such as "fan/id_00".
        sample_rate_hz : int
            Sample rate of the waveforms; any other than the model's is refused.

        Returns
        -------
        Scores
            One score a clip.

        Raises
        ------
        InputError
            Samples of the wrong rate, shape, type or level; or more or fewer machines than clips.
        MachineError
            A machine that the model does not know.
        BackendError
            The detector is closed.

        References
        ----------
        Huang, Fang, He: "One-Stage Supervised Contrastive Learning for anomalous sound detection",
        ICASSP 2025, arXiv 2509.13853.
        """
        return self._judged(*self.check(waveforms, machine, sample_rate_hz))

    def score_windows(
        self,
        waveform: Waveforms,
        machine: str,
        hop_s: float,
        *,
        sample_rate_hz: int = 16_000,
        pad: Padding | None = None,
    ) -> WindowScores:
        """Score a waveform of any length, window by window.

        Parameters
        ----------
        waveform : array_like, [n]
            int16 samples, or float samples at full scale ±1.
        machine : str
            Machine ID that it claims to be, such as "fan/id_00".
        hop_s : float
            Seconds from the beginning of one window to that of the next, from 0.01.
        sample_rate_hz : int
            Sample rate of the waveform; any other than the model's is refused.
        pad : {"repeat", "zero"} or None
            How the end is filled up where it is shorter than a window; None leaves it out.

        Returns
        -------
        WindowScores
            What `score_files` says of a file with these samples.

        Raises
        ------
        InputError
            Samples of the wrong rate, shape, type or level; or fewer than a window, and no `pad`.
        ConfigError
            There is no such hop.
        MachineError
            A machine that the model does not know.
        BackendError
            The detector is closed.
        """
        check_hop(hop_s)
        check_fit(False, None, pad)
        self._check_rate(sample_rate_hz)
        samples = as_samples(waveform, InputError)
        if samples.ndim != 1:
            raise InputError(f"waveform has shape {list(samples.shape)}; expected one waveform [n]")
        cut = CutWaveform(samples, self._manifest.clip.n_samples, sample_rate_hz, hop_s, pad)
        check_machine(machine, self._judges.machines)
        judge, scores = self._judges.of(machine), Scores.empty((machine,) * len(cut.starts))
        for places, clips in cut.batches(_WINDOWS_AT_ONCE):
            n_recorded = {
                at: cut.n_recorded[place] for at, place in enumerate(places) if place in cut.n_recorded
            }
            self._put(scores, places, clips, judge, n_recorded)
            for at, place in enumerate(places):
                if (misfit := judge.misfit(pad if at in n_recorded else None)) is not None:
                    scores.undecide(place, misfit.removeprefix("no decision: "))
        return WindowScores.of(cut, scores)

    def embed(self, waveforms: Waveforms) -> npt.NDArray[np.float32]:
        """Embeddings of waveforms.

        Parameters
        ----------
        waveforms : array_like, [160000] or [B, 160000]
            int16 samples, or float samples at full scale ±1, at the model's sample rate.

        Returns
        -------
        ndarray of float32, [B, 128]
            Vectors of Euclidean norm 1.

        Raises
        ------
        InputError
            Samples of the wrong shape, type or level.
        BackendError
            The detector is closed, or opened for memories alone.
        ModelFileError
            The file holds no network.
        """
        clips = self._clips(waveforms)
        self._require_network()
        return self._run(clips).embedding

    def nearest(self, waveforms: Waveforms, n: int = 3) -> list[list[Neighbour]]:
        """Say which machines the network takes clips for.

        Parameters
        ----------
        waveforms : array_like, [160000] or [B, 160000]
            int16 samples, or float samples at full scale ±1, at the model's sample rate.
        n : int
            Machines to name for each clip, at least 1.

        Returns
        -------
        list of list of Neighbour, [B] of at most [n]
            Machines that the network was trained on, the nearest first, with their cosines.

        Raises
        ------
        InputError
            Samples of the wrong shape, type or level.
        ConfigError
            `n` is less than 1.
        BackendError
            The detector is closed, or opened for memories alone.
        ModelFileError
            The file holds no network.
        """
        clips = self._clips(waveforms)
        if n < 1:
            raise ConfigError(f"n is {n}; expected the number of machines to name, from 1")
        self._require_network()
        return [neighbours(cosine, self._manifest)[:n] for cosine in self._run(clips).cosine]

    def _require_network(self) -> None:
        self._manifest.network  # noqa: B018 - raises where there is none
        if not self._judges.may_need_network:
            raise BackendError(
                "the detector was opened for memories alone; load the model with rule='network'"
            )

    def _judged(self, clips: Samples, machines: tuple[str, ...]) -> Scores:
        """Score clips [B, n_samples], those of one machine at once."""
        places: dict[str, list[int]] = {}
        for place, name in enumerate(machines):
            places.setdefault(name, []).append(place)
        scores = Scores.empty(machines)
        for name, of_machine in places.items():
            self._put(scores, of_machine, clips[of_machine], self._judges.of(name), {})
        return scores

    def _put(
        self,
        scores: Scores,
        places: Sequence[int],
        clips: Samples,
        judge: Judge,
        n_recorded: Mapping[int, int],
    ) -> None:
        """Enter what is found of clips [B, n_samples] of one machine at their places."""
        self._computing.backend()  # says so where the detector is closed, needed or not
        threads = self._computing.options.shared_out().n_threads
        by_network = self._network_scores(clips, judge) if judge.needs_network else None
        features = memory_features(clips, threads=threads) if judge.needs_memory else None
        scores.put(places, judge.rule, judge.judge(by_network, features), judge.undecided)
        for place, quality in zip(places, self._doubts(clips, judge, features, n_recorded), strict=True):
            scores.quality[place] = quality

    def _doubts(
        self,
        clips: Samples,
        judge: Judge,
        features: npt.NDArray[np.float32] | None,
        n_recorded: Mapping[int, int],
    ) -> list[str | None]:
        """Why to doubt clips [B, n_samples] of one machine."""
        rate_hz = self._manifest.front_end.settings.sample_rate_hz
        by_place = {} if features is None else dict(enumerate(features))
        threads = self._computing.options.shared_out().n_threads
        return doubts(clips, [judge.doubter] * len(clips), by_place, n_recorded, rate_hz, threads=threads)

    def _network_scores(self, clips: Samples, judge: Judge) -> npt.NDArray[np.float64]:
        return scores_by_network([judge] * len(clips), self._run(clips), self._manifest.network.model)

    def _run(self, clips: Samples) -> Outputs:
        return self._computing.run(clips)
