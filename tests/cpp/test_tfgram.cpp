#include "test_tfgram.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "require.hpp"
#include "tfgram.hpp"

namespace {

using osscl::ConvWeights;
using osscl::Tfgram;
using Map = std::vector<double>; // [channel][time]

// Few samples, and lengths that divide neither blocks nor tiles.
constexpr std::size_t n_samples = 3010;
const std::vector<std::size_t> lengths{n_samples, 602, 150, 47, 23};
constexpr std::size_t n_convolutions = 7;
constexpr std::size_t channels[n_convolutions + 1] = {1, 64, 64, 64, 128, 128, 128, 128};

struct Network {
    std::vector<std::vector<float>> weights, biases;

    explicit Network(unsigned seed) {
        std::mt19937 random(seed);
        for (std::size_t i = 0; i < n_convolutions; ++i) {
            const std::size_t taps = i == 0 ? 11 : 3;
            const double spread = 1.5 / std::sqrt(static_cast<double>(channels[i] * taps));
            std::normal_distribution<float> normal(0.0F, static_cast<float>(spread));
            weights.emplace_back(channels[i + 1] * channels[i] * taps);
            biases.emplace_back(channels[i + 1]);
            for (std::vector<float>* values : {&weights.back(), &biases.back()}) {
                std::generate(values->begin(), values->end(), [&] { return normal(random); });
            }
        }
    }

    std::vector<ConvWeights> views() const {
        std::vector<ConvWeights> views;
        for (std::size_t i = 0; i < n_convolutions; ++i) {
            views.push_back({weights[i], biases[i]});
        }
        return views;
    }
};

Map convolve(const Map& x, std::size_t n_in, std::size_t length, const Network& network, std::size_t number,
             std::size_t stride, std::size_t dilation) {
    const std::vector<float>& weight = network.weights[number];
    const std::size_t n_out = network.biases[number].size(), taps = weight.size() / (n_out * n_in);
    const auto padding = static_cast<std::ptrdiff_t>(dilation * (taps / 2));
    const std::size_t n_rows =
        (length + 2 * static_cast<std::size_t>(padding) - dilation * (taps - 1) - 1) / stride + 1;
    Map y(n_out * n_rows);
    for (std::size_t out = 0; out < n_out; ++out) {
        for (std::size_t t = 0; t < n_rows; ++t) {
            double sum = static_cast<double>(network.biases[number][out]);
            for (std::size_t in = 0; in < n_in; ++in) {
                for (std::size_t k = 0; k < taps; ++k) {
                    const auto at = static_cast<std::ptrdiff_t>(t * stride + k * dilation) - padding;
                    if (at >= 0 && at < static_cast<std::ptrdiff_t>(length)) {
                        sum += static_cast<double>(weight[(out * n_in + in) * taps + k]) *
                               x[in * length + static_cast<std::size_t>(at)];
                    }
                }
            }
            y[out * n_rows + t] = std::max(sum, 0.0);
        }
    }
    return y;
}

Map pool(const Map& x, std::size_t n_rows, std::size_t n_pooled) {
    const std::size_t n_channels = x.size() / n_rows;
    Map y(n_channels * n_pooled);
    for (std::size_t c = 0; c < n_channels; ++c) {
        for (std::size_t i = 0; i < n_pooled; ++i) {
            const auto begin = x.begin() + static_cast<std::ptrdiff_t>(c * n_rows + i * n_rows / n_pooled);
            const auto end = x.begin() + static_cast<std::ptrdiff_t>(
                                             c * n_rows + ((i + 1) * n_rows + n_pooled - 1) / n_pooled);
            y[c * n_pooled + i] = *std::max_element(begin, end);
        }
    }
    return y;
}

Map reference(const Network& network, const std::vector<std::int16_t>& samples) {
    Map x;
    for (const std::int16_t sample : samples) {
        x.push_back(sample / 32768.0);
    }
    x = convolve(x, 1, n_samples, network, 0, 5, 1);
    for (std::size_t stage = 0; stage < 3; ++stage) {
        const std::size_t n_rows = lengths[1 + stage], first = 1 + 2 * stage;
        x = convolve(x, channels[first], n_rows, network, first, 1, 1);
        x = convolve(x, channels[first + 1], n_rows, network, first + 1, 1, 2);
        x = pool(x, n_rows, lengths[2 + stage]);
    }
    return x;
}

std::vector<std::int16_t> noise(unsigned seed) {
    std::mt19937 random(seed);
    std::uniform_int_distribution<int> uniform(-20000, 20000);
    std::vector<std::int16_t> samples(n_samples);
    std::generate(samples.begin(), samples.end(), [&] { return static_cast<std::int16_t>(uniform(random)); });
    return samples;
}

void equals_plain_loops(const Network& network, const Tfgram& plan) {
    const std::vector<std::int16_t> samples = noise(1);
    std::vector<float> map(plan.n_channels() * plan.n_frames());
    plan.transform(samples.data(), 1, map.data(), 1);
    const Map expected = reference(network, samples);
    require(expected.size() == map.size(), "TFgram has its size");
    const double largest = *std::max_element(expected.begin(), expected.end());
    for (std::size_t i = 0; i < map.size(); ++i) {
        require(std::abs(static_cast<double>(map[i]) - expected[i]) <= 1e-5 * largest,
                "TFgram equals plain loops");
    }
}

void threads_batches_and_types_change_nothing(const Tfgram& plan) {
    constexpr std::size_t n_clips = 3;
    const std::size_t size = plan.n_channels() * plan.n_frames();
    std::vector<std::int16_t> clips;
    for (unsigned i = 0; i < n_clips; ++i) {
        const std::vector<std::int16_t> clip = noise(i);
        clips.insert(clips.end(), clip.begin(), clip.end());
    }
    std::vector<float> floats;
    for (const std::int16_t sample : clips) {
        floats.push_back(static_cast<float>(sample) / 32768.0F);
    }
    std::vector<float> together(n_clips * size), alone(size), of_floats(n_clips * size);
    plan.transform(clips.data(), n_clips, together.data(), 3);
    plan.transform(floats.data(), n_clips, of_floats.data(), 2);
    require(together == of_floats, "int16 and float samples give one TFgram");
    for (std::size_t i = 0; i < n_clips; ++i) {
        plan.transform(clips.data() + i * n_samples, 1, alone.data(), 1);
        require(
            std::equal(alone.begin(), alone.end(), together.begin() + static_cast<std::ptrdiff_t>(i * size)),
            "TFgram depends on neither batch nor threads");
    }
}

void weights_of_another_shape_are_refused(const Network& network) {
    const auto is_refused = [](const std::vector<ConvWeights>& weights,
                               const std::vector<std::size_t>& sizes) {
        try {
            Tfgram(weights, sizes, "");
            return false;
        } catch (const std::invalid_argument&) {
            return true;
        }
    };
    std::vector<ConvWeights> weights = network.views();
    require(is_refused({}, lengths), "other shapes are refused");
    require(is_refused(weights, {n_samples, 602, 150, 47}), "other shapes are refused");
    require(is_refused(weights, {n_samples, 601, 150, 47, 23}), "other shapes are refused");
    require(is_refused(weights, {n_samples, 602, 603, 47, 23}), "other shapes are refused");
    weights[3].weight = weights[3].weight.first(weights[3].weight.size() - 1);
    require(is_refused(weights, lengths), "other shapes are refused");
    weights = network.views();
    weights[0].bias = weights[0].bias.first(63);
    require(is_refused(weights, lengths), "other shapes are refused");
}

} // namespace

void test_tfgram() {
    const Network network(7);
    for (const osscl::Isa& isa : osscl::supported_isas()) {
        const Tfgram plan(network.views(), lengths, std::string(isa.name));
        equals_plain_loops(network, plan);
        threads_batches_and_types_change_nothing(plan);
    }
    weights_of_another_shape_are_refused(network);
    std::printf("TFgram: passed\n");
}
