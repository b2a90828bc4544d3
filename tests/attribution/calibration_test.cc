#include "calibration.h"

#include <gtest/gtest.h>

#include <array>
#include <map>

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

TEST(Calibration, NoMoreAnswersRecitedAwayFromTheSubjectTakePartThanBesideIt) {
  // Two relations, both with every kind of answer.
  std::map<std::string, std::array<ObservedCase, 2>> kinds;
  const auto add = [&](const std::string& kind, Setting setting, float evidence) {
    for (int32_t relation : {0, 1}) {
      ObservedCase& each = kinds[kind][relation];
      each.made.fact = relation;
      each.made.setting = setting;
      each.evidence = {{evidence + 0.1f * static_cast<float>(relation)}};
      each.attention_to_alike = {{0.1f * evidence * evidence}};
    }
  };
  add("copied", Setting::kOwn, 2);
  add("beside", Setting::kSilent, 1);
  add("away", Setting::kClosed, -3);
  const auto fitted = [&](int besides, int aways) {
    std::vector<LabelledCase> labelled;
    for (const ObservedCase& each : kinds["copied"]) labelled.push_back({&each, true, Split::kFit});
    for (const auto& [kind, count] : {std::pair{"beside", besides}, std::pair{"away", aways}})
      for (const ObservedCase& each : kinds[kind])
        for (int i = 0; i < count; ++i) labelled.push_back({&each, false, Split::kFit});
    const Localizer localizer{.heads = {{0, 0}}, .weights = {1}};
    return fit_verdict_probe(ProbeFeatures(1, {{0, 0}}, localizer), labelled,
                             [](const LabelledCase& each) { return each.observed->made.fact; })
        .weights;
  };
  EXPECT_EQ(fitted(1, 3), fitted(1, 1));
  EXPECT_EQ(fitted(2, 20), fitted(2, 2));
  EXPECT_NE(fitted(2, 2), fitted(2, 1));
}

}  // namespace
}  // namespace openbook::attribution
