#include "openbook/base/sentences.h"

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
