// Fourier transforms of 4, 8 and 32 complex points, one transform per SIMD lane, decimation in frequency;
// and what makes the transform of real samples out of a complex one.
// For kernel files only.
#pragma once

#include <cstddef>

#include "complex.hpp"

namespace osscl::OSSCL_ISA {

inline void fft4(Complex& a, Complex& b, Complex& c, Complex& d) {
    const Complex even_sum = a + c, even_diff = a - c;
    const Complex odd_sum = b + d, odd_diff = times_minus_i(b - d);
    a = even_sum + odd_sum;
    b = even_diff + odd_diff;
    c = even_sum - odd_sum;
    d = even_diff - odd_diff;
}

// in[j], j = 0..7 -> emit(r, value of frequency r)
template <class Emit> inline void fft8(const Complex* in, Emit emit) {
    constexpr float sqrt_half = 0.70710678118654752F;
    Complex even[4], odd[4];
    for (int j = 0; j < 4; ++j) {
        even[j] = in[j] + in[j + 4];
        odd[j] = in[j] - in[j + 4];
    }
    odd[1] = {(odd[1].re + odd[1].im) * sqrt_half, (odd[1].im - odd[1].re) * sqrt_half};
    odd[2] = times_minus_i(odd[2]);
    odd[3] = {(odd[3].im - odd[3].re) * sqrt_half, -(odd[3].re + odd[3].im) * sqrt_half};
    fft4(even[0], even[1], even[2], even[3]);
    fft4(odd[0], odd[1], odd[2], odd[3]);
    for (std::size_t r = 0; r < 4; ++r) {
        emit(2 * r, even[r]);
        emit(2 * r + 1, odd[r]);
    }
}

// point(j), j = 0..31 -> emit(k, value of frequency k). 32 = 4 x 8: four points eight apart, then eight in a
// row.
template <class Point, class Emit> inline void fft32(const float* side_twiddle, Point point, Emit emit) {
    Complex rows[4][8]; // [frequency modulo 4][j]
    OSSCL_UNROLL(8)
    for (std::size_t j = 0; j < 8; ++j) {
        Complex a = point(j), b = point(j + 8), c = point(j + 16), d = point(j + 24);
        fft4(a, b, c, d);
        rows[0][j] = a;
        rows[1][j] = times(b, side_twiddle + 2 * j);
        rows[2][j] = times(c, side_twiddle + 4 * j);
        rows[3][j] = times(d, side_twiddle + 6 * j);
    }
    OSSCL_UNROLL(4)
    for (std::size_t q = 0; q < 4; ++q) {
        fft8(rows[q], [&](std::size_t r, Complex value) { emit(4 * r + q, value); });
    }
}

// Z[k] and Z[1024-k] of the packed transform -> |X[k]|^2 and |X[1024-k]|^2 of the real one.
inline void split_power(Complex z, Complex mirrored, const float* twiddle, Vec& power, Vec& mirrored_power) {
    const Complex even = {z.re + mirrored.re, z.im - mirrored.im};
    const Complex odd = times({z.im + mirrored.im, mirrored.re - z.re}, twiddle);
    const Complex sum = even + odd, diff = even - odd;
    power = sum.re * sum.re + sum.im * sum.im;
    mirrored_power = diff.re * diff.re + diff.im * diff.im;
}

} // namespace osscl::OSSCL_ISA
