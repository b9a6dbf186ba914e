// The first samples of one channel of a plain WAV file, bit by bit as the decoder gives them.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <type_traits>

#include "regular_file.hpp"
#include "wav_header.hpp"

namespace osscl {

struct WavRequest {
    std::size_t n_samples;
    std::optional<std::size_t> channel; // none: the file must have one only
    std::uint32_t sample_rate_hz;
    float level_limit; // float samples beyond are refused, NaN with them
};

// An open file that holds what was asked for. Whatever else a file may be is no error here: there is no
// WavFile then, or `read` gives false, and another reader has to find out more.
class WavFile {
  public:
    static std::optional<WavFile> open(const char* path, const WavRequest& request);

    bool is_pcm_16() const { return header_.format.samples == SampleFormat::pcm_16; }

    // All frames of the file, of which the first are read.
    std::uint64_t n_frames() const { return header_.n_frames; }

    // Fills `samples`, which has the size asked for; false for a file of anything but 16-bit PCM.
    bool read(std::span<std::int16_t> samples) const;

    // Fills `samples`, which has the size asked for, at full scale 1.
    bool read(std::span<float> samples) const;

  private:
    WavFile(RegularFile file, const WavHeader& header, const WavRequest& request);

    RegularFile file_;
    WavHeader header_;
    std::size_t channel_;
    float level_limit_;
};

// Whether the channel is dead: all samples are one value, or two that the last of 16 bits tells apart. Sound
// says so with its first samples. osscl.audio.silence has the same rule for what is decoded.
template <class Sample> bool is_silent(std::span<const Sample> samples) {
    constexpr double last_bit = std::is_integral_v<Sample> ? 1.0 : 0x1p-15;
    const Sample first = samples.empty() ? Sample{} : samples.front();
    Sample other = first;
    return std::ranges::all_of(samples, [&](Sample sample) {
        if (other == first &&
            std::abs(static_cast<double>(sample) - static_cast<double>(first)) <= last_bit) {
            other = sample;
        }
        return sample == first || sample == other;
    });
}

} // namespace osscl
