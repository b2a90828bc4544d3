// `openbook eval retrieval` on documents whose ranking is known.
#include "eval/eval.h"

#include <gtest/gtest.h>

#include "base/test_support.h"
#include "openbook/base/file.h"
#include "retriever/hashing_embedder.h"

namespace openbook::guard {
namespace {

using nlohmann::json;

std::string repeated(const std::string& words, int times) {
  std::string text;
  for (int i = 0; i < times; ++i) text += words;
  return text;
}

class EvalRetrievalTest : public testing::Test {
 protected:
  // For "pear" d0 comes first, d1 second and so on: each speaks of other things longer than the one before. d0 is a hundred
  // chunks that speak of nothing else.
  void SetUp() override {
    std::filesystem::create_directories(folder_ / "docs");
    std::vector<json> chunks;
    for (int i = 0; i < 7; ++i) {
      const std::string name = "d" + std::to_string(i);
      const std::string text = i == 0 ? repeated("Pear " + repeated("pear ", 98) + "pear.\n\n", 200)
                                      : "A pear. " + repeated("The kitchen closes early. ", 4 * i);
      write_file_atomically(folder_ / "docs" / (name + ".md"), text);
      chunks.push_back({{"id", "c" + std::to_string(i)}, {"file", "docs/" + name + ".md"}});
    }
    write_rows("docs/chunks.jsonl", chunks);
    write_file_atomically(folder_ / "docs/notes.txt", "pear");  // no document of the set
  }

  void write_rows(const std::string& name, const std::vector<json>& rows) const {
    std::string text;
    for (const json& row : rows) text += row.dump() + "\n";
    write_file_atomically(folder_ / name, text);
  }
  json evaluate(const std::vector<json>& questions) const {
    write_rows("questions.jsonl", questions);
    return eval_retrieval(std::make_shared<test::HashingEmbedder>(), folder_ / "questions.jsonl", {});
  }

  test::TemporaryFolder folder_;
};

json question(const json& chunks, const std::string& text = "pear") { return {{"question", text}, {"correct_chunks", chunks}}; }

TEST_F(EvalRetrievalTest, OneRightDocumentAmongTheFirstFiveDistinctOnesIsAHit) {
  const json figures = evaluate({question({"c0"}), question({"c4"}), question({"c5"}), question({"c6", "c1"}),
                                 question({"c6", "c5"}), question({"c3"}, "a pear")});
  EXPECT_EQ(figures["questions"], 6);
  EXPECT_EQ(figures["documents"], 7);
  EXPECT_EQ(figures["recall_at_5"]["words"]["hits"], 4);
  for (const char* mode : {"hybrid", "words", "vectors"}) EXPECT_EQ(figures["recall_at_5"][mode]["of"], 6) << mode;
}

TEST_F(EvalRetrievalTest, WhatCanNotBeAHitIsRefusedByFileAndLine) {
  const std::pair<json, const char*> rows[] = {
      {question("c1"), "questions.jsonl: line 2: \"correct_chunks\" is not a list of strings"},
      {question(5), "questions.jsonl: line 2: \"correct_chunks\" is not a list of strings"},
      {question(json::array()), "line 2: \"correct_chunks\" is not a list of strings"},
      {question({"c1", "c9"}), "line 2: \"correct_chunks\": no chunk \"c9\" in docs/chunks.jsonl"},
      {{{"question", 5}, {"correct_chunks", {"c1"}}}, "line 2: \"question\" is not a string"},
      {{{"question", " "}, {"correct_chunks", {"c1"}}}, "line 2: \"question\" is empty"},
  };
  for (const auto& [row, piece] : rows) EXPECT_ERROR(evaluate({question({"c1"}), row}), Code::kInvalidArgument, piece);
  write_rows("docs/chunks.jsonl", {{{"id", "c1"}, {"file", 3}}});
  EXPECT_ERROR(evaluate({question({"c1"})}), Code::kInvalidArgument, "chunks.jsonl: line 1: \"file\" is not a string");
  write_rows("docs/chunks.jsonl", {{{"id", "c1"}, {"file", "docs/d9.md"}}});
  EXPECT_ERROR(evaluate({question({"c1"})}), Code::kInvalidArgument, "chunks.jsonl: line 1: \"file\": ");
}

}  // namespace
}  // namespace openbook::guard
