// Protobuf's wire format: the fields of one message, as they stand.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

struct Field {
    uint64_t number;
    unsigned wire_type;
    uint64_t varint;          // of wire type 0
    std::string_view payload; // of wire type 2
    std::string_view whole;   // with tag and length

    bool is_message() const { return wire_type == 2; }
};

// Throws Refused where the bytes are no well-formed message.
std::vector<Field> fields_of(std::string_view message);
