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

template <class Sample>
void LogMel::transform(const Sample* clips, std::size_t n_clips, std::size_t n_samples, float* log_mel,
                       std::size_t n_threads) const {
    const KernelTables tables = tables_.view();
    const Kernel& kernel = *isa_.kernel;
    const auto transform_tile = transform_of<Sample>(kernel);
    const std::size_t frames = n_frames(n_samples);
    const std::size_t tiles = (frames + kernel.lanes - 1) / kernel.lanes;
    const std::size_t bytes = kernel.scratch_bytes(tables);
    parallel_for(n_clips * tiles, n_threads, [&](std::size_t task) {
        const std::size_t clip = task / tiles;
        const std::size_t first = task % tiles * kernel.lanes;
        thread_local Scratch scratch;
        float* out = log_mel + clip * tables.n_mels * frames + first;
        transform_tile(
            tables, clips + clip * n_samples,
            {n_samples, first, std::min(kernel.lanes, frames - first), out, frames, scratch.get(bytes)});
    });
}

template void LogMel::transform(const std::int16_t*, std::size_t, std::size_t, float*, std::size_t) const;
template void LogMel::transform(const float*, std::size_t, std::size_t, float*, std::size_t) const;

} // namespace osscl
