#include "test_quality.hpp"

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <numbers>
#include <random>
#include <span>
#include <vector>

#include "isa.hpp"
#include "quality.hpp"
#include "require.hpp"

namespace {

std::vector<std::int16_t> noise(std::size_t n) {
    std::mt19937 random(static_cast<unsigned>(n));
    std::normal_distribution<double> level(0.0, 3000.0);
    std::vector<std::int16_t> samples(n);
    for (auto& sample : samples) {
        sample = static_cast<std::int16_t>(level(random));
    }
    return samples;
}

osscl::ClipQuality measured(const osscl::Isa& isa, const std::vector<std::int16_t>& samples) {
    return osscl::measure_quality(*isa.quality_kernel, std::span<const std::int16_t>(samples));
}

void any_length_stays_in_bounds(const osscl::Isa& isa) {
    for (const std::size_t n : {1, 2, 15, 16, 17, 31, 33, 1599, 1600, 1601, 31'999, 32'000, 32'001}) {
        const std::vector<std::int16_t> samples = noise(n); // exactly n: a sanitizer sees what lies behind
        const osscl::ClipQuality found = measured(isa, samples);
        require(found.held_share == 0.0F && found.clipped_share < 0.5F, "noise is neither held nor clipped");
        require(n >= 32'000 || found.lines[5] == 0.0F, "lines need a segment");
    }
}

void runs_are_found_wherever_they_lie(const osscl::Isa& isa) {
    for (std::size_t first = 1000; first < 1033; ++first) {
        for (const std::size_t length : {31, 32, 40, 100}) {
            std::vector<std::int16_t> samples = noise(4000);
            for (std::size_t i = 0; i < length; ++i) {
                samples[first + i] = 5;
            }
            samples[first - 1] = samples[first + length] = 6;
            const auto longest = static_cast<std::size_t>(measured(isa, samples).longest_held);
            require(longest == (length < osscl::shortest_held_run ? 0 : length), "a run is as long as it is");
        }
    }
}

void what_piles_up_is_clipped(const osscl::Isa& isa) {
    std::vector<std::int16_t> samples = noise(32'000);
    std::size_t n_cut = 0;
    for (auto& sample : samples) {
        n_cut += sample >= 6000;
        sample = sample >= 6000 ? std::int16_t{6000} : sample;
    }
    require(std::abs(measured(isa, samples).clipped_share * 32'000.0F - static_cast<float>(n_cut)) < 0.5F,
            "samples at one end are counted");
    for (std::size_t i = 0; i < samples.size(); ++i) {
        samples[i] = static_cast<std::int16_t>(32'767.0 * std::sin(0.1 * static_cast<double>(i)));
    }
    require(measured(isa, samples).clipped_share == 0.0F, "a sine only touches its ends");
}

void a_line_is_as_strong_as_it_is(const osscl::Isa& isa) {
    std::vector<std::int16_t> samples(160'000);
    for (std::size_t i = 0; i < samples.size(); ++i) {
        const double turn = 2.0 * std::numbers::pi * 50.0 * static_cast<double>(i) / 16'000.0;
        samples[i] = static_cast<std::int16_t>(std::lround(1000.0 * std::sin(turn)));
    }
    const osscl::ClipQuality found = measured(isa, samples);
    require(std::abs(found.lines[5] / found.power - 1.0F) < 0.01F, "all power lies at 50 Hz");
    require(found.lines[8] < 1e-6F * found.power, "none lies at 80 Hz");
}

} // namespace

void test_quality() {
    for (const osscl::Isa& isa : osscl::supported_isas()) {
        any_length_stays_in_bounds(isa);
        runs_are_found_wherever_they_lie(isa);
        what_piles_up_is_clipped(isa);
        a_line_is_as_strong_as_it_is(isa);
    }
    std::printf("quality of recordings: passed\n");
}
