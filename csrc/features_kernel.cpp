// The features of a machine's memory: samples -> envelopes; log-mel and envelopes -> blocks A to D.
// Compiled once per instruction set with OSSCL_ISA (namespace) and OSSCL_LANES (floats per vector).
#include "features_kernel.hpp"

#include "envelope_spectra.hpp"
#include "short_frames.hpp"

namespace osscl::OSSCL_ISA {

namespace {

constexpr std::size_t coarse_stride = whole_vectors(n_mel_frames);

struct SummaryScratch {
    EnvelopeScratch<modulation> for_modulation;
    EnvelopeScratch<flutter> for_flutter;
    alignas(64) float coarse[n_coarse * coarse_stride];                     // mean of four mel bands
    alignas(64) float groups[osscl::modulation.n_envelopes * n_mel_frames]; // mean of eight
};

// log_mel [n_feature_mels][n_mel_frames] -> coarse [n_coarse][coarse_stride]
void mean_of_four_bands(const float* log_mel, float* coarse) {
    for (std::size_t c = 0; c < n_coarse; ++c) {
        const float* bands = log_mel + 4 * c * n_mel_frames;
        for (std::size_t t = 0; t < n_mel_frames; ++t) {
            coarse[c * coarse_stride + t] =
                0.25F * ((bands[t] + bands[n_mel_frames + t]) +
                         (bands[2 * n_mel_frames + t] + bands[3 * n_mel_frames + t]));
        }
    }
}

void mean_of_pairs(const float* coarse, float* groups) {
    for (std::size_t g = 0; g < modulation.n_envelopes; ++g) {
        const float* pair = coarse + 2 * g * coarse_stride;
        for (std::size_t t = 0; t < n_mel_frames; ++t) {
            groups[g * n_mel_frames + t] = 0.5F * (pair[t] + pair[coarse_stride + t]);
        }
    }
}

float time_mean(const float* values) {
    constexpr std::size_t whole = n_mel_frames / lanes * lanes;
    Vec sums = {};
    for (std::size_t t = 0; t < whole; t += lanes) {
        sums += load_unaligned(values + t);
    }
    float sum = 0.0F;
    for (std::size_t i = 0; i < lanes; ++i) {
        sum += sums[i];
    }
    for (std::size_t t = whole; t < n_mel_frames; ++t) {
        sum += values[t];
    }
    return sum / static_cast<float>(n_mel_frames);
}

// Largest mean of three neighbours; the last vector overlaps the one before.
float largest_of_three(const float* values) {
    constexpr std::size_t n_windows = n_mel_frames - 2;
    const auto sums_at = [&](std::size_t t) {
        return load_unaligned(values + t) + load_unaligned(values + t + 1) + load_unaligned(values + t + 2);
    };
    Vec largest = sums_at(n_windows - lanes);
    for (std::size_t t = 0; t + lanes <= n_windows; t += lanes) {
        const Vec sums = sums_at(t);
        largest = sums > largest ? sums : largest;
    }
    float result = largest[0];
    for (std::size_t i = 1; i < lanes; ++i) {
        result = largest[i] > result ? largest[i] : result;
    }
    return result / 3.0F;
}

void summarise(const FeatureTables& tables, const float* log_mel, const float* envelopes, float* features,
               void* memory) {
    auto& scratch = *static_cast<SummaryScratch*>(memory);
    mean_of_four_bands(log_mel, scratch.coarse);
    mean_of_pairs(scratch.coarse, scratch.groups);
    for (std::size_t c = 0; c < n_coarse; ++c) {
        const float* band = scratch.coarse + c * coarse_stride;
        const float level = time_mean(band);
        features[level_at + c] = level;
        features[event_at + c] = largest_of_three(band) - level;
    }
    envelope_spectra<modulation>(tables, tables.modulation, scratch.groups, scratch.for_modulation,
                                 features + modulation_at);
    envelope_spectra<flutter>(tables, tables.flutter, envelopes, scratch.for_flutter, features + flutter_at);
}

} // namespace

extern const FeatureKernel feature_kernel = {sizeof(ShortFrameScratch), sizeof(SummaryScratch),
                                             short_frames_to_envelopes<std::int16_t>,
                                             short_frames_to_envelopes<float>, summarise};

} // namespace osscl::OSSCL_ISA
