#include "manifest.hpp"

#include <nlohmann/json.hpp>
#include <numbers>
#include <set>

#include "refused.hpp"

using nlohmann::json;

namespace {

constexpr int64_t kNewestSchema = 6;
// the one front end that osscl writes (docs/format.md, "Hash of the front end")
constexpr const char* kFrontEnd = "09599b7e97cef4afbd3f8213c13fc106816329963731e73ae4d9a21491034f43";

// Parse strictly: nlohmann-json keeps the last of two equal keys, so they are looked for as they come.
json parsed(std::string_view text) {
    std::vector<std::set<std::string>> open;
    const auto watch = [&](int, json::parse_event_t event, json& value) {
        if (event == json::parse_event_t::object_start)
            open.emplace_back();
        if (event == json::parse_event_t::object_end)
            open.pop_back();
        if (event == json::parse_event_t::key && !open.back().insert(value.get<std::string>()).second)
            throw Refused("the manifest holds the key " + value.dump() + " twice in an object");
        return true;
    };
    try {
        return json::parse(text, watch);
    } catch (const json::exception& error) {
        throw Refused(std::string("the manifest is no JSON: ") + error.what());
    }
}

[[noreturn]] void refuse(const std::string& field, const json& got, const std::string& expected) {
    throw Refused("the manifest's " + field + " is " + got.dump().substr(0, 80) + "; expected was " +
                  expected);
}

const json& object_with(const json& value, const std::string& field, const std::set<std::string>& names) {
    if (!value.is_object())
        refuse(field, value, "an object");
    for (const auto& [name, _] : value.items())
        if (!names.contains(name))
            throw Refused("the manifest's " + field + " has a field " + name +
                          ", which its schema does not know");
    for (const std::string& name : names)
        if (!value.contains(name))
            throw Refused("the manifest's " + field + " has no field " + name);
    return value;
}

std::string text_of(const json& value, const std::string& field) {
    if (!value.is_string())
        refuse(field, value, "text");
    return value.get<std::string>();
}

void check_word(const json& value, const std::string& field, const std::string& expected) {
    if (value != expected)
        refuse(field, value, "\"" + expected + "\"");
}

int64_t whole(const json& value, const std::string& field, int64_t least) {
    if (!value.is_number_integer() || value.get<int64_t>() < least)
        refuse(field, value, "a whole number of at least " + std::to_string(least));
    return value.get<int64_t>();
}

double number(const json& value, const std::string& field) {
    if (!value.is_number())
        refuse(field, value, "a number");
    return value.get<double>();
}

std::vector<std::string> texts_of(const json& value, const std::string& field) {
    if (!value.is_array() || value.empty())
        refuse(field, value, "a list of texts");
    std::vector<std::string> texts;
    for (const json& each : value)
        texts.push_back(text_of(each, field));
    return texts;
}

// Which fields a document of a schema has.
std::set<std::string> fields_of_schema(int64_t schema) {
    std::set<std::string> names = {"schema_version", "producer",  "checkpoint",     "model",
                                   "front_end",      "clip",      "inputs",         "outputs",
                                   "scoring_rule",   "precision", "graph_rewrites", "graph_sha256",
                                   "parity",         "licence",   "training_data"};
    if (schema >= 2)
        names.insert("accuracy");
    if (schema >= 4)
        names.insert("decisions");
    if (schema >= 6)
        names.insert({"class_machines", "verdict"});
    return names;
}

std::string spelled(const json& tensor, const std::string& field) {
    object_with(tensor, field, {"name", "dtype", "shape", "meaning"});
    check_word(tensor["dtype"], field + ".dtype", "float32");
    std::string text = text_of(tensor["name"], field + ".name") + " float32 [";
    std::string comma;
    for (const json& size : tensor["shape"]) {
        text += comma + (size == "batch" ? "batch" : std::to_string(whole(size, field + ".shape", 1)));
        comma = ", ";
    }
    return text + "]";
}

std::vector<std::string> all_spelled(const json& tensors, const std::string& field) {
    std::vector<std::string> texts;
    for (const json& tensor : tensors)
        texts.push_back(spelled(tensor, field));
    return texts;
}

void read_model(const json& model, int64_t schema, Manifest& manifest) {
    if (model.is_null())
        throw Refused("the file holds memories and no network; this program scores by the network");
    std::set<std::string> names = {"classes", "inputs", "head", "margin", "scale"};
    if (schema >= 6)
        names.insert("sub_centres");
    object_with(model, "model", names);
    manifest.classes = texts_of(model["classes"], "model.classes");
    const std::set<std::string> different(manifest.classes.begin(), manifest.classes.end());
    if (different.size() != manifest.classes.size() || different.contains(""))
        refuse("model.classes", model["classes"], "different names");
    manifest.margin = number(model["margin"], "model.margin");
    if (manifest.margin < 0 || manifest.margin >= std::numbers::pi / 2)
        refuse("model.margin", model["margin"], "an angle from 0 to below pi / 2");
    manifest.scale = number(model["scale"], "model.scale");
    if (manifest.scale <= 0)
        refuse("model.scale", model["scale"], "more than 0");
}

void read_front_end(const json& front_end, Manifest& manifest) {
    object_with(front_end, "front_end", {"where", "settings", "sha256"});
    if (front_end["where"] == "native")
        throw Refused("this model wants a log-mel from its caller; export it anew with --front-end graph");
    check_word(front_end["where"], "front_end.where", "graph");
    check_word(front_end["sha256"], "front_end.sha256", kFrontEnd);
    if (!front_end["settings"].is_object() || !front_end["settings"].contains("sample_rate_hz"))
        refuse("front_end.settings", front_end["settings"], "an object with sample_rate_hz");
    manifest.sample_rate_hz =
        whole(front_end["settings"]["sample_rate_hz"], "front_end.settings.sample_rate_hz", 1);
}

void read_clip(const json& clip, Manifest& manifest) {
    object_with(clip, "clip", {"n_samples", "position"});
    manifest.n_samples = whole(clip["n_samples"], "clip.n_samples", 1);
    check_word(clip["position"], "clip.position", "start");
}

void check_tensors(const Manifest& manifest) {
    const std::vector<std::string> inputs = {"waveform float32 [batch, " +
                                             std::to_string(manifest.n_samples) + "]"};
    const std::vector<std::string> outputs = {"embedding float32 [batch, 128]",
                                              "cosine float32 [batch, " +
                                                  std::to_string(manifest.classes.size()) + "]"};
    if (manifest.inputs != inputs || manifest.outputs != outputs)
        throw Refused(
            "the manifest's inputs or outputs are not those that follow from its model, front end and clip");
}

} // namespace

std::vector<size_t> Manifest::classes_of(const std::string& machine) const {
    std::vector<size_t> columns;
    for (size_t column = 0; column < class_machines.size(); ++column)
        if (class_machines[column] == machine)
            columns.push_back(column);
    if (columns.empty())
        throw Refused("the network does not know " + machine + "; it knows " +
                      std::to_string(classes.size()) + " classes, the first is " + class_machines.front());
    return columns;
}

Manifest read_manifest(std::string_view text) {
    const json document = parsed(text);
    if (!document.is_object() || !document.contains("schema_version"))
        throw Refused("the manifest has no schema_version");
    const int64_t schema = whole(document["schema_version"], "schema_version", 1);
    if (schema > kNewestSchema)
        throw Refused("the manifest has schema " + std::to_string(schema) +
                      ", and this program knows up to " + std::to_string(kNewestSchema) + ": update it");
    object_with(document, "document", fields_of_schema(schema));
    Manifest manifest;
    read_model(document["model"], schema, manifest);
    read_front_end(document["front_end"], manifest);
    read_clip(document["clip"], manifest);
    check_word(document["scoring_rule"], "scoring_rule", "arcface_cross_entropy");
    manifest.inputs = all_spelled(document["inputs"], "inputs");
    manifest.outputs = all_spelled(document["outputs"], "outputs");
    check_tensors(manifest);
    manifest.graph_sha256 = text_of(document["graph_sha256"], "graph_sha256");
    const bool has_machines = document.contains("class_machines") && !document["class_machines"].is_null();
    manifest.class_machines =
        has_machines ? texts_of(document["class_machines"], "class_machines") : manifest.classes;
    if (manifest.class_machines.size() != manifest.classes.size())
        throw Refused("the manifest names machines of " + std::to_string(manifest.class_machines.size()) +
                      " classes, and has " + std::to_string(manifest.classes.size()));
    return manifest;
}
