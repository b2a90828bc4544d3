#include "openbook/base/values.h"

#include "base/test_support.h"

namespace openbook {
namespace {

using Found = std::vector<std::pair<std::string, std::string>>;  // as written, normal

Found values_of(std::string_view text, Language language) {
  Found found;
  for (const Value& value : find_values(text, language)) found.emplace_back(slice(text, value.bytes), value.normal);
  return found;
}

TEST(Values, NumbersFollowTheLanguage) {
  const struct {
    Language language;
    std::string text;
    Found found;
  } rows[] = {
      {Language::kEnglish, "12,500 of 1,234,567.8 at 3.5%", {{"12,500", "12500"}, {"1,234,567.8", "1234567.8"}, {"3.5", "3.5"}}},
      {Language::kEnglish, "12.500 kg", {{"12.500", "12.500"}}},
      {Language::kUnknown, "12,500", {{"12,500", "12500"}}},
      {Language::kSpanish, "12.500 y 3,5", {{"12.500", "12500"}, {"3,5", "3.5"}}},
      {Language::kGerman, "1.234.567,80", {{"1.234.567,80", "1234567.80"}}},
      {Language::kGerman, "12,500", {{"12,500", "12.500"}}},
      {Language::kFrench, "12\u202F500,75", {{"12\u202F500,75", "12500.75"}}},
      {Language::kEnglish, "Swiss 1'250'000 and 12\u2019500", {{"1'250'000", "1250000"}, {"12\u2019500", "12500"}}},
      {Language::kEnglish, "\u0661\u0662\u0663 and \uFF15", {{"\u0661\u0662\u0663", "123"}, {"\uFF15", "5"}}},
      {Language::kEnglish, "3D, 5kg, x2, 18th, \u00BD", {}},
      {Language::kSpanish, "0.125 y 192.168.1.1", {{"0.125", "0.125"}, {"192.168.1.1", "192.168.1.1"}}},
      {Language::kEnglish, "", {}},
  };
  for (const auto& row : rows) EXPECT_EQ(values_of(row.text, row.language), row.found) << row.text;
}

TEST(Values, ADayHasOneFormHoweverItIsWritten) {
  const struct {
    Language language;
    std::vector<const char*> spellings;
    std::string normal;
  } rows[] = {
      {Language::kEnglish,
       {"2001-05-09", "2001/05/09", "9 May 2001", "9th May 2001", "9th of May, 2001", "May 9, 2001", "May 9 2001",
        "May 9th, 2001", "MAY 9, 2001", "09.05.2001", "9 may 2001", "9. Mai 2001", "9 de mayo de 2001",
        "2001\u5E745\u67089\u65E5"},
       "2001-05-09"},
      {Language::kUnknown, {"2001-05-09", "9 May 2001", "9 mai 2001", "9.5.2001"}, "2001-05-09"},
      {Language::kGerman, {"9. Mai 2001", "9.5.2001", "09.05.2001", "9/5/2001"}, "2001-05-09"},
      {Language::kSpanish,
       {"9 de mayo de 2001", "9 mayo 2001", "09/05/2001", "9 de mayo del 2001", "mayo 9 de 2001"},
       "2001-05-09"},
      {Language::kFrench, {"9 mai 2001", "09/05/2001"}, "2001-05-09"},
      {Language::kFrench, {"1er avril 1999", "1 avr. 1999"}, "1999-04-01"},
      {Language::kItalian, {"9 maggio 2001"}, "2001-05-09"},
      {Language::kPortuguese, {"9 de maio de 2001"}, "2001-05-09"},
      {Language::kDutch, {"9 mei 2001", "9-5-2001"}, "2001-05-09"},
      {Language::kEnglish, {"23/12/1999", "12/23/1999", "Dec. 23, 1999", "23 Dec 1999", "December 23rd 1999"}, "1999-12-23"},
      {Language::kEnglish, {"9 May", "May 9", "May 9th", "9. May"}, "--05-09"},
      {Language::kSpanish, {"9 de mayo", "9 mayo"}, "--05-09"},
      {Language::kEnglish, {"May 2001", "May, 2001", "May of 2001"}, "2001-05"},
      {Language::kSpanish, {"mayo de 2001", "mayo del 2001"}, "2001-05"},
      {Language::kGerman, {"Mai 2001"}, "2001-05"},
  };
  for (const auto& row : rows)
    for (const char* spelling : row.spellings)
      for (const std::string around : {"", "x ", "("}) {
        const std::string text = around + spelling + (around.empty() ? "" : ", and");
        EXPECT_EQ(values_of(text, row.language), (Found{{spelling, row.normal}})) << text;
      }
}

TEST(Values, WhatIsNoDayIsNone) {
  for (const char* text : {"31 April 2001", "30 February", "2001-13-01", "2001-02-30", "4/5/2001", "2001-05-09-17", "it may 9",
                           "a march 5", "May 9:30", "99 May", "0 May", "2001-5", "1/2/2001/3", "May 9%"})
    for (const Value& value : find_values(text, Language::kEnglish)) EXPECT_NE(value.kind, Value::Kind::kDay) << text;
}

TEST(Values, ATimeBehindADayIsNotPartOfIt) {
  EXPECT_EQ(values_of("at 2001-05-09T10:30Z", Language::kEnglish).at(0),
            (std::pair<std::string, std::string>{"2001-05-09", "2001-05-09"}));
}

}  // namespace
}  // namespace openbook
