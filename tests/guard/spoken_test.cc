// What of a spoken sentence is layout, taken out while its tokens still cover what is left.
#include "judge/spoken.h"

#include <gtest/gtest.h>

namespace openbook::guard {
namespace {

Spoken spoken_as(const std::vector<std::string>& tokens) {
  Spoken spoken;
  for (const std::string& token : tokens) {
    const auto begin = static_cast<int64_t>(spoken.text.size());
    spoken.text += token;
    spoken.token_bytes.push_back({begin, begin + static_cast<int64_t>(token.size())});
  }
  return spoken;
}

void expect_tiled(const Spoken& spoken) {
  int64_t end = 0;
  for (const ByteSpan span : spoken.token_bytes) {
    EXPECT_EQ(span.begin, end);
    EXPECT_GE(span.end, span.begin);
    end = span.end;
  }
  EXPECT_EQ(end, static_cast<int64_t>(spoken.text.size()));
}

TEST(HeadingMark, IsTakenOutOfTheTextAndItsTokensCoverNothing) {
  const struct {
    std::vector<std::string> tokens;
    std::string text;
  } rows[] = {
      {{"##", " France", ":", " Lyon"}, "France: Lyon"},
      {{"\n\n", "#", " ", "Lyon", "\n"}, "\n\nLyon\n"},
      {{"  #", "#", " A", " B"}, "  A B"},
      {{"## Ly", "on"}, "Lyon"},
      {{"##"}, ""},
      {{"#1", " of", " 3"}, "#1 of 3"},
      {{"C# ", "is"}, "C# is"},
      {{"A", "\n#", " B"}, "A\n# B"},  // the next sentence, which begins with its own mark
      {{" ", "\n"}, " \n"},
      {{}, ""},
  };
  for (const auto& row : rows) {
    Spoken spoken = spoken_as(row.tokens);
    drop_heading_mark(spoken);
    EXPECT_EQ(spoken.text, row.text);
    expect_tiled(spoken);
  }
}

TEST(BeginSentence, WhatFollowsALeadInBecomesASentence) {
  const struct {
    std::vector<std::string> tokens;
    std::string text;
  } rows[] = {
      {{" the", " office"}, "The office"},
      {{" ", "\n", "it", " is"}, "It is"},
      {{" \n a", " ship"}, "A ship"},
      {{" The", " office"}, "The office"},
      {{" i", "Phone", " 7"}, "iPhone 7"},
      {{" 31", " days"}, "31 days"},
      {{" \"the", " office\""}, "\"the office\""},
      {{" él", " vive"}, "él vive"},
      {{" "}, ""},
      {{}, ""},
  };
  for (const auto& row : rows) {
    Spoken spoken = spoken_as(row.tokens);
    begin_sentence(spoken);
    EXPECT_EQ(spoken.text, row.text);
    expect_tiled(spoken);
    begin_sentence(spoken);
    EXPECT_EQ(spoken.text, row.text) << "done twice";
  }
}

}  // namespace
}  // namespace openbook::guard
