#include "wav.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <utility>
#include <vector>

namespace osscl {

namespace {

constexpr std::size_t block_bytes = 64 * 1024; // few system calls, and still in a cache when it is converted

template <class Number> Number load(const std::byte* at) {
    Number value;
    std::memcpy(&value, at, sizeof value);
    return value;
}

// One sample of the file to one of the caller's. Scales are powers of two: the products are exact.
struct Pcm16Kept {
    static constexpr std::size_t n_bytes = 2;
    static std::int16_t sample(const std::byte* at) { return load<std::int16_t>(at); }
};

struct Pcm16 {
    static constexpr std::size_t n_bytes = 2;
    static float sample(const std::byte* at) { return static_cast<float>(load<std::int16_t>(at)) * 0x1p-15F; }
};

struct Pcm24 {
    static constexpr std::size_t n_bytes = 3;
    static float sample(const std::byte* at) {
        const auto byte = [at](std::size_t i) { return std::to_integer<std::uint32_t>(at[i]); };
        const auto value = static_cast<std::int32_t>(byte(0) << 8 | byte(1) << 16 | byte(2) << 24);
        return static_cast<float>(value) * 0x1p-31F;
    }
};

struct Pcm32 {
    static constexpr std::size_t n_bytes = 4;
    static float sample(const std::byte* at) { return static_cast<float>(load<std::int32_t>(at)) * 0x1p-31F; }
};

struct Float32 {
    static constexpr std::size_t n_bytes = 4;
    static float sample(const std::byte* at) { return load<float>(at); }
};

struct Float64 {
    static constexpr std::size_t n_bytes = 8;
    static float sample(const std::byte* at) { return static_cast<float>(load<double>(at)); }
};

template <class Format, class Sample>
void convert(const std::byte* from, std::size_t frame_bytes, std::span<Sample> to) {
    if (frame_bytes == Format::n_bytes) { // one channel: a step known to the compiler, so that it vectorises
        for (std::size_t i = 0; i < to.size(); ++i) {
            to[i] = Format::sample(from + i * Format::n_bytes);
        }
    } else {
        for (std::size_t i = 0; i < to.size(); ++i) {
            to[i] = Format::sample(from + i * frame_bytes);
        }
    }
}

// The first samples of one channel, through a buffer that bounds the memory whatever the number of channels.
template <class Format, class Sample>
bool read_channel(const RegularFile& file, const WavHeader& header, std::size_t channel,
                  std::span<Sample> samples) {
    const std::size_t frame_bytes = header.format.frame_bytes;
    const std::size_t block_frames = std::max<std::size_t>(1, block_bytes / frame_bytes);
    std::vector<std::byte> block(std::min(block_frames, samples.size()) * frame_bytes);
    std::uint64_t offset = header.data_offset;
    while (!samples.empty()) {
        const std::span<Sample> to = samples.first(std::min(block_frames, samples.size()));
        const std::span<std::byte> frames = std::span(block).first(to.size() * frame_bytes);
        if (!file.read(offset, frames)) {
            return false;
        }
        convert<Format>(frames.data() + channel * Format::n_bytes, frame_bytes, to);
        offset += frames.size();
        samples = samples.subspan(to.size());
    }
    return true;
}

// Samples that are in the file as the caller wants them: one channel, nothing to convert.
template <class Sample>
bool read_unchanged(const RegularFile& file, const WavHeader& header, std::span<Sample> samples) {
    return file.read(header.data_offset, std::as_writable_bytes(samples));
}

bool is_within(std::span<const float> samples, float limit) {
    unsigned is_beyond = 0;
    for (const float sample : samples) {
        is_beyond |= static_cast<unsigned>(!(std::abs(sample) <= limit)); // NaN is not within either
    }
    return is_beyond == 0;
}

} // namespace

WavFile::WavFile(RegularFile file, const WavHeader& header, const WavRequest& request)
    : file_(std::move(file)), header_(header), channel_(request.channel.value_or(0)),
      level_limit_(request.level_limit) {}

std::optional<WavFile> WavFile::open(const char* path, const WavRequest& request) {
    if constexpr (std::endian::native != std::endian::little) {
        return std::nullopt; // samples are loaded as they lie in the file
    }
    std::optional<RegularFile> file = RegularFile::open(path);
    const std::optional<WavHeader> header = file ? read_wav_header(*file) : std::nullopt;
    if (!header || header->format.sample_rate_hz != request.sample_rate_hz ||
        header->n_frames < request.n_samples) {
        return std::nullopt;
    }
    if (request.channel ? *request.channel >= header->format.n_channels : header->format.n_channels != 1) {
        return std::nullopt;
    }
    return WavFile(std::move(*file), *header, request);
}

bool WavFile::read(std::span<std::int16_t> samples) const {
    if (!is_pcm_16()) {
        return false;
    }
    if (header_.format.n_channels == 1) {
        return read_unchanged(file_, header_, samples);
    }
    return read_channel<Pcm16Kept>(file_, header_, channel_, samples);
}

bool WavFile::read(std::span<float> samples) const {
    switch (header_.format.samples) {
    case SampleFormat::pcm_16:
        return read_channel<Pcm16>(file_, header_, channel_, samples);
    case SampleFormat::pcm_24:
        return read_channel<Pcm24>(file_, header_, channel_, samples);
    case SampleFormat::pcm_32:
        return read_channel<Pcm32>(file_, header_, channel_, samples);
    case SampleFormat::float_32:
        return (header_.format.n_channels == 1 ? read_unchanged(file_, header_, samples)
                                               : read_channel<Float32>(file_, header_, channel_, samples)) &&
               is_within(samples, level_limit_);
    case SampleFormat::float_64:
        return read_channel<Float64>(file_, header_, channel_, samples) && is_within(samples, level_limit_);
    }
    return false;
}

} // namespace osscl
