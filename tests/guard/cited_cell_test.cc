#include "judge/cited_cell.h"

#include <gtest/gtest.h>

namespace openbook::guard {
namespace {

Passage passage_of(std::string text, std::string context) {
  Passage passage = whole_document("d", std::move(text));
  passage.context = std::move(context);
  passage.range = {100, 100 + static_cast<int64_t>(passage.text.size())};
  return passage;
}

std::string cell_of(const Passage& passage, const std::string& quote) {
  const auto begin = passage.range.begin + static_cast<int64_t>(passage.text.find(quote));
  return cited_cell(passage, {begin, begin + static_cast<int64_t>(quote.size())});
}

TEST(CitedCell, HasTheHeadsOfItsTableOrThoseOfTheContextWhereTheTableWasCut) {
  const std::string rows = "| Ash | 2 m |\n| Fir | 3 m |";
  EXPECT_EQ(cell_of(passage_of("| Oar | Length |\n|---|---|\n" + rows, "Oars"), "3 m"), "Fir / Length");
  EXPECT_EQ(cell_of(passage_of(rows, "Boats\nOars\nOar | Length"), "3 m"), "Fir / Length");
  EXPECT_EQ(cell_of(passage_of(rows, "Boats\nOars"), "3 m"), "Fir");
  EXPECT_EQ(cell_of(passage_of("The fir is 3 m long.", "Boats\nOar | Length"), "3 m"), "");
}

}  // namespace
}  // namespace openbook::guard
