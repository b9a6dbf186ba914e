// A vector of OSSCL_LANES floats. Lane i holds frame i of a tile, so that no transform ever crosses lanes.
// Written with the vector extension of GCC and Clang: one source for every instruction set.
// For kernel files only (see logmel_kernel.hpp on why nothing of the standard library is used).
#pragma once

#include <cstddef>
#include <cstdint>

namespace osscl::OSSCL_ISA {

constexpr std::size_t lanes = OSSCL_LANES;

using Vec = float __attribute__((vector_size(lanes * sizeof(float))));
using IntVec = std::int32_t __attribute__((vector_size(lanes * sizeof(std::int32_t))));
using UnalignedVec = float __attribute__((vector_size(lanes * sizeof(float)), aligned(4), may_alias));
using Quad = float __attribute__((vector_size(16)));
using UnalignedQuad = float __attribute__((vector_size(16), aligned(4), may_alias));

inline Vec load_unaligned(const float* from) {
    return *reinterpret_cast<const UnalignedVec*>(from);
}
inline void store_unaligned(float* to, Vec value) {
    *reinterpret_cast<UnalignedVec*>(to) = value;
}

struct Complex {
    Vec re, im;
};

inline Complex operator+(Complex a, Complex b) {
    return {a.re + b.re, a.im + b.im};
}
inline Complex operator-(Complex a, Complex b) {
    return {a.re - b.re, a.im - b.im};
}
inline Complex times_minus_i(Complex a) {
    return {a.im, -a.re};
}
inline Complex times(Complex a, const float* twiddle) {
    const float re = twiddle[0], im = twiddle[1];
    return {a.re * re - a.im * im, a.re * im + a.im * re};
}

// Transposes four rows of four floats each.
inline void transpose4(const float* r0, const float* r1, const float* r2, const float* r3, float* to,
                       std::size_t stride) {
    const Quad a = *reinterpret_cast<const UnalignedQuad*>(r0);
    const Quad b = *reinterpret_cast<const UnalignedQuad*>(r1);
    const Quad c = *reinterpret_cast<const UnalignedQuad*>(r2);
    const Quad d = *reinterpret_cast<const UnalignedQuad*>(r3);
    const Quad ab_low = __builtin_shufflevector(a, b, 0, 4, 1, 5);
    const Quad ab_high = __builtin_shufflevector(a, b, 2, 6, 3, 7);
    const Quad cd_low = __builtin_shufflevector(c, d, 0, 4, 1, 5);
    const Quad cd_high = __builtin_shufflevector(c, d, 2, 6, 3, 7);
    *reinterpret_cast<UnalignedQuad*>(to) = __builtin_shufflevector(ab_low, cd_low, 0, 1, 4, 5);
    *reinterpret_cast<UnalignedQuad*>(to + stride) = __builtin_shufflevector(ab_low, cd_low, 2, 3, 6, 7);
    *reinterpret_cast<UnalignedQuad*>(to + 2 * stride) =
        __builtin_shufflevector(ab_high, cd_high, 0, 1, 4, 5);
    *reinterpret_cast<UnalignedQuad*>(to + 3 * stride) =
        __builtin_shufflevector(ab_high, cd_high, 2, 3, 6, 7);
}

// 10 log10(x) of positive normal floats.
inline Vec decibel(Vec x) {
    constexpr std::int32_t sqrt_half_bits = 0x3f3504f3;
    const IntVec shifted = reinterpret_cast<IntVec>(x) - sqrt_half_bits;
    const IntVec exponent = shifted >> 23;
    // mantissa in [sqrt(1/2), sqrt(2)): the series below then converges fastest
    const Vec mantissa = reinterpret_cast<Vec>((shifted & 0x007fffff) + sqrt_half_bits);
    // ln(m) = 2 atanh(s), s = (m - 1) / (m + 1), |s| <= 0.172
    const Vec s = (mantissa - 1.0F) / (mantissa + 1.0F);
    const Vec s2 = s * s;
    const Vec series = 2.0F + s2 * (2.0F / 3 + s2 * (2.0F / 5 + s2 * (2.0F / 7 + s2 * (2.0F / 9))));
    constexpr float db_per_octave = 3.0102999566398120F; // 10 log10(2)
    constexpr float db_per_neper = 4.3429448190325183F;  // 10 log10(e)
    return __builtin_convertvector(exponent, Vec) * db_per_octave + s * series * db_per_neper;
}

} // namespace osscl::OSSCL_ISA
