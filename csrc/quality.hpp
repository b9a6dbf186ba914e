// What the samples of a clip say of the recording itself: clipped, offset, dropped out, hummed into.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace osscl {

// Lines of the spectrum at multiples of 10 Hz, of clips at 16 kHz: among them all of mains of 50 and of 60 Hz.
constexpr std::size_t n_quality_lines = 64;

// Numbers of a clip, all at full scale 1. The lines follow the others in memory.
struct ClipQuality {
    float clipped_share;  // samples at an end of the range where they pile up, or beyond full scale
    float offset;         // mean
    float power;          // mean square of what is left without the offset
    float step;           // mean distance of neighbouring samples
    float held_share;     // samples in runs of at least `shortest_held_run` equal ones, not at the ends of the range
    float longest_held;   // longest of these runs, samples
    float lines[n_quality_lines]; // power at 0, 10, 20 .. 630 Hz, the median of segments of 2 s; 0 without any
};

constexpr std::size_t n_quality_numbers = 6 + n_quality_lines;
static_assert(sizeof(ClipQuality) == n_quality_numbers * sizeof(float));

constexpr std::size_t shortest_held_run = 32; // 2 ms: whole blocks of 16 lie within

// `samples` is not empty; `Sample` is std::int16_t or float. Sums run in a fixed order: equal samples give equal
// numbers.
template <class Sample> ClipQuality measure_quality(std::span<const Sample> samples);

} // namespace osscl
