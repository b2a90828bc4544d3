#include "weights/safetensors_header.h"

#include <algorithm>
#include <set>

#include "json/parse_json.h"
#include "openbook/base/error.h"
#include "openbook/base/utf8.h"

namespace openbook::engine {
namespace {

using nlohmann::json;

constexpr uint64_t kSizeBytes = 8;
constexpr uint64_t kMaxHeaderBytes = 100'000'000;  // the limit of the format's own reader
constexpr size_t kMaxDimensions = 8;
constexpr int64_t kMaxElements = int64_t{1} << 48;  // far above any model, far below what overflows

struct DtypeName {
  std::string_view name;
  at::ScalarType dtype;
};
constexpr DtypeName kDtypes[] = {
    {"F64", at::kDouble}, {"F32", at::kFloat}, {"F16", at::kHalf}, {"BF16", at::kBFloat16}, {"I64", at::kLong},
    {"I32", at::kInt},    {"I16", at::kShort}, {"I8", at::kChar},  {"U8", at::kByte},       {"BOOL", at::kBool},
};

class HeaderReader {
 public:
  HeaderReader(std::string_view file, const std::string& where) : file_(file), where_(where) {}

  std::vector<TensorEntry> read() {
    const json header = parse();
    std::vector<TensorEntry> entries;
    for (const auto& [name, value] : header.items())
      if (name != "__metadata__") entries.push_back(entry(name, value));
    std::sort(entries.begin(), entries.end(),
              [](const auto& a, const auto& b) { return std::tie(a.begin, a.end, a.name) < std::tie(b.begin, b.end, b.name); });
    check_contiguous(entries);
    return entries;
  }

 private:
  [[noreturn]] void fail(Code code, const std::string& what) const {
    throw Error(code, where_ + ": " + what, "The file is damaged or no safetensors file. Fetch it again.");
  }
  [[noreturn]] void fail_tensor(Code code, const std::string& name, const std::string& what) const {
    fail(code, "tensor \"" + escape_for_terminal(name.substr(0, 200)) + "\" " + what);
  }

  json parse() {
    if (file_.size() < kSizeBytes)
      fail(Code::kDataLoss, "has " + std::to_string(file_.size()) + " bytes; a safetensors file has at least 8");
    uint64_t size = 0;
    for (uint64_t i = 0; i < kSizeBytes; ++i) size |= uint64_t{static_cast<uint8_t>(file_[i])} << (8 * i);
    if (size > kMaxHeaderBytes)
      fail(Code::kInvalidArgument, "header of " + std::to_string(size) + " bytes, more than the limit of 100,000,000");
    if (size > file_.size() - kSizeBytes)
      fail(Code::kDataLoss, "header ends at byte " + std::to_string(size + kSizeBytes) + " of " + std::to_string(file_.size()) +
                                "; the file is cut short");
    data_begin_ = kSizeBytes + size;
    const std::string_view text = file_.substr(kSizeBytes, size);
    std::set<std::string> seen;
    // A JSON object keeps the last of equal keys; a header with two tensors of one name must not pass for that.
    const json header = parse_json(text, where_ + ": header", [&](int depth, const std::string& key) {
      if (depth == 1 && !seen.insert(key).second) fail_tensor(Code::kInvalidArgument, key, "stands in the header twice");
    });
    if (!header.is_object()) fail(Code::kInvalidArgument, "header is not a JSON object");
    return header;
  }

  TensorEntry entry(const std::string& name, const json& value) const {
    if (!value.is_object() || !value.contains("dtype") || !value.contains("shape") || !value.contains("data_offsets"))
      fail_tensor(Code::kInvalidArgument, name, "has no dtype, shape and data_offsets");
    TensorEntry entry{.name = name, .dtype = dtype(name, value["dtype"]), .shape = shape(name, value["shape"])};
    const json& offsets = value["data_offsets"];
    if (!offsets.is_array() || offsets.size() != 2 || !offsets[0].is_number_unsigned() || !offsets[1].is_number_unsigned())
      fail_tensor(Code::kInvalidArgument, name, "has data_offsets that are not two non-negative integers");
    const auto begin = offsets[0].get<uint64_t>(), end = offsets[1].get<uint64_t>();
    if (begin > end) fail_tensor(Code::kInvalidArgument, name, "ends before it begins");
    const uint64_t data_size = file_.size() - data_begin_;
    if (end > data_size)
      fail_tensor(Code::kDataLoss, name,
                  "ends at byte " + std::to_string(end) + " of " + std::to_string(data_size) + "; the file is cut short");
    const uint64_t expected = elements(name, entry.shape) * c10::elementSize(entry.dtype);
    if (end - begin != expected)
      fail_tensor(Code::kInvalidArgument, name,
                  "has " + std::to_string(end - begin) + " bytes; its dtype and shape need " + std::to_string(expected));
    entry.begin = data_begin_ + begin;
    entry.end = data_begin_ + end;
    return entry;
  }

  at::ScalarType dtype(const std::string& name, const json& value) const {
    if (!value.is_string()) fail_tensor(Code::kInvalidArgument, name, "has a dtype that is not a string");
    for (const DtypeName& known : kDtypes)
      if (value.get_ref<const std::string&>() == known.name) return known.dtype;
    fail_tensor(Code::kUnimplemented, name, "has dtype " + value.dump(-1, ' ', true).substr(0, 40) + ", which is not supported");
  }

  std::vector<int64_t> shape(const std::string& name, const json& value) const {
    if (!value.is_array() || value.size() > kMaxDimensions)
      fail_tensor(Code::kInvalidArgument, name, "has a shape that is not a list of at most 8 sizes");
    std::vector<int64_t> sizes;
    for (const json& size : value) {
      if (!size.is_number_unsigned()) fail_tensor(Code::kInvalidArgument, name, "has a size that is not a non-negative integer");
      if (size.get<uint64_t>() > static_cast<uint64_t>(kMaxElements))
        fail_tensor(Code::kInvalidArgument, name, "has a size of " + size.dump() + ", which no tensor has");
      sizes.push_back(size.get<int64_t>());
    }
    return sizes;
  }

  uint64_t elements(const std::string& name, const std::vector<int64_t>& shape) const {
    // Strides multiply the sizes behind a zero too, so a zero doesn't excuse the others.
    int64_t strides = 1;
    for (const int64_t size : shape)
      if (__builtin_mul_overflow(strides, std::max<int64_t>(size, 1), &strides) || strides > kMaxElements)
        fail_tensor(Code::kInvalidArgument, name, "has a shape whose number of elements overflows");
    return std::count(shape.begin(), shape.end(), 0) ? 0 : static_cast<uint64_t>(strides);
  }

  void check_contiguous(const std::vector<TensorEntry>& entries) const {
    uint64_t filled = data_begin_;
    for (size_t i = 0; i < entries.size(); ++i) {
      if (entries[i].begin < filled)
        fail_tensor(Code::kDataLoss, entries[i].name, "overlaps tensor \"" + escape_for_terminal(entries[i - 1].name) + "\"");
      if (entries[i].begin > filled)
        fail_tensor(Code::kDataLoss, entries[i].name,
                    "begins " + std::to_string(entries[i].begin - filled) +
                        " bytes after the one before it ends; the format has no gaps");
      filled = entries[i].end;
    }
    if (filled != file_.size())
      fail(Code::kDataLoss, std::to_string(file_.size() - filled) + " bytes after the last tensor belong to none");
  }

  std::string_view file_;
  const std::string& where_;
  uint64_t data_begin_ = 0;
};

}  // namespace

std::vector<TensorEntry> parse_safetensors_header(std::string_view file, const std::string& where) {
  return HeaderReader(file, where).read();
}

}  // namespace openbook::engine
