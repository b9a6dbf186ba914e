#include "regular_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <limits>
#include <utility>

namespace osscl {

namespace {

int open_without_waiting(const char* path) {
    int descriptor = -1;
    do {
        descriptor = ::open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    } while (descriptor < 0 && errno == EINTR);
    return descriptor;
}

} // namespace

std::optional<RegularFile> RegularFile::open(const char* path) {
    const int descriptor = open_without_waiting(path);
    if (descriptor < 0) {
        return std::nullopt;
    }
    RegularFile file(descriptor);
    struct stat status{};
    if (::fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode) || status.st_size < 0) {
        return std::nullopt;
    }
    file.size_ = static_cast<std::uint64_t>(status.st_size);
    return file;
}

RegularFile::RegularFile(RegularFile&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), size_(other.size_) {}

RegularFile::~RegularFile() {
    if (descriptor_ >= 0) {
        ::close(descriptor_);
    }
}

bool RegularFile::read(std::uint64_t offset, std::span<std::byte> bytes) const {
    constexpr auto last_offset = static_cast<std::uint64_t>(std::numeric_limits<off_t>::max());
    if (offset > last_offset || bytes.size() > last_offset - offset) {
        return false;
    }
    while (!bytes.empty()) {
        const ssize_t n_read = ::pread(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
        if (n_read < 0 && errno == EINTR) {
            continue;
        }
        if (n_read <= 0) {
            return false;
        }
        bytes = bytes.subspan(static_cast<std::size_t>(n_read));
        offset += static_cast<std::uint64_t>(n_read);
    }
    return true;
}

} // namespace osscl
