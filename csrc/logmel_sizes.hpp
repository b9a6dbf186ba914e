// Sizes of the log-mel transform, for every processor that computes it.
#pragma once

#include <cstddef>

namespace osscl {

constexpr std::size_t n_fft = 2048;
constexpr std::size_t n_bins = n_fft / 2 + 1;
constexpr std::size_t half_fft = n_fft / 2; // points of the complex transform that carries the real one
constexpr std::size_t fft_side = 32;        // half_fft = fft_side * fft_side
constexpr float int16_full_scale = 32768.0F;

static_assert(fft_side * fft_side == half_fft);

} // namespace osscl
