// Passes over the samples of a clip for its quality: sums, and lines at multiples of 10 Hz.
// Compiled once per instruction set with OSSCL_ISA (namespace) and OSSCL_LANES (floats per vector).
#include "quality_kernel.hpp"

#include "simd.hpp"

namespace osscl::OSSCL_ISA {

namespace {

typedef std::int16_t UnalignedShorts
    __attribute__((vector_size(lanes * sizeof(std::int16_t)), aligned(2), may_alias));

inline Vec load(const float* from) {
    return load_unaligned(from);
}
inline Vec load(const std::int16_t* from) {
    return __builtin_convertvector(*reinterpret_cast<const UnalignedShorts*>(from), Vec);
}

inline Vec magnitude(Vec x) {
    return from_bits(bits_of(x) & 0x7FFF'FFFF);
}

float sum_of(Vec x) {
    float sum = 0.0F;
    for (std::size_t i = 0; i < lanes; ++i) {
        sum += x[i];
    }
    return sum;
}

float larger(float a, float b) {
    return a > b ? a : b;
}

template <class Sample> QualitySums sum(const Sample* samples, std::size_t n, bool has_next) {
    const auto first = static_cast<float>(samples[0]);
    Vec sums[2] = {}, squares[2] = {}, steps = {};
    Vec low = Vec{} + first, high = low;
    const std::size_t n_followed = has_next ? n : n - 1;
    std::size_t i = 0;
    for (; i + 2 * lanes <= n_followed; i += 2 * lanes) {
        const Vec one = load(samples + i), other = load(samples + i + lanes);
        sums[0] += one;
        sums[1] += other;
        squares[0] += one * one;
        squares[1] += other * other;
        steps += magnitude(load(samples + i + 1) - one) + magnitude(load(samples + i + lanes + 1) - other);
        const Vec lower = one < other ? one : other, higher = one < other ? other : one;
        low = lower < low ? lower : low;
        high = higher > high ? higher : high;
    }
    QualitySums found{sum_of(sums[0] + sums[1]), sum_of(squares[0] + squares[1]), sum_of(steps), first,
                      first};
    for (std::size_t lane = 0; lane < lanes; ++lane) {
        found.low = -larger(-found.low, -low[lane]);
        found.high = larger(found.high, high[lane]);
    }
    for (; i < n; ++i) {
        const auto value = static_cast<float>(samples[i]);
        found.sum += value;
        found.squares += value * value;
        if (i + 1 < n || has_next) {
            const float step = static_cast<float>(samples[i + 1]) - value;
            found.steps += larger(step, -step);
        }
        found.low = -larger(-found.low, -value);
        found.high = larger(found.high, value);
    }
    return found;
}

template <class Sample> void fold(const float* window, const Sample* segment, float* folded) {
    static_assert(quality_period % lanes == 0);
    for (std::size_t t = 0; t < quality_period; t += lanes) {
        Vec sums = {};
        for (std::size_t i = 0; i < n_quality_periods; ++i) {
            sums += load(segment + i * quality_period + t) * window[i];
        }
        store_unaligned(folded + t, sums);
    }
}

template <class Sample> void lines(const QualityTables& tables, const Sample* segment, float* power) {
    constexpr std::size_t n_vectors = n_quality_lines / lanes;
    float folded[quality_period];
    fold(tables.window, segment, folded);
    Vec real[n_vectors] = {}, imaginary[n_vectors] = {};
    for (std::size_t t = 0; t < n_quality_folded; ++t) {
        float value = 0.0F;
        for (std::size_t i = 0; i < quality_decimation; ++i) {
            value += folded[t * quality_decimation + i];
        }
        for (std::size_t k = 0; k < n_vectors; ++k) {
            const std::size_t at = t * n_quality_lines + k * lanes;
            real[k] += value * load_unaligned(tables.cosine + at);
            imaginary[k] += value * load_unaligned(tables.sine + at);
        }
    }
    // the mean square of a sine of amplitude 2 |X|
    constexpr float scale = 2.0F / (static_cast<float>(quality_period) * static_cast<float>(quality_period));
    for (std::size_t k = 0; k < n_vectors; ++k) {
        store_unaligned(power + k * lanes, scale * (real[k] * real[k] + imaginary[k] * imaginary[k]));
    }
}

} // namespace

const QualityKernel quality_kernel = {sum<std::int16_t>, sum<float>, lines<std::int16_t>, lines<float>};

} // namespace osscl::OSSCL_ISA
