// The core without Python, made to run under ASan, UBSan and TSan and on other architectures: every
// instruction set, odd lengths, many callers at once. Values are tested more closely from Python.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <complex>
#include <cstdio>
#include <numbers>
#include <stdexcept>
#include <thread>
#include <vector>

#include "logmel.hpp"
#include "require.hpp"
#include "test_features.hpp"
#include "test_quality.hpp"
#include "test_tfgram.hpp"
#include "test_wav.hpp"
#include "thread_pool.hpp"

namespace {

constexpr osscl::FrontendSettings settings{16000.0, 512, 128, 0.0, 8000.0, 1e-10};

std::vector<float> log_mel(const osscl::LogMel& plan, const std::vector<std::int16_t>& clips,
                           std::size_t n_samples, std::size_t n_threads) {
    const std::size_t n_clips = clips.size() / n_samples;
    std::vector<float> out(n_clips * plan.n_mels() * plan.n_frames(n_samples));
    plan.transform(clips.data(), n_clips, n_samples, out.data(), n_threads);
    return out;
}

std::vector<std::int16_t> noise(std::size_t count) {
    std::vector<std::int16_t> samples(count);
    std::uint32_t state = 1;
    for (std::int16_t& sample : samples) {
        state = state * 1664525U + 1013904223U;
        sample = static_cast<std::int16_t>(state >> 16);
    }
    return samples;
}

// Mel power of the frame around sample `centre`, by the definition of the Fourier transform, in float64.
std::vector<double> plain_mel_power(const osscl::LogMel& plan, const std::vector<std::int16_t>& clip,
                                    std::size_t centre) {
    const std::vector<float> filters = plan.tables().mel_filters();
    std::vector<double> mel_power(plan.n_mels(), 0.0);
    for (std::size_t bin = 0; bin < osscl::n_bins; ++bin) {
        std::complex<double> sum = 0.0;
        for (std::size_t n = 0; n < osscl::n_fft; ++n) {
            const double turn = 2.0 * std::numbers::pi / static_cast<double>(osscl::n_fft);
            const double hann = 0.5 - 0.5 * std::cos(turn * static_cast<double>(n));
            const std::size_t at = centre + n - osscl::n_fft / 2; // wraps around below zero, beyond the end
            const double sample = at < clip.size() ? clip[at] / 32768.0 : 0.0;
            sum += std::polar(sample * hann, -turn * static_cast<double>(n * bin % osscl::n_fft));
        }
        for (std::size_t mel = 0; mel < plan.n_mels(); ++mel) {
            mel_power[mel] += std::norm(sum) * static_cast<double>(filters[mel * osscl::n_bins + bin]);
        }
    }
    return mel_power;
}

void values_equal_the_definition(const osscl::LogMel& plan) {
    const std::vector<std::int16_t> clip = noise(5000);
    const std::size_t n_frames = plan.n_frames(clip.size());
    const std::vector<float> got = log_mel(plan, clip, clip.size(), 2);
    for (const std::size_t frame : {std::size_t{0}, std::size_t{4}, n_frames - 1}) {
        const std::vector<double> power = plain_mel_power(plan, clip, 512 * frame);
        for (std::size_t mel = 0; mel < plan.n_mels(); ++mel) {
            const double expected_db = 10.0 * std::log10(std::max(power[mel], 1e-10));
            require(std::abs(got[mel * n_frames + frame] - expected_db) < 1e-3, "within 1e-3 dB");
        }
    }
}

void any_length_stays_in_bounds(const osscl::LogMel& plan) {
    for (const std::size_t n_samples :
         {std::size_t{1}, std::size_t{511}, std::size_t{1025}, std::size_t{40000}}) {
        const std::vector<std::int16_t> clips = noise(3 * n_samples);
        const std::vector<float> alone = log_mel(plan, clips, n_samples, 1);
        require(alone == log_mel(plan, clips, n_samples, 5), "threads change no bit");
        for (const float value : alone) {
            require(std::isfinite(value), "finite");
        }
    }
}

void many_callers_share_the_pool(const osscl::LogMel& plan) {
    std::vector<std::thread> callers;
    for (std::size_t i = 0; i < 6; ++i) {
        callers.emplace_back([&plan, i] {
            const std::vector<std::int16_t> clips(2 * 20000, static_cast<std::int16_t>(100 * i));
            const std::vector<float> expected = log_mel(plan, clips, 20000, 1);
            for (int round = 0; round < 20; ++round) {
                require(log_mel(plan, clips, 20000, 3) == expected, "each caller gets its own result");
            }
        });
    }
    for (std::thread& caller : callers) {
        caller.join();
    }
}

void every_task_runs_once() {
    for (const std::size_t n_tasks : {0, 1, 2, 3, 20, 1000}) {
        for (const std::size_t n_threads : {1, 2, 3, 7}) {
            std::vector<std::atomic<int>> runs(n_tasks);
            osscl::parallel_for(n_tasks, n_threads, [&](std::size_t task) { ++runs[task]; });
            require(std::ranges::all_of(runs, [](int count) { return count == 1; }), "each task once");
        }
    }
}

void a_slow_thread_does_not_keep_its_tasks() {
    std::atomic<int> finished = 0;
    osscl::parallel_for(100, 2, [&](std::size_t task) {
        if (task == 0) { // the first of the caller's share waits for all others
            while (finished < 99) {
                std::this_thread::yield();
            }
        }
        ++finished;
    });
    require(finished == 100, "others take over what a busy thread began with");
}

void a_task_may_call_parallel_for() {
    std::atomic<int> runs = 0;
    osscl::parallel_for(8, 3, [&](std::size_t) { osscl::parallel_for(8, 3, [&](std::size_t) { ++runs; }); });
    require(runs == 64, "nested calls finish");
}

// After pauses shorter and longer than threads spin, so that they are met both awake and asleep.
void a_pause_between_calls_loses_none() {
    for (int round = 0; round < 300; ++round) {
        std::atomic<int> runs = 0;
        osscl::parallel_for(4, 3, [&](std::size_t) { ++runs; });
        require(runs == 4, "all tasks after a pause");
        std::this_thread::sleep_for(std::chrono::microseconds(round % 3 * 60));
    }
}

void an_exception_reaches_the_caller() {
    for (std::size_t thrower = 0; thrower < 100; ++thrower) {
        bool caught = false;
        try {
            osscl::parallel_for(100, 4, [&](std::size_t task) {
                if (task == thrower) {
                    throw std::runtime_error("a task failed");
                }
            });
        } catch (const std::runtime_error&) {
            caught = true;
        }
        require(caught, "the first exception is rethrown");
    }
}

} // namespace

int main() {
    for (const osscl::Isa& isa : osscl::supported_isas()) {
        const osscl::LogMel plan(settings, std::string(isa.name));
        values_equal_the_definition(plan);
        any_length_stays_in_bounds(plan);
        many_callers_share_the_pool(plan);
        std::printf("%s: passed\n", plan.isa().name.data());
    }
    every_task_runs_once();
    a_slow_thread_does_not_keep_its_tasks();
    a_task_may_call_parallel_for();
    a_pause_between_calls_loses_none();
    an_exception_reaches_the_caller();
    std::printf("pool of threads: passed\n");
    test_features();
    test_quality();
    test_tfgram();
    test_wav();
    return 0;
}
