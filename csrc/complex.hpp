// Complex numbers, one in each lane. For kernel files only.
#pragma once

#include "vec.hpp"

namespace osscl::OSSCL_ISA {

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

} // namespace osscl::OSSCL_ISA
