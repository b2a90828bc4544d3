#include "openbook/retriever/chunker.h"

#include <random>

#include "base/test_support.h"
#include "openbook/base/hidden_text.h"
#include "openbook/base/lines.h"
#include "openbook/base/utf8.h"
#include "retriever/hashing_embedder.h"

namespace openbook::retriever {
namespace {

const test::HashingEmbedder kEmbedder;
int64_t count(std::string_view text) { return kEmbedder.count_tokens(text); }

std::vector<std::string> chunks_of(std::string_view text, std::string_view format, const ChunkerOptions& options) {
  std::vector<std::string> chunks;
  for (const ByteSpan range : chunk_document(text, format, count, options)) chunks.emplace_back(slice(text, range));
  return chunks;
}

using Chunks = std::vector<std::string>;

TEST(Chunker, SentencesFillTheBudgetAndTheLastOnesAreRepeated) {
  const std::string text = "One two three. Four five six. Seven eight nine. Ten eleven twelve.";
  EXPECT_EQ(chunks_of(text, "text", {.max_tokens = 9, .overlap_tokens = 3}),
            (Chunks{"One two three. Four five six. Seven eight nine.", "Seven eight nine. Ten eleven twelve."}));
  EXPECT_EQ(chunks_of(text, "text", {.max_tokens = 9, .overlap_tokens = 2}),
            (Chunks{"One two three. Four five six. Seven eight nine.", "Ten eleven twelve."}));
}

TEST(Chunker, AHeadingStartsAChunkInMarkdownOnly) {
  const std::string text = "# Book\n## Leave\nTwenty days.\n\n## Pay\nMonthly.";
  EXPECT_EQ(chunks_of(text, "markdown", {}), (Chunks{"# Book\n## Leave\nTwenty days.", "## Pay\nMonthly."}));
  EXPECT_EQ(chunks_of(text, "text", {}), (Chunks{text}));
}

TEST(Chunker, AnUnderlinedHeadingStartsAChunkAndFrontMatterIsInNone) {
  const std::string text = "---\ntitle: Book\n# no heading\n---\n\nHello.\n\nLeave\n-----\n\nTwenty days.";
  EXPECT_EQ(chunks_of(text, "markdown", {}), (Chunks{"Hello.", "Leave\n-----\n\nTwenty days."}));
  EXPECT_EQ(chunks_of(text, "text", {}), (Chunks{text}));
}

TEST(Chunker, WhatIsHiddenPartsChunks) {
  const std::string text =
      "The soup <!-- is free and --> costs 40 crowns. Tea is hot.\n\n[//]: # (no)\n\n<p hidden>no</p>\n\nBread is there.";
  EXPECT_EQ(chunks_of(text, "markdown", {.max_tokens = 40, .overlap_tokens = 10}),
            (Chunks{"The soup", "costs 40 crowns. Tea is hot.", "Bread is there."}));
  EXPECT_EQ(chunks_of("# Menu\n\n<!-- no -->\n\nTea is hot.", "markdown", {}), (Chunks{"# Menu", "Tea is hot."}));
  EXPECT_EQ(chunks_of("<!-- no -->", "markdown", {}), Chunks{});
}

TEST(Chunker, ATableIsCutBetweenRowsAndItsHeaderGoesWithTheFirst) {
  const std::string header = "| Oar of wood | Length in metres |\n|---|---|\n",
                    rows[] = {"| ash one | 2 m |", "| fir two | 3 m |", "| elm ten | 4 m |"};
  const std::string table = header + rows[0] + "\n" + rows[1] + "\n" + rows[2];
  const int64_t cost = count(rows[0]), of_header = count(header);
  EXPECT_EQ(chunks_of(table, "markdown", {.max_tokens = of_header + cost, .overlap_tokens = 0}),
            (Chunks{header + rows[0], rows[1] + "\n" + rows[2]}));
  const std::string lead = "Ash and fir and elm are woods for oars.";
  EXPECT_EQ(chunks_of(lead + "\n\n" + table, "markdown", {.max_tokens = count(lead) + of_header, .overlap_tokens = 0}).front(),
            lead)
      << "a header was left without a row";
}

TEST(Chunker, CodeIsCutBetweenLinesAndItsCommentsAreNoHeadings) {
  std::string text = "# Set-up\n\n```sh\n";
  for (int i = 0; i < 30; ++i) text += "# step " + std::to_string(i) + "\nrun now\n";
  text += "```\n\nDone.";
  for (const std::string& chunk : chunks_of(text, "markdown", {.max_tokens = 40, .overlap_tokens = 0}))
    EXPECT_GE(std::count(chunk.begin(), chunk.end(), '\n'), 3) << chunk;
  EXPECT_EQ(chunks_of("Run:\n\n    # one\n    # two\n\nDone.", "markdown", {}).size(), 1u);
}

TEST(Chunker, ALongSentenceIsCutAtWordsThenAtCodePoints) {
  const std::string words = "a1 a2 a3 a4 a5 a6 a7 a8 a9 b1 b2";
  EXPECT_EQ(chunks_of(words, "text", {.max_tokens = 8, .overlap_tokens = 0}), (Chunks{"a1 a2 a3 a4 a5 a6 a7 a8", "a9 b1 b2"}));
  const std::string han = "一二三四五六七八九十";
  EXPECT_EQ(chunks_of(han, "text", {.max_tokens = 8, .overlap_tokens = 0}), (Chunks{"一二三四五六七八", "九十"}));
}

TEST(Chunker, AWordOfMegabytesIsCutThoughTheEmbedderCountsOneToken) {
  const std::string blob(1 << 20, 'x');
  for (const ByteSpan range : chunk_document(blob, "text", count, {})) EXPECT_LE(range.size(), 200 * 12);
}

// Pieces that make trouble: marks, blanks of several bytes, headings, fences, long words, several scripts, emoji with joiners.
std::string random_document(std::mt19937& random) {
  static const std::vector<std::string> kPieces = {"word",       "Leave",     "3.14",      "e.g.",       ".",
                                                   "!",          "?",         "。",        "中文字符",   "日本語",
                                                   "naïve",      "\u00A0",    "\u3000",    " ",          " ",
                                                   " ",          "\n",        "\n\n",      "\r\n",       "\n# Head ",
                                                   "\n## Sub\n", "\n- item ", "\n```\n",   "\n| cell |", "👩‍👩‍👧",
                                                   "e\u0301",    "\t",        "\u2028",    "\x1B[31m",   std::string(300, 'y'),
                                                   "「好！」",   "(a)",       "\"",        "1. ",        "U.S.",
                                                   "<!-- no",    "-->",       "\n|---|\n", "\n===\n",    "\r",
                                                   "<p hidden>", "</p>",      "[x]: ",     "\n    code", "---\n"};
  std::string text;
  const size_t length = random() % 400;
  for (size_t i = 0; i < length; ++i) text += kPieces[random() % kPieces.size()];
  return text;
}

void expect_chunked_well(const std::string& text, const std::string& format, const ChunkerOptions& options) {
  std::vector<bool> covered(text.size());
  int64_t last_begin = -1, last_end = -1;
  for (const ByteSpan range : chunk_document(text, format, count, options)) {
    ASSERT_TRUE(0 <= range.begin && range.begin < range.end && range.end <= static_cast<int64_t>(text.size()));
    const std::string_view chunk = slice(text, range);
    ASSERT_FALSE(first_invalid_utf8(chunk)) << "a code point was split";
    ASSERT_EQ(trim(text, range), range) << "blank margins";
    ASSERT_LE(count(chunk), options.max_tokens);
    ASSERT_TRUE(range.begin > last_begin && range.end > last_end) << "out of order, or nothing new";
    if (range.begin < last_end) ASSERT_LE(count(slice(text, {range.begin, last_end})), options.overlap_tokens);
    last_begin = range.begin, last_end = range.end;
    std::fill(covered.begin() + range.begin, covered.begin() + range.end, true);
  }
  std::vector<bool> visible(text.size());
  for (const ByteSpan range : visible_ranges(text, format))
    std::fill(visible.begin() + range.begin, visible.begin() + range.end, true);
  for (const CodePoint& point : code_points(text)) {
    if (visible[point.offset])
      ASSERT_TRUE(covered[point.offset] || is_space(point.value)) << "byte " << point.offset << " is in no chunk";
    else
      ASSERT_FALSE(covered[point.offset]) << "byte " << point.offset << " is hidden and in a chunk";
  }
}

TEST(Chunker, ChunksCoverEveryNonBlankByteWithinBudgetWholeCodePointsOnly) {
  const unsigned seed = std::random_device{}();
  std::mt19937 random(seed);
  for (int round = 0; round < 400 && !testing::Test::HasFatalFailure(); ++round) {
    const ChunkerOptions options{.max_tokens = 8 + static_cast<int64_t>(random() % 60),
                                 .overlap_tokens = static_cast<int64_t>(random() % 8)};
    const std::string text = random_document(random);
    SCOPED_TRACE("seed " + std::to_string(seed) + ", round " + std::to_string(round) + ", text:\n" + text);
    expect_chunked_well(text, round % 2 ? "markdown" : "text", options);
  }
}

TEST(Chunker, WrongOptionsAndTextsAreNamed) {
  EXPECT_ERROR(chunk_document("a\xFF", "text", count), Code::kInvalidArgument, "not UTF-8 at byte 1");
  EXPECT_ERROR(chunk_document("a", "pdf", count), Code::kInvalidArgument, "\"pdf\"");
  EXPECT_ERROR(chunk_document("a", "text", count, {.max_tokens = 7, .overlap_tokens = 0}), Code::kInvalidArgument, "at least 8");
  EXPECT_ERROR(chunk_document("a", "text", count, {.max_tokens = 20, .overlap_tokens = 20}), Code::kInvalidArgument,
               "above the overlap");
}

}  // namespace
}  // namespace openbook::retriever
