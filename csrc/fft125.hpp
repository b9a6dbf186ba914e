// Fourier transforms of 5, 25 and 125 complex points, one transform in each lane. For kernel files only.
#pragma once

#include <cstddef>

#include "complex.hpp"

namespace osscl::OSSCL_ISA {

// a .. e -> frequencies 0 .. 4, in their places
inline void fft5(Complex& a, Complex& b, Complex& c, Complex& d, Complex& e) {
    constexpr float cos_1 = 0.30901699437494742F, cos_2 = -0.80901699437494742F; // of fifths of a turn
    constexpr float sin_1 = 0.95105651629515357F, sin_2 = 0.58778525229247313F;
    const Complex outer_sum = b + e, inner_sum = c + d, outer_diff = b - e, inner_diff = c - d;
    const auto mix = [](Complex x, float x_times, Complex y, float y_times) {
        return Complex{x.re * x_times + y.re * y_times, x.im * x_times + y.im * y_times};
    };
    const Complex even_1 = a + mix(outer_sum, cos_1, inner_sum, cos_2);
    const Complex even_2 = a + mix(outer_sum, cos_2, inner_sum, cos_1);
    const Complex odd_1 = times_minus_i(mix(outer_diff, sin_1, inner_diff, sin_2));
    const Complex odd_2 = times_minus_i(mix(outer_diff, sin_2, inner_diff, -sin_1));
    a = a + outer_sum + inner_sum;
    b = even_1 + odd_1;
    c = even_2 + odd_2;
    d = even_2 - odd_2;
    e = even_1 - odd_1;
}

// point(j), j = 0 .. 24 -> emit(k, value of frequency k): five points five apart, then five in a row.
// `twiddle` [5][5][2]: exp(-2 pi i b c / 25)
template <class Point, class Emit> inline void fft25(const float* twiddle, Point point, Emit emit) {
    Complex rows[5][5]; // [frequency modulo 5][b]
    OSSCL_UNROLL(5)
    for (std::size_t b = 0; b < 5; ++b) {
        Complex column[5] = {point(b), point(5 + b), point(10 + b), point(15 + b), point(20 + b)};
        fft5(column[0], column[1], column[2], column[3], column[4]);
        for (std::size_t c = 0; c < 5; ++c) {
            rows[c][b] = times(column[c], twiddle + 2 * (5 * b + c));
        }
    }
    OSSCL_UNROLL(5)
    for (std::size_t c = 0; c < 5; ++c) {
        Complex* row = rows[c];
        fft5(row[0], row[1], row[2], row[3], row[4]);
        for (std::size_t d = 0; d < 5; ++d) {
            emit(c + 5 * d, row[d]);
        }
    }
}

// point(m), m = 0 .. 124 -> spectrum [125]; m = 25 a + b: columns over a, twiddled, then rows over b.
// `step_twiddle` [25][5][2]: exp(-2 pi i b c / 125); `steps` is memory for 125.
template <class Point>
inline void fft125(const float* fifth_twiddle, const float* step_twiddle, Point point, Complex* steps,
                   Complex* spectrum) {
    for (std::size_t b = 0; b < 25; ++b) {
        Complex column[5] = {point(b), point(25 + b), point(50 + b), point(75 + b), point(100 + b)};
        fft5(column[0], column[1], column[2], column[3], column[4]);
        for (std::size_t c = 0; c < 5; ++c) {
            steps[25 * c + b] = times(column[c], step_twiddle + 2 * (5 * b + c));
        }
    }
    for (std::size_t c = 0; c < 5; ++c) {
        const Complex* row = steps + 25 * c;
        fft25(
            fifth_twiddle, [&](std::size_t b) { return row[b]; },
            [&](std::size_t d, Complex value) { spectrum[c + 5 * d] = value; });
    }
}

} // namespace osscl::OSSCL_ISA
