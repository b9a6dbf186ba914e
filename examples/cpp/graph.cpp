#include "graph.hpp"

#include <map>
#include <set>
#include <utility>

#include "protobuf.hpp"
#include "refused.hpp"

namespace {

enum class Message { model, graph, node, attribute, tensor };

// Where tensors are found, of all that is let in; what else could hold them is refused.
const std::map<std::pair<Message, uint64_t>, Message> kLeadsOn = {
    {{Message::model, 7}, Message::graph},      {{Message::graph, 1}, Message::node},
    {{Message::graph, 5}, Message::tensor},     {{Message::node, 5}, Message::attribute},
    {{Message::attribute, 5}, Message::tensor}, {{Message::attribute, 10}, Message::tensor},
};
const std::map<std::pair<Message, uint64_t>, const char*> kRefused = {
    {{Message::model, 20}, "training information"}, {{Message::model, 25}, "functions of its own"},
    {{Message::graph, 15}, "sparse tensors"},       {{Message::attribute, 6}, "graphs in nodes"},
    {{Message::attribute, 11}, "graphs in nodes"},  {{Message::attribute, 22}, "sparse tensors"},
    {{Message::attribute, 23}, "sparse tensors"},   {{Message::tensor, 13}, "tensors in other files"},
};

void walk(std::string_view bytes, Message message) {
    for (const Field& field : fields_of(bytes)) {
        const auto refused = kRefused.find({message, field.number});
        if (refused != kRefused.end())
            throw Refused(std::string("the model holds ") + refused->second +
                          ", which no model file of osscl does");
        const auto next = kLeadsOn.find({message, field.number});
        if (next != kLeadsOn.end() && field.is_message())
            walk(field.payload, next->second);
    }
}

// The last field of a number that is a message, as protobuf has it of one that stands twice.
std::string_view only(std::string_view message, uint64_t number) {
    std::string_view found;
    for (const Field& field : fields_of(message))
        if (field.number == number && field.is_message())
            found = field.payload;
    return found;
}

// "name float32 [batch, 160000]" of a ValueInfoProto
std::string spelled(std::string_view value) {
    const std::string_view tensor = only(only(value, 2), 1); // type, tensor_type
    uint64_t element = 0;
    for (const Field& field : fields_of(tensor))
        if (field.number == 1)
            element = field.varint;
    std::string text = std::string(only(value, 1)) + (element == 1 ? " float32 [" : " another type [");
    std::string_view comma;
    for (const Field& dimension : fields_of(only(tensor, 2))) {
        std::string size = "batch";
        for (const Field& field : fields_of(dimension.payload))
            if (field.number == 1)
                size = std::to_string(field.varint);
        text += std::string(comma) + size;
        comma = ", ";
    }
    return text + "]";
}

std::string listed(const std::vector<std::string>& values) {
    std::string text;
    for (const std::string& value : values)
        text += (text.empty() ? "" : "; ") + value;
    return text;
}

void check_same(const std::vector<std::string>& got, const std::vector<std::string>& expected,
                const char* what) {
    if (got != expected)
        throw Refused(std::string("the graph's ") + what + " are " + listed(got) + "; its manifest says " +
                      listed(expected));
}

} // namespace

void refuse_unsafe(std::string_view model) {
    walk(model, Message::model);
}

void check_values(std::string_view graph, const Manifest& manifest) {
    std::set<std::string_view> initializers;
    for (const Field& field : fields_of(graph))
        if (field.number == 5)
            initializers.insert(only(field.payload, 8));
    std::vector<std::string> inputs, outputs;
    for (const Field& field : fields_of(graph)) {
        if (field.number == 11 && !initializers.contains(only(field.payload, 1)))
            inputs.push_back(spelled(field.payload));
        if (field.number == 12)
            outputs.push_back(spelled(field.payload));
    }
    check_same(inputs, manifest.inputs, "inputs");
    check_same(outputs, manifest.outputs, "outputs");
}
