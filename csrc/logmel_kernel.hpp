// The seam between the plan, compiled once, and the kernels, compiled once per instruction set.
// Plain data only: an inline function of the standard library that a kernel file pulled in could be kept
// by the linker in its AVX-512 form and then run on a processor without AVX-512.
#pragma once

#include <cstddef>
#include <cstdint>

#include "logmel_sizes.hpp"

namespace osscl {

// Tables of one front end, all computed in float64 and rounded once.
struct KernelTables {
    const float* window;           // [n_fft] periodic Hann, halved: the real split needs Z / 2
    const float* side_twiddle;     // [fft_side][2] exp(-2 pi i j / 32), as (re, im)
    const float* step_twiddle;     // [fft_side][fft_side][2] exp(-2 pi i b c / 1024)
    const float* split_twiddle;    // [half_fft][2] exp(-2 pi i k / 2048)
    const std::int32_t* mel_first; // [n_mels] first bin of each filter
    const std::int32_t* mel_count; // [n_mels] number of bins of each filter
    const float* mel_weight;       // weights of all filters, one after the other
    std::size_t n_mels;
    std::size_t hop_length; // divides n_fft, multiple of 4
    float power_floor;
};

// One tile: as many neighbouring frames of one clip as the kernel has lanes, or fewer at the clip's end.
struct Tile {
    std::size_t n_samples; // of the clip
    std::size_t first_frame;
    std::size_t n_frames;   // 1 .. lanes
    float* log_mel;         // output at [mel 0][first_frame]
    std::size_t mel_stride; // floats between two mel bands of the output
    void* scratch;          // scratch_bytes, aligned to 64
};

struct Kernel {
    std::size_t lanes;
    std::size_t (*scratch_bytes)(const KernelTables&);
    void (*transform_int16)(const KernelTables&, const std::int16_t* clip, const Tile&);
    void (*transform_float32)(const KernelTables&, const float* clip, const Tile&);
};

// Defined by logmel_kernel.cpp, once for each instruction set that this build holds.
namespace generic {
extern const Kernel kernel;
}
namespace neon {
extern const Kernel kernel;
}
namespace sse2 {
extern const Kernel kernel;
}
namespace avx2 {
extern const Kernel kernel;
}
namespace avx512 {
extern const Kernel kernel;
}

} // namespace osscl
