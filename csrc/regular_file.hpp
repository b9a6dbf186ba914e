// A file on disk that is read at any position, by any thread, and never waited for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace osscl {

// Reads by pread, not through a mapping: a file that is cut short meanwhile gives a failed read, no signal.
class RegularFile {
  public:
    // Nothing where the path cannot be opened at once, or is no regular file: neither a named pipe nor a
    // lease that another program holds is waited for.
    static std::optional<RegularFile> open(const char* path);

    RegularFile(RegularFile&& other) noexcept;
    RegularFile& operator=(RegularFile&&) = delete;
    RegularFile(const RegularFile&) = delete;
    RegularFile& operator=(const RegularFile&) = delete;
    ~RegularFile();

    // Bytes it held when it was opened.
    std::uint64_t size() const { return size_; }

    // Fills `bytes` from `offset` on; false where the file ends earlier or cannot be read.
    bool read(std::uint64_t offset, std::span<std::byte> bytes) const;

  private:
    explicit RegularFile(int descriptor) : descriptor_(descriptor) {}

    int descriptor_; // -1 where it was moved from
    std::uint64_t size_ = 0;
};

} // namespace osscl
