#include "tfgram.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <stdexcept>

#include "scratch.hpp"
#include "thread_pool.hpp"

namespace osscl {

namespace {

constexpr std::size_t taps = 3, first_dilation = 1, second_dilation = 2;
// Rows of the second convolution that are computed together: its maps and weights then stay in a
// second-level cache of 1 MiB, and the tiles of a dilated convolution come out even.
constexpr std::size_t block_rows = 208;
constexpr std::size_t row_quantum = tile_outputs * second_dilation;

// Winograd's G for the points 0, 1, -1, 2, -2 and infinity (Lavin, Gray: "Fast algorithms for convolutional
// neural networks", CVPR 2016, where F(4, 3) is derived).
constexpr std::array<std::array<double, taps>, tile_points> transform_of_taps{{
    {1.0 / 4, 0.0, 0.0},
    {-1.0 / 6, -1.0 / 6, -1.0 / 6},
    {-1.0 / 6, 1.0 / 6, -1.0 / 6},
    {1.0 / 24, 1.0 / 12, 1.0 / 6},
    {1.0 / 24, -1.0 / 12, 1.0 / 6},
    {0.0, 0.0, 1.0},
}};

std::size_t rounded_up(std::size_t n, std::size_t quantum) {
    return (n + quantum - 1) / quantum * quantum;
}

// Window i of an adaptive pooling from n_rows to n_pooled.
std::size_t window_begin(std::size_t i, std::size_t n_rows, std::size_t n_pooled) {
    return i * n_rows / n_pooled;
}
std::size_t window_end(std::size_t i, std::size_t n_rows, std::size_t n_pooled) {
    return ((i + 1) * n_rows + n_pooled - 1) / n_pooled;
}

// Sets rows to zero that lie before or behind the map: a convolution is padded with zeros, not with what a
// layer before it would give there.
void clear_outside(float* rows, std::ptrdiff_t first, std::size_t n, std::size_t n_channels,
                   std::size_t n_rows) {
    for (std::size_t i = 0; i < n; ++i) {
        const std::ptrdiff_t row = first + static_cast<std::ptrdiff_t>(i);
        if (row < 0 || row >= static_cast<std::ptrdiff_t>(n_rows)) {
            std::fill_n(rows + i * n_channels, n_channels, 0.0F);
        }
    }
}

float to_float(std::int16_t sample) {
    return static_cast<float>(sample) * (1.0F / int16_full_scale);
}
float to_float(float sample) {
    return sample;
}

void transpose(const float* from, std::size_t n_rows, std::size_t n_columns, float* to) {
    constexpr std::size_t side = 16; // of squares that stay in the first-level cache
    for (std::size_t row = 0; row < n_rows; row += side) {
        for (std::size_t column = 0; column < n_columns; column += side) {
            for (std::size_t j = column; j < std::min(column + side, n_columns); ++j) {
                for (std::size_t i = row; i < std::min(row + side, n_rows); ++i) {
                    to[j * n_rows + i] = from[i * n_columns + j];
                }
            }
        }
    }
}

void check(bool holds, const char* expected) {
    if (!holds) {
        throw std::invalid_argument(expected);
    }
}

} // namespace

Tfgram::Conv::Conv(const ConvWeights& weights, std::size_t n_in, std::size_t dilation, std::size_t panel)
    : n_in_(n_in), dilation_(dilation), bias_(weights.bias.begin(), weights.bias.end()) {
    const std::size_t n_outputs = bias_.size();
    check(n_outputs > 0 && n_outputs % panel == 0 && n_in % panel == 0,
          "channels must be multiples of the kernel's panel");
    check(weights.weight.size() == n_outputs * n_in * taps, "weights must be [n_out][n_in][3]");
    weight_.resize(tile_points * n_outputs * n_in);
    for (std::size_t p = 0; p < tile_points; ++p) {
        for (std::size_t out = 0; out < n_outputs; ++out) {
            for (std::size_t in = 0; in < n_in; ++in) {
                double sum = 0.0;
                for (std::size_t k = 0; k < taps; ++k) {
                    sum += transform_of_taps[p][k] *
                           static_cast<double>(weights.weight[(out * n_in + in) * taps + k]);
                }
                const std::size_t block = p * (n_outputs / panel) + out / panel;
                weight_[(block * n_in + in) * panel + out % panel] = static_cast<float>(sum);
            }
        }
    }
}

// The first stage's input: rows of the stem, computed from the samples as they are needed.
template <class Sample> class Tfgram::Stem {
  public:
    Stem(const Tfgram& plan, const Sample* samples) : plan_(plan), samples_(samples) {}

    // Rows first ... first + n - 1, zeros outside of the map.
    void rows(std::ptrdiff_t first, std::size_t n, float* to) const {
        thread_local Scratch scratch;
        const std::size_t count = (n - 1) * stem_stride + stem_taps;
        float* padded = scratch.floats(count);
        const std::ptrdiff_t begin =
            first * static_cast<std::ptrdiff_t>(stem_stride) - static_cast<std::ptrdiff_t>(stem_padding);
        for (std::size_t i = 0; i < count; ++i) {
            const std::ptrdiff_t at = begin + static_cast<std::ptrdiff_t>(i);
            const bool is_inside = at >= 0 && at < static_cast<std::ptrdiff_t>(plan_.n_samples_);
            padded[i] = is_inside ? to_float(samples_[at]) : 0.0F;
        }
        const std::size_t n_channels = plan_.stem_bias_.size();
        plan_.isa_.tfgram_kernel->stem(plan_.stem_weight_.data(), plan_.stem_bias_.data(), n_channels, padded,
                                       n, to);
        clear_outside(to, first, n, n_channels, plan_.n_stem_rows_);
    }

  private:
    const Tfgram& plan_;
    const Sample* samples_;
};

// A later stage's input: the map that the stage before it pooled.
class Tfgram::Map {
  public:
    Map(const float* map, std::size_t n_rows, std::size_t n_channels)
        : map_(map), n_rows_(n_rows), n_channels_(n_channels) {}

    void rows(std::ptrdiff_t first, std::size_t n, float* to) const {
        const std::ptrdiff_t begin =
            std::clamp<std::ptrdiff_t>(first, 0, static_cast<std::ptrdiff_t>(n_rows_));
        const std::ptrdiff_t end = std::clamp<std::ptrdiff_t>(first + static_cast<std::ptrdiff_t>(n), begin,
                                                              static_cast<std::ptrdiff_t>(n_rows_));
        const auto width = static_cast<std::ptrdiff_t>(n_channels_);
        std::copy(map_ + begin * width, map_ + end * width, to + (begin - first) * width);
        clear_outside(to, first, n, n_channels_, n_rows_);
    }

  private:
    const float* map_;
    std::size_t n_rows_, n_channels_;
};

Tfgram::Tfgram(const std::vector<ConvWeights>& weights, const std::vector<std::size_t>& lengths,
               const std::string& isa)
    : isa_(choose_isa(isa)) {
    check(weights.size() >= 3 && weights.size() % 2 == 1, "expected a stem and two convolutions a stage");
    check(lengths.size() == 2 + weights.size() / 2, "expected the lengths of samples, stem and each stage");
    const std::size_t panel = isa_.tfgram_kernel->panel;
    const ConvWeights& stem = weights.front();
    const std::size_t n_stem = stem.bias.size();
    check(n_stem > 0 && n_stem % panel == 0 && stem.weight.size() == n_stem * stem_taps,
          "the stem's weights must be [n_out][1][11], n_out a multiple of the kernel's panel");
    check(lengths[0] >= stem_stride &&
              lengths[1] == (lengths[0] + 2 * stem_padding - stem_taps) / stem_stride + 1,
          "the stem's length does not follow from the number of samples");
    n_samples_ = lengths[0];
    n_stem_rows_ = lengths[1];
    stem_bias_.assign(stem.bias.begin(), stem.bias.end());
    stem_weight_.resize(n_stem * stem_taps);
    for (std::size_t out = 0; out < n_stem; ++out) {
        for (std::size_t k = 0; k < stem_taps; ++k) {
            stem_weight_[(out / panel * stem_taps + k) * panel + out % panel] =
                stem.weight[out * stem_taps + k];
        }
    }
    std::size_t n_in = n_stem;
    for (std::size_t i = 1; i < weights.size(); i += 2) {
        const std::size_t n_rows = lengths[1 + i / 2], n_pooled = lengths[2 + i / 2];
        check(n_pooled >= 1 && n_pooled <= n_rows, "a stage cannot pool to more rows than it has");
        Conv first(weights[i], n_in, first_dilation, panel);
        Conv second(weights[i + 1], first.n_out(), second_dilation, panel);
        n_in = second.n_out();
        stages_.push_back({std::move(first), std::move(second), n_rows, n_pooled});
    }
}

template <class Source>
void Tfgram::run_block(const Stage& stage, const Source& source, std::size_t begin, std::size_t end,
                       float* pooled) const {
    const TfgramKernel& kernel = *isa_.tfgram_kernel;
    const Conv3 first = stage.first.view(), second = stage.second.view();
    const std::size_t first_row = window_begin(begin, stage.n_rows, stage.n_pooled);
    const std::size_t end_row = window_end(end - 1, stage.n_rows, stage.n_pooled);
    const std::size_t n_second = rounded_up(end_row - first_row, row_quantum);
    const std::size_t n_first = n_second + 2 * second.dilation; // a multiple of its tile as well
    const std::size_t n_inputs = n_first + 2 * first.dilation;
    const auto second_begin = static_cast<std::ptrdiff_t>(first_row);
    const std::ptrdiff_t first_begin = second_begin - static_cast<std::ptrdiff_t>(second.dilation);
    const std::ptrdiff_t inputs_begin = first_begin - static_cast<std::ptrdiff_t>(first.dilation);

    thread_local Scratch scratch;
    const std::size_t work = std::max(conv3_scratch(first, n_first), conv3_scratch(second, n_second));
    float* inputs =
        scratch.floats(n_inputs * first.n_in + n_first * first.n_out + n_second * second.n_out + work);
    float* first_rows = inputs + n_inputs * first.n_in;
    float* second_rows = first_rows + n_first * first.n_out;
    float* free = second_rows + n_second * second.n_out;

    source.rows(inputs_begin, n_inputs, inputs);
    kernel.conv3(first, inputs, n_first, first_rows, free);
    clear_outside(first_rows, first_begin, n_first, first.n_out, stage.n_rows);
    kernel.conv3(second, first_rows, n_second, second_rows, free);
    for (std::size_t i = begin; i < end; ++i) {
        const std::size_t from = window_begin(i, stage.n_rows, stage.n_pooled);
        const std::size_t to = window_end(i, stage.n_rows, stage.n_pooled);
        kernel.max_rows(second_rows + (from - first_row) * second.n_out, to - from, second.n_out,
                        pooled + i * second.n_out);
    }
}

template <class Source>
void Tfgram::run_stage(const Stage& stage, const Source& source, float* pooled, std::size_t n_threads) const {
    const std::size_t size = std::max<std::size_t>(1, block_rows * stage.n_pooled / stage.n_rows);
    const std::size_t n_blocks = (stage.n_pooled + size - 1) / size;
    parallel_for(n_blocks, n_threads, [&](std::size_t block) {
        run_block(stage, source, block * size, std::min(stage.n_pooled, (block + 1) * size), pooled);
    });
}

template <class Sample>
void Tfgram::transform(const Sample* clips, std::size_t n_clips, float* maps, std::size_t n_threads) const {
    thread_local Scratch scratch;
    std::size_t n_floats = 0;
    for (const Stage& stage : stages_) {
        n_floats += stage.n_pooled * stage.second.n_out();
    }
    float* const pooled_maps = scratch.floats(n_floats);
    for (std::size_t clip = 0; clip < n_clips; ++clip) {
        const float* input = nullptr;
        float* pooled = pooled_maps;
        for (const Stage& stage : stages_) {
            if (input == nullptr) {
                run_stage(stage, Stem<Sample>(*this, clips + clip * n_samples_), pooled, n_threads);
            } else {
                run_stage(stage, Map(input, stage.n_rows, stage.first.n_in()), pooled, n_threads);
            }
            input = pooled;
            pooled += stage.n_pooled * stage.second.n_out();
        }
        transpose(input, n_frames(), n_channels(), maps + clip * n_channels() * n_frames());
    }
}

template void Tfgram::transform(const std::int16_t*, std::size_t, float*, std::size_t) const;
template void Tfgram::transform(const float*, std::size_t, float*, std::size_t) const;

} // namespace osscl
