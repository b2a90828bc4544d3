// An embedder without a model: every word adds a direction that its hash chooses, so texts that share words are near.
// Deterministic.
#pragma once

#include <cmath>

#include "openbook/base/embedder.h"
#include "openbook/base/hash.h"
#include "openbook/base/utf8.h"

namespace openbook::test {

class HashingEmbedder : public Embedder {
 public:
  explicit HashingEmbedder(std::string name = "hashing", int64_t dimension = 64)
      : name_(std::move(name)), dimension_(dimension) {}

  int64_t dimension() const override { return dimension_; }
  std::string fingerprint() const override { return sha256_hex(name_ + std::to_string(dimension_)); }
  std::string name() const override { return name_; }
  int64_t max_tokens() const override { return 256; }

  std::vector<float> embed(const std::vector<std::string>& texts) const override {
    std::vector<float> rows;
    for (const std::string& text : texts) {
      std::vector<float> row(static_cast<size_t>(dimension_), 1e-3f);
      for (const std::string& word : words(text)) {
        const Sha256Digest hash = sha256(word);
        row[(hash[0] * 256u + hash[1]) % row.size()] += hash[2] % 2 ? 1.0f : -1.0f;
      }
      float length = 0;
      for (const float x : row) length += x * x;
      for (const float x : row) rows.push_back(x / std::sqrt(length));
    }
    return rows;
  }

  int64_t count_tokens(std::string_view text) const override { return static_cast<int64_t>(words(text).size()); }

 private:
  // Runs of letters and digits, and every Han character by itself.
  static std::vector<std::string> words(std::string_view text) {
    std::vector<std::string> found;
    bool open = false;
    const std::string folded = fold_case(text);
    for (const CodePoint& point : code_points(folded)) {
      const bool letter = is_letter_or_digit(point.value);
      const bool han = point.value >= 0x3000;
      if (letter && (!open || han)) found.emplace_back();
      if (letter) found.back() += folded.substr(point.offset, point.length);
      open = letter && !han;
    }
    return found;
  }

  std::string name_;
  int64_t dimension_;
};

}  // namespace openbook::test
