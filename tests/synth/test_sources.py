"""Sources and faults against the physics that their docstrings claim."""

import math
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from osscl import synth
from osscl.synth import faults, room, sources
from osscl.synth.machines import machine
from osscl.synth.operation import OperatingPoint
from osscl.synth.resonance import Mode, resonances
from osscl.synth.shaft import shaft_turns
from osscl.synth.spectrum import (
    FREQUENCY_HZ,
    N_SAMPLES,
    SAMPLE_RATE_HZ,
    Spectrum,
    band,
    gaussian_noise,
    rms,
    to_signal,
)

Float64 = npt.NDArray[np.float64]
SPEED_HZ = 23.7
HEALTHY = OperatingPoint(
    speed_hz=SPEED_HZ,
    drift=0.0,
    rotor_db=0.0,
    pass_db=0.0,
    mesh_db=0.0,
    impact_db=0.0,
    flow_db=0.0,
    whine_db=0.0,
)
FLAT: Spectrum = np.ones(len(FREQUENCY_HZ), np.complex128)


def rng() -> np.random.Generator:
    return np.random.default_rng(4)


def power_spectrum(signal: npt.NDArray[np.floating]) -> Float64:
    """Power in bins of 0.1 Hz, with a window whose side lobes fall below 1e-9."""
    window = np.blackman(N_SAMPLES)
    return np.asarray(np.abs(np.fft.rfft(np.asarray(signal, np.float64) * window)) ** 2)


def line_db(power: Float64, frequency_hz: float, width_hz: float = 0.5) -> float:
    """Power of a line above the median of its surroundings, decibels."""
    bins = N_SAMPLES / SAMPLE_RATE_HZ
    at, reach = round(frequency_hz * bins), round(width_hz * bins)
    near = power[max(at - reach, 0) : at + reach + 1]
    around = power[max(at - 8 * reach, 0) : at + 8 * reach + 1]
    return float(10.0 * np.log10(near.max() / np.median(around)))


def envelope_spectrum(signal: npt.NDArray[np.floating], low_hz: float, high_hz: float) -> Float64:
    """Spectrum of the squared envelope of one band, in bins of 0.1 Hz: how faults of bearings are found."""
    spectrum = np.fft.fft(np.asarray(signal, np.float64))
    frequency_hz = np.fft.fftfreq(N_SAMPLES, 1.0 / SAMPLE_RATE_HZ)
    spectrum[(frequency_hz < low_hz) | (frequency_hz > high_hz)] = 0.0
    envelope = np.abs(np.fft.ifft(spectrum)) ** 2
    return np.asarray(np.abs(np.fft.rfft(envelope - envelope.mean())))


def strongest_hz(spectrum: Float64, low_hz: float, high_hz: float) -> float:
    """Frequency of the largest value between two frequencies."""
    bins = N_SAMPLES / SAMPLE_RATE_HZ
    first = round(low_hz * bins)
    return float((first + np.argmax(spectrum[first : round(high_hz * bins)])) / bins)


def test_shaft_turns_at_its_speed_and_drifts_slowly() -> None:
    steady = shaft_turns(SPEED_HZ, 0.0, rng())
    assert steady[-1] - steady[0] == pytest.approx(SPEED_HZ * (N_SAMPLES - 1) / 16_000)
    speed_hz = np.diff(shaft_turns(SPEED_HZ, 0.002, rng())) * 16_000
    assert 0.0005 < speed_hz.std() / SPEED_HZ < 0.004
    # nothing faster than a few hertz: over 10 ms the speed hardly moves
    assert np.abs(speed_hz[160:] - speed_hz[:-160]).max() < 0.001 * SPEED_HZ


def test_rotor_has_lines_at_multiples_of_its_speed_alone() -> None:
    power = power_spectrum(sources.rotor(shaft_turns(SPEED_HZ, 0.0, rng()), 6.0, rng()))
    for k in range(1, 11):
        assert strongest_hz(power, (k - 0.5) * SPEED_HZ, (k + 0.5) * SPEED_HZ) == pytest.approx(
            k * SPEED_HZ, abs=0.1
        )
        assert power[round(10 * (k + 0.5) * SPEED_HZ)] < 1e-6 * power[round(10 * k * SPEED_HZ)]
    # 6 dB an octave, give or take the spread of the lines
    fall_db = 10.0 * np.log10(power[round(10 * SPEED_HZ)] / power[round(80 * SPEED_HZ)])
    assert fall_db == pytest.approx(18.0, abs=8.0)


def test_blades_pass_at_their_number_times_the_speed() -> None:
    power = power_spectrum(sources.blade_pass(shaft_turns(SPEED_HZ, 0.0, rng()), 9, 5.0, rng()))
    assert strongest_hz(power, 5.0, 8000.0) == pytest.approx(9 * SPEED_HZ, abs=0.1)
    assert power[round(10 * 10 * SPEED_HZ)] < 1e-6 * power.max()


def test_gear_mesh_has_side_bands_at_the_speed_of_the_shaft() -> None:
    power = power_spectrum(sources.gear_mesh(shaft_turns(SPEED_HZ, 0.0, rng()), 31, 5.0, 8.0, rng()))
    mesh_hz = 31 * SPEED_HZ
    for expected_hz, low, high in (
        (mesh_hz - SPEED_HZ, -1.5, -0.5),
        (mesh_hz, -0.5, 0.5),
        (mesh_hz + SPEED_HZ, 0.5, 1.5),
    ):
        found_hz = strongest_hz(power, mesh_hz + low * SPEED_HZ, mesh_hz + high * SPEED_HZ)
        assert found_hz == pytest.approx(expected_hz, abs=0.1)
    side_db = 10.0 * np.log10(power[round(10 * (mesh_hz + SPEED_HZ))] / power[round(10 * mesh_hz)])
    assert side_db == pytest.approx(-8.0, abs=6.0)


def test_inverter_whines_beside_its_switching_frequency() -> None:
    power = power_spectrum(sources.inverter_whine(shaft_turns(SPEED_HZ, 0.0, rng()), 2500.0, rng()))
    for line_hz in (2500.0 - 2 * SPEED_HZ, 2500.0 + 2 * SPEED_HZ, 5000.0 - SPEED_HZ, 5000.0 + SPEED_HZ):
        assert line_db(power, line_hz) > 40.0
    assert power[25_000] < 1e-4 * power.max()


def test_flow_noise_peaks_where_it_should_and_follows_the_blades() -> None:
    flow = sources.flow_noise(shaft_turns(SPEED_HZ, 0.0, rng()), 800.0, 7, 0.5, rng())
    power = power_spectrum(flow)
    octaves = [
        power[round(10 * f / math.sqrt(2)) : round(10 * f * math.sqrt(2))].mean() for f in (200, 800, 3200)
    ]
    # 4 r^2 / (1 + r^2)^2 at r = 1/4 and 4 is 6.5 dB below its largest value
    for side in (octaves[0], octaves[2]):
        assert 10.0 * np.log10(octaves[1] / side) == pytest.approx(6.5, abs=1.0)
    assert strongest_hz(envelope_spectrum(flow, 500.0, 7000.0), 20.0, 1000.0) == pytest.approx(
        7 * SPEED_HZ, abs=0.2
    )


def test_impacts_stand_where_the_shaft_says() -> None:
    turns = np.linspace(0.0, 160.0, N_SAMPLES + 1)[:-1]  # a thousand samples a turn
    signal = sources.impacts(turns, [-1.0, 2.0, 3.0005, 170.0], [9.0, 1.0, 2.0, 9.0])
    assert signal[2000] == pytest.approx(1.0)
    assert signal[3000] == pytest.approx(1.0)
    assert signal[3001] == pytest.approx(1.0)
    assert np.count_nonzero(np.abs(signal) > 1e-6) == 3


def test_strokes_repeat_with_the_crankshaft() -> None:
    strokes = sources.reciprocating(shaft_turns(11.3, 0.0, rng()), 4, rng())
    spectrum = np.abs(np.fft.rfft(strokes))
    assert strongest_hz(spectrum, 6.0, 100.0) in (
        pytest.approx(4 * 11.3, abs=0.2),
        pytest.approx(8 * 11.3, abs=0.2),
    )
    assert line_db(spectrum**2, 11.3) > 15.0


def test_a_resonance_rings_at_its_frequency_and_fades_with_its_damping() -> None:
    response = to_signal(resonances([Mode(1000.0, 0.02, 0.0)]))
    assert strongest_hz(np.abs(np.fft.rfft(response)), 100.0, 7000.0) == pytest.approx(1000.0, abs=4.0)
    # amplitude falls with exp(-2 pi f z t): by exp(1) in 7.96 ms
    envelope = [np.abs(response[at : at + 64]).max() for at in (32, 32 + 127)]
    assert envelope[0] / envelope[1] == pytest.approx(math.e, rel=0.12)
    assert np.abs(response[-4000:-80]).max() < 0.02 * np.abs(response).max()  # nothing before the strike


def test_level_is_the_root_mean_square() -> None:
    noise = gaussian_noise(rng(), band(100.0, 3000.0))
    assert rms(noise) == pytest.approx(to_signal(noise).std(), rel=1e-6)


@pytest.mark.parametrize("snr_db", [0.0, 7.0, 15.0])
def test_signal_to_noise_ratio_is_the_chosen_one(snr_db: float) -> None:
    sound, noise = gaussian_noise(rng()), gaussian_noise(np.random.default_rng(5), band(50.0, 500.0))
    signal = to_signal(sound)
    rest = to_signal(room.add_noise(sound, noise, snr_db)) - signal
    assert 10.0 * np.log10(np.mean(signal**2) / np.mean(rest**2)) == pytest.approx(snr_db, abs=0.01)


def test_recording_has_the_drawn_level_and_room_tail() -> None:
    for seed in range(5):
        source = np.random.default_rng(seed)
        place = room.draw_place(source)
        recording = room.record(gaussian_noise(source), place, source)
        level_dbfs = 10.0 * np.log10(np.mean(recording.astype(np.float64) ** 2))
        assert level_dbfs == pytest.approx(place.level_dbfs, abs=0.1)
    dead, live = (
        to_signal(room.room_response(replace(place, reverberation_s=seconds), rng()))[:7200] ** 2
        for seconds in (0.15, 0.4)
    )
    # Schroeder: 60 dB in the reverberation time, so 15 and 40 dB between 0.1 s and 0.2 s
    for taps, expected_db in ((dead, 40.0), (live, 15.0)):
        left = np.cumsum(taps[::-1])[::-1]
        assert 10.0 * np.log10(left[1600] / left[3200]) == pytest.approx(expected_db, abs=2.0)


def fault_sound(name: str, machine_name: str = "blower/id_00") -> Float64:
    """The sound that a severe fault adds, without resonances of the structure."""
    turns = shaft_turns(SPEED_HZ, 0.0, rng())
    fault = synth.fault(name, "severe")
    assert isinstance(fault, synth.SoundingFault)
    return to_signal(fault.sound(machine(machine_name), turns, FLAT, rng()))


@pytest.mark.parametrize("name", ["blower/id_00", "gearbox/id_01", "compressor/id_02"])
def test_bearing_defect_strikes_at_the_rate_of_its_geometry(name: str) -> None:
    bearing = machine(name).bearing
    rate_hz = (
        0.5
        * bearing.n_balls
        * SPEED_HZ
        * (1.0 - bearing.diameter_ratio * math.cos(bearing.contact_angle_rad))
    )
    ringing_hz = bearing.ringing.frequency_hz
    sound = fault_sound("bearing_defect", name)
    envelope = envelope_spectrum(sound, ringing_hz - 500.0, ringing_hz + 500.0)
    assert strongest_hz(envelope, 1.5 * SPEED_HZ, 1.5 * rate_hz) == pytest.approx(rate_hz, rel=0.005)
    smooth = np.convolve(power_spectrum(sound), np.ones(500), "same")
    assert strongest_hz(smooth, 500.0, 7500.0) == pytest.approx(ringing_hz, rel=0.05)


def test_imbalance_adds_the_first_harmonics_and_modulates_once_a_turn() -> None:
    power = power_spectrum(fault_sound("imbalance"))
    assert strongest_hz(power, 5.0, 8000.0) == pytest.approx(SPEED_HZ, abs=0.1)
    turns = shaft_turns(SPEED_HZ, 0.0, rng())
    factor = synth.fault("imbalance", "severe").modulate(turns)
    assert isinstance(factor, np.ndarray)
    assert factor.min() > 0.0
    assert strongest_hz(np.abs(np.fft.rfft(factor)), 1.0, 8000.0) == pytest.approx(SPEED_HZ, abs=0.1)


def test_looseness_adds_halves_of_the_speed() -> None:
    power = power_spectrum(fault_sound("looseness"))
    for half in (1, 3, 5, 21, 41):
        assert line_db(power, 0.5 * half * SPEED_HZ) > 25.0
    assert power[round(2.5 * SPEED_HZ)] < 1e-3 * power[round(5.0 * SPEED_HZ)]


def test_leak_hisses_in_its_band() -> None:
    leak = synth.fault("leak", "severe")
    assert isinstance(leak, faults.Leak)
    power = power_spectrum(fault_sound("leak"))
    inside = power[round(10 * leak.low_hz) : round(10 * leak.high_hz)]
    assert inside.sum() > 0.8 * power.sum()
    # noise, not lines: no bin holds much more than its share
    assert inside.max() < 20.0 * inside.mean()


def test_rubbing_bursts_once_a_turn() -> None:
    envelope = envelope_spectrum(fault_sound("rubbing"), 1000.0, 6000.0)
    assert strongest_hz(envelope, 5.0, 500.0) == pytest.approx(SPEED_HZ, abs=0.1)


def test_clogging_slows_quietens_and_pulses() -> None:
    clogging = synth.fault("clogging", "severe")
    clogged = clogging.alter(HEALTHY)
    assert clogged.speed_hz < SPEED_HZ
    assert clogged.flow_db < HEALTHY.flow_db - 3.0
    assert clogged.detuning < 1.0
    assert clogged.surge > 0.0
    envelope = envelope_spectrum(fault_sound("clogging"), 60.0, 500.0)
    assert strongest_hz(envelope, 2.0, 40.0) == pytest.approx(0.32 * SPEED_HZ, abs=0.1)
