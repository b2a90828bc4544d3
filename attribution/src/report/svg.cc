#include "report/svg.h"

#include <algorithm>
#include <cstdio>
#include <set>

#include "report/markup.h"

namespace openbook::attribution::drawing {

std::string fixed(double value, int decimals) {
  char text[32];
  std::snprintf(text, sizeof text, "%.*f", decimals, value);
  return text;
}

std::string at(double value) { return fixed(value, 1); }

std::string color_class(const std::string& name) {
  static const std::set<std::string> kKnown = {"task",   "retrieval", "parametric", "in_context",
                                               "random", "least",     "copied",     "recited"};
  return "c-" + (kKnown.contains(name) ? name : "other");
}

std::string color_label(std::string name) {
  std::replace(name.begin(), name.end(), '_', '-');
  return name;
}

std::string figure(const std::string& kind, const Json& chart, const std::string& content) {
  return element("figure", "class=\"" + kind + "\"", element("figcaption", "", escaped(text_in(chart, "title"))) + content) +
         "\n";
}

std::string svg(const Json& chart, double width, double height, const std::string& content) {
  return element(
      "svg",
      "viewBox=\"0 0 " + at(width) + " " + at(height) + "\" role=\"img\" aria-label=\"" + escaped(text_in(chart, "title")) + "\"",
      content);
}

std::string text_at(double x, double y, const std::string& anchor, const std::string& text) {
  return element("text", "x=\"" + at(x) + "\" y=\"" + at(y) + "\" text-anchor=\"" + anchor + "\"", escaped(text));
}

std::string line(double x1, double y1, double x2, double y2, const std::string& kind) {
  return "<line class=\"" + kind + "\" x1=\"" + at(x1) + "\" y1=\"" + at(y1) + "\" x2=\"" + at(x2) + "\" y2=\"" + at(y2) + "\"/>";
}

std::string empty_note(const Json& chart) {
  return figure("empty", chart, element("p", "class=\"note\"", "Nothing to draw: no finite values."));
}

std::string text_upwards(double x, double y, const std::string& text) {
  return element("text", "transform=\"rotate(-90)\" x=\"" + at(-y) + "\" y=\"" + at(x) + "\" text-anchor=\"middle\"",
                 escaped(text));
}

std::string mark_path(double x, double y, size_t shape, double r) {
  const std::string start = "M" + at(x - r) + " " + at(y);
  switch (shape % 4) {
    case 0:
      return start + "a" + at(r) + " " + at(r) + " 0 1 0 " + at(2 * r) + " 0a" + at(r) + " " + at(r) + " 0 1 0 " + at(-2 * r) +
             " 0z";
    case 1:
      return "M" + at(x - r) + " " + at(y - r) + "h" + at(2 * r) + "v" + at(2 * r) + "h" + at(-2 * r) + "z";
    case 2:
      return "M" + at(x) + " " + at(y - 1.2 * r) + "l" + at(1.2 * r) + " " + at(2.1 * r) + "h" + at(-2.4 * r) + "z";
    default:
      return "M" + at(x) + " " + at(y - 1.4 * r) + "l" + at(1.4 * r) + " " + at(1.4 * r) + "l" + at(-1.4 * r) + " " +
             at(1.4 * r) + "l" + at(-1.4 * r) + " " + at(-1.4 * r) + "z";
  }
}

std::string legend(const std::vector<std::pair<std::string, std::string>>& entries, bool squares) {
  std::string items;
  for (size_t i = 0; i < entries.size(); ++i) {
    const auto& [name, color] = entries[i];
    if (name.empty()) continue;
    const std::string key = element("svg", "class=\"key " + color + "\" viewBox=\"0 0 14 14\" aria-hidden=\"true\"",
                                    "<path class=\"mark\" d=\"" + mark_path(7, 7, squares ? kSquare : i, 5) + "\"/>");
    items += element("li", "", key + escaped(name));
  }
  return items.empty() ? "" : element("ul", "class=\"legend\"", items);
}

}  // namespace openbook::attribution::drawing
