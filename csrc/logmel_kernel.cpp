// Samples of one tile of frames -> log-mel of that tile, fused: nothing leaves the processor's caches.
// Compiled once per instruction set with OSSCL_ISA (namespace) and OSSCL_LANES (floats per vector).
#include "logmel_kernel.hpp"

#include "decibel.hpp"
#include "hops.hpp"
#include "real_fft.hpp"

namespace osscl::OSSCL_ISA {

namespace {

std::size_t n_hops(const KernelTables& tables) {
    return hops_of_tile(n_fft, tables.hop_length);
}

struct Scratch {
    Complex* steps; // [fft_side][row_stride]
    Vec* power;     // [n_bins]
    float* columns; // [hop_length][n_hops]: sample p of hop q
    float* rows;    // [4][hop_length]
};

constexpr std::size_t steps_bytes = fft_side * row_stride * sizeof(Complex);
constexpr std::size_t power_bytes = (n_bins * sizeof(Vec) + 63) / 64 * 64;

std::size_t scratch_bytes(const KernelTables& tables) {
    const std::size_t hop = tables.hop_length;
    return steps_bytes + power_bytes + (n_hops(tables) + 4) * hop * sizeof(float) + sizeof(Vec);
}

Scratch split_scratch(const KernelTables& tables, void* memory) {
    char* bytes = static_cast<char*>(memory);
    float* columns = reinterpret_cast<float*>(bytes + steps_bytes + power_bytes);
    return {reinterpret_cast<Complex*>(bytes), reinterpret_cast<Vec*>(bytes + steps_bytes), columns,
            columns + n_hops(tables) * tables.hop_length};
}

// First half of the 1024-point transform of z[m] = x[2m] + i x[2m+1], m = 32 a + b: columns over a, twiddled.
[[gnu::noinline]] void transform_columns(const KernelTables& tables, const Scratch& scratch) {
    const std::size_t stride = n_hops(tables);
    // hop_length divides n_fft, a power of two: a shift and a mask instead of one division a sample
    const int hop_bits = __builtin_ctzll(tables.hop_length);
    const auto place = [&](std::size_t n) { // in the columns, of sample n of frame 0
        return (n & (tables.hop_length - 1)) * stride + (n >> hop_bits);
    };
    std::size_t place_of[fft_side]; // place(2 (32 a + b)) = place_of[a] + place(2 b)
    for (std::size_t a = 0; a < fft_side; ++a) {
        place_of[a] = place(2 * fft_side * a);
    }
    for (std::size_t b = 0; b < fft_side; ++b) {
        const float* samples = scratch.columns + place(2 * b);
        const float* window = tables.window + 2 * b;
        const auto point = [&](std::size_t a) {
            const float* sample = samples + place_of[a];
            return Complex{load_unaligned(sample) * window[2 * fft_side * a],
                           load_unaligned(sample + stride) * window[2 * fft_side * a + 1]};
        };
        const float* twiddle = tables.step_twiddle + 2 * fft_side * b;
        fft32(tables.side_twiddle, point, [&](std::size_t c, Complex value) {
            scratch.steps[c * row_stride + b] = times(value, twiddle + 2 * c);
        });
    }
}

[[gnu::noinline]] void filter_to_decibel(const KernelTables& tables, const Scratch& scratch,
                                         const Tile& tile) {
    const Vec floor = Vec{} + tables.power_floor;
    const float* weight = tables.mel_weight;
    for (std::size_t mel = 0; mel < tables.n_mels; ++mel) {
        const Vec* power = scratch.power + tables.mel_first[mel];
        Vec sum = {};
        for (std::int32_t i = 0; i < tables.mel_count[mel]; ++i) {
            sum += power[i] * *weight++;
        }
        sum = sum < floor ? floor : sum;
        store_lanes(tile.log_mel + mel * tile.mel_stride, decibel(sum), tile.n_frames);
    }
}

// The four steps are not inlined, so that a profile tells them apart; the calls cost nothing measurable.
template <class Sample> void transform(const KernelTables& tables, const Sample* clip, const Tile& tile) {
    const Scratch scratch = split_scratch(tables, tile.scratch);
    const std::ptrdiff_t origin = static_cast<std::ptrdiff_t>(tile.first_frame * tables.hop_length) -
                                  static_cast<std::ptrdiff_t>(n_fft / 2);
    transpose_hops(clip, tile.n_samples, origin, tables.hop_length, n_hops(tables), scratch.rows,
                   scratch.columns);
    transform_columns(tables, scratch);
    transform_rows_to_power<fft_side>(tables.side_twiddle, tables.split_twiddle, scratch.steps,
                                      scratch.power);
    filter_to_decibel(tables, scratch, tile);
}

} // namespace

extern const Kernel kernel = {lanes, scratch_bytes, transform<std::int16_t>, transform<float>};

} // namespace osscl::OSSCL_ISA
