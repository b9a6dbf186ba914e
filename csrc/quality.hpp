// What the samples of a clip say of the recording itself: clipped, offset, dropped out, hummed into.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "quality_kernel.hpp"

namespace osscl {

// Numbers of a clip, all at full scale 1. The lines follow the others in memory.
struct ClipQuality {
    float clipped_share; // samples at an end of the range where they pile up, or beyond full scale
    float offset;        // mean
    float power;         // mean square of what is left without the offset
    float step;          // mean distance of neighbouring samples
    float
        held_share; // samples in runs of at least `shortest_held_run` equal ones, not at an end of the range
    float longest_held; // longest of these runs, samples
    float
        lines[n_quality_lines]; // power at 0, 10 .. 630 Hz of a clip at 16 kHz, the median of segments of 2 s
};

constexpr std::size_t n_quality_numbers = 6 + n_quality_lines;
static_assert(sizeof(ClipQuality) == n_quality_numbers * sizeof(float));

constexpr std::size_t shortest_held_run = 32; // 2 ms at 16 kHz: a whole block of 16 lies within

// `samples` is not empty; `Sample` is std::int16_t or float. Equal samples give equal numbers.
template <class Sample>
ClipQuality measure_quality(const QualityKernel& kernel, std::span<const Sample> samples);

} // namespace osscl
