// The seam between the plan of the features and their kernels.
// Plain data only, for the reason that logmel_kernel.hpp tells.
#pragma once

#include <cstddef>
#include <cstdint>

#include "features_sizes.hpp"

namespace osscl {

// Tables of the short frames, all computed in float64 and rounded once.
struct ShortFrameTables {
    const float* window;        // [short_fft] periodic Hann, halved: the real split needs Z / 2
    const float* step_twiddle;  // [32][4][2] exp(-2 pi i b c / 128), as (re, im)
    const float* split_twiddle; // [128][2] exp(-2 pi i k / 256)
};

// Of the spectra of envelopes; the transform has n = segment / 2 points.
struct EnvelopeTables {
    const float* window;           // [segment] symmetric Hann, halved
    const float* step_twiddle;     // modulation [32][2][2], flutter [25][5][2]: exp(-2 pi i b c / n)
    const float* split_twiddle;    // [n][2] exp(-2 pi i k / segment)
    const std::int32_t* pool_edge; // [n_pools + 1] bins
    const float* pool_scale;       // [n_pools] 1 / (bins * segment * n_segments)
};

struct FeatureTables {
    const float* side_twiddle;  // [32][2] exp(-2 pi i j / 32)
    const float* fifth_twiddle; // [5][5][2] exp(-2 pi i b c / 25)
    ShortFrameTables short_frames;
    EnvelopeTables modulation, flutter;
};

// Any number of neighbouring short frames of one clip.
struct ShortFrames {
    std::size_t first, count;
    float* envelopes; // of the clip, [n_short_bands][n_short_frames], decibels
    void* scratch;    // short_frame_bytes, aligned to 64
};

struct FeatureKernel {
    std::size_t short_frame_bytes; // of scratch
    std::size_t summary_bytes;     // of scratch
    void (*envelopes_int16)(const FeatureTables&, const std::int16_t* clip, const ShortFrames&);
    void (*envelopes_float32)(const FeatureTables&, const float* clip, const ShortFrames&);
    // log_mel [n_feature_mels][n_mel_frames], envelopes [n_short_bands][n_short_frames]
    // -> features [n_features]; `scratch` holds summary_bytes, aligned to 64.
    void (*summarise)(const FeatureTables&, const float* log_mel, const float* envelopes, float* features,
                      void* scratch);
};

// Made of short_frames_kernel.cpp and features_kernel.cpp, once for each instruction set of this build.
namespace generic {
extern const FeatureKernel feature_kernel;
}
namespace neon {
extern const FeatureKernel feature_kernel;
}
namespace sse2 {
extern const FeatureKernel feature_kernel;
}
namespace avx2 {
extern const FeatureKernel feature_kernel;
}
namespace avx512 {
extern const FeatureKernel feature_kernel;
}

} // namespace osscl
