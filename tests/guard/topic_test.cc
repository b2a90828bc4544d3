// What a question is about, and which sentences speak of it.
#include "judge/topic.h"

#include <gmock/gmock.h>

#include "base/test_support.h"
#include "engine/byte_tokenizer.h"
#include "guard/ground.h"
#include "openbook/base/sentences.h"
#include "retriever/hashing_embedder.h"

namespace openbook::guard {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

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
  const auto terms = [&](const char* question) {
    return test::AskedTopic(question, none, kBytes, embedder, kNever)->subject().rarest;
  };
  EXPECT_THAT(terms("What is the capital of Norway?"), ElementsAre("norway"));
  EXPECT_THAT(terms("Did Marlow buy 3 ships from Marlowe?"), ElementsAre("marlow", "3", "marlowe"));
  EXPECT_THAT(terms("Is Al older than Bartholomew?"), ElementsAre("bartholomew"));  // much rarer than the other name
  EXPECT_THAT(terms("how many holidays are there?"), ElementsAre("holidays"));      // no name: its other words
  EXPECT_THAT(terms("Where is it?"), IsEmpty());
  EXPECT_THAT(terms("It rained. Tell me where Marlow is."), ElementsAre("marlow"));  // every sentence begins with a capital
  EXPECT_THAT(terms("Norway has which capital?"),
              ElementsAre("norway", "capital"));  // a first word may have a capital for being the first
}

// The texts of what steering would draw to.
std::vector<std::string> on_topic(const Topic& topic, const std::vector<Passage>& passages) {
  std::vector<std::string> texts;
  for (const SentencePlace& place : topic.sentences_on_topic()) {
    const Passage& passage = passages[place.passage];
    texts.emplace_back(slice(passage.text, {place.range.begin - passage.range.begin, place.range.end - passage.range.begin}));
  }
  return texts;
}

TEST(Topic, ASentenceNeedsARareTermAndItsPassageAllOfThem) {
  const openbook::test::HashingEmbedder embedder;
  const std::vector<Passage> passages =
      passages_of({"Marlow has an office. Tern has ships.", "Marlow has a ship.", "The Marlows and Terns left."});
  const test::AskedTopic topic("Who heads Marlow and Tern?", passages, kBytes, embedder, kNever);
  ASSERT_THAT(topic->subject().rarest, ElementsAre("marlow"));  // "tern" is more frequent by its length alone
  EXPECT_THAT(on_topic(topic, passages),
              ElementsAre("Marlow has an office.", "Marlow has a ship.", "The Marlows and Terns left."));  // another ending
  const test::AskedTopic both("Who heads Marlow and Ternby?", passages, kBytes, embedder, kNever);
  EXPECT_THAT(both->subject().rarest, ElementsAre("marlow", "ternby"));
  EXPECT_THAT(on_topic(both, passages), IsEmpty());
}

TEST(Topic, NamesThatDifferInOneWordAreDifferentSubjects) {
  const openbook::test::HashingEmbedder embedder;
  const std::vector<Passage> passages =
      passages_of({"The University of West Marlow is in Quito.", "The University of New Marlow is in Reno.",
                   "UNM, named after Marlow, is in Lund.", "The University of West Marlow is in New Quito."});
  const test::AskedTopic topic("Where is the University of New Marlow?", passages, kBytes, embedder, kAlways);
  EXPECT_THAT(topic->subject().names, ElementsAre(ElementsAre("university", "new", "marlow")));
  EXPECT_FALSE(topic->sentence_on_topic(0, {0, 42})) << "however close, and though it has the rarest words";
  EXPECT_TRUE(topic->sentence_on_topic(1, {0, 40}));
  EXPECT_TRUE(topic->sentence_on_topic(2, {0, 36})) << "a name's initials stand for it";
  EXPECT_FALSE(topic->sentence_on_topic(3, {0, 47})) << "all of its words, but not one after another";
}

TEST(Topic, NumbersHaveNoEndings) {
  const openbook::test::HashingEmbedder embedder;
  const std::vector<Passage> passages = passages_of({"Heron 2024.5 came in August.", "Heron 2024.7 came in November."});
  const test::AskedTopic topic("When did Heron 2024.7 come?", passages, kBytes, embedder, kAlways);
  EXPECT_THAT(on_topic(topic, passages), ElementsAre("Heron 2024.7 came in November."));
}

TEST(Topic, EveryRareWordOfAQuestionWithoutNamesIsNeeded) {
  const openbook::test::HashingEmbedder embedder;
  const std::vector<Passage> passages = passages_of({"The chief executive came in May.", "The chief executive has a salary."});
  const test::AskedTopic topic("which salary has the chief?", passages, kBytes, embedder, kNever);
  ASSERT_THAT(topic->subject().rarest, ElementsAre("salary", "chief"));
  EXPECT_THAT(on_topic(topic, passages), ElementsAre("The chief executive has a salary."))
      << "what is asked for is a word like any other";
}

TEST(Topic, OnlyAQuestionWithoutNamesGoesByClosenessAlone) {
  const openbook::test::HashingEmbedder embedder;
  const std::vector<Passage> passages = passages_of({"Ships of the line. Something else entirely.", "Rain fell."});
  const auto found = [&](const char* question, double close) {
    return on_topic(test::AskedTopic(question, passages, kBytes, embedder, close), passages);
  };
  EXPECT_THAT(found("Which boats of the line sail?", kNever), IsEmpty());
  EXPECT_THAT(found("Which boats of the line sail?", 0.5), ElementsAre("Ships of the line."));
  EXPECT_THAT(found("Which boats of the line sail?", kAlways), SizeIs(3));
  EXPECT_THAT(found("Which Boats of the line sail?", kAlways), IsEmpty());
}

TEST(Topic, ASubjectIsLookedForInTheSectionAndWhatStandsAboveIt) {
  const openbook::test::HashingEmbedder embedder;
  std::vector<Passage> passages =
      passages_of({"# News\n\n## The Mona Lisa\n\nIt hangs in Ghent.\n\n### Visits\n\nOpen on Monday.\n\n"
                   "## The Eiffel Tower\n\nA painter painted it."});
  const test::AskedTopic topic("Who painted the Mona Lisa?", passages, kBytes, embedder, kAlways);
  EXPECT_THAT(on_topic(topic, passages), ElementsAre("It hangs in Ghent.", "Open on Monday."));

  passages = passages_of({"It hangs in Ghent.", "It hangs in Ghent.", "It hangs in Ghent."});
  passages[1].context = "The Mona Lisa goes to Ghent";
  passages[2].document_id = "art/mona-lisa.md";
  const test::AskedTopic above("Who painted the Mona Lisa?", passages, kBytes, embedder, kAlways);
  EXPECT_FALSE(above->sentence_on_topic(0, {0, 18}));
  EXPECT_TRUE(above->sentence_on_topic(1, {0, 18}));
  EXPECT_TRUE(above->sentence_on_topic(2, {0, 18}));
}

TEST(Topic, AHeadingIsReadOnlyWhereNothingElseIsOnTopic) {
  const openbook::test::HashingEmbedder embedder;
  const auto found = [&](const char* text) {
    const std::vector<Passage> passages = passages_of({text});
    return on_topic(test::AskedTopic("When was Plover released?", passages, kBytes, embedder, kNever), passages);
  };
  EXPECT_THAT(found("## Plover is out\n\nPlover came in May."), ElementsAre("Plover came in May."));
  EXPECT_THAT(found("## Plover, 3 May\n\n- Fixes."), ElementsAre("Plover, 3 May"));
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
  const test::AskedTopic topic("is norway cold?", passages, kBytes, embedder, kNever);
  EXPECT_TRUE(topic->sentence_on_topic(0, {0, 15}));
  EXPECT_TRUE(embedder.asked.empty());  // the term decided
  for (int i = 0; i < 3; ++i) {
    topic->sentences_on_topic();
    topic->sentence_on_topic(1, {0, 10});
    topic->sentence_on_topic(0, {16, 38});
  }
  for (const auto& [text, times] : embedder.asked) EXPECT_EQ(times, 1) << text;
  EXPECT_GT(embedder.asked["Rain fell."], 0);
}

TEST(ReadPassage, TheSentenceAroundAPlaceHoldsItsFirstByteAndIsNeverLess) {
  const std::string text = "# Head line\n\nOne is here. Two is there! A quote. Over two.\n- an item\n";
  const Passage passage = whole_document("d", text);
  const ReadPassage read(passage);
  for (int64_t begin = 0; begin < static_cast<int64_t>(text.size()); ++begin)
    for (int64_t end = begin + 1; end <= std::min<int64_t>(begin + 12, static_cast<int64_t>(text.size())); ++end) {
      const ByteSpan around = read.sentence_around({begin, end});
      ASSERT_LE(around.begin, begin);
      ASSERT_GE(around.end, end);
      bool inside = false;
      for (const ByteSpan& sentence : split_sentences(text))
        inside |= sentence.contains(begin) && sentence.begin == around.begin && around.end == std::max(sentence.end, end);
      if (!inside) ASSERT_EQ(around, (ByteSpan{begin, end}));  // between two sentences
    }
}

}  // namespace
}  // namespace openbook::guard
