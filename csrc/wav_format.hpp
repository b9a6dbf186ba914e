// What the format chunk of a WAV file says of its samples.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace osscl {

enum class SampleFormat { pcm_16, pcm_24, pcm_32, float_32, float_64 };

struct WavFormat {
    SampleFormat samples;
    std::uint32_t n_channels, sample_rate_hz;
    std::uint32_t frame_bytes; // one sample of each channel, without padding
};

// Nothing where the chunk has an unusual size, names another format, or contradicts itself.
std::optional<WavFormat> parse_wav_format(std::span<const std::byte> chunk);

} // namespace osscl
