// Words, claims, support and citations of single sentences.
#include "judge/judge.h"

#include <gmock/gmock.h>

#include <random>
#include <set>

#include "answer/append.h"
#include "base/test_support.h"
#include "guard/ground.h"
#include "judge/binding.h"
#include "judge/quote.h"
#include "openbook/base/language.h"
#include "openbook/base/utf8.h"
#include "openbook/base/words.h"

namespace openbook::guard {
namespace {

using test::Piece;
using test::speak;
using testing::ElementsAre;

const std::string kQuestion = "Where is the office of Marlow?";

// Passages, what they say of the topic, and the place of every word in them.
struct Ground : test::Ground {
  explicit Ground(const std::vector<std::string>& texts) : test::Ground(kQuestion, documents(texts)) {}
  Source place(const std::string& words, int32_t passage = 0, size_t which = 0) const {
    return test::Ground::place(words, passage, which);
  }

  static std::vector<Passage> documents(const std::vector<std::string>& texts) {
    std::vector<Passage> passages;
    for (size_t i = 0; i < texts.size(); ++i) passages.push_back(whole_document("d" + std::to_string(i), texts[i]));
    return passages;
  }
};

std::vector<std::string> shown(const Judgement& judgement, const std::string& text) {
  std::vector<std::string> lines;
  for (const Claim& claim : judgement.claims)
    lines.push_back(std::string(slice(text, claim.answer)) + ": " + std::string(verdict_name(claim.verdict)) + ", " +
                    std::string(support_name(claim.support)));
  return lines;
}

TEST(Judge, VerdictsFollowTheThresholds) {
  const Ground ground({"The office of Marlow is in Leeds."});
  const Spoken spoken =
      speak({{"Leeds", 0.9}, {" or ", 0}, {"York", 0.1}, {" or ", 1}, {"Hull", 0.5}, {" or ", 0}, {"Bath", 0.89}, {".", 0}},
            ground.prompt);
  const Judgement judgement = judge_by_probe(spoken, ground.context());
  EXPECT_THAT(shown(judgement, spoken.text), ElementsAre("Leeds: copied, unsupported", "York: recited, unsupported",
                                                         "Hull: unchecked, unsupported", "Bath: unchecked, unsupported"));
  EXPECT_TRUE(judgement.has(Verdict::kRecited) && judgement.has(Verdict::kUnchecked) && judgement.has(Verdict::kCopied));
  EXPECT_FALSE(judgement.has_supported());
}

TEST(Judge, ACopiedClaimIsSupportedWhereTheHeadsLookedOnTopicAndTheQuoteMatches) {
  const Ground ground({"The ferry goes to Leeds. The office of Marlow is in Leeds.", "Leeds has rain."});
  const auto judge = [&](std::vector<Source> looked_at) {
    const Spoken spoken = speak({{"In "}, {"Leeds", 1, std::move(looked_at)}, {"."}}, ground.prompt);
    return judge_by_probe(spoken, ground.context());
  };
  const Source ferry = ground.place("Leeds", 0, 0), office = ground.place("Leeds", 0, 1), rain = ground.place("Leeds", 1);

  const Judgement right = judge({office});
  ASSERT_EQ(right.citations.size(), 1u);
  EXPECT_EQ(right.citations[0].source, office.range);
  EXPECT_EQ(right.citations[0].sentence_text, "The office of Marlow is in Leeds.");
  EXPECT_TRUE(right.has_supported());
  EXPECT_EQ(right.words[1].place->passage, 0);

  EXPECT_TRUE(judge({rain}).read_elsewhere());
  EXPECT_FALSE(judge({rain}).has_supported());
  EXPECT_EQ(judge({rain, ferry, office}).citations[0].source, office.range)
      << "among places that were attended to, the one on topic";
  EXPECT_TRUE(judge({ground.place("rain", 1)}).citations.empty()) << "the words stand elsewhere than the heads looked";
  EXPECT_TRUE(judge({}).citations.empty());
}

TEST(Judge, WithoutATopicNothingIsSupported) {
  const Ground ground({"The office of Marlow is in Leeds."});
  JudgeContext context = ground.context();
  context.topic = nullptr;
  const Judgement judgement = judge_by_probe(speak({{"Leeds", 1, {ground.place("Leeds")}}}, ground.prompt), context);
  EXPECT_TRUE(judgement.read_elsewhere());
  EXPECT_FALSE(judgement.has_supported());
}

TEST(Judge, WordsOfTheQuestionAreNeutralOnlyBesideACopiedWordThatIsNone) {
  const Ground ground({"The office of Marlow is in Leeds."});
  const Spoken beside = speak({{"Marlow", 0}, {" is in "}, {"Leeds", 1, {ground.place("Leeds")}}}, ground.prompt);
  EXPECT_THAT(shown(judge_by_probe(beside, ground.context()), beside.text), ElementsAre("Leeds: copied, supported"));
  const Spoken alone = speak({{"Marlow", 0.5}, {" is "}, {"office", 1, {ground.place("office")}}}, ground.prompt);
  EXPECT_THAT(shown(judge_by_probe(alone, ground.context()), alone.text),
              ElementsAre("Marlow: unchecked, unsupported", "office: copied, supported"));
}

TEST(Judge, NegationsNumbersAndQuantifiersAreNeverNeutral) {
  const Ground ground({"x"});
  for (const char* word : {"not", "no", "never", "all", "none", "some", "yes", "three", "7", "every"}) {
    const Spoken spoken = speak({{std::string("It is ") + word, 0}}, ground.prompt);
    EXPECT_THAT(shown(judge_by_probe(spoken, ground.context()), spoken.text),
                ElementsAre(std::string(word) + ": recited, unsupported"));
  }
}

TEST(Judge, ANumberIsAsSureAsItsLeastSureDigit) {
  const Ground ground({"It has 1850 rooms."});
  Spoken number = speak({{"1850", 0.95}}, ground.prompt), word = speak({{"room", 0.95}}, ground.prompt);
  number.tokens[2].probability_first = word.tokens[2].probability_first = 0.05;
  EXPECT_EQ(judge_by_probe(number, ground.context()).claims.at(0).verdict, Verdict::kRecited);
  EXPECT_EQ(judge_by_probe(word, ground.context()).claims.at(0).verdict, Verdict::kCopied);
}

TEST(JudgeByQuote, WhatStandsOnTopicIsPresumedCopiedWhateverTheProbeSays) {
  const Ground ground({"The office of Marlow is in Leeds.", "York has rain."});
  const Spoken spoken =
      speak({{"It is in ", 0}, {"Leeds", 0}, {", ", 1}, {"York", 1, {ground.place("York", 1)}}, {" or ", 1}, {"Hull", 1}},
            ground.prompt);
  const Judgement judgement = judge_by_quote(spoken, ground.context());
  EXPECT_THAT(shown(judgement, spoken.text),
              ElementsAre("Leeds: copied, supported", "York: unchecked, copied_off_topic", "Hull: unchecked, unsupported"));
  for (const Claim& claim : judgement.claims) EXPECT_EQ(judgement.words[claim.first_word].verdict, claim.verdict);
}

// ---- rules that hold for any sentence

class Generator {
 public:
  Generator(uint64_t seed, const Ground& ground) : random_(seed), ground_(ground) {}

  size_t below(size_t n) { return random_() % n; }
  Spoken sentence() {
    static const std::vector<std::string> kWords = {"the",    "of",      "is",   "not",   "Leeds", "York", "office",
                                                    "Marlow", "1,850",   "café", "naïve", "31",    "rain", "where",
                                                    "it's",   "Paris's", "東京", "-",     "(",     "."};
    std::vector<Piece> pieces;
    const size_t count = 1 + below(12);
    for (size_t i = 0; i < count; ++i) {
      const std::string& word = kWords[below(kWords.size())];
      Piece piece{(i ? " " : "") + word, below(2) ? 1.0 : static_cast<double>(below(21)) / 20};
      const auto passage = static_cast<int32_t>(below(ground_.passages.size()));
      const auto places = find_words(ground_.passages[passage].text, word);
      if (!places.empty() && below(4) > 0) piece.looked_at.push_back({passage, places[below(places.size())]});
      pieces.push_back(std::move(piece));
    }
    return speak(pieces, ground_.prompt);
  }

 private:
  std::mt19937_64 random_;
  const Ground& ground_;
};

const std::vector<std::string> kTexts = {
    "The office of Marlow is in Leeds. Rain, not snow, fell in York: 1,850 mm.\n\n# Café\nIt's 31 rooms.",
    "Paris's café is naïve (31). 東京 has rain. The office is not where it was."};

void expect_rules(const Judgement& judgement, const Spoken& spoken, const Ground& ground) {
  std::vector<bool> in_claim(judgement.words.size());
  int32_t last = -1;
  for (const Claim& claim : judgement.claims) {
    ASSERT_GT(claim.words, 0);
    ASSERT_GE(claim.first_word, last) << "in order, and no word is in two";
    last = claim.first_word + claim.words;
    double least = 1;
    bool recited = false, unchecked = false;
    for (int32_t i = claim.first_word; i < last; ++i) {
      in_claim[i] = true;
      least = std::min(least, judgement.words[i].probability_copied);
      recited |= judgement.words[i].verdict == Verdict::kRecited;
      unchecked |= judgement.words[i].verdict == Verdict::kUnchecked;
    }
    EXPECT_EQ(claim.score, least);
    EXPECT_EQ(claim.verdict, recited ? Verdict::kRecited : unchecked ? Verdict::kUnchecked : Verdict::kCopied);
    EXPECT_EQ(claim.answer, (ByteSpan{judgement.words[claim.first_word].answer.begin, judgement.words[last - 1].answer.end}));
    EXPECT_EQ(claim.citation.has_value(), claim.support != Support::kUnsupported);
    if (!claim.citation) continue;
    const Citation& citation = judgement.citations.at(*claim.citation);
    const auto passage = std::find_if(ground.passages.begin(), ground.passages.end(),
                                      [&](const Passage& each) { return each.document_id == citation.document_id; });
    ASSERT_NE(passage, ground.passages.end());
    EXPECT_EQ(citation.quote, slice(passage->text, citation.source)) << "the quote is the stored bytes";
    EXPECT_EQ(citation.sentence_text, slice(passage->text, citation.sentence));
    EXPECT_EQ(folded_words(citation.quote), folded_words(slice(spoken.text, citation.answer)));
    EXPECT_TRUE(citation.sentence.begin <= citation.source.begin && citation.source.end <= citation.sentence.end);
    EXPECT_EQ(citation.answer, claim.answer);
  }
  const Language language = language_of(kQuestion + " " + spoken.text);
  for (size_t i = 0; i < judgement.words.size(); ++i) {
    const Word& word = judgement.words[i];
    const std::string folded = fold_case(slice(spoken.text, word.answer));
    EXPECT_FALSE(in_claim[i] && word.verdict == Verdict::kNeutral) << folded;
    if (binding_of(folded, language) == Binding::kNone) EXPECT_EQ(in_claim[i], word.verdict != Verdict::kNeutral) << folded;
    if (is_neutral_word(folded, false, language)) EXPECT_EQ(word.verdict, Verdict::kNeutral) << folded;
    if (folded == "not" || folded == "31") EXPECT_NE(word.verdict, Verdict::kNeutral) << folded;
    EXPECT_LE(spoken.token_bytes[word.first_token].begin, word.answer.begin);
    EXPECT_GE(spoken.token_bytes[word.first_token + word.tokens - 1].end, word.answer.end);
  }
}

TEST(Judge, EverySentenceKeepsTheRules) {
  const Ground ground(kTexts);
  size_t supported = 0, off_topic = 0;
  for (uint64_t seed = 1; seed <= 400; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const Spoken spoken = Generator(seed, ground).sentence();
    const Judgement by_probe = judge_by_probe(spoken, ground.context()), by_quote = judge_by_quote(spoken, ground.context());
    expect_rules(by_probe, spoken, ground);
    for (const Claim& claim : by_probe.claims)
      if (claim.support != Support::kUnsupported) EXPECT_EQ(claim.verdict, Verdict::kCopied);
    for (const Citation& citation : by_quote.citations)
      EXPECT_EQ(folded_words(citation.quote), folded_words(slice(spoken.text, citation.answer)));
    supported += by_probe.has_supported();
    off_topic += by_probe.read_elsewhere();
    if (HasFailure()) break;
  }
  EXPECT_GT(supported, 10u);  // the sentences do reach what is tested
  EXPECT_GT(off_topic, 10u);
}

TEST(AppendTo, ShiftsEverySentenceIntoTheAnswer) {
  const Ground ground(kTexts);
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Generator generator(seed, ground);
    Answer answer;
    std::vector<std::string> texts, words, claims;
    for (int i = 0; i < 3; ++i) {
      const Spoken spoken = generator.sentence();
      const Judgement judgement = judge_by_probe(spoken, ground.context());
      for (const Word& word : judgement.words) words.emplace_back(slice(spoken.text, word.answer));
      for (const Claim& claim : judgement.claims) claims.emplace_back(slice(spoken.text, claim.answer));
      texts.push_back(spoken.text);
      append_to(answer, spoken, judgement, ground.read, Delivery::kFlagged, i == 1, std::to_string(i));
    }
    ASSERT_EQ(answer.sentences.size(), 3u);
    for (size_t i = 0; i < 3; ++i) {
      EXPECT_EQ(slice(answer.text, answer.sentences[i].answer), texts[i]);
      EXPECT_EQ(answer.sentences[i].steered, i == 1);
      EXPECT_EQ(answer.sentences[i].reason, std::to_string(i));
    }
    ASSERT_EQ(answer.words.size(), words.size());
    for (size_t i = 0; i < words.size(); ++i) {
      EXPECT_EQ(slice(answer.text, answer.words[i].answer), words[i]);
      const ByteSpan first = answer.tokens.at(answer.words[i].first_token).answer,
                     last = answer.tokens.at(answer.words[i].first_token + answer.words[i].tokens - 1).answer;
      EXPECT_EQ(slice(answer.text, {first.begin, last.end}), words[i]);  // a token is one byte here
    }
    ASSERT_EQ(answer.claims.size(), claims.size());
    for (size_t i = 0; i < claims.size(); ++i) {
      EXPECT_EQ(slice(answer.text, answer.claims[i].answer), claims[i]);
      EXPECT_EQ(answer.words[answer.claims[i].first_word].answer.begin, answer.claims[i].answer.begin);
      if (!answer.claims[i].citation) continue;
      const Citation& citation = answer.citations.at(*answer.claims[i].citation);
      EXPECT_LE(citation.answer.begin, answer.claims[i].answer.begin);
      EXPECT_GE(citation.answer.end, answer.claims[i].answer.end);
    }
    if (HasFailure()) break;
  }
}

// ---- reasons

TEST(FirstClaimBeyond, SkipsClaimsThatOnlyRepeatTheQuestion) {
  const Ground ground({"x"});
  const Spoken spoken = speak({{"The office", 0}, {" is in "}, {"Marlow York", 0.5}, {" and "}, {"Hull", 0}}, ground.prompt);
  const Judgement judgement = judge_by_probe(spoken, ground.context());
  const auto any = [](const Claim&) { return true; };
  EXPECT_EQ(first_claim_beyond(ground.question, judgement, spoken.text, any), "Marlow York");
  EXPECT_EQ(first_claim_beyond(ground.question, judgement, spoken.text,
                               [](const Claim& claim) { return claim.verdict == Verdict::kRecited; }),
            "Hull");
  EXPECT_EQ(first_claim_beyond(Question(spoken.text), judgement, spoken.text, any), std::nullopt);
}

// ---- quotes

TEST(FindQuotes, FindsWhatASlowSearchFindsAndSharesTheAttention) {
  const Ground ground(kTexts);
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random(seed);
    // A run of words of a passage, in capitals.
    const auto p = static_cast<size_t>(random() % kTexts.size());
    std::vector<ByteSpan> words;
    for (const WordSpan& word : split_words(kTexts[p]))
      if (!word.punctuation) words.push_back(word.bytes);
    const size_t first = random() % words.size(), count = 1 + random() % std::min<size_t>(3, words.size() - first);
    const std::string claim(slice(kTexts[p], {words[first].begin, words[first + count - 1].end}));
    std::vector<float> attention(static_cast<size_t>(ground.prompt.all_passages.size()));
    for (float& each : attention) each = static_cast<float>(random() % 1000);

    const auto found = find_quotes(read_words(claim, Language::kEnglish), ground.read, ground.prompt, attention);
    std::set<std::pair<int32_t, int64_t>> expected, got;
    for (int32_t passage = 0; passage < 2; ++passage)
      for (const WordSpan& begin : split_words(kTexts[passage]))
        for (const WordSpan& end : split_words(kTexts[passage])) {
          if (begin.punctuation || end.punctuation || end.bytes.end <= begin.bytes.begin) continue;
          if (folded_words(slice(kTexts[passage], {begin.bytes.begin, end.bytes.end})) == folded_words(claim))
            expected.insert({passage, begin.bytes.begin});
        }
    float before = 1;
    for (const Occurrence& occurrence : found) {
      got.insert({occurrence.source.passage, occurrence.source.range.begin});
      EXPECT_EQ(folded_words(slice(kTexts[occurrence.source.passage], occurrence.source.range)), folded_words(claim));
      EXPECT_LE(occurrence.attention, before);
      before = occurrence.attention;
      double sum = 0, total = 0;
      for (size_t i = 0; i < attention.size(); ++i) {
        const engine::TokenSource& token = ground.prompt.sources[ground.prompt.all_passages.begin + i];
        total += attention[i];
        if (token.passage == occurrence.source.passage && token.range.overlaps(occurrence.source.range)) sum += attention[i];
      }
      EXPECT_NEAR(occurrence.attention, sum / total, 1e-5);
    }
    EXPECT_EQ(got, expected);
    if (HasFailure()) break;
  }
}

TEST(FindQuotes, RangesAreOfTheStoredDocumentNotOfThePassage) {
  const std::string document = "Rain fell. The office is in Leeds.";
  Passage passage = whole_document("d", document);
  passage.range = {11, static_cast<int64_t>(document.size())};
  passage.text = document.substr(11);
  const engine::Prompt prompt = test::prompt_of({passage});
  const std::vector<ReadPassage> read = read_passages(prompt.passages);
  const auto find = [&](const char* words) { return find_quotes(read_words(words, Language::kEnglish), read, prompt, {}); };
  const auto found = find("LEEDS");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(slice(document, found[0].source.range), "Leeds");
  EXPECT_EQ(found[0].attention, 0);
  EXPECT_EQ(read[0].sentence_around(found[0].source.range), (ByteSpan{11, static_cast<int64_t>(document.size())}));
  EXPECT_TRUE(find("York").empty());
  EXPECT_TRUE(find("...").empty());
}

TEST(MostAttended, IsTheTokenWithTheMostOrNothing) {
  const Ground ground({"ab", "c"});
  std::vector<float> attention(static_cast<size_t>(ground.prompt.all_passages.size()));
  EXPECT_FALSE(most_attended(ground.prompt, attention));
  EXPECT_FALSE(most_attended(ground.prompt, {}));
  attention[1] = 0.2f;
  attention.back() = 0.3f;
  const auto place = most_attended(ground.prompt, attention);
  ASSERT_TRUE(place);
  EXPECT_EQ(place->passage, 1);
  EXPECT_EQ(place->range, (ByteSpan{0, 1}));
}

}  // namespace
}  // namespace openbook::guard
