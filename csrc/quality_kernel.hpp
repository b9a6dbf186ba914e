// The seam between what a recording's samples say of its quality and the passes over them.
// Plain data only, for the reason that logmel_kernel.hpp tells.
#pragma once

#include <cstddef>
#include <cstdint>

namespace osscl {

constexpr std::size_t n_quality_lines = 64;   // at 0, 10, 20 .. 630 Hz
constexpr std::size_t quality_period = 1600;  // samples of 0.1 s at 16 kHz
constexpr std::size_t n_quality_periods = 20; // of a segment
constexpr std::size_t quality_decimation = 8; // what folds onto a line lies above 1,360 Hz
constexpr std::size_t n_quality_folded = quality_period / quality_decimation;

struct QualityTables {
    const float* window; // [n_quality_periods], sum 1
    const float* cosine; // [n_quality_folded][n_quality_lines]
    const float* sine;
};

// Of some samples, in their own unit.
struct QualitySums {
    float sum, squares, steps; // steps: distances of each sample from the next one
    float low, high;
};

struct QualityKernel {
    // Sums of samples [n], n > 0; the step from the last one to the one behind it only where `has_next`.
    QualitySums (*sum_int16)(const std::int16_t* samples, std::size_t n, bool has_next);
    QualitySums (*sum_float)(const float* samples, std::size_t n, bool has_next);
    // Periods of a segment [n_quality_periods][quality_period], weighted and laid upon one another, give the
    // power [n_quality_lines] of sines at multiples of 10 Hz, in the samples' own unit squared.
    void (*lines_int16)(const QualityTables&, const std::int16_t* segment, float* power);
    void (*lines_float)(const QualityTables&, const float* segment, float* power);
};

// Defined by quality_kernel.cpp, once for each instruction set that this build holds.
namespace generic {
extern const QualityKernel quality_kernel;
}
namespace neon {
extern const QualityKernel quality_kernel;
}
namespace sse2 {
extern const QualityKernel quality_kernel;
}
namespace avx2 {
extern const QualityKernel quality_kernel;
}
namespace avx512 {
extern const QualityKernel quality_kernel;
}

} // namespace osscl
