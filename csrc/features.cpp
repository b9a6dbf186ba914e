#include "features.hpp"

#include <algorithm>
#include <stdexcept>
#include <type_traits>

#include "scratch.hpp"
#include "thread_pool.hpp"

namespace osscl {

namespace {

constexpr std::size_t log_mel_size = n_feature_mels * n_mel_frames;
constexpr std::size_t envelopes_size = n_short_bands * n_short_frames;

// Short frames of one task: a multiple of every kernel's lanes, about as dear as a tile of the log-mel.
constexpr std::size_t frames_of_task = 128;
constexpr std::size_t n_frame_tasks = (n_short_frames + frames_of_task - 1) / frames_of_task;

template <class Sample> auto envelopes_of(const FeatureKernel& kernel) {
    if constexpr (std::is_same_v<Sample, std::int16_t>) {
        return kernel.envelopes_int16;
    } else {
        return kernel.envelopes_float32;
    }
}

} // namespace

Features::Features(const LogMel& log_mel) : log_mel_(log_mel) {
    if (log_mel.n_mels() != n_feature_mels || log_mel.n_frames(n_clip_samples) != n_mel_frames) {
        throw std::invalid_argument("the features are made from a log-mel of 128 bands and 313 frames");
    }
}

template <class Sample>
void Features::transform(const Sample* clips, std::size_t n_clips, float* log_mel, float* features,
                         std::size_t n_threads) const {
    // as many clips at once as there are threads: what is passed on between them stays in the caches
    const std::size_t n_group = std::min(n_clips, std::max(n_threads, std::size_t{1}));
    thread_local Scratch passed_on;
    float* const envelopes = passed_on.floats(n_group * (envelopes_size + (log_mel ? 0 : log_mel_size)));
    for (std::size_t first = 0; first < n_clips; first += n_group) {
        const std::size_t count = std::min(n_group, n_clips - first);
        float* const own_log_mel =
            log_mel ? log_mel + first * log_mel_size : envelopes + n_group * envelopes_size;
        make_maps(clips + first * n_clip_samples, count, own_log_mel, envelopes, n_threads);
        summarise(count, own_log_mel, envelopes, features + first * n_features, n_threads);
    }
}

template <class Sample>
void Features::make_maps(const Sample* clips, std::size_t n_clips, float* log_mel, float* envelopes,
                         std::size_t n_threads) const {
    const FeatureTables tables = tables_.view();
    const FeatureKernel& kernel = *log_mel_.isa().feature_kernel;
    const auto make_envelopes = envelopes_of<Sample>(kernel);
    const std::size_t n_tiles = log_mel_.n_tiles(n_clip_samples);
    const std::size_t n_tasks = n_tiles + n_frame_tasks; // of a clip
    parallel_for(n_clips * n_tasks, n_threads, [&](std::size_t task) {
        const std::size_t clip = task / n_tasks, part = task % n_tasks;
        const Sample* const samples = clips + clip * n_clip_samples;
        if (part < n_tiles) {
            log_mel_.transform_tile(samples, n_clip_samples, part, log_mel + clip * log_mel_size);
            return;
        }
        thread_local Scratch scratch;
        const std::size_t first = (part - n_tiles) * frames_of_task;
        make_envelopes(tables, samples,
                       {first, std::min(frames_of_task, n_short_frames - first),
                        envelopes + clip * envelopes_size, scratch.get(kernel.short_frame_bytes)});
    });
}

void Features::summarise(std::size_t n_clips, const float* log_mel, const float* envelopes, float* features,
                         std::size_t n_threads) const {
    const FeatureTables tables = tables_.view();
    const FeatureKernel& kernel = *log_mel_.isa().feature_kernel;
    parallel_for(n_clips, n_threads, [&](std::size_t clip) {
        thread_local Scratch scratch;
        kernel.summarise(tables, log_mel + clip * log_mel_size, envelopes + clip * envelopes_size,
                         features + clip * n_features, scratch.get(kernel.summary_bytes));
    });
}

template void Features::transform(const std::int16_t*, std::size_t, float*, float*, std::size_t) const;
template void Features::transform(const float*, std::size_t, float*, float*, std::size_t) const;

} // namespace osscl
