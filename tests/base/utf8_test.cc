#include "openbook/base/utf8.h"

#include "base/test_support.h"

namespace openbook {
namespace {

TEST(Utf8, FirstInvalidByteIsFound) {
  const struct {
    std::string text;
    std::optional<size_t> bad;
  } rows[] = {
      {"", std::nullopt},
      {"plain", std::nullopt},
      {"\xC3\xA9\xE4\xB8\xAD\xF0\x9F\x98\x80", std::nullopt},
      {"ab\xFF", 2},            // never a lead byte
      {"\xC0\xAF", 0},          // overlong
      {"\xE0\x80\xAF", 0},      // overlong
      {"x\xED\xA0\x80", 1},     // surrogate
      {"\xF4\x90\x80\x80", 0},  // above U+10FFFF
      {"ok\xE4\xB8", 2},        // cut short
      {"\x80", 0},              // continuation alone
  };
  for (const auto& row : rows) EXPECT_EQ(first_invalid_utf8(row.text), row.bad) << row.text;
}

TEST(Utf8, RequireNamesWhatAndWhere) {
  EXPECT_ERROR(require_utf8("ab\xFF", "notes.txt"), Code::kInvalidArgument, "notes.txt: not UTF-8 at byte 2");
}

TEST(Utf8, IncompleteSuffixIsWhatAStreamMustHold) {
  EXPECT_EQ(incomplete_utf8_suffix("abc"), 0u);
  EXPECT_EQ(incomplete_utf8_suffix("a\xC3"), 1u);
  EXPECT_EQ(incomplete_utf8_suffix("a\xE4\xB8"), 2u);
  EXPECT_EQ(incomplete_utf8_suffix("a\xF0\x9F\x98"), 3u);
  EXPECT_EQ(incomplete_utf8_suffix("a\xF0\x9F\x98\x80"), 0u);
  EXPECT_EQ(incomplete_utf8_suffix("\x80\x80\x80\x80"), 0u);
}

TEST(Utf8, EscapeSequencesAndDirectionOverridesBecomeVisible) {
  EXPECT_EQ(escape_for_terminal("a\x1B[31mb"), "a\\x1B[31mb");
  EXPECT_EQ(escape_for_terminal("a\u202Eb"), "a\\u{202E}b");
  EXPECT_EQ(escape_for_terminal("tab\tnew\n"), "tab\\x09new\n");
  EXPECT_EQ(escape_for_terminal("bad\xFF"), "bad\\xFF");
  EXPECT_EQ(escape_for_terminal("naïve 中文"), "naïve 中文");
}

TEST(Utf8, WhatMustStayOnOneLineDoes) {
  EXPECT_EQ(escape_line("a.md:9  \"no\"\n[7] b.md\r\tc"), "a.md:9  \"no\"\\n[7] b.md\\r\\tc");
  EXPECT_EQ(escape_line("\x1B[8m\u0085\u2028\xFF中"), "\\x1B[8m\\x85\\u{2028}\\xFF中");
}

TEST(Utf8, FoldCaseKeepsTheNumberOfCodePoints) {
  EXPECT_EQ(fold_case("ÀÉ İX"), "àé ix");
  EXPECT_EQ(code_points(fold_case("ÀÉß")).size(), 3u);
}

}  // namespace
}  // namespace openbook
