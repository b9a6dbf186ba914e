// Windows, twiddles and pools of the features, computed in float64 and rounded once.
#pragma once

#include <cstdint>
#include <vector>

#include "features_kernel.hpp"

namespace osscl {

class FeatureTableSet {
  public:
    FeatureTableSet();

    FeatureTables view() const;

  private:
    struct Envelope {
        std::vector<float> window, step_twiddle, split_twiddle, pool_scale;
        std::vector<std::int32_t> pool_edge;

        Envelope(const EnvelopeSizes& sizes, std::size_t n_rows, double rate_hz,
                 const std::vector<double>& edge_hz);
        EnvelopeTables view() const;
    };

    std::vector<float> side_twiddle_, fifth_twiddle_;
    std::vector<float> short_window_, short_step_twiddle_, short_split_twiddle_;
    Envelope modulation_, flutter_;
};

} // namespace osscl
