// The seam between TFgram's plan, compiled once, and its kernels, compiled once per instruction set.
// Plain data only, for the reason that logmel_kernel.hpp tells.
#pragma once

#include <cstddef>

namespace osscl {

constexpr std::size_t stem_taps = 11, stem_stride = 5, stem_padding = 5;
// Winograd's F(4, 3): four outputs of a convolution over three taps by six products instead of twelve.
constexpr std::size_t tile_outputs = 4, tile_points = 6;

// Weights of a convolution over three taps, transformed.
struct Conv3 {
    const float* weight; // [tile_points][n_out / panel][n_in][panel]
    const float* bias;   // [n_out]
    std::size_t n_in, n_out;
    std::size_t dilation;
};

// Maps are [time][channel] here: a vector holds neighbouring channels of one moment.
struct TfgramKernel {
    std::size_t panel; // output channels that one pass over the inputs computes
    // Samples from the first tap of row 0 on -> ReLU of the stem's rows [n][n_channels]. Weights are
    // [n_channels / panel][stem_taps][panel].
    void (*stem)(const float* weight, const float* bias, std::size_t n_channels, const float* samples,
                 std::size_t n, float* rows);
    // x [n + 2 dilation][n_in] -> ReLU of the convolution [n][n_out]; n is a multiple of 4 dilation.
    // `scratch` holds conv3_scratch(conv, n) floats.
    void (*conv3)(const Conv3& conv, const float* x, std::size_t n, float* y, float* scratch);
    // Largest of each channel over x [n][n_channels].
    void (*max_rows)(const float* x, std::size_t n, std::size_t n_channels, float* to);
};

constexpr std::size_t conv3_scratch(const Conv3& conv, std::size_t n) {
    return tile_points * (n / tile_outputs) * (conv.n_in + conv.n_out);
}

// Defined by tfgram_kernel.cpp, once for each instruction set that this build holds.
namespace generic {
extern const TfgramKernel tfgram_kernel;
}
namespace neon {
extern const TfgramKernel tfgram_kernel;
}
namespace sse2 {
extern const TfgramKernel tfgram_kernel;
}
namespace avx2 {
extern const TfgramKernel tfgram_kernel;
}
namespace avx512 {
extern const TfgramKernel tfgram_kernel;
}

} // namespace osscl
