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

std::string color_class(const std::string& name);  // of the page's style; "c-other" for a colour that it doesn't have
std::string color_label(std::string name);         // "in-context" of "in_context"

std::string line(double x1, double y1, double x2, double y2, const std::string& kind);
std::string text_at(double x, double y, const std::string& anchor, const std::string& text);  // escapes
std::string text_upwards(double x, double y, const std::string& text);  // middle at (x, y), turned to the left

// A mark around (x, y) of radius `r`: series differ in the shape of their marks too, for who can't tell the colours.
inline constexpr size_t kSquare = 1;
std::string mark_path(double x, double y, size_t shape, double r);

// Of (name, colour class); each with the mark that its series has, or with squares.
std::string legend(const std::vector<std::pair<std::string, std::string>>& entries, bool squares = false);

// The chart's title above `content`; svg() labels the drawing with it too.
std::string svg(const Json& chart, double width, double height, const std::string& content);
std::string figure(const std::string& kind, const Json& chart, const std::string& content);
std::string empty_note(const Json& chart);

}  // namespace openbook::attribution::drawing
