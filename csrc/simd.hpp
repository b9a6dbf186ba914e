// A vector of OSSCL_LANES floats. Lane i holds frame i of a tile, so that no transform ever crosses lanes.
// Written with the vector extension of GCC and Clang: one source for every instruction set.
// For kernel files only (see logmel_kernel.hpp on why nothing of the standard library is used).
#pragma once

#include <cstddef>
#include <cstdint>

#define OSSCL_UNROLL(n) _Pragma(OSSCL_QUOTE(GCC unroll n))
#define OSSCL_QUOTE(text) #text

namespace osscl::OSSCL_ISA {

constexpr std::size_t lanes = OSSCL_LANES;

using Vec = float __attribute__((vector_size(lanes * sizeof(float))));
using IntVec = std::int32_t __attribute__((vector_size(lanes * sizeof(std::int32_t))));
using Quad = float __attribute__((vector_size(16)));
// Clang drops the alignment where it stands in an alias, and then expects one that is not there.
typedef float UnalignedVec __attribute__((vector_size(lanes * sizeof(float)), aligned(4), may_alias));
typedef float UnalignedQuad __attribute__((vector_size(16), aligned(4), may_alias));

inline Vec load_unaligned(const float* from) {
    return *reinterpret_cast<const UnalignedVec*>(from);
}
inline void store_unaligned(float* to, Vec value) {
    *reinterpret_cast<UnalignedVec*>(to) = value;
}

// The elements of two vectors one behind the other, numbered 0 to 7, that are asked for.
template <int first, int second, int third, int fourth> inline Quad pick(Quad a, Quad b) {
#if __has_builtin(__builtin_shufflevector)
    return __builtin_shufflevector(a, b, first, second, third, fourth);
#else // GCC 11
    using Places = std::int32_t __attribute__((vector_size(16)));
    return __builtin_shuffle(a, b, Places{first, second, third, fourth});
#endif
}

// Transposes four rows of four floats each.
inline void transpose4(const float* r0, const float* r1, const float* r2, const float* r3, float* to,
                       std::size_t stride) {
    const Quad a = *reinterpret_cast<const UnalignedQuad*>(r0);
    const Quad b = *reinterpret_cast<const UnalignedQuad*>(r1);
    const Quad c = *reinterpret_cast<const UnalignedQuad*>(r2);
    const Quad d = *reinterpret_cast<const UnalignedQuad*>(r3);
    const Quad ab_low = pick<0, 4, 1, 5>(a, b);
    const Quad ab_high = pick<2, 6, 3, 7>(a, b);
    const Quad cd_low = pick<0, 4, 1, 5>(c, d);
    const Quad cd_high = pick<2, 6, 3, 7>(c, d);
    *reinterpret_cast<UnalignedQuad*>(to) = pick<0, 1, 4, 5>(ab_low, cd_low);
    *reinterpret_cast<UnalignedQuad*>(to + stride) = pick<2, 3, 6, 7>(ab_low, cd_low);
    *reinterpret_cast<UnalignedQuad*>(to + 2 * stride) = pick<0, 1, 4, 5>(ab_high, cd_high);
    *reinterpret_cast<UnalignedQuad*>(to + 3 * stride) = pick<2, 3, 6, 7>(ab_high, cd_high);
}

inline IntVec bits_of(Vec x) {
    return reinterpret_cast<IntVec>(x);
}
inline Vec from_bits(IntVec bits) {
    return reinterpret_cast<Vec>(bits);
}
inline Vec to_float(IntVec x) {
    return __builtin_convertvector(x, Vec);
}

} // namespace osscl::OSSCL_ISA
