// The model file: its manifest, once both hashes are checked.
#pragma once

#include <string>
#include <string_view>

struct Container {
    std::string_view manifest; // JSON
    std::string_view graph;    // GraphProto
    std::string graph_sha256;  // of all that is not metadata
};

// Throws Refused where there is not exactly one graph, one manifest and its hash, or the hash is another.
Container read_container(std::string_view model);
