#include "report/svg.h"

#include <algorithm>
#include <cstdio>
#include <set>

#include "report/markup.h"
#include "report/names.h"

namespace openbook::attribution::drawing {

std::string fixed(double value, int decimals) {
  char text[32];
  std::snprintf(text, sizeof text, "%.*f", decimals, value);
  return text;
}

std::string at(double value) { return fixed(value, 1); }

namespace {

// Of "retrieval: top 30", where a colour carries words of its own.
constexpr char kWords[] = ": ";

}  // namespace

std::string color_class(const std::string& color) {
  static const std::set<std::string> kKnown = {"task",   "retrieval", "parametric", "in_context",
                                               "random", "least",     "copied",     "recited"};
  const std::string name = color.substr(0, color.find(kWords));
  return "c-" + (kKnown.contains(name) ? name : "other");
}

std::string color_label(const std::string& color) {
  if (const size_t words = color.find(kWords); words != std::string::npos) return color.substr(words + 2);
  std::string name = color;
  std::replace(name.begin(), name.end(), '_', '-');
  return name;
}

std::string figure(const std::string& kind, const Json& chart, const std::string& content) {
  std::string note = text_in(chart, "note");
  if (note.empty() && kind == "head_map")
    note =
        "The stronger the colour, the higher the head stands by that score. Heads without a colour are in none of these lists.";
  return element("figure", "class=\"" + kind + "\"",
                 element("figcaption", "", escaped(text_in(chart, "title"))) + content +
                     (note.empty() ? "" : element("p", "class=\"note\"", escaped(note)))) +
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

std::string legend(const std::vector<LegendEntry>& entries) {
  std::string items;
  for (const LegendEntry& entry : entries) {
    if (entry.name.empty()) continue;
    const double width = entry.line ? 34 : 14;
    const std::string drawn = (entry.line ? line(0, 7, width, 7, "line") : "") + "<path class=\"mark\" d=\"" +
                              mark_path(width / 2, 7, entry.shape, entry.line ? 3.5 : 5) + "\"/>";
    const std::string key = element("svg",
                                    "class=\"" + std::string(entry.line ? "key stroke " : "key ") + entry.classes +
                                        "\" viewBox=\"0 0 " + at(width) + " 14\" aria-hidden=\"true\"",
                                    drawn);
    items += element("li", "", key + escaped(readable(entry.name)));
  }
  return items.empty() ? "" : element("ul", "class=\"legend\"", items);
}

std::string legend(const std::vector<std::pair<std::string, std::string>>& entries, bool squares) {
  std::vector<LegendEntry> all;
  for (size_t i = 0; i < entries.size(); ++i) all.push_back({entries[i].first, entries[i].second, squares ? kSquare : i});
  return legend(all);
}

}  // namespace openbook::attribution::drawing
