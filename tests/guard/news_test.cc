// What sentences say beyond the question, and which tokens of a prompt that is.
#include "answer/news.h"

#include <gmock/gmock.h>

#include "guard/ground.h"

namespace openbook::guard {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> news(const std::string& sentence, const std::string& question) {
  std::vector<std::string> texts;
  const Question asked(question);
  for (const ByteSpan& bytes : news_in(read_words(sentence, asked.language()), asked)) texts.emplace_back(slice(sentence, bytes));
  return texts;
}

TEST(News, AreTheWordsThatTheQuestionHasNot) {
  EXPECT_THAT(news("Stafford, the capital of Turkey, is an old city.", "What is the capital of Turkey?"),
              ElementsAre("Stafford", "old city"));
  EXPECT_THAT(news("Its head is at the Bank of England since 1694.", "Where is its head?"),
              ElementsAre("Bank of England since 1694"));
  EXPECT_THAT(news("¿Dónde? En el Banco de España.", "¿Dónde está la sede?"), ElementsAre("Banco de España"));
  EXPECT_THAT(news("THE CAPITAL IS OSLO", "the capital is"), ElementsAre("OSLO"));
  EXPECT_THAT(news("The capital of Turkey!", "What is the capital of Turkey?"), IsEmpty());
  EXPECT_THAT(news("", "What?"), IsEmpty());
}

TEST(News, OfSentencesAreTheirTokensInThePrompt) {
  const test::Ground ground("Where is Leeds?",
                            {whole_document("a.md", "Here is Leeds. It is in Kent."), whole_document("b.md", "Leeds is big.")});
  const int64_t first = ground.prompt.passage_tokens[0].begin, second = ground.prompt.passage_tokens[1].begin;
  const std::vector<SentencePlace> both = {{0, {15, 29}}, {1, {0, 13}}};
  EXPECT_THAT(tokens_of_news(ground.prompt, both, ground.question, ground.read),
              ElementsAre(TokenRange{first + 24, first + 28}, TokenRange{second + 9, second + 12}));
}

TEST(News, AreNoneWhereASentenceSaysNothingNew) {
  const test::Ground ground("Is Leeds big?", {whole_document("b.md", "Leeds is big.")});
  const std::vector<SentencePlace> sentence = {{0, {0, 13}}};
  EXPECT_THAT(tokens_of(ground.prompt, sentence), ElementsAre(ground.prompt.passage_tokens[0]));
  EXPECT_THAT(tokens_of_news(ground.prompt, sentence, ground.question, ground.read), IsEmpty());
  EXPECT_THAT(tokens_of(ground.prompt, {}), IsEmpty());
}

}  // namespace
}  // namespace openbook::guard
