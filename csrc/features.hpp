// The features of a batch of clips, beside their log-mel: an immutable plan that any number of threads may
// share.
#pragma once

#include <cstdint>

#include "features_tables.hpp"
#include "logmel.hpp"

namespace osscl {

class Features {
  public:
    // Runs on the instruction set of `log_mel`.
    // Throws std::invalid_argument where its log-mel of a clip is not [n_feature_mels][n_mel_frames].
    explicit Features(const LogMel& log_mel);

    // clips [n_clips][n_clip_samples] -> features [n_clips][n_features], decibels, and
    // log_mel [n_clips][n_feature_mels][n_mel_frames], which may be null.
    // The features of a clip depend on neither n_clips nor n_threads. `Sample` is std::int16_t or float.
    template <class Sample>
    void transform(const Sample* clips, std::size_t n_clips, float* log_mel, float* features,
                   std::size_t n_threads) const;

  private:
    template <class Sample>
    void make_maps(const Sample* clips, std::size_t n_clips, float* log_mel, float* envelopes,
                   std::size_t n_threads) const;
    void summarise(std::size_t n_clips, const float* log_mel, const float* envelopes, float* features,
                   std::size_t n_threads) const;

    LogMel log_mel_;
    FeatureTableSet tables_;
};

} // namespace osscl
