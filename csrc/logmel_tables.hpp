// Window, filter bank and twiddles of a front end, computed in float64 and rounded once.
#pragma once

#include <cstdint>
#include <vector>

#include "logmel_kernel.hpp"

namespace osscl {

struct FrontendSettings {
    double sample_rate_hz;
    std::size_t hop_length;
    std::size_t n_mels;
    double f_min_hz;
    double f_max_hz;
    double power_floor;
};

class LogMelTables {
  public:
    // Throws std::invalid_argument for settings that the kernels cannot compute.
    explicit LogMelTables(const FrontendSettings& settings);

    KernelTables view() const;
    std::vector<float> window() const;      // [n_fft]
    std::vector<float> mel_filters() const; // [n_mels][n_bins], dense

  private:
    void make_window();
    void make_twiddles();
    void make_mel_filters();

    FrontendSettings settings_;
    std::vector<float> half_window_;
    std::vector<float> side_twiddle_, step_twiddle_, split_twiddle_;
    std::vector<std::int32_t> mel_first_, mel_count_;
    std::vector<float> mel_weight_;
};

} // namespace osscl
