"""What the format chunk of a WAV file says of its samples, and whether it contradicts itself.

Decoders believe one of its fields and pass over the others, each in its own way: a chunk whose
fields disagree is sound of another level or length to every one of them.
"""

import struct
from dataclasses import dataclass

import numpy as np

from osscl.errors import AudioCorruptError

_PCM, _FLOAT, _A_LAW, _MU_LAW, _EXTENSIBLE = 1, 3, 6, 7, 0xFFFE
_OF_WHOLE_SAMPLES = (_PCM, _FLOAT, _A_LAW, _MU_LAW)
_FLOAT_BITS = (32, 64)
_FEWEST_TELLING_SAMPLES = 64


@dataclass(frozen=True, slots=True)
class WavFormat:
    """Fields of a format chunk.

    Attributes
    ----------
    tag : int
        Kind of samples; for an extensible chunk the one that it hides.
    n_channels, sample_rate_hz, n_bits : int
        As declared.
    block_bytes : int
        Bytes of one sample of each channel, as declared.
    n_valid_bits : int
        Bits of a sample that are in use; an extensible chunk declares them apart from `n_bits`.
    """

    tag: int
    n_channels: int
    sample_rate_hz: int
    block_bytes: int
    n_bits: int
    n_valid_bits: int

    @property
    def n_unused_bits(self) -> int:
        """Bits of an integer's bytes that hold nothing: the lowest, where the file keeps to the format."""
        return 8 * -(-self.n_bits // 8) - self.n_valid_bits if self.tag == _PCM else 0

    @property
    def whole_block_bytes(self) -> int:
        """Bytes of one sample of each channel, each in as few bytes as hold it."""
        return self.n_channels * -(-self.n_bits // 8)

    @property
    def is_24_bits_in_4_bytes(self) -> bool:
        """Whether 24-bit samples are said to lie in 4 bytes each: one header, of which four kinds are known.

        ALSA's S24_LE has the sample in the low three bytes, others have it in the high three, Cool
        Edit wrote floats, and some writers packed it in three and got the block wrong.
        """
        return self.tag == _PCM and self.n_bits == 24 and self.block_bytes == 4 * self.n_channels

    def check(self) -> None:
        """Refuse a chunk whose fields disagree, where samples lie one by one.

        Raises
        ------
        AudioCorruptError
            If they do; 24 bits in 4 bytes pass, because the samples may tell more.
        """
        if self.tag not in _OF_WHOLE_SAMPLES or self.is_24_bits_in_4_bytes:
            return
        # PCM without a block at all is packed as everywhere; nothing says otherwise
        is_left_out = self.tag == _PCM and self.block_bytes == 0
        if self.block_bytes != self.whole_block_bytes and not is_left_out:
            raise self._contradiction(
                f"{self.n_bits} bits and {self.n_channels} channels are {self.whole_block_bytes} bytes "
                f"a sample, and it declares {self.block_bytes}"
            )
        if self.n_valid_bits > self.n_bits:
            raise self._contradiction(f"it declares {self.n_valid_bits} valid bits of {self.n_bits}")
        if self.tag == _FLOAT and self.n_bits not in _FLOAT_BITS:
            raise self._contradiction(f"it declares floating point of {self.n_bits} bits, expected 32 or 64")

    def check_low_bytes(self, sound: bytes, byte_order: str) -> None:
        """Refuse 24 bits in 4 bytes unless the samples can lie nowhere but in the low three.

        Then the fourth byte repeats the sign, or is zero throughout, which neither floats nor packed
        samples do; and the lowest byte is in use, which it is not where 24 bits lie in the high three.

        Parameters
        ----------
        sound : bytes
            The first samples.
        byte_order : {"<", ">"}
            Of the samples.

        Raises
        ------
        AudioCorruptError
            If they may lie elsewhere.
        """
        words = np.frombuffer(sound[: len(sound) // 4 * 4], f"{byte_order}i4").astype(np.int32)
        repeats_the_sign = np.array_equal(words << 8 >> 8, words)
        is_empty = not (words >> 24).any()
        uses_lowest_byte = len(words) >= _FEWEST_TELLING_SAMPLES and np.ptp(words & 0xFF) > 0
        if not (uses_lowest_byte and (repeats_the_sign or is_empty)):
            raise self._contradiction(
                f"24 bits and {self.n_channels} channels are {self.whole_block_bytes} bytes a sample, it "
                f"declares {self.block_bytes}, and its samples do not tell in which of them they lie"
            )

    def check_unused_bits(self, sound: bytes, byte_order: str) -> None:
        """Refuse integers of fewer bits than their bytes hold, unless the lowest bits are those left over.

        Recorders put such samples low too, against the format, and then all of them would be heard too quiet.

        Parameters
        ----------
        sound : bytes
            The first samples.
        byte_order : {"<", ">"}
            Of the samples.

        Raises
        ------
        AudioCorruptError
            If a bit is set that should be left over.
        """
        n_bytes = -(-self.n_bits // 8)
        octets = np.frombuffer(sound[: len(sound) // n_bytes * n_bytes], np.uint8).reshape(-1, n_bytes)
        from_lowest = octets if byte_order == "<" else octets[:, ::-1]  # [samples, bytes]
        n_whole, n_rest = divmod(self.n_unused_bits, 8)
        if from_lowest[:, :n_whole].any() or (n_rest and (from_lowest[:, n_whole] & (1 << n_rest) - 1).any()):
            raise self._contradiction(
                f"of the {8 * n_bytes} bits of a sample it declares {self.n_valid_bits} as valid, and the "
                f"lowest {self.n_unused_bits} are in use all the same"
            )

    def _contradiction(self, what: str) -> AudioCorruptError:
        error = AudioCorruptError(
            f"its header contradicts itself: {what}; level and length of its sound cannot be known: "
            "record it again in another format"
        )
        error.sample_rate_hz = self.sample_rate_hz
        return error


def parse_wav_format(body: bytes, byte_order: str) -> WavFormat:
    """Read the fields of a format chunk.

    Parameters
    ----------
    body : bytes
        The chunk behind its header.
    byte_order : {"<", ">"}
        Of its fields.

    Raises
    ------
    AudioCorruptError
        If it is too short to hold them.
    """
    if len(body) < 16:
        raise AudioCorruptError(f"its format chunk holds {len(body)} bytes, expected at least 16")
    tag, n_channels, rate_hz, _, block_bytes, n_bits = struct.unpack_from(byte_order + "HHIIHH", body)
    n_valid_bits = n_bits
    if tag == _EXTENSIBLE and len(body) >= 40:
        (tag,) = struct.unpack_from(byte_order + "I", body, 24)
        (n_valid_bits,) = struct.unpack_from(byte_order + "H", body, 18)
    # 0 says nothing
    return WavFormat(tag, n_channels, rate_hz, block_bytes, n_bits, n_valid_bits or n_bits)


def pcm_32_format(format_: WavFormat, byte_order: str) -> bytes:
    """Body of the format chunk of 32-bit PCM with the channels and the rate of another."""
    block_bytes = 4 * format_.n_channels
    n_bytes_per_second = min(block_bytes * format_.sample_rate_hz, 0xFFFF_FFFF)
    fields = (_PCM, format_.n_channels, format_.sample_rate_hz, n_bytes_per_second, block_bytes, 32)
    return struct.pack(byte_order + "HHIIHH", *fields)
