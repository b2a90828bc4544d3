#include "openbook/engine/safetensors.h"

#include <cstring>

#include "base/test_support.h"
#include "openbook/base/file.h"

namespace openbook::engine {
namespace {

using test::TemporaryFolder;

std::string size_field(uint64_t size) {
  std::string bytes(8, '\0');
  for (int i = 0; i < 8; ++i) bytes[i] = static_cast<char>(size >> (8 * i));
  return bytes;
}

std::string file_of(const std::string& header, size_t data_bytes) {
  std::string data;
  for (size_t i = 0; i < data_bytes; ++i) data += static_cast<char>(i);
  return size_field(header.size()) + header + data;
}

std::string entry(const std::string& name, const std::string& dtype, const std::string& shape, uint64_t begin, uint64_t end) {
  return "\"" + name + "\":{\"dtype\":\"" + dtype + "\",\"shape\":" + shape + ",\"data_offsets\":[" + std::to_string(begin) +
         "," + std::to_string(end) + "]}";
}

// Padded so that the data starts at a multiple of 8, as writers do.
std::string padded(std::string header) { return header.append((8 - header.size() % 8) % 8, ' '); }

TEST(Safetensors, ReadsWhatTheFileHolds) {
  const TemporaryFolder folder;
  const std::string header = padded("{\"__metadata__\":{\"format\":\"pt\"}," + entry("b", "I32", "[2,2]", 0, 16) + "," +
                                    entry("a", "U8", "[3]", 16, 19) + "," + entry("none", "F32", "[0,4]", 16, 16) + "}");
  write_file_atomically(folder / "x.safetensors", file_of(header, 19));
  const Safetensors file = Safetensors::open(folder / "x.safetensors");
  EXPECT_EQ(file.names(), (std::vector<std::string>{"a", "b", "none"}));
  EXPECT_TRUE(at::equal(file.tensor("a"), at::tensor({16, 17, 18}, at::kByte)));
  EXPECT_EQ(file.tensor("b").sizes(), (std::vector<int64_t>{2, 2}));
  EXPECT_EQ(file.tensor("b")[1][0].item<int32_t>(), 0x0B0A0908);
  EXPECT_EQ(file.tensor("none").sizes(), (std::vector<int64_t>{0, 4}));
  EXPECT_ERROR(file.tensor("c"), Code::kNotFound, "no tensor \"c\"");
}

TEST(Safetensors, ATensorKeepsTheFileMapped) {
  const TemporaryFolder folder;
  write_file_atomically(folder / "x.safetensors", file_of(padded("{" + entry("a", "U8", "[4]", 0, 4) + "}"), 4));
  const at::Tensor tensor = Safetensors::open(folder / "x.safetensors").tensor("a");
  std::filesystem::remove(folder / "x.safetensors");
  EXPECT_EQ(tensor[3].item<int>(), 3);
}

TEST(Safetensors, UnalignedTensorsAreReadRight) {
  const TemporaryFolder folder;
  const std::string header = padded("{" + entry("byte", "U8", "[1]", 0, 1) + "," + entry("word", "I32", "[1]", 1, 5) + "}");
  write_file_atomically(folder / "x.safetensors", file_of(header, 5));
  const at::Tensor word = Safetensors::open(folder / "x.safetensors").tensor("word");
  EXPECT_EQ(word.item<int32_t>(), 0x04030201);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(word.const_data_ptr()) % 4, 0u);
}

TEST(Safetensors, MalformedFilesAreRefusedWithFileAndTensor) {
  const std::string good = entry("w", "F32", "[2]", 0, 8);
  const struct {
    std::string bytes;
    Code code;
    std::string message;
  } rows[] = {
      {"", Code::kDataLoss, "has 0 bytes"},
      {"abc", Code::kDataLoss, "has 3 bytes"},
      {size_field(~uint64_t{0}), Code::kInvalidArgument, "more than the limit"},
      {size_field(100'000'001), Code::kInvalidArgument, "more than the limit"},
      {size_field(50) + "{}", Code::kDataLoss, "header ends at byte 58 of 10"},
      {file_of("", 0), Code::kInvalidArgument, "header: not JSON from byte 1 of 0"},
      {file_of("{", 0), Code::kInvalidArgument, "not JSON from byte"},
      {file_of("[]", 0), Code::kInvalidArgument, "not a JSON object"},
      {file_of(std::string(100'000, '['), 0), Code::kInvalidArgument, "header: nested deeper than 32 levels"},
      {file_of("{\"w\":\"\xFF\"}", 0), Code::kInvalidArgument, "not JSON from byte"},
      {file_of("{\"w\":1}", 0), Code::kInvalidArgument, "tensor \"w\" has no dtype"},
      {file_of("{" + good + "," + good + "}", 8), Code::kInvalidArgument, "tensor \"w\" stands in the header twice"},
      {file_of("{" + entry("w", "F8_E4M3", "[8]", 0, 8) + "}", 8), Code::kUnimplemented, "dtype \"F8_E4M3\""},
      {file_of("{\"w\":{\"dtype\":4,\"shape\":[2],\"data_offsets\":[0,8]}}", 8), Code::kInvalidArgument, "not a string"},
      {file_of("{\"w\":{\"dtype\":\"F32\",\"shape\":2,\"data_offsets\":[0,8]}}", 8), Code::kInvalidArgument, "not a list"},
      {file_of("{" + entry("w", "F32", "[1,1,1,1,1,1,1,1,2]", 0, 8) + "}", 8), Code::kInvalidArgument, "at most 8 sizes"},
      {file_of("{" + entry("w", "F32", "[-2]", 0, 8) + "}", 8), Code::kInvalidArgument, "non-negative"},
      {file_of("{" + entry("w", "F32", "[2.0]", 0, 8) + "}", 8), Code::kInvalidArgument, "non-negative"},
      {file_of("{" + entry("w", "F32", "[4611686018427387906]", 0, 8) + "}", 8), Code::kInvalidArgument, "which no tensor has"},
      {file_of("{" + entry("w", "U8", "[4294967296,4294967296]", 0, 8) + "}", 8), Code::kInvalidArgument, "overflows"},
      {file_of("{" + entry("w", "U8", "[0,281474976710656,281474976710656]", 0, 0) + "}", 0), Code::kInvalidArgument,
       "overflows"},
      {file_of("{" + entry("w", "F32", "[3]", 0, 8) + "}", 8), Code::kInvalidArgument,
       "has 8 bytes; its dtype and shape need 12"},
      {file_of("{" + entry("w", "F32", "[0]", 0, 8) + "}", 8), Code::kInvalidArgument, "need 0"},
      {file_of("{" + entry("w", "F32", "[2]", 8, 0) + "}", 8), Code::kInvalidArgument, "ends before it begins"},
      {file_of("{\"w\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,-8]}}", 8), Code::kInvalidArgument, "data_offsets"},
      {file_of("{\"w\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0]}}", 8), Code::kInvalidArgument, "data_offsets"},
      {file_of("{" + good + "}", 5), Code::kDataLoss, "tensor \"w\" ends at byte 8 of 5; the file is cut short"},
      {file_of("{" + entry("w", "F32", "[2]", 0, 18446744073709551615u) + "}", 8), Code::kDataLoss, "cut short"},
      {file_of("{" + good + "," + entry("v", "F32", "[2]", 4, 12) + "}", 12), Code::kDataLoss,
       "tensor \"v\" overlaps tensor \"w\""},
      {file_of("{" + good + "," + entry("v", "F32", "[2]", 0, 8) + "}", 8), Code::kDataLoss,
       "tensor \"w\" overlaps tensor \"v\""},
      {file_of("{" + good + "," + entry("v", "F32", "[2]", 12, 20) + "}", 20), Code::kDataLoss,
       "tensor \"v\" begins 4 bytes after"},
      {file_of("{" + good + "}", 11), Code::kDataLoss, "3 bytes after the last tensor"},
      {file_of("{" + entry("\\u001b[31m", "F32", "[3]", 0, 8) + "}", 8), Code::kInvalidArgument, "tensor \"\\x1B[31m\""},
  };
  const TemporaryFolder folder;
  for (const auto& row : rows) {
    write_file_atomically(folder / "bad.safetensors", row.bytes);
    SCOPED_TRACE(row.message);
    EXPECT_ERROR(Safetensors::open(folder / "bad.safetensors"), row.code, row.message);
    EXPECT_ERROR(Safetensors::open(folder / "bad.safetensors"), row.code, "bad.safetensors: ");
  }
}

TEST(Safetensors, MissingFilesAreNamed) {
  const TemporaryFolder folder;
  EXPECT_ERROR(Safetensors::open(folder / "no.safetensors"), Code::kNotFound, "no.safetensors");
  EXPECT_ERROR(Safetensors::open(folder.path()), Code::kNotFound, "neither model.safetensors nor");
  EXPECT_ERROR(Safetensors::open("/dev/null"), Code::kInvalidArgument, "is a device, not a file");
}

TEST(Safetensors, ShardsEqualOneFile) {
  const TemporaryFolder one, two;
  write_file_atomically(one / "model.safetensors",
                        file_of(padded("{" + entry("a", "U8", "[8]", 0, 8) + "," + entry("b", "U8", "[8]", 8, 16) + "}"), 16));
  write_file_atomically(two / "1.safetensors", file_of(padded("{" + entry("a", "U8", "[8]", 0, 8) + "}"), 8));
  std::string second = file_of(padded("{" + entry("b", "U8", "[8]", 0, 8) + "}"), 8);
  for (size_t i = second.size() - 8; i < second.size(); ++i) second[i] += 8;
  write_file_atomically(two / "2.safetensors", second);
  write_file_atomically(two / "model.safetensors.index.json", R"({"weight_map":{"a":"1.safetensors","b":"2.safetensors"}})");
  const Safetensors whole = Safetensors::open(one.path()), shards = Safetensors::open(two.path());
  EXPECT_EQ(whole.names(), shards.names());
  EXPECT_TRUE(at::equal(whole.tensor("b"), shards.tensor("b")));
  EXPECT_EQ(whole.fingerprint(), shards.fingerprint());
}

TEST(Safetensors, ShardsThatDisagreeWithTheirIndexAreRefused) {
  const struct {
    std::string index;
    Code code;
    std::string message;
  } rows[] = {
      {"", Code::kInvalidArgument, "model.safetensors.index.json: not JSON from byte 1 of 0"},
      {std::string(100'000, '['), Code::kInvalidArgument, "model.safetensors.index.json: nested deeper than 32 levels"},
      {R"({"weight_map":{"w":-1e999}})", Code::kInvalidArgument, "\"weight_map.w\" holds a number that is too large"},
      {"[1]", Code::kInvalidArgument, "not a JSON object with a weight_map"},
      {R"({"weight_map":[]})", Code::kInvalidArgument, "not a JSON object with a weight_map"},
      {R"({"weight_map":{}})", Code::kInvalidArgument, "weight_map is empty"},
      {R"({"weight_map":{"a":7}})", Code::kInvalidArgument, "tensor \"a\" is mapped to something"},
      {R"({"weight_map":{"a":"../1.safetensors"}})", Code::kInvalidArgument, "not a plain file name"},
      {R"({"weight_map":{"a":"/etc/passwd"}})", Code::kInvalidArgument, "not a plain file name"},
      {R"({"weight_map":{"a":"1.safetensors\u0000"}})", Code::kInvalidArgument, "not a plain file name"},
      {R"({"weight_map":{"a":"9.safetensors"}})", Code::kNotFound, "9.safetensors"},
      {R"({"weight_map":{"a":"1.safetensors","c":"1.safetensors"}})", Code::kInvalidArgument,
       "\"c\" is missing from 1.safetensors"},
      {R"({"weight_map":{"a":"1.safetensors","b":"2.safetensors"}})", Code::kInvalidArgument,
       "tensor \"x\" of 2.safetensors is not"},
      {R"({"weight_map":{"a":"3.safetensors","y":"1.safetensors"}})", Code::kInvalidArgument, "should stand in 3.safetensors"},
  };
  const TemporaryFolder folder;
  write_file_atomically(folder / "1.safetensors", file_of("{" + entry("a", "U8", "[8]", 0, 8) + "}", 8));
  write_file_atomically(folder / "2.safetensors",
                        file_of("{" + entry("b", "U8", "[4]", 0, 4) + "," + entry("x", "U8", "[4]", 4, 8) + "}", 8));
  write_file_atomically(folder / "3.safetensors", file_of("{}", 0));
  for (const auto& row : rows) {
    write_file_atomically(folder / "model.safetensors.index.json", row.index);
    SCOPED_TRACE(row.index);
    EXPECT_ERROR(Safetensors::open(folder.path()), row.code, row.message);
  }
}

TEST(Safetensors, FingerprintChangesWithEveryPart) {
  const TemporaryFolder folder;
  const auto fingerprint = [&](const std::string& name, const std::string& dtype, const std::string& shape, char last) {
    std::string bytes = file_of(padded("{" + entry(name, dtype, shape, 0, 8) + "}"), 8);
    bytes.back() = last;
    write_file_atomically(folder / "x.safetensors", bytes);
    return Safetensors::open(folder / "x.safetensors").fingerprint();
  };
  const std::string base = fingerprint("w", "F32", "[2]", 1);
  EXPECT_EQ(base.size(), 64u);
  EXPECT_EQ(base, fingerprint("w", "F32", "[2]", 1));
  EXPECT_NE(base, fingerprint("v", "F32", "[2]", 1));
  EXPECT_NE(base, fingerprint("w", "I32", "[2]", 1));
  EXPECT_NE(base, fingerprint("w", "F32", "[1,2]", 1));
  EXPECT_NE(base, fingerprint("w", "F32", "[2]", 2));
}

}  // namespace
}  // namespace openbook::engine
