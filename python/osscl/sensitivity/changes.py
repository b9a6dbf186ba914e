"""Changes of known size that are laid into a normal recording: physics of sound, not faults of a machine."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias

import numpy as np

from osscl.model_file.limits import ChangeKind
from osscl.sensitivity.sizes import Sizes
from osscl.sensitivity.sound import Sound
from osscl.sensitivity.spelling import band_in_words, hertz, one_of_s, rounded
from osscl.synth.spectrum import DURATION_S, N_SAMPLES, SAMPLE_RATE_HZ, Signal, amplitude, to_signal

Laid: TypeAlias = Callable[[float], Signal]
"""Takes a size, gives the changed waveform, float64 [160000]."""

_TIME_S = np.arange(N_SAMPLES) / SAMPLE_RATE_HZ
_EDGE_S = 0.01
_MARGIN_S = 0.5
_FLUTTER_FROM_HZ = 16.0
_LINE_HALF_BINS = 30  # 3 Hz: a line of a machine whose speed hardly varies
_BINS_A_HZ = DURATION_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One kind of change, in one band and at one rate.

    Attributes
    ----------
    low_hz, high_hz : float
        Where it is heard.
    sizes : Sizes
        How large it is tried.
    """

    kind: ClassVar[ChangeKind]
    unit: ClassVar[Literal["dB", "%", "Hz"]]
    low_hz: float
    high_hz: float
    sizes: Sizes

    @property
    def rate_hz(self) -> float | None:
        """Rate of a modulation or of beats."""
        return None

    @property
    def duration_s(self) -> float | None:
        """How long it lasts, where that is not the whole clip."""
        return None

    def laid_into(self, sound: Sound, rng: np.random.Generator) -> Laid:
        """Make ready to lay it into a recording.

        Parameters
        ----------
        sound : Sound
            A normal recording.
        rng : numpy.random.Generator
            Draws phases and times.

        Returns
        -------
        callable
            Takes a size, gives the changed waveform, float64 [160000].
        """
        raise NotImplementedError

    def in_words(self, size: float) -> str:
        """Say what a change of this size is.

        Parameters
        ----------
        size : float
            In `unit`.

        Returns
        -------
        str
            Such as "a 0.2 s burst of +5 dB in 1 to 2 kHz".
        """
        raise NotImplementedError

    def _band(self) -> str:
        return band_in_words(self.low_hz, self.high_hz)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tone(Change):
    """A steady tone in the middle of the band, in dB against the level of the band."""

    kind = "tone"
    unit = "dB"

    def laid_into(self, sound: Sound, rng: np.random.Generator) -> Laid:
        """Add a sine of a drawn phase."""
        unit = np.sin(2 * np.pi * (self._hz * _TIME_S + rng.uniform()))
        unit *= np.sqrt(2.0 * sound.power(self.low_hz, self.high_hz))
        return lambda size: sound.waveform + amplitude(size) * unit

    def in_words(self, size: float) -> str:
        """Say where it is, and how loud."""
        where = "below" if size < 0 else "above"
        return f"a tone at {hertz(self._hz)}, {rounded(abs(size))} dB {where} the level of {self._band()}"

    @property
    def _hz(self) -> float:
        return float(np.sqrt(self.low_hz * self.high_hz))


@dataclass(frozen=True, slots=True, kw_only=True)
class Band(Change):
    """A band that is louder than normal, or less loud."""

    kind = "band"
    unit = "dB"

    def laid_into(self, sound: Sound, rng: np.random.Generator) -> Laid:
        """Multiply the band."""
        part = sound.band(self.low_hz, self.high_hz)
        return lambda size: sound.waveform + (amplitude(size) - 1.0) * part

    def in_words(self, size: float) -> str:
        """Say which, and by how much."""
        return f"the band {self._band()} at {rounded(size, signed=True)} dB"


@dataclass(frozen=True, slots=True, kw_only=True)
class Modulation(Change):
    """A band whose amplitude rises and falls, by so many percent of its mean."""

    kind = "modulation"
    unit = "%"
    modulated_at_hz: float

    @property
    def rate_hz(self) -> float:
        """How often a second."""
        return self.modulated_at_hz

    def laid_into(self, sound: Sound, rng: np.random.Generator) -> Laid:
        """Multiply the band by a raised sine of a drawn phase."""
        sine = np.sin(2 * np.pi * (self.modulated_at_hz * _TIME_S + rng.uniform()))
        part = sound.band(self.low_hz, self.high_hz) * sine
        return lambda size: sound.waveform + (size / 100.0) * part

    def in_words(self, size: float) -> str:
        """Say how fast, how much, and where."""
        name = "flutter" if self.modulated_at_hz >= _FLUTTER_FROM_HZ else "modulation"
        return f"{name} at {hertz(self.modulated_at_hz)} of {rounded(size)} % in {self._band()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Burst(Change):
    """A single burst of noise in a band: by how much that is louder while it lasts."""

    kind = "burst"
    unit = "dB"
    lasts_s: float

    @property
    def duration_s(self) -> float:
        """Length of the burst."""
        return self.lasts_s

    def laid_into(self, sound: Sound, rng: np.random.Generator) -> Laid:
        """Add noise at a drawn time."""
        begin, n = _drawn_time(rng, self.lasts_s)
        frequency_hz = np.fft.rfftfreq(n, 1.0 / SAMPLE_RATE_HZ)
        inside = (self.low_hz <= frequency_hz) & (self.high_hz > frequency_hz)
        noise = np.fft.irfft(np.where(inside, np.fft.rfft(rng.standard_normal(n)), 0.0), n)
        noise *= np.sqrt(sound.power(self.low_hz, self.high_hz) / np.mean(np.square(noise))) * _window(n)

        def louder_by(size: float) -> Signal:
            changed = sound.waveform.copy()
            changed[begin : begin + n] += np.sqrt(10.0 ** (size / 10.0) - 1.0) * noise
            return changed

        return louder_by

    def in_words(self, size: float) -> str:
        """Say how long, how loud, and where."""
        return f"{one_of_s(self.lasts_s)} burst of {rounded(size, signed=True)} dB in {self._band()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingBeat(Change):
    """One beat of the sound that is too faint, as long as beats of a rate last."""

    kind = "missing_beat"
    unit = "dB"
    beats_at_hz: float

    @property
    def rate_hz(self) -> float:
        """How often a second a beat comes."""
        return self.beats_at_hz

    @property
    def duration_s(self) -> float:
        """Length of a beat."""
        return 1.0 / self.beats_at_hz

    def laid_into(self, sound: Sound, rng: np.random.Generator) -> Laid:
        """Lower the band at a drawn time."""
        begin, n = _drawn_time(rng, self.duration_s)
        part = sound.band(self.low_hz, self.high_hz)[begin : begin + n] * _window(n)

        def fainter_by(size: float) -> Signal:
            changed = sound.waveform.copy()
            changed[begin : begin + n] += (amplitude(size) - 1.0) * part
            return changed

        return fainter_by

    def in_words(self, size: float) -> str:
        """Say how long, how faint, and where."""
        length, level = one_of_s(self.duration_s), rounded(size, signed=True)
        return f"{length} beat missing once, at {level} dB in {self._band()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShiftedLine(Change):
    """The strongest line of a band, at another frequency."""

    kind = "shifted_line"
    unit = "Hz"

    def laid_into(self, sound: Sound, rng: np.random.Generator) -> Laid:
        """Move the bins around the strongest one, towards the middle of the band."""
        first, last = (round(edge * _BINS_A_HZ) for edge in (self.low_hz, self.high_hz))
        peak = first + int(np.argmax(np.abs(sound.spectrum[first:last])))
        line = slice(max(peak - _LINE_HALF_BINS, 1), min(peak + _LINE_HALF_BINS + 1, len(sound.spectrum) - 1))
        upwards = 1 if peak < (first + last) / 2 else -1

        def shifted_by(size: float) -> Signal:
            by = upwards * round(size * _BINS_A_HZ)
            spectrum = sound.spectrum.copy()
            spectrum[line] = 0.0
            spectrum[line.start + by : line.stop + by] += sound.spectrum[line]
            return to_signal(spectrum)

        return shifted_by

    def in_words(self, size: float) -> str:
        """Say which, and how far."""
        return f"the strongest line of {self._band()} shifted by {rounded(size)} Hz"


def _drawn_time(rng: np.random.Generator, lasts_s: float) -> tuple[int, int]:
    """First sample and number of samples of what lasts so long, well within the clip."""
    begin_s = rng.uniform(_MARGIN_S, DURATION_S - _MARGIN_S - lasts_s)
    return round(begin_s * SAMPLE_RATE_HZ), round(lasts_s * SAMPLE_RATE_HZ)


def _window(n: int) -> Signal:
    """1 with cosine edges of 10 ms, or of a quarter of what is shorter, [n]."""
    n_edge = min(round(_EDGE_S * SAMPLE_RATE_HZ), n // 4)
    from_edge = np.minimum(np.arange(n), np.arange(n)[::-1]) / max(n_edge, 1)
    shape: Signal = 0.5 - 0.5 * np.cos(np.pi * np.clip(from_edge, 0.0, 1.0))
    return shape
