#include "wav_format.hpp"

#include <array>
#include <cstring>
#include <limits>

#include "little_endian.hpp"

namespace osscl {

namespace {

constexpr std::uint32_t max_channels = 1024; // of libsndfile

constexpr std::uint16_t tag_pcm = 1, tag_float = 3, tag_extensible = 0xFFFE;
// The bytes of a sub-format's GUID that follow its format tag.
constexpr std::array<unsigned char, 14> guid_tail{0x00, 0x00, 0x00, 0x00, 0x10, 0x00, 0x80,
                                                  0x00, 0x00, 0xAA, 0x00, 0x38, 0x9B, 0x71};

std::optional<SampleFormat> sample_format(std::uint16_t tag, std::uint16_t n_bits) {
    if (tag == tag_pcm) {
        switch (n_bits) {
        case 16:
            return SampleFormat::pcm_16;
        case 24:
            return SampleFormat::pcm_24;
        case 32:
            return SampleFormat::pcm_32;
        default:
            return std::nullopt;
        }
    }
    if (tag == tag_float && (n_bits == 32 || n_bits == 64)) {
        return n_bits == 32 ? SampleFormat::float_32 : SampleFormat::float_64;
    }
    return std::nullopt;
}

// The tag of a format chunk, behind which an extensible one hides the true tag.
std::optional<std::uint16_t> format_tag(std::span<const std::byte> body) {
    const auto tag = little_endian<std::uint16_t>(body, 0);
    const auto n_extra_bytes = body.size() > 16 ? little_endian<std::uint16_t>(body, 16) : 0;
    if (tag != tag_extensible) {
        return body.size() <= 18 && n_extra_bytes == 0 ? std::optional(tag) : std::nullopt;
    }
    const bool is_whole = body.size() == 40 && n_extra_bytes == 22 &&
                          little_endian<std::uint16_t>(body, 18) == little_endian<std::uint16_t>(body, 14) &&
                          std::memcmp(body.data() + 26, guid_tail.data(), guid_tail.size()) == 0;
    return is_whole ? std::optional(little_endian<std::uint16_t>(body, 24)) : std::nullopt;
}

} // namespace

std::optional<WavFormat> parse_wav_format(std::span<const std::byte> body) {
    if (body.size() != 16 && body.size() != 18 && body.size() != 40) {
        return std::nullopt;
    }
    const std::optional<std::uint16_t> tag = format_tag(body);
    const auto n_bits = little_endian<std::uint16_t>(body, 14);
    const std::optional<SampleFormat> samples = tag ? sample_format(*tag, n_bits) : std::nullopt;
    if (!samples) {
        return std::nullopt;
    }
    const std::uint32_t n_channels = little_endian<std::uint16_t>(body, 2);
    const auto rate_hz = little_endian<std::uint32_t>(body, 4);
    const std::uint64_t bytes_per_second = little_endian<std::uint32_t>(body, 8);
    const std::uint32_t frame_bytes = little_endian<std::uint16_t>(body, 12);
    const bool is_sound = n_channels >= 1 && n_channels <= max_channels && rate_hz >= 1 &&
                          rate_hz <= std::uint32_t{std::numeric_limits<std::int32_t>::max()} &&
                          frame_bytes == n_channels * (n_bits / 8U) &&
                          bytes_per_second == std::uint64_t{rate_hz} * frame_bytes;
    return is_sound ? std::optional(WavFormat{*samples, n_channels, rate_hz, frame_bytes}) : std::nullopt;
}

} // namespace osscl
