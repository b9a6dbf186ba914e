// TFgram's convolutions over blocks of time that stay in the processor's second-level cache.
// Compiled once per instruction set with OSSCL_ISA (namespace) and OSSCL_LANES (floats per vector).
#include "tfgram_kernel.hpp"

#include "simd.hpp"

namespace osscl::OSSCL_ISA {

namespace {

// Sums of one pass: as many as the registers hold beside a row of weights and a value.
#if OSSCL_LANES == 16 || defined(__ARM_NEON)
constexpr std::size_t panel_vectors = 4; // 32 registers
#else
constexpr std::size_t panel_vectors = 2; // 16 registers
#endif
constexpr std::size_t panel_channels = panel_vectors * lanes;
constexpr std::size_t pass_rows = 6;

inline Vec relu(Vec x) {
    const Vec zero = {};
    return x > zero ? x : zero;
}

struct Rows {
    const float* first;
    std::size_t stride; // floats between two of them; they may overlap
};

// Rows a [n_rows][n_inner] times panel [n_inner][panel_channels] -> to [n_rows][to_stride].
template <std::size_t n_rows>
inline void multiply(Rows a, std::size_t n_inner, const float* panel, float* to, std::size_t to_stride) {
    Vec sums[n_rows][panel_vectors] = {};
    for (std::size_t k = 0; k < n_inner; ++k) {
        Vec weights[panel_vectors];
#pragma GCC unroll 4
        for (std::size_t j = 0; j < panel_vectors; ++j) {
            weights[j] = load_unaligned(panel + k * panel_channels + j * lanes);
        }
#pragma GCC unroll 6
        for (std::size_t i = 0; i < n_rows; ++i) {
            const Vec value = Vec{} + a.first[i * a.stride + k];
#pragma GCC unroll 4
            for (std::size_t j = 0; j < panel_vectors; ++j) {
                sums[i][j] += value * weights[j];
            }
        }
    }
#pragma GCC unroll 6
    for (std::size_t i = 0; i < n_rows; ++i) {
#pragma GCC unroll 4
        for (std::size_t j = 0; j < panel_vectors; ++j) {
            store_unaligned(to + i * to_stride + j * lanes, sums[i][j]);
        }
    }
}

// The last rows, fewer than pass_rows.
template <std::size_t n_rows_at_most>
void multiply_rest(Rows a, std::size_t n_rows, std::size_t n_inner, const float* panel, float* to,
                   std::size_t to_stride) {
    if (n_rows == n_rows_at_most) {
        multiply<n_rows_at_most>(a, n_inner, panel, to, to_stride);
    } else if constexpr (n_rows_at_most > 1) {
        multiply_rest<n_rows_at_most - 1>(a, n_rows, n_inner, panel, to, to_stride);
    }
}

void multiply_all(Rows a, std::size_t n_rows, std::size_t n_inner, const float* panel, float* to,
                  std::size_t to_stride) {
    for (; n_rows >= pass_rows; n_rows -= pass_rows) {
        multiply<pass_rows>(a, n_inner, panel, to, to_stride);
        a.first += pass_rows * a.stride;
        to += pass_rows * to_stride;
    }
    multiply_rest<pass_rows - 1>(a, n_rows, n_inner, panel, to, to_stride);
}

void stem(const float* weight, const float* bias, std::size_t n_channels, const float* samples, std::size_t n,
          float* rows) {
    for (std::size_t c = 0; c < n_channels; c += panel_channels) {
        multiply_all({samples, stem_stride}, n, stem_taps, weight + c * stem_taps, rows + c, n_channels);
    }
    for (std::size_t row = 0; row < n; ++row) {
        for (std::size_t c = 0; c < n_channels; c += lanes) {
            float* at = rows + row * n_channels + c;
            store_unaligned(at, relu(load_unaligned(at) + load_unaligned(bias + c)));
        }
    }
}

// Where tile number i begins: tiles of a dilated convolution interleave.
inline std::size_t tile_start(std::size_t i, std::size_t dilation) {
    return i / dilation * tile_outputs * dilation + i % dilation;
}

// x -> points [tile_points][n_tiles][n_in], by Winograd's B^T for the points 0, 1, -1, 2, -2 and infinity.
void transform_inputs(const Conv3& conv, const float* x, std::size_t n_tiles, float* points) {
    const std::size_t step = conv.dilation * conv.n_in, plane = n_tiles * conv.n_in;
    for (std::size_t tile = 0; tile < n_tiles; ++tile) {
        const float* from = x + tile_start(tile, conv.dilation) * conv.n_in;
        float* to = points + tile * conv.n_in;
        for (std::size_t c = 0; c < conv.n_in; c += lanes) {
            Vec d[tile_points];
            for (std::size_t j = 0; j < tile_points; ++j) {
                d[j] = load_unaligned(from + j * step + c);
            }
            const Vec even = d[4] - 4.0F * d[2], odd = d[3] - 4.0F * d[1];
            const Vec even2 = d[4] - d[2], odd2 = 2.0F * (d[3] - d[1]);
            store_unaligned(to + 0 * plane + c, 4.0F * d[0] - 5.0F * d[2] + d[4]);
            store_unaligned(to + 1 * plane + c, even + odd);
            store_unaligned(to + 2 * plane + c, even - odd);
            store_unaligned(to + 3 * plane + c, even2 + odd2);
            store_unaligned(to + 4 * plane + c, even2 - odd2);
            store_unaligned(to + 5 * plane + c, 4.0F * d[1] - 5.0F * d[3] + d[5]);
        }
    }
}

// products [tile_points][n_tiles][n_out] -> y, by Winograd's A^T, with bias and ReLU.
void transform_outputs(const Conv3& conv, const float* products, std::size_t n_tiles, float* y) {
    const std::size_t step = conv.dilation * conv.n_out, plane = n_tiles * conv.n_out;
    for (std::size_t tile = 0; tile < n_tiles; ++tile) {
        const float* from = products + tile * conv.n_out;
        float* to = y + tile_start(tile, conv.dilation) * conv.n_out;
        for (std::size_t c = 0; c < conv.n_out; c += lanes) {
            Vec m[tile_points];
            for (std::size_t j = 0; j < tile_points; ++j) {
                m[j] = load_unaligned(from + j * plane + c);
            }
            const Vec bias = load_unaligned(conv.bias + c);
            const Vec sum1 = m[1] + m[2], diff1 = m[1] - m[2];
            const Vec sum2 = m[3] + m[4], diff2 = m[3] - m[4];
            store_unaligned(to + 0 * step + c, relu(m[0] + sum1 + sum2 + bias));
            store_unaligned(to + 1 * step + c, relu(diff1 + 2.0F * diff2 + bias));
            store_unaligned(to + 2 * step + c, relu(sum1 + 4.0F * sum2 + bias));
            store_unaligned(to + 3 * step + c, relu(diff1 + 8.0F * diff2 + m[5] + bias));
        }
    }
}

void conv3(const Conv3& conv, const float* x, std::size_t n, float* y, float* scratch) {
    const std::size_t n_tiles = n / tile_outputs;
    float* points = scratch;
    float* products = scratch + tile_points * n_tiles * conv.n_in;
    transform_inputs(conv, x, n_tiles, points);
    const float* panel = conv.weight;
    for (std::size_t p = 0; p < tile_points; ++p) {
        for (std::size_t c = 0; c < conv.n_out; c += panel_channels) {
            multiply_all({points + p * n_tiles * conv.n_in, conv.n_in}, n_tiles, conv.n_in, panel,
                         products + p * n_tiles * conv.n_out + c, conv.n_out);
            panel += conv.n_in * panel_channels;
        }
    }
    transform_outputs(conv, products, n_tiles, y);
}

void max_rows(const float* x, std::size_t n, std::size_t n_channels, float* to) {
    for (std::size_t c = 0; c < n_channels; c += lanes) {
        Vec largest = load_unaligned(x + c);
        for (std::size_t row = 1; row < n; ++row) {
            const Vec value = load_unaligned(x + row * n_channels + c);
            largest = value > largest ? value : largest;
        }
        store_unaligned(to + c, largest);
    }
}

} // namespace

extern const TfgramKernel tfgram_kernel = {panel_channels, stem, conv3, max_rows};

} // namespace osscl::OSSCL_ISA
