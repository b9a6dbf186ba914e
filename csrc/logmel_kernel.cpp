// Samples of one tile of frames -> log-mel of that tile, fused: nothing leaves the processor's caches.
// Compiled once per instruction set with OSSCL_ISA (namespace) and OSSCL_LANES (floats per vector).
#include "logmel_kernel.hpp"

#include "decibel.hpp"
#include "fft.hpp"
#include "simd.hpp"

namespace osscl::OSSCL_ISA {

namespace {

// The step between two rows of the 32 x 32 transform is padded by one, or all rows would share cache sets.
constexpr std::size_t row_stride = fft_side + 1;

// Rows of hop_length samples that one tile of frames touches, rounded up to whole quads.
std::size_t n_hops(const KernelTables& tables) {
    return (lanes + n_fft / tables.hop_length - 1 + 3) / 4 * 4;
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

inline float to_float(std::int16_t sample) {
    return static_cast<float>(sample) * (1.0F / int16_full_scale);
}
inline float to_float(float sample) {
    return sample;
}

// `count` samples from position `start` of the clip, zeros outside of it.
template <class Sample>
void copy_padded(const Sample* clip, std::ptrdiff_t n_samples, std::ptrdiff_t start, std::size_t count,
                 float* to) {
    const std::ptrdiff_t end = start + static_cast<std::ptrdiff_t>(count);
    if (start >= 0 && end <= n_samples) {
        for (std::size_t i = 0; i < count; ++i) {
            to[i] = to_float(clip[start + static_cast<std::ptrdiff_t>(i)]);
        }
        return;
    }
    for (std::ptrdiff_t at = start; at < end; ++at) {
        to[at - start] = at >= 0 && at < n_samples ? to_float(clip[at]) : 0.0F;
    }
}

// Neighbouring frames share three quarters of their samples: each hop of samples is transposed once, and
// lane i of a load at columns[p][k + i] is sample p of hop k of frame i.
template <class Sample>
[[gnu::noinline]] void transpose_hops(const KernelTables& tables, const Sample* clip, const Tile& tile,
                                      const Scratch& scratch) {
    const std::size_t hop = tables.hop_length;
    const std::size_t stride = n_hops(tables);
    const std::ptrdiff_t origin =
        static_cast<std::ptrdiff_t>(tile.first_frame * hop) - static_cast<std::ptrdiff_t>(n_fft / 2);
    for (std::size_t q = 0; q < stride; q += 4) {
        for (std::size_t i = 0; i < 4; ++i) {
            copy_padded(clip, static_cast<std::ptrdiff_t>(tile.n_samples),
                        origin + static_cast<std::ptrdiff_t>((q + i) * hop), hop, scratch.rows + i * hop);
        }
        const float* rows = scratch.rows;
        for (std::size_t p = 0; p < hop; p += 4) {
            transpose4(rows + p, rows + hop + p, rows + 2 * hop + p, rows + 3 * hop + p,
                       scratch.columns + p * stride + q, stride);
        }
    }
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

// Second half: rows over b give Z[c + 32 d].
inline void transform_row(const KernelTables& tables, const Complex* steps, Complex* row) {
    fft32(
        tables.side_twiddle, [&](std::size_t b) { return steps[b]; },
        [&](std::size_t d, Complex value) { row[d] = value; });
}

// Rows c and 32 - c hold each other's mirrored frequencies, so both are finished while they are at hand.
[[gnu::noinline]] void transform_rows_to_power(const KernelTables& tables, const Scratch& scratch) {
    Complex row[fft_side], mirrored_row[fft_side];
    for (std::size_t c = 0; c <= fft_side / 2; ++c) {
        const bool own_mirror = c == 0 || c == fft_side / 2;
        transform_row(tables, scratch.steps + c * row_stride, row);
        if (!own_mirror) {
            transform_row(tables, scratch.steps + (fft_side - c) * row_stride, mirrored_row);
        }
        const Complex* mirror = own_mirror ? row : mirrored_row;
        const std::size_t n_pairs = c == 0 ? fft_side / 2 + 1 : own_mirror ? fft_side / 2 : fft_side;
        for (std::size_t d = 0; d < n_pairs; ++d) {
            const std::size_t k = c + fft_side * d;
            const std::size_t mirrored_d = c == 0 ? (fft_side - d) % fft_side : fft_side - 1 - d;
            split_power(row[d], mirror[mirrored_d], tables.split_twiddle + 2 * k, scratch.power[k],
                        scratch.power[half_fft - k]);
        }
    }
}

inline void store_lanes(float* to, Vec value, std::size_t count) {
    if (count == lanes) {
        store_unaligned(to, value);
        return;
    }
    for (std::size_t i = 0; i < count; ++i) {
        to[i] = value[i];
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
    transpose_hops(tables, clip, tile, scratch);
    transform_columns(tables, scratch);
    transform_rows_to_power(tables, scratch);
    filter_to_decibel(tables, scratch, tile);
}

} // namespace

extern const Kernel kernel = {lanes, scratch_bytes, transform<std::int16_t>, transform<float>};

} // namespace osscl::OSSCL_ISA
