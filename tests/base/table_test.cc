#include "openbook/base/table.h"

#include "base/test_support.h"

namespace openbook {
namespace {

TEST(Table, APlaceIsNamedByItsRowAndColumns) {
  const struct {
    std::string text, at, columns, expected;
  } rows[] = {
      {"| Oar | Length | Price |\n|---|---|---|\n| Ash | 2 m | 30 |\n| **Fir** | 3 m | 20 |", "3 m", "", "Fir / Length"},
      {"| Oar | Length | Price |\n|---|---|---|\n| Ash | 2 m | 30 |", "2 m | 30", "", "Ash / Length, Price"},
      {"| Oar | Length | Price |\n|---|---|---|\n| Ash | 2 m | 30 |", "Ash | 2 m", "", "Ash / Length"},
      {"| Oar | Length | Price |\n|---|---|---|\n| Ash | 2 m | 30 |", "Ash", "", "Oar"},
      {"Oar | Length\n--- | ---\nAsh | 2 m", "2 m", "", "Ash / Length"},
      {"| | Length |\n|---|---|\n| Ash | 2 m |", "2 m", "", "Ash / Length"},
      {"| | |\n|---|---|\n| Length | 2 m |", "2 m", "", "Length"},
      {"| Ash | 2 m |\n| Fir | 3 m |", "3 m", "Oar | Length", "Fir / Length"},
      {"| Ash | 2 m |\n| Fir | 3 m |", "3 m", "", "Fir"},
      {"| Ash | 2 m |\n\nText.\n\n| Fir | 3 m |", "3 m", "Oar | Length", "Fir"},
      {"| a \\| b | c |\n|---|---|\n| 1 | 2 |", "2", "", "1 / c"},
      {"> | Oar | Length |\n> |---|---|\n> | Ash | 2 m |", "2 m", "", "Ash / Length"},
      {"| Oar | Length |\n|---|---|\n| Ash | 2 m | more |", "more", "", "Ash"},
      {"| Oar | Length |\n|---|---|\n| Ash | 2 m |", "Length", "", ""},  // a header is no row
      {"Ash is 2 m long.", "2 m", "Oar | Length", ""},
  };
  for (const auto& row : rows) {
    const auto begin = static_cast<int64_t>(row.text.find(row.at));
    EXPECT_EQ(table_place(row.text, {begin, begin + static_cast<int64_t>(row.at.size())}, row.columns), row.expected)
        << row.text << "\n"
        << row.at;
  }
}

}  // namespace
}  // namespace openbook
