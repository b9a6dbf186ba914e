#include "test_features.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <complex>
#include <cstdio>
#include <numbers>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "features.hpp"
#include "require.hpp"

namespace {

using osscl::flutter;
using osscl::modulation;

constexpr osscl::FrontendSettings settings{16000.0, 512, 128, 0.0, 8000.0, 1e-10};
constexpr double turn = 2.0 * std::numbers::pi;

struct Maps {
    std::vector<float> log_mel, features;

    bool operator==(const Maps&) const = default;
};

template <class Sample>
Maps transform(const osscl::Features& plan, const std::vector<Sample>& clips, std::size_t n_threads) {
    const std::size_t n_clips = clips.size() / osscl::n_clip_samples;
    Maps maps{std::vector<float>(n_clips * osscl::n_feature_mels * osscl::n_mel_frames),
              std::vector<float>(n_clips * osscl::n_features)};
    plan.transform(clips.data(), n_clips, maps.log_mel.data(), maps.features.data(), n_threads);
    return maps;
}

std::vector<std::int16_t> noise(std::size_t n_clips) {
    std::vector<std::int16_t> samples(n_clips * osscl::n_clip_samples);
    std::uint32_t state = 7;
    for (std::size_t n = 0; n < samples.size(); ++n) {
        state = state * 1664525U + 1013904223U;
        const double swell = 0.6 + 0.3 * std::sin(turn * 7.0 * static_cast<double>(n) / 16000.0);
        samples[n] =
            static_cast<std::int16_t>(swell * static_cast<double>(static_cast<std::int16_t>(state >> 16)));
    }
    return samples;
}

// Power of bin k of samples x windowed by a Hann window of the period.
template <class At> double power_of_bin(std::size_t count, std::size_t period, std::size_t k, At x) {
    std::complex<double> sum = 0.0;
    for (std::size_t n = 0; n < count; ++n) {
        const double hann = 0.5 - 0.5 * std::cos(turn * static_cast<double>(n) / static_cast<double>(period));
        sum +=
            std::polar(x(n) * hann, -turn * static_cast<double>(n * k % count) / static_cast<double>(count));
    }
    return std::norm(sum);
}

// One pool of the spectrum of one envelope, from bin `first` to `end`, by the definition.
double pool_db(const double* envelope, const osscl::EnvelopeSizes& sizes, std::size_t first,
               std::size_t end) {
    double power = 0.0;
    for (std::size_t segment = 0; segment < sizes.n_segments; ++segment) {
        const double* x = envelope + segment * sizes.hop;
        double mean = 0.0;
        for (std::size_t n = 0; n < sizes.segment; ++n) {
            mean += x[n] / static_cast<double>(sizes.segment);
        }
        for (std::size_t k = first; k < end; ++k) {
            power +=
                power_of_bin(sizes.segment, sizes.segment - 1, k, [&](std::size_t n) { return x[n] - mean; });
        }
    }
    const auto n_values = static_cast<double>((end - first) * sizes.n_segments * sizes.segment);
    return 10.0 * std::log10(power / n_values + 1e-6);
}

// Twiddles of a short frame, so that the plain transform of 2,497 frames stays affordable under sanitizers.
std::vector<double> short_band(const std::vector<std::int16_t>& clip, std::size_t first, std::size_t end) {
    std::vector<std::complex<double>> twiddle;
    std::vector<double> hann;
    for (std::size_t n = 0; n < osscl::short_fft; ++n) {
        const double angle = turn * static_cast<double>(n) / static_cast<double>(osscl::short_fft);
        twiddle.push_back(std::polar(1.0, -angle));
        hann.push_back(0.5 - 0.5 * std::cos(angle));
    }
    std::vector<double> envelope;
    for (std::size_t frame = 0; frame < osscl::n_short_frames; ++frame) {
        double power = 0.0;
        for (std::size_t k = first; k < end; ++k) {
            double re = 0.0, im = 0.0;
            for (std::size_t n = 0; n < osscl::short_fft; ++n) {
                const double sample = clip[frame * osscl::short_hop + n] / 32768.0 * hann[n];
                re += sample * twiddle[n * k % osscl::short_fft].real();
                im += sample * twiddle[n * k % osscl::short_fft].imag();
            }
            power += re * re + im * im;
        }
        envelope.push_back(10.0 * std::log10(std::max(power, 1e-7)));
    }
    return envelope;
}

void blocks_equal_the_definition(const osscl::Features& plan) {
    const std::vector<std::int16_t> clip = noise(1);
    const Maps got = transform(plan, clip, 2);
    const auto mel = [&](std::size_t band, std::size_t t) {
        return static_cast<double>(got.log_mel[band * osscl::n_mel_frames + t]);
    };
    for (const std::size_t coarse : {0U, 13U, 31U}) {
        std::array<double, osscl::n_mel_frames> values{};
        double level = 0.0, largest = -1e9;
        for (std::size_t t = 0; t < osscl::n_mel_frames; ++t) {
            for (std::size_t i = 0; i < 4; ++i) {
                values[t] += mel(4 * coarse + i, t) / 4.0;
            }
            level += values[t] / static_cast<double>(osscl::n_mel_frames);
        }
        for (std::size_t t = 0; t + 2 < osscl::n_mel_frames; ++t) {
            largest = std::max(largest, (values[t] + values[t + 1] + values[t + 2]) / 3.0);
        }
        require(std::abs(got.features[osscl::level_at + coarse] - level) < 1e-3, "level within 1e-3 dB");
        require(std::abs(got.features[osscl::event_at + coarse] - (largest - level)) < 1e-3,
                "event within 1e-3 dB");
    }
    for (const std::size_t pair : {0U, 7U}) { // pool 11 of the slow spectrum: bins 52 to 64
        double expected = 0.0;
        for (const std::size_t group : {2 * pair, 2 * pair + 1}) {
            std::vector<double> envelope(osscl::n_mel_frames, 0.0);
            for (std::size_t t = 0; t < osscl::n_mel_frames; ++t) {
                for (std::size_t i = 0; i < 8; ++i) {
                    envelope[t] += mel(8 * group + i, t) / 8.0;
                }
            }
            expected += pool_db(envelope.data(), modulation, 52, 65) / 2.0;
        }
        const float value = got.features[osscl::modulation_at + pair * modulation.n_pools + 11];
        require(std::abs(value - expected) < 5e-3, "modulation within 5e-3 dB");
    }
    const std::vector<double> low = short_band(clip, 1, 4), next = short_band(clip, 4, 8);
    constexpr std::size_t edges[][3] = {{0, 2, 4}, {2, 6, 8}, {39, 120, 124}}; // pool, bins
    for (const auto& [pool, first, end] : edges) {
        const double expected =
            (pool_db(low.data(), flutter, first, end) + pool_db(next.data(), flutter, first, end)) / 2.0;
        require(std::abs(got.features[osscl::flutter_at + pool] - expected) < 5e-3, "flutter within 5e-3 dB");
    }
}

void batches_and_threads_change_no_bit(const osscl::Features& plan) {
    const std::vector<std::int16_t> clips = noise(3);
    const Maps alone = transform(plan, clips, 1);
    require(alone == transform(plan, clips, 2) && alone == transform(plan, clips, 7),
            "threads change no bit");
    std::vector<float> as_floats, features(3 * osscl::n_features);
    for (const std::int16_t sample : clips) {
        as_floats.push_back(static_cast<float>(sample) / 32768.0F);
    }
    plan.transform(as_floats.data(), 3, nullptr, features.data(), 2);
    require(alone.features == features, "float samples, and no log-mel, change no bit");
    const std::vector<std::int16_t> last(clips.end() - osscl::n_clip_samples, clips.end());
    const Maps one = transform(plan, last, 3);
    require(std::equal(one.features.begin(), one.features.end(), alone.features.end() - osscl::n_features),
            "the batch changes no bit");
}

void many_callers_share_a_plan(const osscl::Features& plan) {
    std::vector<std::thread> callers;
    for (std::size_t i = 0; i < 3; ++i) {
        callers.emplace_back([&plan, i] {
            const std::vector<std::int16_t> clip(osscl::n_clip_samples, static_cast<std::int16_t>(100 * i));
            const Maps expected = transform(plan, clip, 1);
            for (int round = 0; round < 3; ++round) {
                require(transform(plan, clip, 3) == expected, "each caller gets its own features");
            }
        });
    }
    for (std::thread& caller : callers) {
        caller.join();
    }
}

void another_log_mel_is_refused() {
    bool refused = false;
    try {
        osscl::Features(osscl::LogMel({16000.0, 512, 127, 0.0, 8000.0, 1e-10}, ""));
    } catch (const std::invalid_argument&) {
        refused = true;
    }
    require(refused, "a log-mel of 127 bands is refused");
}

} // namespace

void test_features() {
    for (const osscl::Isa& isa : osscl::supported_isas()) {
        const osscl::Features plan(osscl::LogMel(settings, std::string(isa.name)));
        blocks_equal_the_definition(plan);
        batches_and_threads_change_no_bit(plan);
        many_callers_share_a_plan(plan);
        std::printf("%s: features passed\n", isa.name.data());
    }
    another_log_mel_is_refused();
}
