#include "logmel.hpp"

#include <algorithm>
#include <type_traits>

#include "scratch.hpp"
#include "thread_pool.hpp"

namespace osscl {

namespace {

template <class Sample> auto transform_of(const Kernel& kernel) {
    if constexpr (std::is_same_v<Sample, std::int16_t>) {
        return kernel.transform_int16;
    } else {
        return kernel.transform_float32;
    }
}

} // namespace

LogMel::LogMel(const FrontendSettings& settings, const std::string& isa)
    : tables_(settings), isa_(choose_isa(isa)) {}

std::size_t LogMel::n_tiles(std::size_t n_samples) const {
    return (n_frames(n_samples) + isa_.kernel->lanes - 1) / isa_.kernel->lanes;
}

template <class Sample>
void LogMel::transform_tile(const Sample* clip, std::size_t n_samples, std::size_t tile,
                            float* log_mel) const {
    const KernelTables tables = tables_.view();
    const Kernel& kernel = *isa_.kernel;
    const std::size_t frames = n_frames(n_samples);
    const std::size_t first = tile * kernel.lanes;
    thread_local Scratch scratch;
    transform_of<Sample>(kernel)(tables, clip,
                                 {n_samples, first, std::min(kernel.lanes, frames - first), log_mel + first,
                                  frames, scratch.get(kernel.scratch_bytes(tables))});
}

template <class Sample>
void LogMel::transform(const Sample* clips, std::size_t n_clips, std::size_t n_samples, float* log_mel,
                       std::size_t n_threads) const {
    const std::size_t tiles = n_tiles(n_samples);
    const std::size_t size = n_mels() * n_frames(n_samples);
    parallel_for(n_clips * tiles, n_threads, [&](std::size_t task) {
        const std::size_t clip = task / tiles;
        transform_tile(clips + clip * n_samples, n_samples, task % tiles, log_mel + clip * size);
    });
}

template void LogMel::transform_tile(const std::int16_t*, std::size_t, std::size_t, float*) const;
template void LogMel::transform_tile(const float*, std::size_t, std::size_t, float*) const;
template void LogMel::transform(const std::int16_t*, std::size_t, std::size_t, float*, std::size_t) const;
template void LogMel::transform(const float*, std::size_t, std::size_t, float*, std::size_t) const;

} // namespace osscl
