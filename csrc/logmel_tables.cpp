#include "logmel_tables.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <stdexcept>

#include "twiddle.hpp"

namespace osscl {

namespace {

// Slaney's mel scale: linear below 1 kHz, logarithmic above (Auditory Toolbox, 1998).
constexpr double linear_hz_per_mel = 200.0 / 3.0;
constexpr double corner_hz = 1000.0;
constexpr double corner_mel = corner_hz / linear_hz_per_mel;
const double log_step = std::log(6.4) / 27.0;

double hz_to_mel(double hz) {
    return hz < corner_hz ? hz / linear_hz_per_mel : corner_mel + std::log(hz / corner_hz) / log_step;
}

double mel_to_hz(double mel) {
    return mel < corner_mel ? mel * linear_hz_per_mel : corner_hz * std::exp((mel - corner_mel) * log_step);
}

void check(const FrontendSettings& settings) {
    const std::size_t hop = settings.hop_length;
    if (hop < 4 || hop % 4 != 0 || n_fft % hop != 0) {
        throw std::invalid_argument("hop_length must be a multiple of 4 that divides n_fft");
    }
    if (settings.n_mels < 1 || settings.n_mels >= n_bins) {
        throw std::invalid_argument("n_mels must lie between 1 and n_fft / 2");
    }
    if (!(settings.f_min_hz >= 0.0 && settings.f_min_hz < settings.f_max_hz &&
          settings.f_max_hz <= settings.sample_rate_hz / 2.0)) {
        throw std::invalid_argument("expected 0 <= f_min_hz < f_max_hz <= sample_rate_hz / 2");
    }
    constexpr double largest = std::numeric_limits<float>::max(); // the kernels compute in float32
    if (!(settings.power_floor >= 1e-37 && settings.power_floor <= largest)) {
        throw std::invalid_argument("power_floor must be a normal float32 above zero");
    }
}

} // namespace

LogMelTables::LogMelTables(const FrontendSettings& settings) : settings_(settings) {
    check(settings);
    make_window();
    make_twiddles();
    make_mel_filters();
}

void LogMelTables::make_window() {
    for (std::size_t n = 0; n < n_fft; ++n) {
        const double angle = 2.0 * std::numbers::pi * static_cast<double>(n) / static_cast<double>(n_fft);
        const double hann = 0.5 - 0.5 * std::cos(angle);
        half_window_.push_back(static_cast<float>(0.5 * hann));
    }
}

void LogMelTables::make_twiddles() {
    for (std::size_t j = 0; j < fft_side; ++j) {
        push_twiddle(side_twiddle_, j, fft_side);
    }
    for (std::size_t b = 0; b < fft_side; ++b) {
        for (std::size_t c = 0; c < fft_side; ++c) {
            push_twiddle(step_twiddle_, b * c, half_fft);
        }
    }
    for (std::size_t k = 0; k < half_fft; ++k) {
        push_twiddle(split_twiddle_, k, n_fft);
    }
}

void LogMelTables::make_mel_filters() {
    const std::size_t n_mels = settings_.n_mels;
    const double mel_min = hz_to_mel(settings_.f_min_hz), mel_max = hz_to_mel(settings_.f_max_hz);
    std::vector<double> edge_hz; // of the triangles: filter m rises from edge m to m + 1 and falls to m + 2
    for (std::size_t i = 0; i < n_mels + 2; ++i) {
        const double fraction = static_cast<double>(i) / static_cast<double>(n_mels + 1);
        edge_hz.push_back(mel_to_hz(mel_min + fraction * (mel_max - mel_min)));
    }
    for (std::size_t mel = 0; mel < n_mels; ++mel) {
        const double low = edge_hz[mel], centre = edge_hz[mel + 1], high = edge_hz[mel + 2];
        const double area_norm = 2.0 / (high - low);
        std::int32_t first = 0, count = 0;
        for (std::size_t bin = 0; bin < n_bins; ++bin) {
            const double hz =
                static_cast<double>(bin) * settings_.sample_rate_hz / static_cast<double>(n_fft);
            const double triangle = std::min((hz - low) / (centre - low), (high - hz) / (high - centre));
            if (triangle > 0.0) {
                first = count == 0 ? static_cast<std::int32_t>(bin) : first;
                ++count;
                mel_weight_.push_back(static_cast<float>(triangle * area_norm));
            }
        }
        mel_first_.push_back(first);
        mel_count_.push_back(count);
    }
}

KernelTables LogMelTables::view() const {
    return {half_window_.data(),  side_twiddle_.data(),
            step_twiddle_.data(), split_twiddle_.data(),
            mel_first_.data(),    mel_count_.data(),
            mel_weight_.data(),   settings_.n_mels,
            settings_.hop_length, static_cast<float>(settings_.power_floor)};
}

std::vector<float> LogMelTables::window() const {
    std::vector<float> window;
    for (const float half : half_window_) {
        window.push_back(2.0F * half);
    }
    return window;
}

std::vector<float> LogMelTables::mel_filters() const {
    std::vector<float> dense(settings_.n_mels * n_bins, 0.0F);
    const float* weight = mel_weight_.data();
    for (std::size_t mel = 0; mel < settings_.n_mels; ++mel) {
        for (std::int32_t i = 0; i < mel_count_[mel]; ++i) {
            dense[mel * n_bins + static_cast<std::size_t>(mel_first_[mel] + i)] = *weight++;
        }
    }
    return dense;
}

} // namespace osscl
