// Twiddles of Fourier transforms, computed in float64 and rounded once.
#pragma once

#include <cmath>
#include <cstddef>
#include <numbers>
#include <vector>

namespace osscl {

// Appends exp(-2 pi i numerator / denominator), as (re, im).
inline void push_twiddle(std::vector<float>& table, std::size_t numerator, std::size_t denominator) {
    const double angle = 2.0 * std::numbers::pi * static_cast<double>(numerator % denominator) /
                         static_cast<double>(denominator);
    table.push_back(static_cast<float>(std::cos(angle)));
    table.push_back(static_cast<float>(-std::sin(angle)));
}

} // namespace osscl
