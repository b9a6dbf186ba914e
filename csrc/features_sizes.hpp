// Sizes of the features that a machine's memory keeps of a clip ("osscl.memory/1").
#pragma once

#include <cstddef>

namespace osscl {

constexpr std::size_t n_clip_samples = 160000;

// The log-mel that they are made from: that of the published models.
constexpr std::size_t n_feature_mels = 128;
constexpr std::size_t n_mel_frames = 313;

// Short frames, whose power in a few bands shows what a log-mel is too slow for.
constexpr std::size_t short_fft = 256;
constexpr std::size_t short_hop = 64;
constexpr std::size_t n_short_frames = 1 + (n_clip_samples - short_fft) / short_hop;
constexpr std::size_t n_short_bands = 10;
constexpr std::size_t short_band_edge[n_short_bands + 1] = {1, 4, 8, 13, 19, 27, 37, 50, 67, 91, 129}; // bins
constexpr float short_power_floor = 1e-7F;

constexpr std::size_t n_coarse = 32;     // of four mel bands each
constexpr float spectrum_offset = 1e-6F; // to the power of an envelope, before the logarithm

// What is taken from envelopes [n_envelopes][n_times]: the mean power spectrum of half overlapping segments,
// pooled; then the mean over pairs of neighbours.
struct EnvelopeSizes {
    std::size_t n_envelopes, n_times, segment, n_pools;
    std::size_t hop, n_segments; // of each envelope
    std::size_t n_series;        // segments of all envelopes
    std::size_t n_features;
};
// For constants alone: a kernel must not leave an inline function behind (logmel_kernel.hpp says why).
constexpr EnvelopeSizes envelope_sizes(std::size_t n_envelopes, std::size_t n_times, std::size_t segment,
                                       std::size_t n_pools) {
    const std::size_t hop = segment / 2, n_segments = 1 + (n_times - segment) / hop;
    return {n_envelopes,
            n_times,
            segment,
            n_pools,
            hop,
            n_segments,
            n_envelopes * n_segments,
            n_envelopes / 2 * n_pools};
}
constexpr EnvelopeSizes modulation = envelope_sizes(16, n_mel_frames, 128, 12);
constexpr EnvelopeSizes flutter = envelope_sizes(n_short_bands, n_short_frames, 250, 40);

// Blocks A to D, one behind the other.
constexpr std::size_t level_at = 0;
constexpr std::size_t modulation_at = level_at + n_coarse;
constexpr std::size_t flutter_at = modulation_at + modulation.n_features;
constexpr std::size_t event_at = flutter_at + flutter.n_features;
constexpr std::size_t n_features = event_at + n_coarse;

static_assert(n_short_frames == 2497 && modulation.n_segments == 3 && flutter.n_segments == 18);
static_assert(n_features == 360);

} // namespace osscl
