#include "openbook/base/sentences.h"

#include <random>

#include "base/test_support.h"
#include "openbook/base/lines.h"

namespace openbook {
namespace {

std::vector<std::string> sentences_of(std::string_view text) {
  std::vector<std::string> sentences;
  for (const ByteSpan range : split_sentences(text)) sentences.emplace_back(slice(text, range));
  return sentences;
}

using Sentences = std::vector<std::string>;

TEST(Sentences, EndAtMarksAndNotInsideWords) {
  const struct {
    std::string text;
    Sentences expected;
  } rows[] = {
      {"One. Two! Three? Four", {"One.", "Two!", "Three?", "Four"}},
      {"  padded.  \n", {"padded."}},
      {"Dr. Smith met J. R. Tolkien. They spoke.", {"Dr. Smith met J. R. Tolkien.", "They spoke."}},
      {"It costs 3.50 at example.com. Buy it.", {"It costs 3.50 at example.com.", "Buy it."}},
      {"See No. 5 and pp. 12. The answer is no. That is all.", {"See No. 5 and pp. 12.", "The answer is no.", "That is all."}},
      {"Many tools, e.g. hammers, i.e. Iron. End.", {"Many tools, e.g. hammers, i.e. Iron.", "End."}},
      {"The U.S. Army left in 1990. It was cold.", {"The U.S. Army left in 1990.", "It was cold."}},
      {"At 9 p.m. The shop closes.", {"At 9 p.m.", "The shop closes."}},
      {"He said \"Stop.\" Then (why?) he left.", {"He said \"Stop.\"", "Then (why?) he left."}},
      {"Wait... what? Yes!", {"Wait... what?", "Yes!"}},
      {"approx. 5 days etc. and more.", {"approx. 5 days etc. and more."}},
      {"¿Qué hora es? Es la una. El Sr. Gómez llegó.", {"¿Qué hora es?", "Es la una.", "El Sr. Gómez llegó."}},
      {"你好。今天「很好！」我们走吧？好", {"你好。", "今天「很好！」", "我们走吧？", "好"}},
      {"", {}},
      {" \n\t ", {}},
      {"...", {"..."}},
      {". . .", {".", ".", "."}},
  };
  for (const auto& row : rows) EXPECT_EQ(sentences_of(row.text), row.expected) << row.text;
}

TEST(Sentences, AnAbbreviationDoesNotEndThem) {
  for (const char* sentence :
       {"It opened on 3. August in Kiel.", "It opened on 12. Sept. in Kiel.", "See Fig. 7 and Vol. II for it.",
        "It holds approx. 12 litres.", "Dr. Vane and Mrs. Holt spoke.", "Take No. 5 from p. 12 and Jan. 3.",
        "Tools, e.g. The Hammer, are sold.", "The U.S. troops left.", "The U.S. Army and U.K. Navy left.",
        "They moved to St. Ives in May.", "Acme Inc. said so.", "Acme Inc. Chairman Lee said so.", "At 9 p.m. Monday it shut.",
        "Smith et al. (2001) wrote it.", "J. R. R. Vane wrote it.", "Robert J. De Vries wrote it.", "Born c. 1900 in Bonn.",
        "Ask Lt. Gen. Marlow and Prof. Ito.", "App. C lists it.", "Use max. 5 kg.",
        // Spanish
        "El Sr. Gómez y la Dra. Ruiz llegaron.", "Cuesta aprox. 12 euros.", "Véase la pág. 7 y el art. 3 de la ley.",
        "Los EE. UU. tienen cincuenta.", "Murió en el 44 a. C. en Roma.", "Frutas, p. ej. Manzanas, y más.",
        "Nació el 9 de sept. de 2001.",
        // German
        "Das Amt wurde am 3. August eröffnet.", "Der 2. Weltkrieg endete.", "Im 19. Jahrhundert war es so.",
        "Das war am 1. und 2. Weihnachtstag.", "Am 3. Tag kam er.", "Siehe Abb. 7 und Nr. 5.",
        "Werkzeuge, z. B. Hammer, d. h. Eisen.", "Er lebte um 44 v. Chr. in Rom.", "Es kostet ca. 12 Mio. Euro bzw. Dollar.",
        "Frau Dr. Vane kam.", "Am 3. M\u00E4rz kam er.",
        // French
        "M. Dupont et Mme. Roy sont l\u00E0.", "Voir p. 12 et fig. 7.",
        // marks that belong to numbers and words
        "It is 3.5 at example.com today.", "Wait... what is it?"}) {
    EXPECT_EQ(sentences_of(sentence), Sentences{sentence});
    EXPECT_EQ(sentences_of(std::string(sentence) + " Next one."), (Sentences{sentence, "Next one."}));
  }
}

TEST(Sentences, WhatOnlyLooksLikeAnAbbreviationEndsThem) {
  const struct {
    std::string text;
    Sentences expected;
  } rows[] = {
      {"He works at Acme Inc. The firm is old.", {"He works at Acme Inc.", "The firm is old."}},
      {"They live in the U.S. It is large.", {"They live in the U.S.", "It is large."}},
      {"Take vitamin C. The dose is low.", {"Take vitamin C.", "The dose is low."}},
      {"He sat in the sun. May was warm.", {"He sat in the sun.", "May was warm."}},
      {"There were 3. Then 12 came.", {"There were 3.", "Then 12 came."}},
      {"It began in 1990. August was hot.", {"It began in 1990.", "August was hot."}},
      {"I am 3. He is 5.", {"I am 3.", "He is 5."}},
      {"Er starb 1990. Danach kam sie.", {"Er starb 1990.", "Danach kam sie."}},
      {"It weighs 5 lbs. The lid is red.", {"It weighs 5 lbs.", "The lid is red."}},
      {"A. The first one.", {"A. The first one."}},
      {"It was so.[3] Then it rained.", {"It was so.[3]", "Then it rained."}},
      {"It was so.\u00B2 Then it rained.", {"It was so.\u00B2", "Then it rained."}},
      // other scripts
      {"यह घर है। वह बाग है। कौन?", {"यह घर है।", "वह बाग है।", "कौन?"}},
      {"هذا بيت. أين المفتاح؟ هنا.", {"هذا بيت.", "أين المفتاح؟", "هنا."}},
      {"זה בית. זה גן.", {"זה בית.", "זה גן."}},
      {"這是房子．３．５公斤。", {"這是房子．", "３．５公斤。"}},
      {"នេះជាផ្ទះ។ នោះជាសួន។", {"នេះជាផ្ទះ។", "នោះជាសួន។"}},
  };
  for (const auto& row : rows) EXPECT_EQ(sentences_of(row.text), row.expected) << row.text;
}

TEST(Sentences, ANewOneBeginsInAGrowingAnswer) {
  const struct {
    std::string text, next;
    bool begins;
  } rows[] = {
      {"It was cold.", " The", true},
      {"It was cold.", " 12", true},
      {"It was cold.", " and", false},
      {"It was cold", ".", false},
      {"It was cold. ", "The", true},
      {"It was cold.", "\n\nThe", true},
      {"It was cold.", " \xE4\xB8", true},  // a code point that has not come whole
      {"It holds approx.", " 12", false},
      {"It holds approx.", " The", false},
      {"It holds approx.", " ", false},
      {"It opened on 3.", " August", false},
      {"It opened on 3.", " Aug", false},
      {"It opened on 3.", " Then", true},
      {"Es war am 3.", " M", false},
      {"See Fig.", " 7", false},
      {"See No. ", "5", false},
      {"The answer is no.", " The", true},
      {"By J.", " He", false},  // Henderson
      {"Acme Inc.", " The", true},
      {"Acme Inc.", " Ch", false},
      {"One. Two", " three", false},  // the border lies behind us
      {"", "One", false},
  };
  for (const auto& row : rows) EXPECT_EQ(begins_new_sentence(row.text, row.next), row.begins) << row.text << "|" << row.next;
}

TEST(Sentences, CoverEverythingButBlanks) {
  static const std::vector<std::string> kParts = {"It", "was",  "Dr", ".",  ".", "!",      "?",      " ",      " ",      " ",
                                                  "\n", "\n\n", "- ", "# ", "3", "August", "[1]",    "\u00A0", "\u3002", "\u00B2",
                                                  "a",  "J",    "\"", ")",  "(", "etc",    "\u0964", "\u200B"};
  for (uint64_t seed = 1; seed <= 20000; ++seed) {
    std::mt19937_64 random(seed);
    std::string text;
    for (int i = 0; i < 20; ++i) text += kParts[random() % kParts.size()];
    int64_t last = 0;
    for (const ByteSpan& sentence : split_sentences(text)) {
      ASSERT_TRUE(trim(text, {last, sentence.begin}).empty()) << "seed " << seed << ": " << text;
      ASSERT_EQ(trim(text, sentence), sentence);
      ASSERT_FALSE(sentence.empty());
      last = sentence.end;
    }
    ASSERT_TRUE(trim(text, {last, static_cast<int64_t>(text.size())}).empty()) << "seed " << seed << ": " << text;
  }
}

TEST(Sentences, BlocksEndThemToo) {
  const struct {
    std::string text;
    Sentences expected;
  } rows[] = {
      {"a line\nits rest\n\nnext paragraph", {"a line\nits rest", "next paragraph"}},
      {"# Leave\nTwenty days\n- one\n  more\n- two\n1. first\n2. second",
       {"# Leave", "Twenty days", "- one\n  more", "- two", "1. first", "2. second"}},
      {"windows\r\nline\r\n\r\nnext\r\n", {"windows\r\nline", "next"}},
      {"in the year\n1990. It was cold.", {"in the year\n1990.", "It was cold."}},
      {"| a | b |\n| 1 | 2 |", {"| a | b |", "| 1 | 2 |"}},
      {"```\n# no heading. No end\nx = 1\n```\nText.", {"```", "# no heading. No end", "x = 1", "```", "Text."}},
      {"#hashtag. Not a heading.", {"#hashtag.", "Not a heading."}},
  };
  for (const auto& row : rows) EXPECT_EQ(sentences_of(row.text), row.expected) << row.text;
}

TEST(Lines, MarksOfAHeadingAreFoundInHeadingsOnly) {
  const std::string text = "# One\n  ### Two ##\n#three\n##\n####### seven\nx # y\n- # item\n";
  std::vector<ByteSpan> marks;
  for (const Line& line : split_lines(text))
    if (const ByteSpan mark = heading_mark(text, line); !mark.empty()) marks.push_back(mark);
  EXPECT_EQ(marks, (std::vector<ByteSpan>{{0, 1}, {8, 11}, {26, 28}}));
}

TEST(Lines, ContextIsTheTitleAndTheInnermostHeadingAbove) {
  const std::string text = "# Handbook\n\nHello.\n\n## Leave\n\nTwenty days.\n\n### Sick\n\nCall.\n\n## Pay\n\nMonthly.\n";
  const auto context = [&](const std::string& at) {
    return context_above(text, "markdown", split_lines(text), static_cast<int64_t>(text.find(at)));
  };
  EXPECT_EQ(context("# Handbook"), "");
  EXPECT_EQ(context("Hello"), "Handbook");
  EXPECT_EQ(context("## Leave"), "Handbook");
  EXPECT_EQ(context("Twenty"), "Handbook\nLeave");
  EXPECT_EQ(context("### Sick"), "Handbook\nLeave");
  EXPECT_EQ(context("Call"), "Handbook\nSick");
  EXPECT_EQ(context("## Pay"), "Handbook");  // not its elder sister's
}

TEST(Lines, AShortFirstLineAloneIsTheTitleOfAText) {
  const std::string titled = "Travel rules\n\nFly rarely.\n";
  EXPECT_EQ(context_above(titled, "text", split_lines(titled), 14), "Travel rules");
  const std::string untitled = "It rained.\n\nFly rarely.\n";
  EXPECT_EQ(context_above(untitled, "text", split_lines(untitled), 12), "");
  const std::string joined = "Travel rules\nFly rarely.\n\nMore.";
  EXPECT_EQ(context_above(joined, "text", split_lines(joined), 26), "");
}

}  // namespace
}  // namespace openbook
