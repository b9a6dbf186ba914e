// Where a WAV file keeps its samples.
#pragma once

#include <cstdint>
#include <optional>

#include "regular_file.hpp"
#include "wav_format.hpp"

namespace osscl {

struct WavHeader {
    WavFormat format;
    std::uint64_t data_offset; // of the first frame, in bytes from the start of the file
    std::uint64_t n_frames;    // all of them lie within the file
};

// The header of a plain, complete WAV file: RIFF or RF64, little-endian PCM of 16, 24 or 32 bits or float.
//
// Nothing where there is the slightest doubt. A header is accepted only if the decoder is known to find the
// same samples: whatever is odd about it (a size left open, a missing padding byte, a second data chunk, a
// text chunk that does not add up), osscl.audio.riff and libsndfile shall decide. So every chunk must be of a
// known kind, also behind the samples, because what contradicts them may stand there.
std::optional<WavHeader> read_wav_header(const RegularFile& file);

} // namespace osscl
