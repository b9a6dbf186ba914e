"""The log-mel front end inside the graph, for callers that have a waveform and no osscl.

The Fourier transform of 2048 points is done as two matrix products, 2048 = 128 x 16: short sums lose less
precision in float32 than sums of 2048, at a fraction of the arithmetic. Of the four splits tried
(benchmarks/RESULTS.md), this one errs least 90 dB below the peak.
"""

import math

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from osscl.config import FRONTEND, FrontendConfig
from osscl.frontend import tables
from osscl.model import OSSCL

_ROWS, _COLUMNS = 128, 16  # n = 16 row + column, k = row' + 128 column'


class LogMel(nn.Module):
    """Log-mel spectrogram of waveforms, in float32.

    Parameters
    ----------
    config : FrontendConfig
        Settings.
    """

    window: Tensor
    mel_filters: Tensor
    row_transform: Tensor
    twiddle_re: Tensor
    twiddle_im: Tensor
    column_transform: Tensor

    def __init__(self, config: FrontendConfig = FRONTEND) -> None:
        super().__init__()
        self.config = config
        window, mel_filters = tables(config)
        n_bins = config.n_fft // 2 + 1
        n_columns = math.ceil(n_bins / _ROWS)  # only the half of the spectrum that real sound has
        row, column = np.arange(_ROWS), np.arange(_COLUMNS)
        rows = _turns(np.outer(row, row) / _ROWS)  # [128, 128]
        twiddle = _turns(np.outer(column, row) / config.n_fft)  # [16, 128]
        columns = _turns(np.outer(column, np.arange(n_columns)) / _COLUMNS)  # [16, n_columns]
        padded_filters = np.zeros((config.n_mels, n_columns * _ROWS), np.float32)
        padded_filters[:, :n_bins] = mel_filters
        # bin k = row' + 128 column' lies at [row', column'] of the two-step transform
        in_order_of_steps = padded_filters.reshape(-1, n_columns, _ROWS).transpose(0, 2, 1)
        self._register("window", window)
        self._register("mel_filters", in_order_of_steps.reshape(config.n_mels, -1).T)
        self._register("row_transform", np.concatenate([rows.real, rows.imag], axis=1))  # [128, 256]
        self._register("twiddle_re", twiddle.real.T)  # [128, 16]
        self._register("twiddle_im", twiddle.imag.T)  # [128, 16]
        self._register("column_transform", np.concatenate([columns.real, columns.imag], axis=1))

    def _register(self, name: str, values: npt.NDArray[np.floating]) -> None:
        array = np.ascontiguousarray(values, dtype=np.float32)
        self.register_buffer(name, torch.from_numpy(array), persistent=False)

    def forward(self, waveform: Tensor) -> Tensor:
        """Waveform [B, n_samples], full scale ±1 -> log-mel [B, n_mels, n_frames], dB."""
        frames = self._frames(waveform)  # [B, F, 2048]
        re, im = self._transform(frames)  # [B, F, 128, n_columns] each
        power = re.square() + im.square()  # [B, F, 128, n_columns]
        mel_power = power.flatten(2) @ self.mel_filters  # [B, F, n_mels]
        db = mel_power.clamp(min=self.config.power_floor).log() * (10.0 / math.log(10.0))  # [B, F, n_mels]
        return db.transpose(1, 2)

    def _frames(self, waveform: Tensor) -> Tensor:
        """Frames of n_fft samples, hop_length apart, zeros beyond both ends, windowed."""
        n_fft, hop = self.config.n_fft, self.config.hop_length
        n_frames = self.config.n_frames(waveform.shape[1])
        n_hops = n_frames - 1 + n_fft // hop
        padded = pad(waveform, (n_fft // 2, n_hops * hop - waveform.shape[1] - n_fft // 2))
        hops = padded.reshape(-1, n_hops, hop)  # [B, n_hops, hop]
        parts = [hops[:, i : i + n_frames] for i in range(n_fft // hop)]
        return torch.cat(parts, dim=2) * self.window  # [B, F, n_fft]

    def _transform(self, frames: Tensor) -> tuple[Tensor, Tensor]:
        x = frames.reshape(-1, frames.shape[1], _ROWS, _COLUMNS).transpose(2, 3)  # [B, F, column 16, row 128]
        x = (x @ self.row_transform).transpose(2, 3)  # [B, F, 256 = (re, im) of row' 128, column 16]
        re, im = x[:, :, :_ROWS], x[:, :, _ROWS:]  # [B, F, 128, 16] each
        turned_re = re * self.twiddle_re - im * self.twiddle_im
        turned_im = re * self.twiddle_im + im * self.twiddle_re
        of_re = turned_re @ self.column_transform  # [B, F, 128, 2 n_columns]
        of_im = turned_im @ self.column_transform
        n = self.column_transform.shape[1] // 2
        return of_re[..., :n] - of_im[..., n:], of_re[..., n:] + of_im[..., :n]


class WaveformOnly(nn.Module):
    """A network with the front end before it: the waveform is its one input.

    Parameters
    ----------
    model : OSSCL
        The network.
    """

    def __init__(self, model: OSSCL) -> None:
        super().__init__()
        self.log_mel = LogMel()
        self.model = model

    def forward(self, waveform: Tensor) -> tuple[Tensor, Tensor]:
        """Waveform [B, 160000] -> embedding [B, 128], cosine [B, K]."""
        maps = {"waveform": waveform, "log_mel": self.log_mel(waveform)}
        embedding, cosine = self.model(*(maps[name] for name in self.model.input_names))
        return embedding, cosine


def _turns(fractions: npt.NDArray[np.float64]) -> npt.NDArray[np.complex128]:
    """exp(-2 pi i x), exact at whole turns."""
    turns: npt.NDArray[np.complex128] = np.exp(-2j * np.pi * (fractions % 1.0))
    return turns
