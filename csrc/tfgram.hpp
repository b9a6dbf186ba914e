// TFgram of a batch of clips: an immutable plan that any number of threads may share.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "isa.hpp"

namespace osscl {

// Weights of a convolution over time, batch norm folded in.
struct ConvWeights {
    std::span<const float> weight; // [n_out][n_in][taps]
    std::span<const float> bias;   // [n_out]
};

class Tfgram {
  public:
    // weights: the stem, then two convolutions for each stage, the second of each dilated by 2.
    // lengths: of the samples, of the stem's output, and of each stage's pooled output.
    // `isa`: a name from supported_isas(), or empty for the fastest. Throws std::invalid_argument.
    Tfgram(const std::vector<ConvWeights>& weights, const std::vector<std::size_t>& lengths,
           const std::string& isa);

    std::size_t n_samples() const { return n_samples_; }
    std::size_t n_channels() const { return stages_.back().second.n_out(); }
    std::size_t n_frames() const { return stages_.back().n_pooled; }

    // clips [n_clips][n_samples] -> maps [n_clips][n_channels][n_frames].
    // The values depend on neither n_clips nor n_threads. `Sample` is std::int16_t or float.
    template <class Sample>
    void transform(const Sample* clips, std::size_t n_clips, float* maps, std::size_t n_threads) const;

  private:
    // A convolution over three taps with its weights transformed for the kernel.
    class Conv {
      public:
        Conv(const ConvWeights& weights, std::size_t n_in, std::size_t dilation, std::size_t panel);
        std::size_t n_in() const { return n_in_; }
        std::size_t n_out() const { return bias_.size(); }
        Conv3 view() const { return {weight_.data(), bias_.data(), n_in_, n_out(), dilation_}; }

      private:
        std::size_t n_in_, dilation_;
        std::vector<float> weight_, bias_;
    };

    struct Stage {
        Conv first, second;
        std::size_t n_rows, n_pooled;
    };

    template <class Sample> class Stem;
    class Map;
    template <class Source>
    void run_stage(const Stage& stage, const Source& source, float* pooled, std::size_t n_threads) const;
    template <class Source>
    void run_block(const Stage& stage, const Source& source, std::size_t begin, std::size_t end,
                   float* pooled) const;

    const Isa& isa_;
    std::size_t n_samples_, n_stem_rows_;
    std::vector<float> stem_weight_, stem_bias_;
    std::vector<Stage> stages_;
};

} // namespace osscl
