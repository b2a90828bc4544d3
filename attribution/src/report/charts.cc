#include "report/charts.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "openbook/engine/head_id.h"
#include "report/markup.h"

namespace openbook::attribution {
namespace {

constexpr double kLargest = 1e100;  // what can be drawn: differences must stay finite

// A drawing is this many units wide: small enough that its texts can be read on a phone.
constexpr double kWidth = 480, kHeight = 320, kLeft = 56, kRight = 12, kTop = 10, kBottom = 48;

std::string fixed(double value, int decimals) {
  char text[32];
  std::snprintf(text, sizeof text, "%.*f", decimals, value);
  return text;
}

std::string at(double value) { return fixed(value, 1); }  // a coordinate

// Names of colours that the page's style has.
std::string color_class(const std::string& name) {
  static const std::set<std::string> kKnown = {"task", "retrieval", "parametric", "in_context", "random", "least", "copied", "recited"};
  return "c-" + (kKnown.contains(name) ? name : "other");
}

std::string color_label(std::string name) {
  std::replace(name.begin(), name.end(), '_', '-');
  return name;
}

std::string figure(const std::string& kind, const Json& chart, const std::string& content) {
  return element("figure", "class=\"" + kind + "\"", element("figcaption", "", escaped(text_in(chart, "title"))) + content) + "\n";
}

std::string svg(const Json& chart, double width, double height, const std::string& content) {
  return element("svg", "viewBox=\"0 0 " + at(width) + " " + at(height) + "\" role=\"img\" aria-label=\"" + escaped(text_in(chart, "title")) + "\"", content);
}

std::string text_at(double x, double y, const std::string& anchor, const std::string& text) {
  return element("text", "x=\"" + at(x) + "\" y=\"" + at(y) + "\" text-anchor=\"" + anchor + "\"", escaped(text));
}

std::string line(double x1, double y1, double x2, double y2, const std::string& kind) {
  return "<line class=\"" + kind + "\" x1=\"" + at(x1) + "\" y1=\"" + at(y1) + "\" x2=\"" + at(x2) + "\" y2=\"" + at(y2) + "\"/>";
}

std::string empty_note(const Json& chart) { return figure("empty", chart, element("p", "class=\"note\"", "Nothing to draw: no finite values.")); }

// Series differ in the shape of their marks too, for who can't tell the colours.
std::string mark_path(double x, double y, size_t shape, double r) {
  const std::string start = "M" + at(x - r) + " " + at(y);
  switch (shape % 4) {
    case 0: return start + "a" + at(r) + " " + at(r) + " 0 1 0 " + at(2 * r) + " 0a" + at(r) + " " + at(r) + " 0 1 0 " + at(-2 * r) + " 0z";
    case 1: return "M" + at(x - r) + " " + at(y - r) + "h" + at(2 * r) + "v" + at(2 * r) + "h" + at(-2 * r) + "z";
    case 2: return "M" + at(x) + " " + at(y - 1.2 * r) + "l" + at(1.2 * r) + " " + at(2.1 * r) + "h" + at(-2.4 * r) + "z";
    default: return "M" + at(x) + " " + at(y - 1.4 * r) + "l" + at(1.4 * r) + " " + at(1.4 * r) + "l" + at(-1.4 * r) + " " + at(1.4 * r) + "l" + at(-1.4 * r) + " " + at(-1.4 * r) + "z";
  }
}

void append_corner(std::string& path, double x, double y) { path.append(path.empty() ? "M" : "L").append(at(x)).append(" ").append(at(y)); }

struct Point {
  double x, y;
  std::optional<double> low, high;
};

struct Series {
  std::string name, color;
  std::vector<std::vector<Point>> runs;  // a line breaks where a point is missing
};

std::vector<Series> series_of(const Json& chart) {
  std::vector<Series> all;
  for (const Json& given : list_in(chart, "series")) {
    Series series{.name = text_in(given, "name"), .color = color_class(text_in(given, "color")), .runs = {{}}};
    for (const Json& point : list_in(given, "points")) {
      const auto value = [&](size_t i) { return point.is_array() && point.size() > i ? finite(point[i]) : std::nullopt; };  // null where it is missing
      const auto x = value(0), y = value(1);
      if (x && y && std::max(std::abs(*x), std::abs(*y)) < kLargest) series.runs.back().push_back({*x, *y, value(2), value(3)});
      else if (!series.runs.back().empty()) series.runs.emplace_back();
    }
    all.push_back(std::move(series));
  }
  return all;
}

// An axis from a round number to a round number.
struct Axis {
  double low = 0, high = 0, step = 0;

  Axis(double least, double most) {
    if (most - least < 1e-9 * std::max({std::abs(least), std::abs(most), 1e-3})) {
      const double room = std::max(std::abs(most) / 10, 0.5);
      least -= room, most += room;
    }
    const double rough = (most - least) / 5, size = std::pow(10, std::floor(std::log10(rough)));
    step = size * (rough <= size ? 1 : rough <= 2 * size ? 2 : rough <= 5 * size ? 5 : 10);
    low = std::floor(least / step + 1e-9) * step;
    high = std::ceil(most / step - 1e-9) * step;
  }

  double share(double value) const { return std::clamp((value - low) / (high - low), 0.0, 1.0); }
  int ticks() const { return static_cast<int>(std::lround((high - low) / step)) + 1; }
  double tick(int i) const { return std::abs(low + i * step) < step / 1e6 ? 0 : low + i * step; }
};

std::optional<std::pair<Axis, Axis>> axes_of(const std::vector<Series>& all) {
  std::vector<double> xs, ys;
  for (const Series& series : all)
    for (const auto& run : series.runs)
      for (const Point& point : run) {
        xs.push_back(point.x);
        for (const auto y : {std::optional(point.y), point.low, point.high})
          if (y) ys.push_back(*y);
      }
  if (xs.empty()) return std::nullopt;
  const auto axis = [](const std::vector<double>& values) {
    const auto [least, most] = std::minmax_element(values.begin(), values.end());
    return Axis(*least, *most);
  };
  return std::pair(axis(xs), axis(ys));
}

class Plot {
 public:
  Plot(const Axis& x, const Axis& y) : x_axis_(x), y_axis_(y) {}

  double x(double value) const { return kLeft + x_axis_.share(value) * (kWidth - kLeft - kRight); }
  double y(double value) const { return kHeight - kBottom - y_axis_.share(value) * (kHeight - kTop - kBottom); }

  std::string frame(const Json& chart) const {
    std::string drawn;
    for (int i = 0; i < x_axis_.ticks(); ++i)
      drawn += line(x(x_axis_.tick(i)), kTop, x(x_axis_.tick(i)), kHeight - kBottom, "grid") + text_at(x(x_axis_.tick(i)), kHeight - kBottom + 16, "middle", tick_text(x_axis_.tick(i)));
    for (int i = 0; i < y_axis_.ticks(); ++i)
      drawn += line(kLeft, y(y_axis_.tick(i)), kWidth - kRight, y(y_axis_.tick(i)), "grid") + text_at(kLeft - 6, y(y_axis_.tick(i)) + 4, "end", tick_text(y_axis_.tick(i)));
    drawn += text_at((kLeft + kWidth - kRight) / 2, kHeight - 8, "middle", text_in(chart, "x"));
    const double middle = (kTop + kHeight - kBottom) / 2;
    return drawn + element("text", "transform=\"rotate(-90)\" x=\"" + at(-middle) + "\" y=\"13.0\" text-anchor=\"middle\"", escaped(text_in(chart, "y")));
  }

  std::string path(const std::vector<Point>& run) const {
    std::string d;
    for (const Point& point : run) append_corner(d, x(point.x), y(point.y));
    return d;
  }

  // The intervals of a run, over each stretch that has them.
  std::string bands(const std::vector<Point>& run) const {
    std::string drawn;
    for (size_t begin = 0; begin < run.size();) {
      size_t end = begin;
      while (end < run.size() && run[end].low && run[end].high) ++end;
      std::string d;
      for (size_t i = begin; i < end; ++i) append_corner(d, x(run[i].x), y(*run[i].high));
      for (size_t i = end; i-- > begin;) append_corner(d, x(run[i].x), y(*run[i].low));
      if (end - begin > 1) drawn += "<path class=\"band\" d=\"" + d + "z\"/>";
      if (end - begin == 1) drawn += line(x(run[begin].x), y(*run[begin].low), x(run[begin].x), y(*run[begin].high), "whisker");
      begin = std::max(end, begin + 1);
    }
    return drawn;
  }

  std::string mark(const Series& series, const Point& point, size_t shape, double radius) const {
    std::string said = series.name + ": " + number_text(point.x) + ", " + number_text(point.y);
    if (point.low && point.high) said += " (" + number_text(point.low) + " to " + number_text(point.high) + ")";
    return element("path", "class=\"mark\" d=\"" + mark_path(x(point.x), y(point.y), shape, radius) + "\"", element("title", "", escaped(said)));
  }

 private:
  static std::string tick_text(double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%.4g", value);
    return text;
  }

  Axis x_axis_, y_axis_;
};

constexpr size_t kSquare = 1;  // a shape of mark_path

// Of (name, colour class); each with the mark that its series has, or with squares.
std::string legend(const std::vector<std::pair<std::string, std::string>>& entries, bool squares = false) {
  std::string items;
  for (size_t i = 0; i < entries.size(); ++i) {
    const auto& [name, color] = entries[i];
    if (name.empty()) continue;
    const std::string key = element("svg", "class=\"key " + color + "\" viewBox=\"0 0 14 14\" aria-hidden=\"true\"", "<path class=\"mark\" d=\"" + mark_path(7, 7, squares ? kSquare : i, 5) + "\"/>");
    items += element("li", "", key + escaped(name));
  }
  return items.empty() ? "" : element("ul", "class=\"legend\"", items);
}

std::string plot_html(const Json& chart, bool lines) {
  const std::vector<Series> all = series_of(chart);
  const auto axes = axes_of(all);
  if (!axes) return empty_note(chart);
  const Plot plot(axes->first, axes->second);
  std::string drawn = plot.frame(chart);
  std::vector<std::pair<std::string, std::string>> names;
  for (size_t i = 0; i < all.size(); ++i) {
    std::string series;
    for (const auto& run : all[i].runs) {
      if (lines) series += plot.bands(run);
      if (lines && run.size() > 1) series += "<path class=\"line\" d=\"" + plot.path(run) + "\"/>";
      if (run.size() <= 40 || !lines)  // more marks than that hide the line
        for (const Point& point : run) series += plot.mark(all[i], point, i, lines ? 3 : 2.5);
    }
    drawn += element("g", "class=\"" + all[i].color + (lines ? "" : " cloud") + "\"", series);
    names.emplace_back(all[i].name, all[i].color);
  }
  return figure(lines ? "lines" : "scatter", chart, legend(names) + svg(chart, kWidth, kHeight, drawn));
}

struct Cell {
  std::string role;
  double strength;
};

// Layers from left to right, heads from top to bottom; a head with several roles shows them side by side.
std::string head_map_html(const Json& chart) {
  constexpr int64_t kMost = 1024;
  int64_t layers = std::clamp<int64_t>(static_cast<int64_t>(number_in(chart, "layers").value_or(0)), 0, kMost);
  int64_t heads = std::clamp<int64_t>(static_cast<int64_t>(number_in(chart, "heads").value_or(0)), 0, kMost);
  std::map<std::pair<int64_t, int64_t>, std::vector<Cell>> cells;
  std::vector<std::pair<std::string, std::string>> names;
  for (const Json& cell : list_in(chart, "cells")) {
    const auto layer = number_in(cell, "layer"), head = number_in(cell, "head"), strength = number_in(cell, "strength");
    if (!layer || !head || !strength || *layer < 0 || *head < 0 || *layer >= static_cast<double>(kMost) || *head >= static_cast<double>(kMost)) continue;
    layers = std::max(layers, static_cast<int64_t>(*layer) + 1);
    heads = std::max(heads, static_cast<int64_t>(*head) + 1);
    const std::string role = text_in(cell, "color");
    cells[{static_cast<int64_t>(*layer), static_cast<int64_t>(*head)}].push_back({role, std::clamp(*strength, 0.0, 1.0)});
    const std::pair<std::string, std::string> name(color_label(role), color_class(role));
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  }
  if (layers == 0 || heads == 0) return empty_note(chart);
  const double left = 40, top = 6, size = std::clamp((kWidth - left - 8) / static_cast<double>(layers), 5.0, 22.0);
  const double right = left + size * static_cast<double>(layers), bottom = top + size * static_cast<double>(heads);
  std::string drawn;
  for (int64_t layer = 0; layer <= layers; ++layer) drawn += line(left + size * layer, top, left + size * layer, bottom, "grid");
  for (int64_t head = 0; head <= heads; ++head) drawn += line(left, top + size * head, right, top + size * head, "grid");
  const auto every = static_cast<int64_t>(std::ceil(16 / size));  // so that numbers don't touch
  for (int64_t layer = 0; layer < layers; layer += std::max<int64_t>(every, layers > 12 ? 5 : 1)) drawn += text_at(left + size * (layer + 0.5), bottom + 14, "middle", std::to_string(layer));
  for (int64_t head = 0; head < heads; head += every) drawn += text_at(left - 5, top + size * (head + 0.5) + 4, "end", std::to_string(head));
  drawn += text_at((left + right) / 2, bottom + 30, "middle", "layer");
  drawn += element("text", "transform=\"rotate(-90)\" x=\"" + at(-(top + bottom) / 2) + "\" y=\"13.0\" text-anchor=\"middle\"", "head");
  for (const auto& [place, roles] : cells)
    for (size_t i = 0; i < roles.size(); ++i) {
      const double width = (size - 1) / static_cast<double>(roles.size());
      const std::string said = engine::to_string(engine::HeadId{static_cast<int32_t>(place.first), static_cast<int32_t>(place.second)}) + " " + color_label(roles[i].role) + " " + number_text(roles[i].strength);
      drawn += element("rect", "class=\"" + color_class(roles[i].role) + "\" x=\"" + at(left + size * static_cast<double>(place.first) + 0.5 + width * static_cast<double>(i)) +
                                   "\" y=\"" + at(top + size * static_cast<double>(place.second) + 0.5) + "\" width=\"" + at(width) + "\" height=\"" + at(size - 1) +
                                   "\" fill-opacity=\"" + fixed(std::max(0.1, roles[i].strength), 2) + "\"", element("title", "", escaped(said)));
    }
  return figure("head_map", chart, legend(names, true) + svg(chart, std::max(right + 8, kWidth), bottom + 36, drawn));
}

// A text whose tokens are the darker the more they weigh.
std::string heat_text_html(const Json& chart) {
  std::string tokens;
  for (const Json& token : list_in(chart, "tokens")) {
    if (!token.is_array() || token.empty() || !token[0].is_string()) continue;
    const double weight = std::clamp(token.size() > 1 ? finite(token[1]).value_or(0) : 0.0, 0.0, 1.0);
    const std::string shade = std::to_string(static_cast<int>(std::lround(weight * 9)));
    tokens += element("span", "class=\"h" + shade + "\" title=\"" + number_text(weight) + "\"", escaped(token[0].get<std::string>()));
  }
  if (tokens.empty()) return empty_note(chart);
  return figure("heat_text", chart, element("p", "class=\"heat\"", tokens));
}

}  // namespace

std::string chart_html(const Json& chart) {
  const std::string kind = text_in(chart, "kind");
  if (kind == "lines" || kind == "scatter") return plot_html(chart, kind == "lines");
  if (kind == "head_map") return head_map_html(chart);
  if (kind == "heat_text") return heat_text_html(chart);
  return figure("empty", chart, element("p", "class=\"note\"", "A chart of the unknown kind &quot;" + escaped(kind) + "&quot;."));
}

}  // namespace openbook::attribution
