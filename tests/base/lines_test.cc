#include "openbook/base/lines.h"

#include <ctime>

#include "base/test_support.h"
#include "openbook/base/hidden_text.h"
#include "openbook/base/sentences.h"

namespace openbook {
namespace {

// One letter a line: what each is.
std::string kinds_of(std::string_view text) {
  static constexpr std::string_view kLetters = ".tHuiTRrv-fh";  // in the order of LineKind
  std::string kinds;
  for (const Line& line : split_lines(text)) kinds += kLetters[static_cast<size_t>(line.kind)];
  return kinds;
}

std::vector<std::string> sentences_of(std::string_view text) {
  std::vector<std::string> sentences;
  for (const ByteSpan range : split_sentences(text)) sentences.emplace_back(slice(text, range));
  return sentences;
}

using Sentences = std::vector<std::string>;

struct Row {
  std::string text, kinds;
};

void expect_kinds(const std::vector<Row>& rows) {
  for (const Row& row : rows) EXPECT_EQ(kinds_of(row.text), row.kinds) << row.text;
}

TEST(Lines, EndAtEveryKindOfLineEnd) {
  expect_kinds({{"# Oars\rFour.\r\rSix.\r", "Ht.t"},
                {"# Oars\r\nFour.\r\n\r\nSix.\r\n", "Ht.t"},
                {"# Oars\nFour.\n\nSix.\n", "Ht.t"},
                {"# Oars\rFour.\n\r\nSix.", "Ht.t"}});
  EXPECT_EQ(sentences_of("# Oars\r\rThe boat has\rfour oars.\r"), (Sentences{"# Oars", "The boat has\rfour oars."}));
}

TEST(Lines, AreNumberedWhateverEndsThem) {
  const std::string text = "a\rb\r\nc\n\nd";
  const std::pair<char, int64_t> rows[] = {{'a', 1}, {'b', 2}, {'c', 3}, {'d', 5}};
  for (const auto& [letter, number] : rows)
    EXPECT_EQ(line_number(text, static_cast<int64_t>(text.find(letter))), number) << letter;
  EXPECT_EQ(line_number("", 0), 1);
  EXPECT_EQ(line_number("a\n", 2), 2);
}

TEST(Lines, FrontMatterIsYamlOrTomlAtTheBeginning) {
  expect_kinds({{"---\ntitle: Weir\n# old\ntags:\n- a\n---\nText.\n# Head", "fffffftH"},
                {"+++\ntitle = \"Weir\"\n# old\n[menu]\nx = 1\n+++\n\nText.", "ffffff.t"},
                {"\xEF\xBB\xBF---\ntitle: Weir\n...\nText.", "ffft"},
                {"---\r\ntitle: Weir\r\n---\r\nText.", "ffft"},
                {"---\nA sentence: it goes on and on and has a colon.\nAnd prose.\n---\nText.", "-tt-t"},
                {"---\n\nText.\n\n---\n", "-.t.-"},
                {"---\ntitle: never closed\nText.\n", "-tt"},
                {"Text.\n\n---\ntitle: late\n---\n", "t.-Hu"}});
}

TEST(Lines, AHeadingMayBeUnderlined) {
  expect_kinds({{"Weir\n====\nText.", "Hut"},
                {"Weir\n---\nText.", "Hut"},
                {"Two lines\nof prose\n---\nText.", "tt-t"},
                {"A sentence.\n---\nText.", "t-t"},
                {"- item\n---\nText.", "i-t"},
                {"\n---\n***\n___\n=====\n", ".----"},
                {"Regards\n--\nAnn", "ttt"}});
  const std::string text = "Weir\n====\n\nLock\n----\n\nText.";
  const std::vector<Line> lines = split_lines(text);
  EXPECT_EQ(lines[0].level, 1);
  EXPECT_EQ(lines[3].level, 2);
  EXPECT_TRUE(heading_mark(text, lines[0]).empty());
  EXPECT_EQ(sentences_of(text), (Sentences{"Weir\n====", "Lock\n----", "Text."}));
}

TEST(Lines, ATableHasAHeaderARuleAndRows) {
  expect_kinds({{"| Oar | Length |\n|---|:-:|\n| A | 2 m |\n| B | 3 m |\n\nText.", "TRrr.t"},
                {"Oar | Length\n--- | ---\nA | 2 m\nB | 3 m\nText.", "TRrrt"},
                {"Oars of the house:\nOar | Length\n--- | ---\nA | 2 m", "tTRr"},
                {"+---+---+\n| Oar | m |\n+===+===+\n| A | 2 |\n+---+---+\n| B | 3 |\n+---+---+", "RTRrRrR"},
                {"|---+---|\n| Oar | m |\n|---+---|\n| A | 2 |", "RTRr"},
                {"+---+---+\n| A | 2 |\n+---+---+\nText.", "RrRt"},
                {"> | Oar | m |\n> |---|---|\n> | A | 2 |", "TRr"},
                {"- list\n\n  | Oar | m |\n  |---|---|\n  | A | 2 |", "i.TRr"},
                {"| A | 2 m |\n| B | 3 m |", "rr"},                          // cut from below their header
                {"A | 2 m | red\nB | 3 m | blue\nText | with one.", "rrt"},  // the same without edges
                {"either a | b or not", "t"},
                {"a \\| b\n---\n", "Hu"},
                {"|---|---|\n", "R"}});
}

TEST(Lines, CodeIsFencedOrIndentedAndKeepsItsMarks) {
  expect_kinds({{"```sh\n# no heading\n| a |\n---\n```\n# Head", "vvvvvH"},
                {"Run it:\n\n    # no heading\n    | a |\n\nText.", "t.vv.t"},
                {"~~~\n```\n~~~\ntext", "vvvt"},
                {"``` a ``` is code\ntext", "tt"},
                {"- item\n\n    its second paragraph\n\n      # code of the item\n", "i.t.v"},
                {"1. item\n\n   ```\n   # code\n   ```\n", "i.vvv"},
                {"Text\n    goes on\n", "tt"},
                {"    The first line of this paragraph is indented\nas books have it.", "tt"},
                {"    - indented\n    - list\n", "ii"},
                {"\t# code\n", "v"}});
}

TEST(Lines, HtmlBlocksHaveNoMarkdownAndCommentsNoLines) {
  expect_kinds({{"<!-- one -->\n# Head", "hH"},
                {"<!--\n# none\n\n```\n-->\n# Head", "hh.hhH"},
                {"<div>\n# none\n</div>\n\n# Head", "ttt.H"},
                {"<div hidden>\n\n# none\n\n- no\n\n</div>\n\n# Head", "h.h.h.h.H"},
                {"Text.\n\n[//]: # (none)\n\n[a]: http://x.y\n\"Title\"\n", "t.h.hh"},
                {"`<!-- shown -->`\n", "t"},
                {"    <!-- shown -->\n", "v"},
                {"```\n<!-- shown -->\n```\n", "vvv"}});
}

TEST(Sentences, HoldNoTableHeaderRuleFrontMatterOrHiddenLine) {
  EXPECT_EQ(sentences_of("---\ntitle: Oars. And more.\n---\n\n# Oars\n\n| Oar | m |\n|---|---|\n| A. B. | 2 |\n\n***\n\n"
                         "<!-- Not this. -->\n\n[//]: # (Nor this.)\n\nThe end."),
            (Sentences{"# Oars", "| A. B. | 2 |", "The end."}));
}

TEST(Context, TheTitleOfTheFrontMatterIsTheTitle) {
  const std::pair<std::string, std::string> rows[] = {
      {"---\ntitle: Barnes Weir\n---\n", "Barnes Weir"},
      {"---\ndate: 1\ntitle: \"Barnes \\\"Old\\\" Weir\"  # short\n---\n", "Barnes \"Old\" Weir"},
      {"---\ntitle: 'Barnes'' Weir'\n---\n", "Barnes' Weir"},
      {"---\ntitle: Barnes Weir # the old one\n---\n", "Barnes Weir"},
      {"---\n\"title\": Barnes: Weir\n---\n", "Barnes: Weir"},
      {"---\ntitle: >-\n  Barnes\n  Weir\ntags: []\n---\n", "Barnes Weir"},
      {"---\nTitle: Barnes Weir\r\n---\r\n", "Barnes Weir"},
      {"+++\ntitle = \"Barnes Weir\"\n+++\n", "Barnes Weir"},
      {"+++\ndate = 2020-01-01\ntitle='Barnes Weir'\n[menu]\ntitle = \"Menu\"\n+++\n", "Barnes Weir"},
      {"+++\nx = 1\n[menu]\ntitle = \"Menu\"\n+++\n", ""},
      {"---\nmenu:\n  title: Menu\nsubtitle: Sub\n---\n", ""},
      {"---\ntitle: " + std::string(200, 'x') + "\n---\n", ""},
  };
  for (const auto& [matter, title] : rows) {
    const std::string text = matter + "\nFirst words of the page.\n\n## Lock\n\nShut.\n";
    const std::vector<Line> lines = split_lines(text);
    const auto context = [&](const char* at) {
      return context_above(text, "markdown", outline(lines), static_cast<int64_t>(text.find(at)));
    };
    EXPECT_EQ(context("First"), title) << matter;
    EXPECT_EQ(context("Shut"), title.empty() ? "Lock" : title + "\nLock") << matter;
    EXPECT_EQ(context_above(text, "text", lines, static_cast<int64_t>(text.find("Shut"))), title) << matter;
  }
}

TEST(Context, HoldsUnderlinedHeadingsAndColumnHeadsOfATableThatWasCut) {
  const std::string text =
      "Boats\n=====\n\nOars\n----\n\n| Oar | Length |\n|---|---|\n| A | 2 m |\n| B | 3 m |\n\nThe end.\n\n| C | 4 m |\n";
  for (const std::vector<Line>& lines : {split_lines(text), outline(split_lines(text))}) {
    const auto context = [&](const char* at) {
      return context_above(text, "markdown", lines, static_cast<int64_t>(text.find(at)));
    };
    EXPECT_EQ(context("Boats"), "");
    EXPECT_EQ(context("Oars"), "Boats");
    EXPECT_EQ(context("| Oar"), "Boats\nOars");
    EXPECT_EQ(context("|---"), "Boats\nOars\nOar | Length");
    EXPECT_EQ(context("| A"), "Boats\nOars\nOar | Length");
    EXPECT_EQ(context("| B"), "Boats\nOars\nOar | Length");
    EXPECT_EQ(context("The end"), "Boats\nOars");
    EXPECT_EQ(context("| C"), "Boats\nOars");
  }
}

// A quarter of a megabyte of marks that begin something and never end it.
TEST(Lines, TakeTimeThatGrowsWithTheTextOnly) {
  for (const std::string piece : {"|",
                                  "| ",
                                  "|\n",
                                  "<!--",
                                  "<!-- ",
                                  "<!--\n",
                                  "<!--\n\n",
                                  "---",
                                  "---\n",
                                  "--- ",
                                  "`",
                                  "``` ",
                                  "` `` ",
                                  "<",
                                  "<a ",
                                  "<a b='",
                                  "<a b=\"'",
                                  "<span hidden>",
                                  "<span hidden>\n\n",
                                  "<li hidden>\n\n",
                                  "<div hidden>",
                                  "</div>",
                                  "<script>",
                                  "<script>\n\n",
                                  "[",
                                  "[a]: ",
                                  "[a]: b\n",
                                  "[a]: b (\n",
                                  "> ",
                                  ">\n",
                                  "- ",
                                  "-\n",
                                  "    ",
                                  "    x\n",
                                  "  - a\n",
                                  "\r",
                                  "\r\n",
                                  "+---+\n",
                                  "+---+\n| a |\n",
                                  "|---|\n",
                                  "a | b\n",
                                  "a\n===\n",
                                  "# a\n",
                                  "\\",
                                  "<?",
                                  "<![CDATA[",
                                  "<!A",
                                  "-- ",
                                  "\xE2\x80\xA8"}) {
    std::string text;
    while (text.size() < (1 << 18)) text += piece;
    for (const std::string_view before : {"", "<div>\n", "x ", "- "}) {
      const std::string whole = std::string(before) + text;
      const std::clock_t begin = std::clock();
      split_lines(whole);
      visible_ranges(whole, "markdown");
      // Processor time, so that a busy machine makes no difference; work that grows with the square would take a minute.
      EXPECT_LT(static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC, 5) << before << piece;
    }
  }
}

}  // namespace
}  // namespace openbook
