// Samples of one clip -> power of its short frames in ten bands, in decibels; frames in lanes.
// For kernel files only.
#pragma once

#include "decibel.hpp"
#include "features_kernel.hpp"
#include "hops.hpp"
#include "real_fft.hpp"

namespace osscl::OSSCL_ISA {

constexpr std::size_t short_rows = short_fft / (2 * fft_side);
constexpr std::size_t short_hops = hops_of_tile(short_fft, short_hop);

static_assert(short_rows == 4 && short_hop == 2 * fft_side); // so that point a of a column lies in hop a

struct ShortFrameScratch {
    Complex steps[short_rows * row_stride];
    Vec power[short_fft / 2 + 1];
    alignas(64) float columns[short_hop * short_hops]; // sample p of hop q
    alignas(64) float rows[4 * short_hop];
};

// First half of the 128-point transform of z[m] = x[2m] + i x[2m+1], m = 32 a + b: columns over a, twiddled.
[[gnu::noinline]] inline void transform_short_columns(const ShortFrameTables& tables, const float* columns,
                                                      Complex* steps) {
    for (std::size_t b = 0; b < fft_side; ++b) {
        const float* even = columns + 2 * b * short_hops;
        const float* odd = even + short_hops;
        const float* window = tables.window + 2 * b;
        const auto point = [&](std::size_t a) {
            return Complex{load_unaligned(even + a) * window[short_hop * a],
                           load_unaligned(odd + a) * window[short_hop * a + 1]};
        };
        Complex p0 = point(0), p1 = point(1), p2 = point(2), p3 = point(3);
        fft4(p0, p1, p2, p3);
        const float* twiddle = tables.step_twiddle + 2 * short_rows * b;
        steps[b] = p0; // its twiddle is 1
        steps[row_stride + b] = times(p1, twiddle + 2);
        steps[2 * row_stride + b] = times(p2, twiddle + 4);
        steps[3 * row_stride + b] = times(p3, twiddle + 6);
    }
}

[[gnu::noinline]] inline void short_bands_to_decibel(const Vec* power, float* envelopes, std::size_t count) {
    const Vec floor = Vec{} + short_power_floor;
    for (std::size_t band = 0; band < n_short_bands; ++band) {
        Vec sum = {}, other_sum = {}; // two, since one would wait for itself
        std::size_t k = short_band_edge[band];
        for (; k + 1 < short_band_edge[band + 1]; k += 2) {
            sum += power[k];
            other_sum += power[k + 1];
        }
        if (k < short_band_edge[band + 1]) {
            sum += power[k];
        }
        sum += other_sum;
        sum = sum < floor ? floor : sum;
        store_lanes(envelopes + band * n_short_frames, decibel(sum), count);
    }
}

template <class Sample>
void short_frames_to_envelopes(const FeatureTables& tables, const Sample* clip, const ShortFrames& frames) {
    auto& scratch = *static_cast<ShortFrameScratch*>(frames.scratch);
    const std::size_t end = frames.first + frames.count;
    for (std::size_t first = frames.first; first < end; first += lanes) {
        const std::size_t count = end - first < lanes ? end - first : lanes;
        transpose_hops(clip, n_clip_samples, static_cast<std::ptrdiff_t>(first * short_hop), short_hop,
                       short_hops, scratch.rows, scratch.columns);
        transform_short_columns(tables.short_frames, scratch.columns, scratch.steps);
        transform_rows_to_power<short_rows>(tables.side_twiddle, tables.short_frames.split_twiddle,
                                            scratch.steps, scratch.power);
        short_bands_to_decibel(scratch.power, frames.envelopes + first, count);
    }
}

} // namespace osscl::OSSCL_ISA
