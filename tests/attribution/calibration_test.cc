#include "calibration.h"

#include <gtest/gtest.h>

#include "engine/byte_tokenizer.h"

namespace openbook::attribution {
namespace {

Passage passage(const std::string& text) {
  return {.document_id = "doc", .range = {0, static_cast<int64_t>(text.size())}, .text = text};
}

// Bergen was copied from `text`, which is all that the prompt holds before the sentence; the one head looks at `key`.
ObservedCase copied_from(const std::string& text, int64_t key) {
  static const test::ByteTokenizer tokenizer({"<|im_start|>", "<|im_end|>"});
  const engine::PromptBuilder prompts(tokenizer, engine::recognise_chat_template("<|im_start|>", "test"));
  ObservedCase observed;
  observed.made.document_answer = "Bergen";
  observed.prompt = prompts.build({.passages = {passage(text)}, .question = "x", .style = engine::PromptStyle::kBare});
  observed.given = GivenAnswer::kDocument;
  observed.alike.resize(text.size());
  observed.pattern = at::full({1, static_cast<int64_t>(text.size())}, 0.01f);
  observed.pattern[0][key] = 0.9f;
  return observed;
}

TEST(Calibration, AnAnswerThatStandsOnlyWhereThePromptBeginsTeachesTheLocalizerNothing) {
  const ObservedCase inside = copied_from("Norway has Bergen.", 11), twice = copied_from("Bergen is Bergen.", 10),
                     first = copied_from("Bergen is it.", 0), elsewhere = copied_from("Norway has Lund.", 3);
  const auto fitted = [](const std::vector<const ObservedCase*>& cases) {
    std::vector<LabelledCase> all;
    for (const ObservedCase* each : cases) all.push_back({each, /*copied=*/true, Split::kFit});
    return fit_answer_localizer(1, {{0, 0}}, all);
  };
  const Localizer all = fitted({&inside, &twice, &first, &elsewhere}), without = fitted({&inside, &twice});
  EXPECT_EQ(all.weights, without.weights);
  EXPECT_EQ(all.nowhere_below, without.nowhere_below);
  EXPECT_GT(all.nowhere_below, 0.5f);
}

}  // namespace
}  // namespace openbook::attribution
