// Plain WAV files: one channel of 16-bit PCM.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

// The first samples at full scale 1; throws Refused where the file is another one, or shorter.
std::vector<float> read_wav(std::string_view file, int64_t sample_rate_hz, int64_t n_samples);
