// Transforms a few clips on one thread, for front_end_profile.sh.
// usage: front_end_profile INSTRUCTION_SET N_CLIPS
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "logmel.hpp"

int main(int, char** arguments) {
    const osscl::LogMel plan({16000.0, 512, 128, 0.0, 8000.0, 1e-10}, arguments[1]);
    const auto n_clips = static_cast<std::size_t>(std::atoi(arguments[2]));
    constexpr std::size_t n_samples = 160000;
    std::vector<std::int16_t> clips(n_clips * n_samples);
    std::uint32_t state = 1;
    for (std::int16_t& sample : clips) {
        state = state * 1664525U + 1013904223U;
        sample = static_cast<std::int16_t>(state >> 16);
    }
    std::vector<float> log_mel(n_clips * plan.n_mels() * plan.n_frames(n_samples));
    plan.transform(clips.data(), n_clips, n_samples, log_mel.data(), 1);
    return 0;
}
