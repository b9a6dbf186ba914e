#include "wav.hpp"

#include <optional>
#include <string>

#include "refused.hpp"

namespace {

uint32_t number(std::string_view bytes, size_t at, size_t n_bytes) {
    if (at + n_bytes > bytes.size())
        throw Refused("the WAV file ends within its header");
    uint32_t value = 0;
    for (size_t byte = 0; byte < n_bytes; ++byte)
        value |= static_cast<uint32_t>(static_cast<unsigned char>(bytes[at + byte])) << (8 * byte);
    return value;
}

void check_format(std::string_view format, int64_t sample_rate_hz) {
    const uint32_t kind = number(format, 0, 2), channels = number(format, 2, 2), rate = number(format, 4, 4),
                   bits = number(format, 14, 2);
    if (kind != 1 || bits != 16)
        throw Refused("the WAV file holds format " + std::to_string(kind) + " of " + std::to_string(bits) +
                      " bits; this program reads PCM of 16 bits");
    if (channels != 1)
        throw Refused("the WAV file has " + std::to_string(channels) + " channels; this program reads one");
    if (rate != sample_rate_hz)
        throw Refused("the WAV file has " + std::to_string(rate) + " Hz; the model wants " +
                      std::to_string(sample_rate_hz) + " Hz");
}

// The samples' bytes, behind a format that fits.
std::string_view samples_of(std::string_view file, int64_t sample_rate_hz) {
    if (file.substr(0, 4) != "RIFF" || file.size() < 12 || file.substr(8, 4) != "WAVE")
        throw Refused("no WAV file: it does not begin with RIFF and WAVE");
    bool has_format = false;
    for (size_t at = 12; at + 8 <= file.size();) {
        const std::string_view name = file.substr(at, 4);
        const size_t size = number(file, at + 4, 4);
        const std::string_view content = file.substr(at + 8, size);
        if (name == "fmt ") {
            check_format(content, sample_rate_hz);
            has_format = true;
        }
        if (name == "data") {
            if (!has_format)
                throw Refused("no WAV file: its samples come before their format");
            return content;
        }
        at += 8 + size + size % 2;
    }
    throw Refused("no WAV file: it has no samples");
}

} // namespace

std::vector<float> read_wav(std::string_view file, int64_t sample_rate_hz, int64_t n_samples) {
    const std::string_view bytes = samples_of(file, sample_rate_hz);
    if (bytes.size() / 2 < static_cast<size_t>(n_samples))
        throw Refused("the WAV file holds " + std::to_string(bytes.size() / 2) +
                      " samples; the model wants " + std::to_string(n_samples));
    std::vector<float> samples(static_cast<size_t>(n_samples));
    for (size_t each = 0; each < samples.size(); ++each)
        samples[each] = static_cast<float>(static_cast<int16_t>(number(bytes, 2 * each, 2))) / 32768.0f;
    return samples;
}
