// The logarithm of the front end. For kernel files only.
#pragma once

#include <cstdint>

#include "vec.hpp"

namespace osscl::OSSCL_ISA {

// 10 log10(x) of positive normal floats.
inline Vec decibel(Vec x) {
    constexpr std::int32_t sqrt_half_bits = 0x3f3504f3;
    const IntVec shifted = bits_of(x) - sqrt_half_bits;
    const IntVec exponent = shifted >> 23;
    // mantissa in [sqrt(1/2), sqrt(2)): the series below then converges fastest
    const Vec mantissa = from_bits((shifted & 0x007fffff) + sqrt_half_bits);
    // ln(m) = 2 atanh(s), s = (m - 1) / (m + 1), |s| <= 0.172
    const Vec s = (mantissa - 1.0F) / (mantissa + 1.0F);
    const Vec s2 = s * s;
    const Vec series = 2.0F + s2 * (2.0F / 3 + s2 * (2.0F / 5 + s2 * (2.0F / 7 + s2 * (2.0F / 9))));
    constexpr float db_per_octave = 3.0102999566398120F; // 10 log10(2)
    constexpr float db_per_neper = 4.3429448190325183F;  // 10 log10(e)
    return to_float(exponent) * db_per_octave + s * series * db_per_neper;
}

} // namespace osscl::OSSCL_ISA
