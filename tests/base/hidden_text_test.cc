#include "openbook/base/hidden_text.h"

#include <random>

#include "base/test_support.h"
#include "openbook/base/lines.h"
#include "openbook/base/passage.h"
#include "openbook/base/sentences.h"
#include "openbook/base/utf8.h"

namespace openbook {
namespace {

// What a reader sees, ranges joined by "~".
std::string seen(std::string_view text) {
  std::string out;
  for (const ByteSpan range : visible_ranges(text, "markdown")) (out += out.empty() ? "" : "~") += slice(text, range);
  return out;
}

TEST(HiddenText, IsWhatMarkdownDoesNotShow) {
  const std::pair<std::string, std::string> rows[] = {
      // comments and the like
      {"a <!-- x --> b", "a ~ b"},
      {"a <!-- x\ny --> b", "a ~ b"},
      {"<!--\nx\n\ny\n-->\nb", "\nb"},
      {"<!-- x --> a <!-- y -->", " a "},
      {"<!--> a --> b", " a --> b"},
      {"a <!-- open", "a <!-- open"},
      {"a <!-- open\n\nb --> c", "a <!-- open\n\nb --> c"},
      {"a\n\n<!-- open\n\nb", "a\n\n"},
      {"<!-- x --!> a", " a"},
      {"a <?php x ?> b", "a ~ b"},
      {"a <!DOCTYPE x> b", "a ~ b"},
      {"a <![CDATA[x]]> b", "a ~ b"},
      // elements
      {"a <span style=\"display:none\">x</span> b", "a ~ b"},
      {"a <span style='DISPLAY : None !important; color:red'>x</span> b", "a ~ b"},
      {"a <span style=\"color:red;visibility:hidden\">x</span> b", "a ~ b"},
      {"a <span style=\"opacity:0\">x</span> b", "a ~ b"},
      {"a <span style=\"opacity:0.5\">x</span> b", "a <span style=\"opacity:0.5\">x</span> b"},
      {"a <i style=font-size:0px>x</i> b", "a ~ b"},
      {"a <span style=\"position:absolute;left:-9999px\">x</span> b", "a ~ b"},
      {"a <span style=\"color:#fff\">x</span> b", "a ~ b"},
      {"a <b style=\"color:white;background:navy\">x</b> b", "a <b style=\"color:white;background:navy\">x</b> b"},
      {"a <SPAN HIDDEN>x</Span> b", "a ~ b"},
      {"a <span hidden=\"\">x <span>y</span> z</span> b", "a ~ b"},
      {"a <span data-x=\">\" hidden>x</span> b", "a ~ b"},
      {"a <span hidden>x\n\nb", "a ~\n\nb"},
      {"a <span title=\"hidden\">x</span>", "a <span title=\"hidden\">x</span>"},
      {"<div hidden>\nx\n\n# y\n\n</div>\nb", "\nb"},
      {"<div hidden>\n<div>x</div>\n<!-- </div> -->\ny</div> b", " b"},
      {"a\n\n<div hidden>\n\nx\n\ny", "a\n\n"},
      {"<p hidden>x\n\nb", "\n\nb"},
      {"<ul>\n<li hidden>x\n\n<li>b</ul>", "<ul>\n~\n\n<li>b</ul>"},
      {"<details>\n<summary>a</summary>\nb\n</details>", "<details>\n<summary>a</summary>\nb\n</details>"},
      {"<script>\nx < y </div>\n\nz\n</script>\nb", "\nb"},
      {"<style>\n.x {}\n</style>\nb", "\nb"},
      {"a <template>x</template> b", "a ~ b"},
      {"a <input type=hidden value=x> b", "a ~ b"},
      {"a <img hidden src=x> b", "a ~ b"},
      {"<dialog>x</dialog>\n\n<dialog open>b</dialog>", "\n\n<dialog open>b</dialog>"},
      {"| a <span hidden>x | y</span> |\n| b | c |", "| a ~ |\n| b | c |"},
      // definitions
      {"[//]: # (x)\n\nb", "\n\nb"},
      {"[c]: <> (x)\nb", "\nb"},
      {"[c]:\n  http://x.y\n  'x\ny'\nb", "\nb"},
      {"[c]: x \"y\"\n[d]: z\nb", "\n~\nb"},
      {"> [c]: x \"y\"", "> "},
      {"- [c]: x", "- "},
      {"[c]: two words", "[c]: two words"},
      {"[^1]: A", "[^1]: A"},
      {"a\n[c]: x", "a\n[c]: x"},
      {"[c]: x \"open", "[c]: x \"open"},
      // code shows it all
      {"`<!-- a -->`", "`<!-- a -->`"},
      {"``<!-- ` a -->`` <!-- x -->", "``<!-- ` a -->`` "},
      {"` <!-- x -->", "` "},
      {"\\<!-- a -->", "\\<!-- a -->"},
      {"```\n<!-- a -->\n[b]: c\n```", "```\n<!-- a -->\n[b]: c\n```"},
      {"    <span hidden>a</span>", "    <span hidden>a</span>"},
      {"<div hidden>\n\n```\n</div>\n```\nx</div>b", "b"},
      // front matter
      {"---\ntitle: x\n---\nb", "\nb"},
      {"a < b and c > d", "a < b and c > d"},
      {"<https://x.y> and <b>c</b>", "<https://x.y> and <b>c</b>"},
  };
  for (const auto& [text, expected] : rows) EXPECT_EQ(seen(text), expected) << text;
}

TEST(HiddenText, OfPlainTextIsNone) {
  const std::string text = "---\ntitle: x\n---\n<!-- a -->\n[//]: # (b)\n";
  EXPECT_TRUE(hidden_text(text, "text").empty());
  EXPECT_EQ(visible_ranges(text, "text"), (std::vector<ByteSpan>{{0, static_cast<int64_t>(text.size())}}));
}

TEST(HiddenText, IsCountedWithItsReasons) {
  const std::string text = "a <!-- x --> b <!-- y -->\n\n<p hidden>z</p>\n";
  EXPECT_EQ(hidden_text_note("menu.md", hidden_text(text, "markdown")),
            "menu.md: 3 hidden pieces left out (HTML comment, hidden attribute)");
  EXPECT_EQ(hidden_text_note("menu.md", hidden_text("a <!-- x -->", "markdown")),
            "menu.md: 1 hidden piece left out (HTML comment)");
  EXPECT_EQ(hidden_text_note("menu.md", {}), "");
}

TEST(VisiblePassages, AreWhatAReaderSeesWithContextAndLine) {
  const std::string text =
      "---\ntitle: Menu\n---\n\nThe soup <!-- free -->costs 40 crowns.\r\n\r\n## Tea\r\rIt is hot.\n<!-- not -->\n";
  const std::vector<Passage> passages = visible_passages("menu.md", text, "markdown");
  ASSERT_EQ(passages.size(), 2u);
  EXPECT_EQ(passages[0].text, "The soup");
  EXPECT_EQ(passages[1].text, "costs 40 crowns.\r\n\r\n## Tea\r\rIt is hot.");
  for (const Passage& passage : passages) {
    EXPECT_EQ(passage.context, "Menu");
    EXPECT_EQ(passage.line, 5);
    EXPECT_EQ(slice(text, passage.range), passage.text);
    EXPECT_EQ(passage.document_sha256, whole_document("", text).document_sha256);
  }
  EXPECT_TRUE(visible_passages("menu.md", "<!-- nothing -->\n\n.\n", "markdown").empty());
}

// Pieces that make trouble for whoever looks for marks.
std::string markdown_soup(std::mt19937& random) {
  static const std::vector<std::string> kPieces = {"word ",
                                                   "Leave",
                                                   ". ",
                                                   "\n",
                                                   "\n\n",
                                                   "\r\n",
                                                   "\r",
                                                   "# H",
                                                   "\n===\n",
                                                   "\n---\n",
                                                   "|",
                                                   " | ",
                                                   "\n|---|---|\n",
                                                   "\n| a | b |\n",
                                                   "<!--",
                                                   "-->",
                                                   "<div hidden>",
                                                   "</div>",
                                                   "<span style=\"display:none\">",
                                                   "</span>",
                                                   "<p>",
                                                   "</p>",
                                                   "<script>",
                                                   "</script>",
                                                   "`",
                                                   "\n```\n",
                                                   "\n    code",
                                                   "\n- item ",
                                                   "\n> ",
                                                   "[x]: ",
                                                   "\n[x]: y \"z\"\n",
                                                   "(",
                                                   "\"",
                                                   "'",
                                                   "+++\n",
                                                   "title: x\n",
                                                   "\u00E9",
                                                   "中文。",
                                                   "👩‍👩‍👧",
                                                   "\t",
                                                   "\u00A0",
                                                   "\\",
                                                   "<",
                                                   ">",
                                                   "e\u0301",
                                                   "<?",
                                                   "?>",
                                                   "<img hidden>",
                                                   "\n\n<div>\n"};
  std::string text = random() % 4 == 0 ? "---\n" : "";
  for (size_t left = random() % 120; left > 0; --left) text += kPieces[random() % kPieces.size()];
  return text;
}

void expect_ordered_and_whole(std::string_view text, const std::vector<ByteSpan>& ranges) {
  int64_t last = 0;
  for (const ByteSpan range : ranges) {
    ASSERT_TRUE(last <= range.begin && range.begin < range.end && range.end <= static_cast<int64_t>(text.size()));
    ASSERT_FALSE(first_invalid_utf8(slice(text, range))) << "a code point was split";
    last = range.end;
  }
}

TEST(HiddenText, RangesOfRandomMarkdownAreOrderedDisjointAndWholeAndSentencesStayInThem) {
  const unsigned seed = std::random_device{}();
  std::mt19937 random(seed);
  for (int round = 0; round < 3000 && !testing::Test::HasFatalFailure(); ++round) {
    const std::string text = markdown_soup(random);
    SCOPED_TRACE("seed " + std::to_string(seed) + ", round " + std::to_string(round) + ", text:\n" + text);
    std::vector<ByteSpan> hidden;
    for (const HiddenText& each : hidden_text(text, "markdown")) hidden.push_back(each.range);
    expect_ordered_and_whole(text, hidden);
    const std::vector<ByteSpan> visible = visible_ranges(text, "markdown");
    expect_ordered_and_whole(text, visible);
    for (const ByteSpan range : visible)
      for (const ByteSpan other : hidden) ASSERT_FALSE(range.overlaps(other));
    const std::vector<Line> lines = split_lines(text);
    int64_t next = 0;
    for (const Line& line : lines) {
      ASSERT_TRUE(next <= line.range.begin && line.range.begin <= line.range.end);
      next = line.range.end;
    }
    const std::vector<ByteSpan> sentences = split_sentences(text, lines, visible);
    expect_ordered_and_whole(text, sentences);
    for (const ByteSpan sentence : sentences) {
      ASSERT_EQ(trim(text, sentence), sentence);
      for (const ByteSpan other : hidden) ASSERT_FALSE(sentence.overlaps(other));
    }
    expect_ordered_and_whole(text, split_sentences(text));
    for (const Passage& passage : visible_passages("d", text, "markdown")) ASSERT_EQ(slice(text, passage.range), passage.text);
  }
}

}  // namespace
}  // namespace openbook
