// Compares a text encoder with vectors that transformers made.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <span>
#include <string>
#include <vector>

#include "base/test_support.h"
#include "openbook/engine/text_encoder.h"

namespace openbook::test {

struct GoldenEmbeddings {
  std::vector<std::string> texts;
  std::vector<std::vector<float>> vectors;
};

inline GoldenEmbeddings read_embeddings(const std::filesystem::path& path) {
  GoldenEmbeddings golden;
  for (const auto& row : read_json_lines(path)) {
    golden.texts.push_back(row.at("text"));
    golden.vectors.push_back(row.at("vector").get<std::vector<float>>());
  }
  return golden;
}

inline double cosine(std::span<const float> a, std::span<const float> b) {
  double dot = 0, aa = 0, bb = 0;
  for (size_t i = 0; i < a.size(); ++i) dot += double{a[i]} * b[i], aa += double{a[i]} * a[i], bb += double{b[i]} * b[i];
  return dot / std::sqrt(aa * bb);
}

inline void expect_embeddings(const Embedder& encoder, const GoldenEmbeddings& golden) {
  const std::vector<float> vectors = encoder.embed(golden.texts);
  const auto width = static_cast<size_t>(encoder.dimension());
  ASSERT_EQ(vectors.size(), golden.texts.size() * width);
  for (size_t i = 0; i < golden.texts.size(); ++i) {
    const std::span<const float> vector = std::span(vectors).subspan(i * width, width);
    EXPECT_GE(cosine(vector, golden.vectors[i]), 0.99999) << golden.texts[i].substr(0, 40);
    double length = 0;
    for (float x : vector) length += double{x} * x;
    EXPECT_NEAR(length, 1, 1e-5);
  }
}

// Every text alone and all in one call, in another order.
inline void expect_batched_equals_single(const Embedder& encoder, const std::vector<std::string>& texts) {
  const std::vector<float> batched = encoder.embed({texts.rbegin(), texts.rend()});
  const auto width = static_cast<size_t>(encoder.dimension());
  for (size_t i = 0; i < texts.size(); ++i) {
    const std::vector<float> single = encoder.embed({texts[i]});
    const float* row = batched.data() + (texts.size() - 1 - i) * width;
    for (size_t j = 0; j < width; ++j) ASSERT_NEAR(row[j], single[j], 1e-6) << "text " << i << ", dimension " << j;
  }
}

}  // namespace openbook::test
