#include "container.hpp"

#include <optional>

#include "protobuf.hpp"
#include "refused.hpp"
#include "sha256.hpp"

namespace {

constexpr uint64_t kGraph = 7, kMetadata = 14;
constexpr size_t kMaxFileBytes = (size_t{1} << 31) - 1, kMaxManifestBytes = size_t{16} << 20;

struct Entry {
    std::string_view key, value;
};

Entry entry_of(const Field& field) {
    std::optional<std::string_view> key, value;
    std::vector<uint64_t> met;
    for (const Field& each : fields_of(field.payload)) {
        for (uint64_t number : met)
            if (number == each.number)
                throw Refused("an entry of the file's metadata holds a field twice");
        met.push_back(each.number);
        if (!each.is_message())
            throw Refused("an entry of the file's metadata holds a field that is no text");
        if (each.number == 1)
            key = each.payload;
        if (each.number == 2)
            value = each.payload;
    }
    return {key.value_or(""), value.value_or("")};
}

void set_once(std::optional<std::string_view>& place, std::string_view value, const std::string& what) {
    if (place)
        throw Refused("the file holds two of: " + what + "; a model file holds one");
    place = value;
}

std::string_view required(const std::optional<std::string_view>& place, const std::string& what) {
    if (!place)
        throw Refused("the file holds no " + what + "; was it written by osscl export?");
    return *place;
}

} // namespace

Container read_container(std::string_view model) {
    if (model.size() > kMaxFileBytes)
        throw Refused("the file has more than 2147483647 bytes; no model file has");
    std::optional<std::string_view> graph, manifest, manifest_sha256;
    Sha256 all_but_metadata;
    for (const Field& field : fields_of(model)) {
        if ((field.number == kGraph || field.number == kMetadata) && !field.is_message())
            throw Refused("no ONNX model: its graph or its metadata is no message");
        if (field.number != kMetadata)
            all_but_metadata.add(field.whole);
        if (field.number == kGraph)
            set_once(graph, field.payload, "graph");
        if (field.number != kMetadata)
            continue;
        const Entry entry = entry_of(field);
        if (entry.key == "osscl.manifest")
            set_once(manifest, entry.value, "manifest (osscl.manifest)");
        if (entry.key == "osscl.manifest_sha256")
            set_once(manifest_sha256, entry.value, "hash of the manifest (osscl.manifest_sha256)");
    }
    const Container container{required(manifest, "manifest (osscl.manifest)"), required(graph, "graph"),
                              all_but_metadata.hex()};
    if (container.manifest.size() > kMaxManifestBytes)
        throw Refused("the manifest has more than 16 MiB");
    Sha256 of_manifest;
    of_manifest.add(container.manifest);
    if (of_manifest.hex() != required(manifest_sha256, "hash of the manifest (osscl.manifest_sha256)"))
        throw Refused("the manifest has another SHA-256 than the file says: it is damaged, copy it anew");
    return container;
}
