#include "openbook/base/words.h"

#include "base/test_support.h"

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
      {"e\u0301t", {"e\u0301t"}},  // a combining mark stays with its letter
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

TEST(Words, ReplacedInPlace) {
  EXPECT_EQ(replace_words("Oslo, OSLO's, Oslogate", "oslo", "Toledo"), "Toledo, Toledo's, Oslogate");
  EXPECT_EQ(replace_words("aa aa aa", "aa aa", "b"), "b aa");  // overlapping places: the first counts
}

TEST(Words, InvalidBytesKeepTheirPlace) { EXPECT_EQ(with_valid_utf8("a\xFFz\xE4\xB8"), "a?z??"); }

}  // namespace
}  // namespace openbook
