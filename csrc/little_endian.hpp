// Whole numbers as most sound files keep them: lowest byte first, at any address.
#pragma once

#include <cstddef>
#include <span>

namespace osscl {

template <class Number> Number little_endian(std::span<const std::byte> bytes, std::size_t at) {
    Number value = 0;
    for (std::size_t i = sizeof(Number); i-- > 0;) {
        value = static_cast<Number>(value << 8 | std::to_integer<Number>(bytes[at + i]));
    }
    return value;
}

} // namespace osscl
