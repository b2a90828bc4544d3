#include "openbook/base/words.h"

#include <algorithm>
#include <random>

#include "base/test_support.h"
#include "openbook/base/utf8.h"

namespace openbook {
namespace {

std::vector<std::string> parts(std::string_view text) {
  std::vector<std::string> found;
  for (const WordSpan& span : split_words(text))
    found.push_back((span.punctuation ? "." : "") + std::string(slice(text, span.bytes)));
  return found;
}

TEST(Words, SplitAtSpacesAndPunctuation) {
  const struct {
    std::string text;
    std::vector<std::string> parts;
  } rows[] = {
      {"", {}},
      {" \n", {}},
      {"Paris is.", {"Paris", "is", ".."}},
      {"don't, won\u2019t", {"don't", ".,", "won\u2019t"}},
      {"Norway's capital", {"Norway", ".'", "s", "capital"}},
      {"3.5 and 1,000.", {"3.5", "and", "1,000", ".."}},
      {"well-known", {"well", ".-", "known"}},
      {"naïve Ünï 中文 x", {"naïve", "Ünï", "中", "文", "x"}},
      {"e\u0301t", {"e\u0301t"}},                                   // a combining mark stays with its letter
      {"co\u00ADop\u200Berate \u00AD", {"co\u00ADop\u200Berate"}},  // what nobody sees is no border and no word
      {"\U0001F600\uFE0F!", {".\U0001F600", ".!"}},
      {"12\u00A0500 km, 12\u202F500.5; 1'000", {"12\u00A0500", "km", ".,", "12\u202F500.5", ".;", "1'000"}},
      {"12\u00A05000 12\u00A0 5'11", {"12", "5000", "12", "5", ".'", "11"}},
      {"5\u338F \u2116 7", {"5\u338F", "\u2116", "7"}},    // units and signs in one code point
      {"\u304B\u3099\u304D", {"\u304B\u3099", "\u304D"}},  // a kana and its mark are one
      {"\uFF76\uFF9E\uFF71", {"\uFF76\uFF9E", "\uFF71"}},
      {"สวัสดีชาวโลก", {"สวัสดี", "ชาว", "โลก"}},
      {"ห้องเย็น25องศา", {"ห้อง", "เย็น", "25", "องศา"}},
      {"ສະບາຍດີໂລກ", {"ສະບາຍດີ", "ໂລກ"}},
      {"ខ្ញុំទៅសាលារៀន", {"ខ្ញុំ", "ទៅ", "សាលារៀន"}},
      {"ကျောင်းသို့သွား", {"ကျောင်း", "သို့", "သွား"}},
  };
  for (const auto& row : rows) EXPECT_EQ(parts(row.text), row.parts) << row.text;
}

TEST(Words, FoundWhateverStandsBetween) {
  const std::string text = "New York; new-york, NEW  YORK and Newark, York's new york's";
  const std::vector<ByteSpan> found = find_words(text, "New York");
  ASSERT_EQ(found.size(), 4u);
  EXPECT_EQ(slice(text, found[0]), "New York");
  EXPECT_EQ(slice(text, found[1]), "new-york");
  EXPECT_EQ(slice(text, found[2]), "NEW  YORK");
  EXPECT_EQ(slice(text, found[3]), "new york");
  EXPECT_TRUE(find_words("anything", "...").empty());
  EXPECT_FALSE(holds_words("Huntington Castle", "Hunting"));
}

std::vector<std::string> found(std::string_view text, std::string_view piece) {
  std::vector<std::string> pieces;
  for (const ByteSpan& place : find_words(text, piece)) pieces.emplace_back(slice(text, place));
  return pieces;
}

TEST(Words, FoundInEverySpelling) {
  const struct {
    std::string text, piece;
    std::vector<std::string> found;
  } rows[] = {
      {"The \uFB01re o\uFB03ce", "fire office", {"\uFB01re o\uFB03ce"}},
      {"fire office", "\uFB01re o\uFB03ce", {"fire office"}},
      {"They co\u00ADoperate.", "cooperate", {"co\u00ADoperate"}},
      {"\uFF30\uFF21\uFF32\uFF29\uFF33!", "Paris", {"\uFF30\uFF21\uFF32\uFF29\uFF33"}},
      {"Caf\u0065\u0301 Stra\u00DFe", "CAF\u00C9 STRASSE", {"Caf\u0065\u0301 Stra\u00DFe"}},
      // numbers
      {"It counted 12,500 visitors.", "12500", {"12,500"}},
      {"It counted 12500 visitors.", "12,500 visitors", {"12500 visitors"}},
      {"It counted 12\u202F500 visitors.", "12,500", {"12\u202F500"}},
      {"112,500 and 12,500.5 and 12,5000 and 12,500,000 and 1.12,500", "12500", {}},
      {"La obra costó 12.500 euros en total.", "12500", {"12.500"}},
      {"La obra costó 12.500 euros en total.", "12,500 euros", {}},  // a comma is the decimal mark there
      {"Das Haus kostet 1.250.000 Euro und 3,5 Prozent.", "1250000 Euro", {"1.250.000 Euro"}},
      {"Das Haus kostet 1.250.000 Euro und 3,5 Prozent.", "3.5", {"3,5"}},
      {"It weighs 12.500 kg in all.", "12500", {}},
      // days
      {"opened on 9 May 2001 by", "2001-05-09", {"9 May 2001"}},
      {"opened on 2001-05-09 by", "9 May 2001", {"2001-05-09"}},
      {"opened on 2001-05-09 by", "on May 9th, 2001, by", {"on 2001-05-09 by"}},
      {"Eröffnet am 9. Mai 2001 in Kiel", "9 de mayo de 2001", {"9. Mai 2001"}},
      {"opened on 19 May 2001 and 9 May 20010", "2001-05-09", {}},
      {"9 May 2001", "May 2001", {"May 2001"}},
      {"On 9 May it rained.", "May 9", {"9 May"}},
      {"On 9 May 2001 it rained.", "9 June 2001", {}},
      {"from 1 to 9", "2001-05-09", {}},
  };
  for (const auto& row : rows) EXPECT_EQ(found(row.text, row.piece), row.found) << row.text << " / " << row.piece;
}

// Random texts of what has to be compared with care.
std::string random_text(std::mt19937_64& random, size_t parts) {
  static const std::vector<std::string> kParts = {
      "a",          "B",      "\uFB01", "fi",     "\u00AD", "\u200B", "\uFF21",     "e\u0301", "\u00E9", "12",
      "500",        ",",      ".",      " ",      " ",      "\u00A0", "\u202F",     "'",       "s",      "-",
      "05",         "09",     "2001",   "May",    "9",      "th",     "Mai",        "\u4E2D",  "\u304B", "\u3099",
      "\u0E44",     "\u0E17", "\u0E22", "\uFE0F", "\u00B2", "\u338F", "\U0001F600", "\uFF12",  "\u0661", "9 May 2001",
      "2001-05-09", "12,500", "12500",  "\u5E74", "\u6708", "\u65E5", "/",          ":",       "%"};
  std::string text;
  for (size_t i = 0; i < parts; ++i) text += kParts[random() % kParts.size()];
  return text;
}

bool on_border(std::string_view text, int64_t at) {
  return at == static_cast<int64_t>(text.size()) || (static_cast<uint8_t>(text[static_cast<size_t>(at)]) & 0xC0) != 0x80;
}

TEST(Words, EveryPlaceIsWholeAndReadsAsWhatWasLookedFor) {
  size_t places = 0;
  for (uint64_t seed = 1; seed <= 20000; ++seed) {
    std::mt19937_64 random(seed);
    const std::string text = random_text(random, 24), piece = random_text(random, 1 + random() % 3);
    for (const ByteSpan& place : find_words(text, piece)) {
      ASSERT_TRUE(on_border(text, place.begin) && on_border(text, place.end)) << "seed " << seed;
      const std::string slice_of_text(slice(text, place));
      const std::vector<ByteSpan> again = find_words(slice_of_text, piece);
      const ByteSpan whole{0, place.size()};
      ASSERT_TRUE(std::find(again.begin(), again.end(), whole) != again.end())
          << "seed " << seed << ": \"" << piece << "\" in \"" << text << "\" at \"" << slice_of_text << "\"";
      ++places;
    }
  }
  EXPECT_GT(places, 1000u);
}

TEST(Words, SpansAreInOrderAndHoldEverythingThatIsSeen) {
  for (uint64_t seed = 1; seed <= 20000; ++seed) {
    std::mt19937_64 random(seed);
    const std::string text = random_text(random, 24);
    int64_t last = 0;
    const auto expect_unseen = [&](int64_t begin, int64_t end) {
      for (const CodePoint& point : code_points(slice(text, {begin, end})))
        ASSERT_TRUE(is_space(point.value) || is_ignorable(point.value)) << "seed " << seed << ": " << text;
    };
    for (const WordSpan& span : split_words(text)) {
      ASSERT_LE(last, span.bytes.begin) << "seed " << seed;
      ASSERT_LT(span.bytes.begin, span.bytes.end);
      expect_unseen(last, span.bytes.begin);
      last = span.bytes.end;
    }
    expect_unseen(last, static_cast<int64_t>(text.size()));
  }
}

TEST(Words, ReplacedInPlace) {
  EXPECT_EQ(replace_words("Oslo, OSLO's, Oslogate", "oslo", "Toledo"), "Toledo, Toledo's, Oslogate");
  EXPECT_EQ(replace_words("aa aa aa", "aa aa", "b"), "b aa");  // overlapping places: the first counts
}

TEST(Words, InvalidBytesKeepTheirPlace) { EXPECT_EQ(with_valid_utf8("a\xFFz\xE4\xB8"), "a?z??"); }

}  // namespace
}  // namespace openbook
