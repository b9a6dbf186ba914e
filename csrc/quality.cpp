#include "quality.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>
#include <type_traits>
#include <vector>

namespace osscl {

namespace {

constexpr std::size_t block_size = 16;
constexpr std::size_t part_size = quality_period;

template <class Sample> constexpr float full_scale = std::is_integral_v<Sample> ? 0x1p-15F : 1.0F;
// Eight steps of 16 bits, in the unit of the samples.
template <class Sample> constexpr float next_to_the_end = std::is_integral_v<Sample> ? 8.0F : 0x1p-12F;

QualitySums sum(const QualityKernel& kernel, std::span<const std::int16_t> samples, bool has_next) {
    return kernel.sum_int16(samples.data(), samples.size(), has_next);
}
QualitySums sum(const QualityKernel& kernel, std::span<const float> samples, bool has_next) {
    return kernel.sum_float(samples.data(), samples.size(), has_next);
}

template <class Sample> std::span<const Sample> part_of(std::span<const Sample> samples, std::size_t part) {
    const std::size_t from = part * part_size;
    return samples.subspan(from, std::min(part_size, samples.size() - from));
}

// Sums of a whole clip, and those of its parts.
struct Scan {
    double sum = 0.0, squares = 0.0, steps = 0.0;
    float low, high;
    std::vector<QualitySums> parts;

    float end(float sign) const { return sign > 0.0F ? high : low; }

    template <class Sample> Scan(const QualityKernel& kernel, std::span<const Sample> samples) {
        const std::size_t n_parts = (samples.size() + part_size - 1) / part_size;
        low = high = static_cast<float>(samples[0]);
        for (std::size_t i = 0; i < n_parts; ++i) {
            const QualitySums& part =
                parts.emplace_back(osscl::sum(kernel, part_of(samples, i), i + 1 < n_parts));
            sum += part.sum;
            squares += part.squares;
            steps += part.steps;
            low = std::min(low, part.low);
            high = std::max(high, part.high);
        }
    }
};

// The level next to an end of the range, `sign` 1 for the upper and -1 for the lower one; the end itself
// where all samples stand there.
template <class Sample> float next_level(std::span<const Sample> samples, const Scan& scan, float sign) {
    const float end = scan.end(sign);
    float next = -std::numeric_limits<float>::infinity();
    for (std::size_t i = 0; i < scan.parts.size(); ++i) {
        const float of_part = std::max(sign * scan.parts[i].low, sign * scan.parts[i].high);
        if (of_part < sign * end) {
            next = std::max(next, of_part);
            continue;
        }
        for (const Sample sample : part_of(samples, i)) {
            const float value = sign * static_cast<float>(sample);
            next = value < sign * end && value > next ? value : next;
        }
    }
    return std::isfinite(next) ? sign * next : end;
}

// Samples at an end of the range, where they pile up: more than thrice as many as in the steps next to it. A
// loud sine only touches its ends, and coarse samples stand on many levels.
template <class Sample> std::size_t n_piled(std::span<const Sample> samples, const Scan& scan, float sign) {
    const float end = sign * scan.end(sign);
    const float near = sign * next_level(samples, scan, sign) - next_to_the_end<Sample>;
    std::size_t at_end = 0, in_all = 0;
    for (std::size_t i = 0; i < scan.parts.size(); ++i) {
        if (std::max(sign * scan.parts[i].low, sign * scan.parts[i].high) < near) {
            continue;
        }
        for (const Sample sample : part_of(samples, i)) {
            const float value = sign * static_cast<float>(sample);
            at_end += value == end;
            in_all += value >= near;
        }
    }
    return at_end > 3 * (in_all - at_end) ? at_end : 0;
}

template <class Sample> std::size_t n_beyond(std::span<const Sample> samples, const Scan& scan) {
    constexpr float limit = 1.0F / full_scale<Sample>;
    std::size_t found = 0;
    for (std::size_t i = 0; i < scan.parts.size(); ++i) {
        if (std::max(-scan.parts[i].low, scan.parts[i].high) > limit) {
            found += static_cast<std::size_t>(std::ranges::count_if(part_of(samples, i), [](Sample sample) {
                return std::abs(static_cast<float>(sample)) > limit;
            }));
        }
    }
    return found;
}

// Sound of two levels has no range that could be cut.
template <class Sample> std::size_t n_clipped(std::span<const Sample> samples, const Scan& scan) {
    if (next_level(samples, scan, 1.0F) == scan.low || scan.low == scan.high) {
        return 0;
    }
    return std::max(n_piled(samples, scan, 1.0F) + n_piled(samples, scan, -1.0F), n_beyond(samples, scan));
}

struct Held {
    std::size_t n_samples = 0, longest = 0;
};

template <class Sample> bool is_held(const Sample* block) {
    return block[0] == block[7] && block[0] == block[15] &&
           std::all_of(block, block + block_size, [block](Sample each) { return each == block[0]; });
}

// Runs of equal samples, found by whole blocks within them. Those at an end of the range are clipped.
template <class Sample> Held held_of(std::span<const Sample> samples, const Scan& scan) {
    Held held;
    std::size_t behind = 0; // the last run
    for (std::size_t at = 0; at + block_size <= samples.size(); at += block_size) {
        if (!is_held(samples.data() + at) || at < behind) {
            continue;
        }
        const Sample value = samples[at];
        std::size_t first = at;
        while (first > behind && samples[first - 1] == value) {
            --first;
        }
        behind = at + block_size;
        while (behind < samples.size() && samples[behind] == value) {
            ++behind;
        }
        const auto level = static_cast<float>(value);
        if (behind - first >= shortest_held_run && level != scan.low && level != scan.high) {
            held.n_samples += behind - first;
            held.longest = std::max(held.longest, behind - first);
        }
    }
    return held;
}

struct LineTables {
    std::array<float, n_quality_periods> window{}; // Hann, a step a period
    std::vector<float> cosine, sine;

    LineTables() {
        constexpr double turn = 2.0 * std::numbers::pi;
        for (std::size_t i = 0; i < n_quality_periods; ++i) {
            const double at = (static_cast<double>(i) + 0.5) / n_quality_periods;
            window[i] = static_cast<float>((1.0 - std::cos(turn * at)) / n_quality_periods);
        }
        for (std::size_t t = 0; t < n_quality_folded; ++t) {
            for (std::size_t k = 0; k < n_quality_lines; ++k) {
                const double angle = turn * static_cast<double>(k * t % n_quality_folded) / n_quality_folded;
                cosine.push_back(static_cast<float>(std::cos(angle)));
                sine.push_back(static_cast<float>(std::sin(angle)));
            }
        }
    }

    QualityTables view() const { return {window.data(), cosine.data(), sine.data()}; }
};

using LinePowers = std::array<float, n_quality_lines>;

void lines_of(const QualityKernel& kernel, const QualityTables& tables, const std::int16_t* segment,
              LinePowers& power) {
    kernel.lines_int16(tables, segment, power.data());
}
void lines_of(const QualityKernel& kernel, const QualityTables& tables, const float* segment,
              LinePowers& power) {
    kernel.lines_float(tables, segment, power.data());
}

template <class Sample>
void find_lines(const QualityKernel& kernel, std::span<const Sample> samples, float* lines) {
    static const auto* tables =
        new const LineTables; // never destroyed: a thread may compute while the process ends
    constexpr std::size_t segment = n_quality_periods * quality_period;
    std::vector<LinePowers> of_segment(samples.size() / segment);
    for (std::size_t i = 0; i < of_segment.size(); ++i) {
        lines_of(kernel, tables->view(), samples.data() + i * segment, of_segment[i]);
    }
    constexpr float scale = full_scale<Sample> * full_scale<Sample>;
    std::vector<float> sorted(of_segment.size());
    for (std::size_t k = 0; k < n_quality_lines && !sorted.empty(); ++k) {
        std::ranges::transform(of_segment, sorted.begin(), [k](const LinePowers& each) { return each[k]; });
        const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>((sorted.size() - 1) / 2);
        std::ranges::nth_element(sorted, middle);
        lines[k] = *middle * scale;
    }
}

} // namespace

template <class Sample>
ClipQuality measure_quality(const QualityKernel& kernel, std::span<const Sample> samples) {
    const Scan scan(kernel, samples);
    const auto n = static_cast<double>(samples.size());
    const Held held = held_of(samples, scan);
    constexpr double scale = full_scale<Sample>;
    const double mean = scan.sum / n;
    ClipQuality found{};
    found.clipped_share = static_cast<float>(static_cast<double>(n_clipped(samples, scan)) / n);
    found.offset = static_cast<float>(mean * scale);
    found.power = static_cast<float>(std::max(0.0, scan.squares / n - mean * mean) * scale * scale);
    found.step = static_cast<float>(scan.steps / std::max(1.0, n - 1.0) * scale);
    found.held_share = static_cast<float>(static_cast<double>(held.n_samples) / n);
    found.longest_held = static_cast<float>(held.longest);
    find_lines(kernel, samples, found.lines);
    return found;
}

template ClipQuality measure_quality(const QualityKernel&, std::span<const std::int16_t>);
template ClipQuality measure_quality(const QualityKernel&, std::span<const float>);

} // namespace osscl
