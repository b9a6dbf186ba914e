#include "protobuf.hpp"

#include "refused.hpp"

namespace {

constexpr uint64_t kMaxNumber = (uint64_t{1} << 29) - 1;

class Reader {
  public:
    explicit Reader(std::string_view bytes) : bytes_(bytes) {}

    bool is_at_end() const { return at_ == bytes_.size(); }

    Field field() {
        const size_t begin = at_;
        const uint64_t tag = varint();
        Field field{tag >> 3, static_cast<unsigned>(tag & 7), 0, {}, {}};
        if (field.number == 0 || field.number > kMaxNumber)
            throw Refused("no ONNX model: a field has the number " + std::to_string(field.number));
        read_value(field);
        field.whole = bytes_.substr(begin, at_ - begin);
        return field;
    }

  private:
    void read_value(Field& field) {
        switch (field.wire_type) {
        case 0:
            field.varint = varint();
            return;
        case 1:
            field.payload = take(8);
            return;
        case 2:
            field.payload = take(varint());
            return;
        case 5:
            field.payload = take(4);
            return;
        default:
            throw Refused("no ONNX model: a field has the wire type " + std::to_string(field.wire_type));
        }
    }

    uint64_t varint() {
        uint64_t value = 0;
        for (unsigned n_bytes = 0; n_bytes < 10; ++n_bytes) {
            const auto byte = static_cast<unsigned char>(take(1)[0]);
            if (n_bytes == 9 && byte > 1)
                break;
            value |= uint64_t{byte & 127u} << (7 * n_bytes);
            if (byte < 128)
                return value;
        }
        throw Refused("no ONNX model: a number has more than 64 bits");
    }

    std::string_view take(uint64_t n_bytes) {
        if (n_bytes > bytes_.size() - at_)
            throw Refused("no ONNX model, or one that is cut off: a field reaches beyond its end");
        const std::string_view taken = bytes_.substr(at_, n_bytes);
        at_ += n_bytes;
        return taken;
    }

    std::string_view bytes_;
    size_t at_ = 0;
};

} // namespace

std::vector<Field> fields_of(std::string_view message) {
    std::vector<Field> fields;
    for (Reader reader(message); !reader.is_at_end();)
        fields.push_back(reader.field());
    return fields;
}
