#include "openbook/base/utf8.h"

#include <random>

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

TEST(Utf8, EveryScalarValueIsReadAsItWasWritten) {
  for (char32_t value = 1; value <= 0x10FFFF; ++value) {
    if (value == 0xD800) value = 0xE000;  // surrogates are no values of text
    std::string text;
    append_utf8(text, value);
    ASSERT_EQ(first_invalid_utf8(text), std::nullopt) << std::hex << static_cast<uint32_t>(value);
    const CodePoint point = code_point_at(text, 0);
    ASSERT_EQ(point.value, value);
    ASSERT_EQ(point.length, text.size());
  }
}

TEST(Escape, WhatAReaderDoesNotSeeIsSpeltOut) {
  const struct {
    std::string text, shown;
  } rows[] = {
      {"pay\u200Bpal", "pay\\u{200B}pal"},                   // zero-width space
      {"a\u200Cb\u200Dc", "a\\u{200C}b\\u{200D}c"},          // joiners between Latin letters
      {"a\u2060b\uFEFFc", "a\\u{2060}b\\u{FEFF}c"},          // word joiner, byte order mark
      {"x\uFE0Fy\uFE01", "x\\u{FE0F}y\\u{FE01}"},            // variation selectors of nothing
      {"a\U000E0100", "a\\u{E0100}"},                        // behind a Latin letter
      {"Hi\U000E0048\U000E0069", "Hi\\u{E0048}\\u{E0069}"},  // tags: "Hi" in hidden letters
      {"\U0001F3F4\U000E0067", "\U0001F3F4\\u{E0067}"},      // behind a flag too
      {"\uFFF9base\uFFFAnote\uFFFB", "\\u{FFF9}base\\u{FFFA}note\\u{FFFB}"},
      {"a\u115Fb\u3164", "a\\u{115F}b\\u{3164}"},  // fillers
      {"a\u034Fb\u061C", "a\\u{34F}b\\u{61C}"},
      {"\U0001F600\uFE0F\uFE0F", "\U0001F600\uFE0F\\u{FE0F}"},  // one styles, the next says something else
      {"\U0001F600\u200D", "\U0001F600\\u{200D}"},              // joins nothing
      {"1\uFE0F2", "1\\u{FE0F}2"},
      {"\u0645\u200C\u200C\u0645", "\u0645\\u{200C}\\u{200C}\u0645"},
      {"\u0E01\u200Ba", "\u0E01\\u{200B}a"},
  };
  for (const auto& row : rows) EXPECT_EQ(escape_for_terminal(row.text), row.shown);
}

TEST(Escape, WhatShapesTheWritingStays) {
  for (const std::string text : {
           "co\u00ADoperate",
           "\U0001F469\u200D\U0001F469\u200D\U0001F467",         // family
           "\U0001F469\U0001F3FD\u200D\u2695\uFE0F",             // health worker with a skin tone
           "\u2764\uFE0F\u200D\U0001F525",                       // heart on fire
           "1\uFE0F\u20E3",                                      // keycap
           "\u0645\u06CC\u200C\u062E\u0648\u0627\u0647\u0645",   // Persian
           "\u0915\u094D\u200D\u0937 \u0915\u094D\u200C\u0937",  // Hindi
           "\u0D28\u0D4D\u200D",                                 // Malayalam
           "\u0E01\u0E32\u200B\u0E01\u0E32",                     // Thai
           "\u845B\U000E0100",                                   // a Japanese name's variant
           "\u1820\u180B",                                       // Mongolian
       })
    EXPECT_EQ(escape_for_terminal(text), text);
}

TEST(Escape, CodePointsThatNobodyHasAssignedStay) {
  for (const char32_t value : {0x40000, 0x7FFFF, 0x80000, 0xBFFFF, 0x10FFFD}) {
    std::string text = "a";
    append_utf8(text, value);
    EXPECT_EQ(first_invalid_utf8(text), std::nullopt) << std::hex << static_cast<uint32_t>(value);
    EXPECT_EQ(escape_for_terminal(text), text);
  }
}

TEST(FoldCase, OneFormForEverySpelling) {
  const struct {
    std::string text, form;
  } rows[] = {
      {"ÀÉ ÑX", "àé ñx"},
      {"Stra\u00DFe", "strasse"},
      {"\uFB01nd the o\uFB03ce", "find the office"},  // ligatures
      {"co\u00ADop\u200Berate\uFEFF", "cooperate"},   // what nobody sees
      {"\uFF21\uFF22\uFF23\uFF11", "abc1"},           // full-width
      {"e\u0301", "\u00E9"},                          // combining marks
      {"\uFF76\uFF9E", "\u30AC"},                     // half-width kana
      {"it\u2019s", "it's"},
      {"12,500", "12500"},
      {"1,234,567.80", "1234567.80"},
      {"12\u00A0500", "12500"},
      {"12\u202F500", "12500"},
      {"12'500", "12500"},
      {"12\u2019500", "12500"},
      {"\u0661\u0662\u066C\u0665\u0660\u0660\u066B\u0665", "12500.5"},  // Arabic digits and marks
      {"\uFF11\uFF12\uFF0C\uFF15\uFF10\uFF10", "12500"},
      {"12.500", "12.500"},
      {"12.500,75", "12500.75"},
      {"192.168.1.1", "192.168.1.1"},
      {"1,2,3 and 1,23", "1,2,3 and 1,23"},
      {"0,125", "0,125"},
      {"2024.10", "2024.10"},
      {"1,000th", "1000th"},
      {"10\u00B2 m\u00B2", "10\u00B2 m2"},  // 10 squared is not 102
  };
  for (const auto& row : rows) EXPECT_EQ(fold_case(row.text), row.form) << row.text;
}

TEST(FoldCase, FoldingTwiceChangesNothing) {
  std::mt19937_64 random(16);
  for (int round = 0; round < 20000; ++round) {
    std::string text;
    for (int i = 0; i < 8; ++i) {
      const char32_t pick = random() % 4 == 0   ? random() % 0x30000
                            : random() % 4 == 0 ? U"12,.'\u00A0\u00AD"[random() % 7]
                                                : random() % 0x600;
      if (pick < 0xD800 || pick > 0xDFFF) append_utf8(text, pick);
    }
    const std::string once = fold_case(text);
    EXPECT_EQ(first_invalid_utf8(once), std::nullopt);
    if (text.find_first_of("0123456789") == std::string::npos) EXPECT_EQ(fold_case(once), once) << escape_for_terminal(text);
  }
}

}  // namespace
}  // namespace openbook
