#include "features_tables.hpp"

#include <cmath>
#include <numbers>

#include "logmel_sizes.hpp"
#include "twiddle.hpp"

namespace osscl {

namespace {

constexpr double mel_frame_rate_hz = 31.25;   // 16 kHz / 512
constexpr double short_frame_rate_hz = 250.0; // 16 kHz / 64

const std::vector<double> modulation_hz = {0.4, 0.8, 1.2, 1.7,  2.3,  3.0, 4.0,
                                           5.2, 6.5, 8.0, 10.0, 12.5, 15.7};

std::vector<double> flutter_hz() {
    std::vector<double> edges;
    for (double hz = 2.0; hz < 40.0; hz += 2.0) {
        edges.push_back(hz);
    }
    for (double hz = 40.0; hz < 128.0; hz += 4.0) {
        edges.push_back(hz);
    }
    return edges;
}

// Hann window, halved; its period is n where it is periodic, n - 1 where it is symmetric.
std::vector<float> half_hann(std::size_t n, std::size_t period) {
    std::vector<float> window;
    for (std::size_t i = 0; i < n; ++i) {
        const double angle = 2.0 * std::numbers::pi * static_cast<double>(i) / static_cast<double>(period);
        window.push_back(static_cast<float>(0.5 * (0.5 - 0.5 * std::cos(angle))));
    }
    return window;
}

// [n_columns][n_rows][2] exp(-2 pi i b c / (n_columns n_rows))
std::vector<float> step_twiddles(std::size_t n_columns, std::size_t n_rows) {
    std::vector<float> table;
    for (std::size_t b = 0; b < n_columns; ++b) {
        for (std::size_t c = 0; c < n_rows; ++c) {
            push_twiddle(table, b * c, n_columns * n_rows);
        }
    }
    return table;
}

// [count][2] exp(-2 pi i k / denominator)
std::vector<float> twiddles(std::size_t count, std::size_t denominator) {
    std::vector<float> table;
    for (std::size_t k = 0; k < count; ++k) {
        push_twiddle(table, k, denominator);
    }
    return table;
}

} // namespace

FeatureTableSet::Envelope::Envelope(const EnvelopeSizes& sizes, std::size_t n_rows, double rate_hz,
                                    const std::vector<double>& edge_hz)
    : window(half_hann(sizes.segment, sizes.segment - 1)),
      step_twiddle(step_twiddles(sizes.segment / 2 / n_rows, n_rows)),
      split_twiddle(twiddles(sizes.segment / 2, sizes.segment)) {
    const double bin_hz = rate_hz / static_cast<double>(sizes.segment);
    for (const double hz : edge_hz) { // the first bin that does not lie below
        pool_edge.push_back(static_cast<std::int32_t>(std::ceil(hz / bin_hz)));
    }
    for (std::size_t pool = 0; pool < sizes.n_pools; ++pool) {
        const auto n_pool_bins = static_cast<double>(pool_edge[pool + 1] - pool_edge[pool]);
        const auto n_values = static_cast<double>(sizes.segment * sizes.n_segments);
        pool_scale.push_back(static_cast<float>(1.0 / (n_pool_bins * n_values)));
    }
}

EnvelopeTables FeatureTableSet::Envelope::view() const {
    return {window.data(), step_twiddle.data(), split_twiddle.data(), pool_edge.data(), pool_scale.data()};
}

FeatureTableSet::FeatureTableSet()
    : side_twiddle_(twiddles(fft_side, fft_side)), fifth_twiddle_(step_twiddles(5, 5)),
      short_window_(half_hann(short_fft, short_fft)),
      short_step_twiddle_(step_twiddles(fft_side, short_fft / 2 / fft_side)),
      short_split_twiddle_(twiddles(short_fft / 2, short_fft)),
      modulation_(modulation, modulation.segment / 2 / fft_side, mel_frame_rate_hz, modulation_hz),
      flutter_(flutter, 5, short_frame_rate_hz, flutter_hz()) {}

FeatureTables FeatureTableSet::view() const {
    return {side_twiddle_.data(),
            fifth_twiddle_.data(),
            {short_window_.data(), short_step_twiddle_.data(), short_split_twiddle_.data()},
            modulation_.view(),
            flutter_.view()};
}

} // namespace osscl
