#include "quality.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <type_traits>
#include <vector>

namespace osscl {

namespace {

constexpr std::size_t n_lanes = 16; // sums side by side, which a compiler may vectorise without reordering them
constexpr std::size_t block_size = 16;
constexpr std::size_t period = 1600;     // samples of 0.1 s at 16 kHz
constexpr std::size_t n_periods = 20;    // of a segment of 2 s
constexpr std::size_t decimation = 8;    // what it folds onto a line below 640 Hz lies above 1,360 Hz, 13 dB down or more
constexpr std::size_t n_folded = period / decimation;

template <class Sample> constexpr float full_scale = std::is_integral_v<Sample> ? 0x1p-15F : 1.0F;
template <class Sample> constexpr float last_bit = std::is_integral_v<Sample> ? 1.0F : 0x1p-15F;

using Lanes = std::array<double, n_lanes>;

double total(const Lanes& lanes) {
    double sum = 0.0;
    for (const double lane : lanes) {
        sum += lane;
    }
    return sum;
}

template <class Sample> struct Range {
    Sample low, high;
};

// Sums of all samples, block by block in float, which holds 16 squares well enough; blocks in double.
template <class Sample> struct Sums {
    Range<Sample> range;
    double sum = 0.0, squares = 0.0, steps = 0.0;
};

template <class Sample> Sums<Sample> sums_of(std::span<const Sample> samples) {
    std::array<Sample, n_lanes> low, high;
    low.fill(samples[0]);
    high.fill(samples[0]);
    Lanes sum{}, squares{}, steps{};
    constexpr std::size_t n_at_once = 64; // blocks whose sums are float
    const std::size_t n_blocks = (samples.size() - 1) / n_lanes;
    for (std::size_t first = 0; first < n_blocks; first += n_at_once) {
        std::array<float, n_lanes> part{}, part_squares{}, part_steps{};
        for (std::size_t block = first; block < std::min(n_blocks, first + n_at_once); ++block) {
            const Sample* at = samples.data() + block * n_lanes;
            for (std::size_t lane = 0; lane < n_lanes; ++lane) {
                low[lane] = std::min(low[lane], at[lane]);
                high[lane] = std::max(high[lane], at[lane]);
                const auto value = static_cast<float>(at[lane]);
                part[lane] += value;
                part_squares[lane] += value * value;
                part_steps[lane] += std::abs(static_cast<float>(at[lane + 1]) - value);
            }
        }
        for (std::size_t lane = 0; lane < n_lanes; ++lane) {
            sum[lane] += part[lane];
            squares[lane] += part_squares[lane];
            steps[lane] += part_steps[lane];
        }
    }
    for (std::size_t i = n_blocks * n_lanes; i < samples.size(); ++i) {
        low[0] = std::min(low[0], samples[i]);
        high[0] = std::max(high[0], samples[i]);
        const auto value = static_cast<double>(samples[i]);
        sum[0] += value;
        squares[0] += value * value;
        steps[0] += i + 1 < samples.size() ? std::abs(static_cast<double>(samples[i + 1]) - value) : 0.0;
    }
    return {{*std::ranges::min_element(low), *std::ranges::max_element(high)}, total(sum), total(squares),
            total(steps)};
}

// Samples at an end of the range count as clipped where they pile up there: more than thrice as many as in the
// eight steps of 16 bits next to it. A loud sine only touches its ends.
template <class Sample> std::size_t n_clipped(std::span<const Sample> samples, const Range<Sample>& range) {
    constexpr float near = 8.0F * last_bit<Sample>;
    const auto low = static_cast<float>(range.low), high = static_cast<float>(range.high);
    std::uint32_t at_low = 0, at_high = 0, near_low = 0, near_high = 0, beyond = 0;
    for (const Sample sample : samples) {
        const auto value = static_cast<float>(sample);
        at_low += value == low;
        at_high += value == high;
        near_low += value <= low + near;
        near_high += value >= high - near;
        beyond += std::abs(value) * full_scale<Sample> > 1.0F;
    }
    if (low + near >= high) {
        return 0;
    }
    const std::size_t piled = (at_low > 3 * (near_low - at_low) ? at_low : 0) +
                              (at_high > 3 * (near_high - at_high) ? at_high : 0);
    return std::max<std::size_t>(piled, beyond);
}

struct Held {
    std::size_t n_samples = 0, longest = 0;
};

template <class Sample> bool is_held(const Sample* block) {
    unsigned differs = 0;
    for (std::size_t i = 1; i < block_size; ++i) {
        differs |= static_cast<unsigned>(block[i] != block[0]);
    }
    return differs == 0;
}

// Runs of equal samples, found by whole blocks within them. Those at an end of the range are clipped.
template <class Sample> Held held_of(std::span<const Sample> samples, const Range<Sample>& range) {
    Held held;
    std::size_t behind = 0; // the last run
    for (std::size_t at = 0; at + block_size <= samples.size(); at += block_size) {
        const Sample value = samples[at];
        if (at < behind || !is_held(samples.data() + at) || value == range.low || value == range.high) {
            continue;
        }
        std::size_t first = at;
        while (first > behind && samples[first - 1] == value) {
            --first;
        }
        behind = at + block_size;
        while (behind < samples.size() && samples[behind] == value) {
            ++behind;
        }
        if (behind - first >= shortest_held_run) {
            held.n_samples += behind - first;
            held.longest = std::max(held.longest, behind - first);
        }
    }
    return held;
}

struct LineTables {
    std::array<float, n_periods> window{};                            // Hann, a step a period; sum 1
    std::array<std::array<float, n_quality_lines>, n_folded> cosine{}, sine{};

    LineTables() {
        for (std::size_t i = 0; i < n_periods; ++i) {
            const double at = (static_cast<double>(i) + 0.5) / n_periods;
            window[i] = static_cast<float>((1.0 - std::cos(2.0 * std::numbers::pi * at)) / n_periods);
        }
        for (std::size_t t = 0; t < n_folded; ++t) {
            for (std::size_t k = 0; k < n_quality_lines; ++k) {
                const double angle = 2.0 * std::numbers::pi * static_cast<double>(k * t % n_folded) / n_folded;
                cosine[t][k] = static_cast<float>(std::cos(angle));
                sine[t][k] = static_cast<float>(std::sin(angle));
            }
        }
    }
};

using LinePowers = std::array<float, n_quality_lines>;

// Power of sines at multiples of 10 Hz in one segment: its periods are laid upon one another first.
template <class Sample> LinePowers lines_of_segment(const Sample* samples, const LineTables& tables) {
    std::array<float, period> folded{};
    for (std::size_t i = 0; i < n_periods; ++i) {
        const float weight = tables.window[i];
        for (std::size_t t = 0; t < period; ++t) {
            folded[t] += weight * static_cast<float>(samples[i * period + t]);
        }
    }
    LinePowers real{}, imaginary{}, power{};
    for (std::size_t t = 0; t < n_folded; ++t) {
        float sum = 0.0F;
        for (std::size_t i = 0; i < decimation; ++i) {
            sum += folded[t * decimation + i];
        }
        for (std::size_t k = 0; k < n_quality_lines; ++k) {
            real[k] += sum * tables.cosine[t][k];
            imaginary[k] += sum * tables.sine[t][k];
        }
    }
    constexpr float scale = full_scale<Sample> / period;
    for (std::size_t k = 0; k < n_quality_lines; ++k) {
        const float x = real[k] * scale, y = imaginary[k] * scale;
        power[k] = 2.0F * (x * x + y * y); // mean square of a sine of amplitude 2 |X|
    }
    return power;
}

template <class Sample> void find_lines(std::span<const Sample> samples, float* lines) {
    static const LineTables tables;
    constexpr std::size_t segment = n_periods * period;
    std::vector<LinePowers> of_segment;
    for (std::size_t at = 0; at + segment <= samples.size(); at += segment) {
        of_segment.push_back(lines_of_segment(samples.data() + at, tables));
    }
    std::vector<float> sorted(of_segment.size());
    for (std::size_t k = 0; k < n_quality_lines && !sorted.empty(); ++k) {
        std::ranges::transform(of_segment, sorted.begin(), [k](const LinePowers& each) { return each[k]; });
        const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>((sorted.size() - 1) / 2);
        std::ranges::nth_element(sorted, middle);
        lines[k] = *middle;
    }
}

} // namespace

template <class Sample> ClipQuality measure_quality(std::span<const Sample> samples) {
    const Sums<Sample> sums = sums_of(samples);
    const auto n = static_cast<double>(samples.size());
    const Held held = held_of(samples, sums.range);
    constexpr double scale = full_scale<Sample>;
    const double mean = sums.sum / n;
    ClipQuality found{};
    found.clipped_share = static_cast<float>(static_cast<double>(n_clipped(samples, sums.range)) / n);
    found.offset = static_cast<float>(mean * scale);
    found.power = static_cast<float>(std::max(0.0, sums.squares / n - mean * mean) * scale * scale);
    found.step = static_cast<float>(sums.steps / std::max(1.0, n - 1.0) * scale);
    found.held_share = static_cast<float>(static_cast<double>(held.n_samples) / n);
    found.longest_held = static_cast<float>(held.longest);
    find_lines(samples, found.lines);
    return found;
}

template ClipQuality measure_quality(std::span<const std::int16_t> samples);
template ClipQuality measure_quality(std::span<const float> samples);

} // namespace osscl
