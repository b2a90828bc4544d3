// Pieces that the report's charts are drawn of: SVG elements, legends, and the figure around them.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "report/experiment.h"

namespace openbook::attribution::drawing {

// A drawing is this many units wide: small enough that its texts can be read on a phone.
inline constexpr double kDrawingWidth = 480;

std::string fixed(double value, int decimals);
std::string at(double value);  // a coordinate: one decimal

// A colour is a name of the page's style, and may carry the words that a legend has for it: "retrieval: top 30 by copy score".
std::string color_class(const std::string& color);  // "c-retrieval"; "c-other" for a name that the style doesn't have
std::string color_label(const std::string& color);  // those words, else the name: "in-context" of "in_context"

std::string line(double x1, double y1, double x2, double y2, const std::string& kind);
std::string text_at(double x, double y, const std::string& anchor, const std::string& text);  // escapes
std::string text_upwards(double x, double y, const std::string& text);  // middle at (x, y), turned to the left

// A mark around (x, y) of radius `r`: series differ in the shape of their marks too, for who can't tell the colours.
inline constexpr size_t kSquare = 1;
std::string mark_path(double x, double y, size_t shape, double r);

struct LegendEntry {
  std::string name, classes;  // of the series; the name is shown as readers know it (names.h), and without one there is no entry
  size_t shape = 0;
  bool line = false;  // its line through the mark
};
std::string legend(const std::vector<LegendEntry>& entries);
// Of (name, colour class), each with a square.
std::string legend(const std::vector<std::pair<std::string, std::string>>& entries, bool squares);

// The chart's title above `content`, its "note" below; svg() labels the drawing with the title too.
std::string svg(const Json& chart, double width, double height, const std::string& content);
std::string figure(const std::string& kind, const Json& chart, const std::string& content);
std::string empty_note(const Json& chart);

}  // namespace openbook::attribution::drawing
