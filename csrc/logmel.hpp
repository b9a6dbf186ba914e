// The log-mel front end of a batch of clips: an immutable plan that any number of threads may share.
#pragma once

#include <cstdint>
#include <string>

#include "isa.hpp"
#include "logmel_tables.hpp"

namespace osscl {

class LogMel {
  public:
    // `isa`: a name from supported_isas(), or empty for the fastest. Throws std::invalid_argument.
    LogMel(const FrontendSettings& settings, const std::string& isa);

    const LogMelTables& tables() const { return tables_; }
    const Isa& isa() const { return isa_; }
    std::size_t n_mels() const { return tables_.view().n_mels; }
    std::size_t n_frames(std::size_t n_samples) const { return 1 + n_samples / tables_.view().hop_length; }

    // clips [n_clips][n_samples] -> log_mel [n_clips][n_mels][n_frames], decibels.
    // The value of a frame depends on neither n_clips nor n_threads. `Sample` is std::int16_t or float.
    template <class Sample>
    void transform(const Sample* clips, std::size_t n_clips, std::size_t n_samples, float* log_mel,
                   std::size_t n_threads) const;

    // The transform in parts, for those who share out the work themselves: tile 0 .. n_tiles - 1 of one clip
    // [n_samples] -> its frames of log_mel [n_mels][n_frames].
    std::size_t n_tiles(std::size_t n_samples) const;
    template <class Sample>
    void transform_tile(const Sample* clip, std::size_t n_samples, std::size_t tile, float* log_mel) const;

  private:
    LogMelTables tables_;
    const Isa& isa_;
};

} // namespace osscl
