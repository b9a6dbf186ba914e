// A single float in the place of a vector of them: a GPU's lanes are threads. For kernel files only.
#pragma once

#include <cstdint>

#define OSSCL_UNROLL(n) _Pragma(OSSCL_QUOTE(unroll n))
#define OSSCL_QUOTE(text) #text

namespace osscl::OSSCL_ISA {

using Vec = float;
using IntVec = std::int32_t;

inline IntVec bits_of(Vec x) {
    return __float_as_int(x);
}
inline Vec from_bits(IntVec bits) {
    return __int_as_float(bits);
}
inline Vec to_float(IntVec x) {
    return static_cast<Vec>(x);
}

} // namespace osscl::OSSCL_ISA
