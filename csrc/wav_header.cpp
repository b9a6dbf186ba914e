#include "wav_header.hpp"

#include <algorithm>
#include <array>
#include <span>

#include "little_endian.hpp"

namespace osscl {

namespace {

constexpr int max_chunks = 1024;
// libsndfile keeps what it walks over in a buffer that doubles when it is full, up to 100 KiB, and then gives
// up: 50 KiB always have room.
constexpr std::uint64_t max_bytes_passed_over = 48 * 1024;
// libsndfile looks for no further chunk where no more bytes than these are left.
constexpr std::uint64_t max_bytes_ignored_at_end = 4;
constexpr std::uint32_t size_in_ds64 = 0xFFFF'FFFF;

constexpr std::uint32_t four_letters(const char (&name)[5]) {
    std::uint32_t value = 0;
    for (int i = 3; i >= 0; --i) {
        value = value << 8 | static_cast<unsigned char>(name[i]);
    }
    return value;
}

// The bytes of a header, read in blocks: most headers need one.
class HeaderBytes {
  public:
    explicit HeaderBytes(const RegularFile& file) : file_(file) {}

    // `count` bytes, a block at most, from `offset` on; empty where the file does not hold them all.
    std::span<const std::byte> at(std::uint64_t offset, std::size_t count) {
        if (count > block_.size() || offset > file_.size() || count > file_.size() - offset) {
            return {};
        }
        const bool is_in_block =
            offset >= start_ && offset - start_ <= n_filled_ && count <= n_filled_ - (offset - start_);
        if (!is_in_block && !fill(offset)) {
            return {};
        }
        return std::span(block_).subspan(static_cast<std::size_t>(offset - start_), count);
    }

  private:
    bool fill(std::uint64_t offset) {
        start_ = offset;
        n_filled_ = std::min<std::uint64_t>(block_.size(), file_.size() - offset);
        if (!file_.read(offset, std::span(block_).first(static_cast<std::size_t>(n_filled_)))) {
            n_filled_ = 0;
        }
        return n_filled_ > 0;
    }

    const RegularFile& file_;
    std::array<std::byte, 1024> block_;
    std::uint64_t start_ = 0, n_filled_ = 0;
};

struct Chunk {
    std::uint32_t name;
    std::uint32_t size; // as its header declares it
    std::uint64_t body; // offset of its first byte behind the header
};

struct Data {
    std::uint64_t offset, n_bytes;
};

class HeaderWalk {
  public:
    explicit HeaderWalk(const RegularFile& file) : file_(file), bytes_(file) {}

    std::optional<WavHeader> run() {
        if (!take_form()) {
            return std::nullopt;
        }
        std::uint64_t position = 12;
        for (int i = 0; i < max_chunks; ++i) {
            const auto header = bytes_.at(position, 8);
            if (header.empty()) {
                return std::nullopt;
            }
            const Chunk chunk{little_endian<std::uint32_t>(header, 0),
                              little_endian<std::uint32_t>(header, 4), position + 8};
            const std::optional<std::uint64_t> n_bytes = take(chunk);
            if (!n_bytes || *n_bytes > file_.size() - chunk.body) {
                return std::nullopt;
            }
            position = chunk.body + *n_bytes;
            if (file_.size() - position <= max_bytes_ignored_at_end) {
                return found();
            }
            if (is_rf64_ && *n_bytes % 2 != 0) { // libsndfile looks for the next one before the padding
                return std::nullopt;
            }
            position += *n_bytes % 2;
        }
        return std::nullopt;
    }

  private:
    bool take_form() {
        const auto form = bytes_.at(0, 12);
        if (form.empty() || little_endian<std::uint32_t>(form, 8) != four_letters("WAVE")) {
            return false;
        }
        const auto letters = little_endian<std::uint32_t>(form, 0);
        is_rf64_ = letters == four_letters("RF64") || letters == four_letters("BW64"); // one form, two names
        return is_rf64_ || letters == four_letters("RIFF");
    }

    // Bytes of the chunk behind its header; nothing where it is unknown, doubtful or out of place.
    std::optional<std::uint64_t> take(const Chunk& chunk) {
        switch (chunk.name) {
        case four_letters("ds64"):
            return take_ds64(chunk);
        case four_letters("fmt "):
            return take_format(chunk);
        case four_letters("data"):
            return take_data(chunk);
        case four_letters("fact"):
            return pass_over_if(chunk.size == 4, chunk);
        case four_letters("PEAK"):
            return pass_over_if(format_ && chunk.size == 8 + 8 * format_->n_channels, chunk);
        case four_letters("LIST"):
            return pass_over_if(is_info_list(chunk), chunk);
        case four_letters("JUNK"):
        case four_letters("junk"):
        case four_letters("PAD "):
        case four_letters("FLLR"):
        case four_letters("bext"):
        case four_letters("iXML"):
        case four_letters("id3 "):
        case four_letters("ID3 "):
            return pass_over_if(true, chunk);
        default:
            return std::nullopt;
        }
    }

    std::optional<std::uint64_t> pass_over_if(bool is_known, const Chunk& chunk) {
        n_passed_over_ += std::uint64_t{8} + chunk.size;
        const bool is_little = n_passed_over_ <= max_bytes_passed_over;
        return is_known && is_little ? std::optional<std::uint64_t>(chunk.size) : std::nullopt;
    }

    // The 64-bit sizes, without a table of further ones.
    std::optional<std::uint64_t> take_ds64(const Chunk& chunk) {
        const auto body = bytes_.at(chunk.body, 28);
        const bool is_first = chunk.body == 20;
        if (!is_rf64_ || !is_first || chunk.size != 28 || body.empty() ||
            little_endian<std::uint32_t>(body, 24) != 0) {
            return std::nullopt;
        }
        n_data_bytes_in_ds64_ = little_endian<std::uint64_t>(body, 8);
        return chunk.size;
    }

    std::optional<std::uint64_t> take_format(const Chunk& chunk) {
        if (format_) {
            return std::nullopt;
        }
        format_ = parse_wav_format(bytes_.at(chunk.body, chunk.size));
        return format_ ? std::optional<std::uint64_t>(chunk.size) : std::nullopt;
    }

    std::optional<std::uint64_t> take_data(const Chunk& chunk) {
        const bool has_own_size = !is_rf64_ && chunk.size != size_in_ds64;
        const bool has_size_in_ds64 = n_data_bytes_in_ds64_ && chunk.size == size_in_ds64;
        if (!format_ || data_ || !(has_own_size || has_size_in_ds64)) {
            return std::nullopt;
        }
        const std::uint64_t n_bytes = has_own_size ? chunk.size : *n_data_bytes_in_ds64_;
        if (n_bytes % format_->frame_bytes != 0 || is_other_format(chunk)) {
            return std::nullopt;
        }
        data_ = Data{chunk.body, n_bytes};
        return n_bytes;
    }

    // Other formats live in data chunks too, and libsndfile tells them by their first bytes.
    bool is_other_format(const Chunk& data) {
        const auto first = bytes_.at(data.body, 4);
        const auto letters = first.empty() ? 0 : little_endian<std::uint32_t>(first, 0);
        return first.empty() || letters == four_letters("wvpk") || letters == four_letters("OggS");
    }

    // A list of texts whose sizes add up.
    bool is_info_list(const Chunk& list) {
        if (list.size < 12 || list.size > max_bytes_passed_over) {
            return false;
        }
        const auto kind = bytes_.at(list.body, 4);
        if (kind.empty() || little_endian<std::uint32_t>(kind, 0) != four_letters("INFO")) {
            return false;
        }
        std::uint64_t position = 4;
        while (list.size - position >= 8) {
            const auto header = bytes_.at(list.body + position, 8);
            if (header.empty() || header[0] != std::byte{'I'} ||
                little_endian<std::uint32_t>(header, 0) == four_letters("INFO")) {
                return false;
            }
            const std::uint64_t size = little_endian<std::uint32_t>(header, 4);
            position += 8;
            if (size + size % 2 > list.size - position) {
                return false;
            }
            position += size + size % 2;
        }
        return position == list.size;
    }

    std::optional<WavHeader> found() const {
        if (!format_ || !data_) {
            return std::nullopt;
        }
        return WavHeader{*format_, data_->offset, data_->n_bytes / format_->frame_bytes};
    }

    const RegularFile& file_;
    HeaderBytes bytes_;
    bool is_rf64_ = false;
    std::uint64_t n_passed_over_ = 0;
    std::optional<std::uint64_t> n_data_bytes_in_ds64_;
    std::optional<WavFormat> format_;
    std::optional<Data> data_;
};

} // namespace

std::optional<WavHeader> read_wav_header(const RegularFile& file) {
    return HeaderWalk(file).run();
}

} // namespace osscl
