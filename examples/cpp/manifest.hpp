// The manifest: what a reader that scores by the network needs of it, checked.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

struct Manifest {
    std::vector<std::string> classes;        // in the order of the columns of `cosine`
    std::vector<std::string> class_machines; // machine of each class
    double margin = 0, scale = 0;
    int64_t n_samples = 0;
    int64_t sample_rate_hz = 0;
    std::vector<std::string> inputs, outputs; // "waveform float32 [batch, 160000]"
    std::string graph_sha256;

    // Columns of the classes of a machine; throws Refused where there is none.
    std::vector<size_t> classes_of(const std::string& machine) const;
};

// Throws Refused where the text is no manifest, or one of a file that this program cannot score with.
Manifest read_manifest(std::string_view text);
