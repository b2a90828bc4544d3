// What tests/golden/make_tokenizers.py calls a digest: token count and SHA-256 over ids and spans of many texts.
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <nlohmann/json.hpp>

#include "openbook/base/hash.h"
#include "openbook/engine/tokenizer.h"

namespace openbook::test {

class TokenDigest {
 public:
  void add(const std::vector<engine::Token>& tokens) {
    count_ += tokens.size();
    for (const engine::Token& token : tokens) {
      append(ids_, token.id);
      append(spans_, static_cast<int32_t>(token.bytes.begin));
      append(spans_, static_cast<int32_t>(token.bytes.end));
    }
    append(ids_, -1);  // ends a text
    append(spans_, -1);
  }

  nlohmann::json finish() const { return {{"tokens", count_}, {"ids", sha256_hex(ids_)}, {"spans", sha256_hex(spans_)}}; }

  void expect_equal(const nlohmann::json& golden) const {
    EXPECT_EQ(count_, golden["tokens"].get<size_t>());
    EXPECT_EQ(sha256_hex(ids_), golden["ids"].get<std::string>());
    if (golden.contains("spans")) EXPECT_EQ(sha256_hex(spans_), golden["spans"].get<std::string>());
  }

 private:
  static void append(std::string& bytes, int32_t value) {  // little-endian
    for (int shift = 0; shift < 32; shift += 8) bytes += static_cast<char>(static_cast<uint32_t>(value) >> shift);
  }

  size_t count_ = 0;
  std::string ids_, spans_;
};

}  // namespace openbook::test
