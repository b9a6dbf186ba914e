// Samples of a batch of clips -> log-mel and the float32 waveform, in one pass over the samples.
// The mathematics of logmel_kernel.cpp, but a frame is not a lane: a warp transforms it, and each of its 32
// threads one of the 32 rows of the 32 x 32 transform, in registers. Neighbouring threads read and write
// neighbouring values, in the card's memory and in shared memory alike.
#define OSSCL_ISA cuda

#include <cstddef>
#include <cstdint>

#include "decibel.hpp"
#include "fft.hpp"
#include "logmel_sizes.hpp"

namespace osscl::cuda {

constexpr int warp_lanes = 32;
constexpr int frames_per_block = 4;
constexpr int block_threads = frames_per_block * warp_lanes;
// At least so many: a thread has 128 registers then. More would leave a multiprocessor fewer than 16 warps,
// fewer would spill.
constexpr int blocks_at_once = 4;
constexpr int side = fft_side;
constexpr int half = half_fft;
// Rows of the transposition are padded by one, or a column would lie in a single bank of shared memory.
constexpr int row_stride = side + 1;
// The filters read four frames at once: 8 of the 32 banks lie between them, which of all strides gives the
// fewest conflicts.
constexpr int frame_stride = side * row_stride + 8;
constexpr int quad = 4; // weights that a thread loads at once

static_assert(side == warp_lanes);
// A filter's last quad may reach beyond the power of all bins: to what the transposition left there, which
// is finite and weighted with zero.
static_assert(side * row_stride >= half + quad);

// KernelTables of logmel_kernel.hpp in the card's memory. The twiddles that all lanes use alike are part of
// the argument itself: a kernel's arguments lie in constant memory, which costs no load.
struct Tables {
    const float2* window;          // [half]
    const float2* step_twiddle;    // [side][side]
    const float2* split_twiddle;   // [half]
    const std::int32_t* mel_first; // [n_mels] first bin of each filter
    const std::int32_t* mel_start; // [n_mels + 1] where the quads of each filter begin, and their end
    const float4* mel_weight;      // of all filters, one after the other, each filled up to a quad with zeros
    std::int32_t n_mels;
    std::int32_t hop_length; // even
    float power_floor;
    float side_twiddle[2 * side];
};

template <class Pair> struct Batch {
    const Pair* samples; // [n_clips][n_pairs], two samples each
    float2* waveform;    // [n_clips][n_pairs], or null: not wanted
    float* log_mel;      // [n_clips][n_mels][n_frames]
    std::int32_t n_pairs;
    std::int32_t n_frames;
};

struct alignas(sizeof(float2)) Shared {
    float frames[frames_per_block][frame_stride];
};

// A power of two rounds nothing, so frames of int16 are brought to full scale where there are the fewest
// numbers: as mel power.
inline constexpr float full_scale(short2) {
    return int16_full_scale;
}
inline constexpr float full_scale(float2) {
    return 1.0F;
}

// Two neighbouring samples as a complex number, not brought to full scale.
template <class Pair> inline Complex to_complex(Pair pair) {
    return {static_cast<float>(pair.x), static_cast<float>(pair.y)};
}

struct Twiddle {
    float re_im[2];
};

inline Twiddle load(const float2* twiddle) {
    return {twiddle->x, twiddle->y};
}

// Lane i's value j becomes lane j's value i.
inline void transpose(float (&values)[side], float* shared, int lane) {
    OSSCL_UNROLL(32)
    for (int j = 0; j < side; ++j) {
        shared[j * row_stride + lane] = values[j];
    }
    __syncwarp();
    OSSCL_UNROLL(32)
    for (int i = 0; i < side; ++i) {
        values[i] = shared[lane * row_stride + i];
    }
    __syncwarp();
}

// z[m] = x[2m] + i x[2m+1] of a frame, not yet windowed -> in lane b, the values z[32 a + b].
template <class Pair>
inline void load_frame(const Pair* clip, int n_pairs, int first_pair, int lane, Pair (&z)[side]) {
    const Pair* from = clip + first_pair + lane;
    if (first_pair >= 0 && first_pair + half <= n_pairs) { // no test between the loads: all start at once
        OSSCL_UNROLL(32)
        for (int a = 0; a < side; ++a) {
            z[a] = from[a * side];
        }
        return;
    }
    OSSCL_UNROLL(32)
    for (int a = 0; a < side; ++a) {
        const int at = first_pair + lane + a * side;
        z[a] = at >= 0 && at < n_pairs ? from[a * side] : Pair{};
    }
}

// In lane c, the values Z[c + 32 d] of the transform of a frame.
template <class Pair>
inline void transform(const Tables& tables, const Pair (&frame)[side], float* shared, int lane,
                      Complex (&z)[side]) {
    const float2* window = tables.window + lane;
    const auto point = [&](std::size_t a) {
        const Complex pair = to_complex(frame[a]);
        const float2 weight = window[a * side];
        return Complex{pair.re * weight.x, pair.im * weight.y};
    };
    const float2* step_twiddle = tables.step_twiddle + lane; // symmetric in c and lane
    float re[side], im[side];
    fft32(tables.side_twiddle, point, [&](std::size_t c, Complex value) {
        const Complex turned = times(value, load(step_twiddle + c * side).re_im);
        re[c] = turned.re;
        im[c] = turned.im;
    });
    transpose(re, shared, lane);
    transpose(im, shared, lane);
    fft32(
        tables.side_twiddle, [&](std::size_t b) { return Complex{re[b], im[b]}; },
        [&](std::size_t d, Complex value) { z[d] = value; });
}

// Z of a frame, spread over the lanes -> power of all bins in shared memory.
inline void write_power(const Tables& tables, const Complex (&z)[side], float* shared, int lane) {
    constexpr int n_pairs = side / 2;                  // of a value below 512 and its mirror, in each lane
    float2* upper = reinterpret_cast<float2*>(shared); // Z[512 + i]
    const float2* twiddle = tables.split_twiddle + lane;
    OSSCL_UNROLL(16)
    for (int d = 0; d < n_pairs; ++d) {
        upper[d * side + lane] = {z[n_pairs + d].re, z[n_pairs + d].im};
    }
    if (lane == 0) {
        upper[half / 2] = {z[0].re, z[0].im}; // Z[1024] = Z[0]
    }
    __syncwarp();
    float power[n_pairs], mirrored_power[n_pairs], middle_power, same_power;
    OSSCL_UNROLL(16)
    for (int d = 0; d < n_pairs; ++d) {
        const float2 mirrored = upper[half / 2 - (d * side + lane)];
        split_power(z[d], {mirrored.x, mirrored.y}, load(twiddle + d * side).re_im, power[d],
                    mirrored_power[d]);
    }
    // Z[512] of lane 0 is its own mirror
    split_power(z[n_pairs], z[n_pairs], load(twiddle + n_pairs * side).re_im, middle_power, same_power);
    __syncwarp();
    OSSCL_UNROLL(16)
    for (int d = 0; d < n_pairs; ++d) {
        shared[d * side + lane] = power[d];
        shared[half - d * side - lane] = mirrored_power[d];
    }
    if (lane == 0) {
        shared[half / 2] = middle_power;
    }
}

// Power of the block's frames -> log-mel. Neighbouring threads take the four frames of one filter.
inline void filter_to_decibel(const Tables& tables, const Shared& shared, float power_scale, float* log_mel,
                              int n_frames) {
    const int frame = static_cast<int>(threadIdx.x) % frames_per_block;
    const int at = static_cast<int>(blockIdx.x) * frames_per_block + frame;
    if (at >= n_frames) {
        return;
    }
    for (int mel = static_cast<int>(threadIdx.x) / frames_per_block; mel < tables.n_mels; mel += warp_lanes) {
        const float* power = shared.frames[frame] + tables.mel_first[mel];
        const float4* weight = tables.mel_weight + tables.mel_start[mel];
        float sum = 0.0F;
        OSSCL_UNROLL(1)
        for (int n_quads = tables.mel_start[mel + 1] - tables.mel_start[mel]; n_quads > 0; --n_quads) {
            const float4 four = *weight++;
            sum += power[0] * four.x;
            sum += power[1] * four.y;
            sum += power[2] * four.z;
            sum += power[3] * four.w;
            power += quad;
        }
        sum *= power_scale;
        sum = sum < tables.power_floor ? tables.power_floor : sum;
        log_mel[mel * n_frames + at] = decibel(sum);
    }
}

// The hops that begin the block's frames; those of all blocks are the whole clip.
template <class Pair>
inline void write_waveform(const Pair* clip, float2* waveform, int n_pairs, int pairs_per_block) {
    constexpr float scale = 1.0F / full_scale(Pair{});
    const int begin = static_cast<int>(blockIdx.x) * pairs_per_block;
    const int end = begin + pairs_per_block < n_pairs ? begin + pairs_per_block : n_pairs;
    for (int at = begin + static_cast<int>(threadIdx.x); at < end; at += block_threads) {
        const Complex pair = to_complex(clip[at]);
        waveform[at] = {pair.re * scale, pair.im * scale};
    }
}

// Grid: [ceil(n_frames / frames_per_block), n_clips].
template <class Pair> inline void log_mel(const Tables& tables, const Batch<Pair>& batch, Shared& shared) {
    const std::size_t clip_index = blockIdx.y;
    const Pair* clip = batch.samples + clip_index * batch.n_pairs;
    const int hop_pairs = tables.hop_length / 2;
    if (batch.waveform != nullptr) {
        write_waveform(clip, batch.waveform + clip_index * batch.n_pairs, batch.n_pairs,
                       frames_per_block * hop_pairs);
    }
    const int warp = static_cast<int>(threadIdx.x) / warp_lanes;
    const int lane = static_cast<int>(threadIdx.x) % warp_lanes;
    const int frame = static_cast<int>(blockIdx.x) * frames_per_block + warp;
    if (frame < batch.n_frames) {
        float* frame_shared = shared.frames[warp];
        Pair samples[side];
        load_frame(clip, batch.n_pairs, frame * hop_pairs - half / 2, lane, samples);
        Complex z[side];
        transform(tables, samples, frame_shared, lane, z);
        write_power(tables, z, frame_shared, lane);
    }
    __syncthreads();
    constexpr float power_scale = 1.0F / (full_scale(Pair{}) * full_scale(Pair{}));
    filter_to_decibel(tables, shared, power_scale,
                      batch.log_mel + clip_index * tables.n_mels * batch.n_frames, batch.n_frames);
}

} // namespace osscl::cuda

extern "C" {

__global__ void __launch_bounds__(osscl::cuda::block_threads, osscl::cuda::blocks_at_once)
    log_mel_int16(const __grid_constant__ osscl::cuda::Tables tables,
                  const __grid_constant__ osscl::cuda::Batch<short2> batch) {
    __shared__ osscl::cuda::Shared shared;
    osscl::cuda::log_mel(tables, batch, shared);
}

__global__ void __launch_bounds__(osscl::cuda::block_threads, osscl::cuda::blocks_at_once)
    log_mel_float32(const __grid_constant__ osscl::cuda::Tables tables,
                    const __grid_constant__ osscl::cuda::Batch<float2> batch) {
    __shared__ osscl::cuda::Shared shared;
    osscl::cuda::log_mel(tables, batch, shared);
}
}
