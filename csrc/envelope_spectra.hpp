// Envelopes -> their mean power spectra, pooled, in decibels; segments of all envelopes in lanes.
// For kernel files only.
#pragma once

#include "decibel.hpp"
#include "features_kernel.hpp"
#include "fft125.hpp"
#include "hops.hpp"
#include "real_fft.hpp"

namespace osscl::OSSCL_ISA {

constexpr std::size_t whole_vectors(std::size_t count) {
    return (count + lanes - 1) / lanes * lanes;
}

template <EnvelopeSizes sizes> struct EnvelopeScratch {
    static constexpr std::size_t n_series = whole_vectors(sizes.n_series);

    Vec columns[(sizes.segment + 3) / 4 * 4]; // sample n of each lane's segment
    Complex steps[2 * row_stride > sizes.segment / 2 ? 2 * row_stride : sizes.segment / 2];
    Complex spectrum[sizes.segment / 2];
    Vec power[sizes.segment / 2 + 1];
    alignas(64) float pooled[sizes.n_pools * n_series];
    alignas(64) float mean[whole_vectors(sizes.n_envelopes * sizes.n_pools)]; // [n_envelopes][n_pools]
};

// The segments of series first .. first + lanes - 1, numbered envelope by envelope; beyond the last, the
// last.
template <EnvelopeSizes sizes>
[[gnu::noinline]] void gather_segments(const float* envelopes, std::size_t first, Vec* columns) {
    const float* start[lanes];
    for (std::size_t i = 0; i < lanes; ++i) {
        const std::size_t series = first + i < sizes.n_series ? first + i : sizes.n_series - 1;
        start[i] =
            envelopes + series / sizes.n_segments * sizes.n_times + series % sizes.n_segments * sizes.hop;
    }
    float* to = reinterpret_cast<float*>(columns);
    for (std::size_t i = 0; i < lanes; i += 4) {
        for (std::size_t n = 0; n < sizes.segment; n += 4) { // may read on behind the segment
            transpose4(start[i] + n, start[i + 1] + n, start[i + 2] + n, start[i + 3] + n, to + n * lanes + i,
                       lanes);
        }
    }
}

inline Vec mean_of(const Vec* values, std::size_t count) {
    Vec sums[2] = {};
    for (std::size_t n = 0; n < count; n += 2) {
        sums[0] += values[n];
        sums[1] += values[n + 1];
    }
    return (sums[0] + sums[1]) * (1.0F / static_cast<float>(count));
}

// 128 points: 64 complex ones, in two rows of 32.
template <class Point>
void segment_to_power(const FeatureTables& tables, const EnvelopeTables& own, Point point,
                      EnvelopeScratch<modulation>& scratch) {
    for (std::size_t b = 0; b < fft_side; ++b) {
        const Complex early = point(b), late = point(fft_side + b);
        scratch.steps[b] = early + late;
        scratch.steps[row_stride + b] = times(early - late, own.step_twiddle + 2 * (2 * b + 1));
    }
    transform_rows_to_power<2>(tables.side_twiddle, own.split_twiddle, scratch.steps, scratch.power);
}

// 250 points: 125 complex ones. Frequency 0 and the highest are not asked for.
template <class Point>
void segment_to_power(const FeatureTables& tables, const EnvelopeTables& own, Point point,
                      EnvelopeScratch<flutter>& scratch) {
    constexpr std::size_t half = flutter.segment / 2;
    fft125(tables.fifth_twiddle, own.step_twiddle, point, scratch.steps, scratch.spectrum);
    for (std::size_t k = 1; k <= half / 2; ++k) {
        split_power(scratch.spectrum[k], scratch.spectrum[half - k], own.split_twiddle + 2 * k,
                    scratch.power[k], scratch.power[half - k]);
    }
}

template <EnvelopeSizes sizes>
[[gnu::noinline]] void transform_segments(const FeatureTables& tables, const EnvelopeTables& own,
                                          EnvelopeScratch<sizes>& scratch) {
    const Vec mean = mean_of(scratch.columns, sizes.segment);
    const auto point = [&](std::size_t m) {
        return Complex{(scratch.columns[2 * m] - mean) * own.window[2 * m],
                       (scratch.columns[2 * m + 1] - mean) * own.window[2 * m + 1]};
    };
    segment_to_power(tables, own, point, scratch);
}

// envelopes [n_envelopes][n_times] -> features [n_envelopes / 2][n_pools]
template <EnvelopeSizes sizes>
void envelope_spectra(const FeatureTables& tables, const EnvelopeTables& own, const float* envelopes,
                      EnvelopeScratch<sizes>& scratch, float* features) {
    constexpr std::size_t stride = EnvelopeScratch<sizes>::n_series;
    for (std::size_t first = 0; first < sizes.n_series; first += lanes) {
        gather_segments<sizes>(envelopes, first, scratch.columns);
        transform_segments(tables, own, scratch);
        for (std::size_t pool = 0; pool < sizes.n_pools; ++pool) {
            Vec sum = {};
            for (std::int32_t k = own.pool_edge[pool]; k < own.pool_edge[pool + 1]; ++k) {
                sum += scratch.power[k];
            }
            store_unaligned(scratch.pooled + pool * stride + first, sum * own.pool_scale[pool]);
        }
    }
    for (std::size_t envelope = 0; envelope < sizes.n_envelopes; ++envelope) {
        for (std::size_t pool = 0; pool < sizes.n_pools; ++pool) {
            const float* of_segments = scratch.pooled + pool * stride + envelope * sizes.n_segments;
            float sum = 0.0F;
            for (std::size_t segment = 0; segment < sizes.n_segments; ++segment) {
                sum += of_segments[segment];
            }
            scratch.mean[envelope * sizes.n_pools + pool] = sum;
        }
    }
    constexpr std::size_t count = sizes.n_envelopes * sizes.n_pools;
    for (std::size_t i = count; i < whole_vectors(count); ++i) {
        scratch.mean[i] = 1.0F; // the logarithm takes whole vectors
    }
    for (std::size_t i = 0; i < count; i += lanes) {
        store_unaligned(scratch.mean + i, decibel(load_unaligned(scratch.mean + i) + spectrum_offset));
    }
    for (std::size_t pair = 0; pair < sizes.n_envelopes / 2; ++pair) {
        const float* one = scratch.mean + 2 * pair * sizes.n_pools;
        for (std::size_t pool = 0; pool < sizes.n_pools; ++pool) {
            features[pair * sizes.n_pools + pool] = 0.5F * (one[pool] + one[sizes.n_pools + pool]);
        }
    }
}

} // namespace osscl::OSSCL_ISA
