// Samples of a tile of frames, transposed so that lane i of a vector holds frame i; and vectors of which only
// some lanes count, on their way out. For kernel files only.
#pragma once

#include <cstddef>
#include <cstdint>

#include "logmel_sizes.hpp"
#include "simd.hpp"

namespace osscl::OSSCL_ISA {

inline float to_float(std::int16_t sample) {
    return static_cast<float>(sample) * (1.0F / int16_full_scale);
}
inline float to_float(float sample) {
    return sample;
}

// Hops of samples that a tile of frames touches, rounded up to whole quads.
constexpr std::size_t hops_of_tile(std::size_t frame_length, std::size_t hop_length) {
    return (lanes + frame_length / hop_length - 1 + 3) / 4 * 4;
}

// `count` samples from position `start` of the clip, zeros outside of it.
template <class Sample>
void copy_padded(const Sample* clip, std::ptrdiff_t n_samples, std::ptrdiff_t start, std::size_t count,
                 float* to) {
    const std::ptrdiff_t end = start + static_cast<std::ptrdiff_t>(count);
    if (start >= 0 && end <= n_samples) {
        for (std::size_t i = 0; i < count; ++i) {
            to[i] = to_float(clip[start + static_cast<std::ptrdiff_t>(i)]);
        }
        return;
    }
    for (std::ptrdiff_t at = start; at < end; ++at) {
        to[at - start] = at >= 0 && at < n_samples ? to_float(clip[at]) : 0.0F;
    }
}

// Neighbouring frames share most of their samples: each of the `n_hops` hops of samples from `origin` on is
// transposed once, and lane i of a load at columns[p * n_hops + k + i] is sample p of hop k of frame i.
// `rows` is memory for 4 hops.
template <class Sample>
[[gnu::noinline]] void transpose_hops(const Sample* clip, std::size_t n_samples, std::ptrdiff_t origin,
                                      std::size_t hop, std::size_t n_hops, float* rows, float* columns) {
    for (std::size_t q = 0; q < n_hops; q += 4) {
        for (std::size_t i = 0; i < 4; ++i) {
            copy_padded(clip, static_cast<std::ptrdiff_t>(n_samples),
                        origin + static_cast<std::ptrdiff_t>((q + i) * hop), hop, rows + i * hop);
        }
        for (std::size_t p = 0; p < hop; p += 4) {
            transpose4(rows + p, rows + hop + p, rows + 2 * hop + p, rows + 3 * hop + p,
                       columns + p * n_hops + q, n_hops);
        }
    }
}

inline void store_lanes(float* to, Vec value, std::size_t count) {
    if (count == lanes) {
        store_unaligned(to, value);
        return;
    }
    for (std::size_t i = 0; i < count; ++i) {
        to[i] = value[i];
    }
}

} // namespace osscl::OSSCL_ISA
