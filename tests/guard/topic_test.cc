// What a question is about, and which sentences speak of it.
#include "judge/topic.h"

#include <gmock/gmock.h>

#include "base/test_support.h"
#include "engine/byte_tokenizer.h"
#include "openbook/base/sentences.h"
#include "retriever/hashing_embedder.h"
#include "text/neutral_words.h"

namespace openbook::guard {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const openbook::test::ByteTokenizer kBytes({});
constexpr double kNever = 1.1, kAlways = -1;  // cosines

std::vector<Passage> passages_of(const std::vector<std::string>& texts) {
  std::vector<Passage> passages;
  for (const std::string& text : texts) passages.push_back(whole_document("d", text));
  return passages;
}

TEST(Topic, NamesAndNumbersSayWhatAQuestionIsAbout) {
  const openbook::test::HashingEmbedder embedder;
  const std::vector<Passage> none;
  const auto terms = [&](const char* question) { return Topic(question, none, kBytes, embedder, kNever).rarest_terms(); };
  EXPECT_THAT(terms("What is the capital of Norway?"), ElementsAre("norway"));
  EXPECT_THAT(terms("Did Marlow buy 3 ships from Marlowe?"), ElementsAre("marlow", "3", "marlowe"));
  EXPECT_THAT(terms("Is Al older than Bartholomew?"), ElementsAre("bartholomew"));  // much rarer than the other name
  EXPECT_THAT(terms("how many holidays are there?"), ElementsAre("holidays"));      // no name: its other words
  EXPECT_THAT(terms("Where is it?"), IsEmpty());
  EXPECT_THAT(terms("Norway has which capital?"),
              ElementsAre("norway", "capital"));  // a first word may have a capital for being the first
}

TEST(Topic, ASentenceNeedsARareTermAndItsPassageAllOfThem) {
  const openbook::test::HashingEmbedder embedder;
  const std::vector<Passage> passages =
      passages_of({"Marlow has an office. Tern has ships.", "Marlow has an office.", "The Marlows and Terns left."});
  const Topic topic("Who heads Marlow and Tern?", passages, kBytes, embedder, kNever);
  ASSERT_THAT(topic.rarest_terms(), ElementsAre("marlow"));  // "tern" is more frequent by its length alone
  const Topic both("Who heads Marlow and Ternby?", passages_of({}), kBytes, embedder, kNever);
  EXPECT_THAT(both.rarest_terms(), ElementsAre("marlow", "ternby"));
  EXPECT_THAT(topic.passages_on_topic(), ElementsAre(0, 1, 2));  // "Marlows": the same word with another ending
  EXPECT_TRUE(topic.sentence_on_topic(0, {0, 21}));
  EXPECT_FALSE(topic.sentence_on_topic(0, {22, 37}));
}

TEST(Topic, AVeryCloseSentenceIsOnTopicWhateverItHolds) {
  const openbook::test::HashingEmbedder embedder;
  const std::vector<Passage> passages = passages_of({"Ships of the line. Something else entirely.", "Rain fell."});
  const Topic strict("Which ships of the line sail?", passages, kBytes, embedder, kNever),
      loose("Which ships of the line sail?", passages, kBytes, embedder, 0.6);
  EXPECT_TRUE(loose.sentence_on_topic(0, {0, 18}));
  EXPECT_FALSE(loose.sentence_on_topic(1, {0, 10}));
  EXPECT_THAT(loose.passages_on_topic(), ElementsAre(0));
  EXPECT_THAT(strict.passages_on_topic(), ElementsAre());
  const Topic all("Which ships of the line sail?", passages, kBytes, embedder, kAlways);
  EXPECT_THAT(all.passages_on_topic(), ElementsAre(0, 1));
}

// Counts how many texts it is asked for.
class CountingEmbedder : public openbook::test::HashingEmbedder {
 public:
  std::vector<float> embed(const std::vector<std::string>& texts) const override {
    for (const std::string& text : texts) ++asked[text];
    return HashingEmbedder::embed(texts);
  }
  mutable std::map<std::string, int> asked;
};

TEST(Topic, EverySentenceIsEmbeddedOnceAndOnlyWhenNeeded) {
  const CountingEmbedder embedder;
  const std::vector<Passage> passages = passages_of({"Norway is cold. Its capital is Bergen.", "Rain fell. Rain fell."});
  const Topic topic("Is Norway cold or warm? Ask Norway.", passages, kBytes, embedder, kNever);
  EXPECT_TRUE(topic.sentence_on_topic(0, {0, 15}));
  EXPECT_TRUE(embedder.asked.empty());  // the term decided
  for (int i = 0; i < 3; ++i) {
    topic.passages_on_topic();
    topic.sentence_on_topic(1, {0, 10});
    topic.sentence_on_topic(0, {16, 38});
  }
  for (const auto& [text, times] : embedder.asked) EXPECT_LE(times, text == "Rain fell." ? 2 : 1) << text;
  EXPECT_GT(embedder.asked["Rain fell."], 0);
}

TEST(SentenceAround, IsTheSentenceThatHoldsTheFirstByteAndNeverLessThanTheQuote) {
  const std::string text = "# Head line\n\nOne is here. Two is there! A quote. Over two.\n- an item\n";
  const Passage passage = whole_document("d", text);
  for (int64_t begin = 0; begin < static_cast<int64_t>(text.size()); ++begin)
    for (int64_t end = begin + 1; end <= std::min<int64_t>(begin + 12, static_cast<int64_t>(text.size())); ++end) {
      const ByteSpan around = sentence_around(passage, {begin, end});
      ASSERT_LE(around.begin, begin);
      ASSERT_GE(around.end, end);
      bool inside = false;
      for (const ByteSpan& sentence : split_sentences(text))
        inside |= sentence.contains(begin) && sentence.begin == around.begin && around.end == std::max(sentence.end, end);
      if (!inside) ASSERT_EQ(around, (ByteSpan{begin, end}));  // between two sentences
    }
}

TEST(NeutralWords, ALanguageIsKnownByItsFunctionWords) {
  EXPECT_EQ(language_of("Where is the office?"), Language::kEnglish);
  EXPECT_EQ(language_of("¿Dónde está la oficina?"), Language::kSpanish);
  EXPECT_EQ(language_of("Wo liegt das Amt?"), Language::kUnknown);
  EXPECT_EQ(language_of(""), Language::kUnknown);
  EXPECT_TRUE(is_function_word("está", Language::kSpanish));
  EXPECT_FALSE(is_function_word("the", Language::kUnknown));
  EXPECT_TRUE(is_question_word("cuándo", Language::kSpanish));
  EXPECT_FALSE(is_question_word("norway", Language::kEnglish));
  for (const char* word : {"not", "no", "never", "none", "all", "some", "many", "every", "yes", "one", "two", "only", "nunca",
                           "no", "sí", "todos", "ningún", "tres"})
    for (const Language language : {Language::kEnglish, Language::kSpanish})
      EXPECT_FALSE(is_function_word(word, language)) << word;
}

}  // namespace
}  // namespace openbook::guard
