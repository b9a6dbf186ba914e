"""A model that explains clips: arrays, or recordings that it reads itself."""

import os
from dataclasses import replace
from functools import partial
from typing import cast

from osscl.audio.bytestream import AudioSource
from osscl.audio.reading import Fit, name_file, read_clip
from osscl.audio.samples import Samples, Waveforms
from osscl.audio.silence import silence_of
from osscl.config import Channel, Padding
from osscl.detector.arrays import ScoresArrays
from osscl.detector.given import is_source, name_of
from osscl.detector.nearest import neighbours
from osscl.errors import AudioError, InputError
from osscl.explanation.explained import Explanation
from osscl.explanation.explaining import explain
from osscl.features import memory_features
from osscl.machines.dcase import check_machine
from osscl.scoring.judge import Judge
from osscl.support.plurals import counted


class ExplainsClips(ScoresArrays):
    """What an opened model says of why a clip has its score."""

    def explain(
        self,
        waveform: Waveforms | AudioSource,
        machine: str,
        sample_rate_hz: int = 16_000,
        *,
        path: str | os.PathLike[str] | None = None,
        resample: bool = False,
        channel: Channel | None = None,
        pad: Padding | None = None,
    ) -> Explanation:
        """Say what is heard in a clip beyond the machine's normal ones.

        Parameters
        ----------
        waveform : array_like, [160000], or path-like, bytes, binary file object or upload
            int16 samples, or float samples at full scale ±1; or a recording, of which the first ten seconds
            are explained.
        machine : str
            Machine ID that the clip claims to be, such as "fan/id_00".
        sample_rate_hz : int
            Sample rate of the waveform; any other than the model's is refused. A recording tells its own.
        path : path-like, optional
            Where it comes from: names tell the domain where the machine's memories are by domain. By default
            the recording's own, where it has one.
        resample : bool
            As for `score_file`, of a recording.
        channel : int, "mean" or None
            Likewise.
        pad : {"repeat", "zero"} or None
            Likewise.

        Returns
        -------
        Explanation
            By the machine's memory, where the file holds one; by what the network's score rests on, where
            that score decides.

        Raises
        ------
        InputError
            Samples of the wrong rate, shape, type or level; or no sound at all.
        AudioError
            The recording cannot be read, or does not fit.
        MachineError
            A machine that the model does not know, or cannot score.
        BackendError
            The detector is closed.
        """
        if is_source(waveform):
            source = cast("AudioSource", waveform)
            named = name_of(source) if path is None else os.fsdecode(path)
            try:
                return self.explain_recording(source, machine, Fit(resample, channel, pad), name=named)
            except AudioError as error:
                if named is not None:
                    name_file(error, named)
                raise
        clips = self._clips(cast("Waveforms", waveform), sample_rate_hz)
        if len(clips) != 1:
            raise InputError(f"waveform holds {counted(len(clips), 'clip')}; explain one at a time")
        return self._explained(clips, machine, path)

    def explain_recording(
        self,
        source: AudioSource,
        machine: str,
        fit: Fit,
        start_s: float | None = None,
        name: str | None = None,
    ) -> Explanation:
        """Explain ten seconds of a recording; errors do not name it.

        Parameters
        ----------
        source : path-like, bytes, binary file object or upload
            The recording.
        machine : str
            Machine ID that it claims to be.
        fit : Fit
            How it is made to fit.
        start_s : float, optional
            Where the window begins that is explained, seconds; by default it is the beginning of the
            recording.
        name : str, optional
            What it is called, which tells its domain.

        Returns
        -------
        Explanation
            Of these ten seconds.

        Raises
        ------
        AudioError
            It cannot be read, or does not fit.
        InputError
            There is no sound in it.
        MachineError
            The model does not know the machine, or cannot score it.
        """
        rate_hz = self._manifest.front_end.settings.sample_rate_hz
        clip = read_clip(source, fit, self._manifest.clip, rate_hz, start_s)
        return self._explained(clip.samples[None], machine, name)

    def _explained(self, clips: Samples, machine: str, path: str | os.PathLike[str] | None) -> Explanation:
        """Explain one clip [1, n_samples]."""
        if (silence := silence_of(clips[0])) is not None:
            raise InputError(f"{silence}: a dead microphone or channel? There is no sound to explain")
        check_machine(machine, self._judges.machines)
        judge = self._judges.of(machine, path)
        self._computing.backend()  # says so where the detector is closed
        score = partial(self._network_scores, judge=judge) if judge.needs_network else None
        if not judge.needs_memory:
            explained = explain(clips[0], machine, self._judges.memory_of(machine), score)
        else:
            [nearest] = judge.nearest(memory_features(clips))
            explained = replace(explain(clips[0], machine, nearest.memory, score), domain=nearest.domain)
        return explained if score is None else self._beside_the_nearest(explained, clips, judge)

    def _beside_the_nearest(self, explained: Explanation, clips: Samples, judge: Judge) -> Explanation:
        """Say which machine a clip [1, n_samples] sounds like, where that is not the one it claims to be."""
        if not judge.labels:
            return explained
        nearest = neighbours(self._run(clips).cosine[0], self._manifest)[0].machine
        if nearest == explained.machine:
            return explained
        return replace(
            explained, sounds_like=nearest, sentence=f"{explained.sentence}; sounds like {nearest}"
        )
