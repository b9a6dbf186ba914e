// Second half of the transform of 64 n_rows real samples x, one transform in each lane. The first half took
// z[m] = x[2m] + i x[2m+1], m = 32 a + b, over its columns a = 0 .. n_rows - 1, and twiddled.
// For kernel files only.
#pragma once

#include <cstddef>

#include "fft.hpp"
#include "logmel_sizes.hpp"

namespace osscl::OSSCL_ISA {

// The step between two rows is padded by one, or all rows would share cache sets.
constexpr std::size_t row_stride = fft_side + 1;

// Rows over b give Z[c + n_rows d].
inline void transform_row(const float* side_twiddle, const Complex* steps, Complex* row) {
    fft32(
        side_twiddle, [&](std::size_t b) { return steps[b]; },
        [&](std::size_t d, Complex value) { row[d] = value; });
}

// steps [n_rows][row_stride] -> power [32 n_rows + 1] of 4 x, that is, of samples that were halved.
// Rows c and n_rows - c hold each other's mirrored frequencies, so both are finished while they are at hand.
template <std::size_t n_rows>
[[gnu::noinline]] void transform_rows_to_power(const float* side_twiddle, const float* split_twiddle,
                                               const Complex* steps, Vec* power) {
    Complex row[fft_side], mirrored_row[fft_side];
    for (std::size_t c = 0; c <= n_rows / 2; ++c) {
        const bool own_mirror = c == 0 || c == n_rows / 2;
        transform_row(side_twiddle, steps + c * row_stride, row);
        if (!own_mirror) {
            transform_row(side_twiddle, steps + (n_rows - c) * row_stride, mirrored_row);
        }
        const Complex* mirror = own_mirror ? row : mirrored_row;
        const std::size_t n_pairs = c == 0 ? fft_side / 2 + 1 : own_mirror ? fft_side / 2 : fft_side;
        for (std::size_t d = 0; d < n_pairs; ++d) {
            const std::size_t k = c + n_rows * d;
            const std::size_t mirrored_d = c == 0 ? (fft_side - d) % fft_side : fft_side - 1 - d;
            split_power(row[d], mirror[mirrored_d], split_twiddle + 2 * k, power[k],
                        power[fft_side * n_rows - k]);
        }
    }
}

} // namespace osscl::OSSCL_ISA
