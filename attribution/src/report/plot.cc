#include "report/plot.h"

#include <algorithm>
#include <cmath>

#include "report/markup.h"
#include "report/names.h"
#include "report/svg.h"

namespace openbook::attribution {

using namespace drawing;

namespace {

constexpr double kLargest = 1e100;  // what can be drawn: differences must stay finite

constexpr size_t kPalette = 10;    // p0 to p9 of the page's style
constexpr size_t kMarks = 8;       // on a line of many points; each more would hide the line
constexpr size_t kFewPoints = 40;  // have a mark each

constexpr double kWidth = kDrawingWidth, kHeight = 320, kLeft = 56, kRight = 12, kTop = 10, kBottom = 48;

void append_corner(std::string& path, double x, double y) {
  path.append(path.empty() ? "M" : "L").append(at(x)).append(" ").append(at(y));
}

struct Point {
  double x, y;
  std::optional<double> low, high;
};

struct Series {
  std::string name, classes;
  std::vector<std::vector<Point>> runs;  // a line breaks where a point is missing
};

// Colours of the series in turn. One that stands for a label (copied, recited) is kept for the series of that name; who asks for
// it otherwise, for a colour that another series has, or with others for none in particular, gets a colour and dashes of the
// palette: every line can be told from the others.
std::vector<std::string> classes_of(const Json& all) {
  std::vector<std::string> classes;
  const auto named = [](const Json& series) { return color_class(text_in(series, "color")); };
  const auto unnamed = std::count_if(all.begin(), all.end(), [&](const Json& series) { return named(series) == "c-other"; });
  size_t next = 0;
  for (const Json& series : all) {
    const std::string color = named(series);
    const bool label = color == "c-copied" || color == "c-recited";
    const bool free = std::find(classes.begin(), classes.end(), color) == classes.end() && (color != "c-other" || unnamed == 1) &&
                      (!label || color == "c-" + text_in(series, "name"));
    classes.push_back(free ? color : "p" + std::to_string(next++ % kPalette));
  }
  return classes;
}

std::vector<Series> series_of(const Json& chart) {
  std::vector<Series> all;
  const std::vector<std::string> classes = classes_of(list_in(chart, "series"));
  for (const Json& given : list_in(chart, "series")) {
    Series series{.name = text_in(given, "name"), .classes = classes[all.size()], .runs = {{}}};
    for (const Json& point : list_in(given, "points")) {
      const auto value = [&](size_t i) {
        return point.is_array() && point.size() > i ? finite(point[i]) : std::nullopt;
      };  // null where it is missing
      const auto x = value(0), y = value(1);
      if (x && y && std::max(std::abs(*x), std::abs(*y)) < kLargest)
        series.runs.back().push_back({*x, *y, value(2), value(3)});
      else if (!series.runs.back().empty())
        series.runs.emplace_back();
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
      drawn += line(x(x_axis_.tick(i)), kTop, x(x_axis_.tick(i)), kHeight - kBottom, "grid") +
               text_at(x(x_axis_.tick(i)), kHeight - kBottom + 16, "middle", tick_text(x_axis_.tick(i)));
    for (int i = 0; i < y_axis_.ticks(); ++i)
      drawn += line(kLeft, y(y_axis_.tick(i)), kWidth - kRight, y(y_axis_.tick(i)), "grid") +
               text_at(kLeft - 6, y(y_axis_.tick(i)) + 4, "end", tick_text(y_axis_.tick(i)));
    drawn += text_at((kLeft + kWidth - kRight) / 2, kHeight - 8, "middle", text_in(chart, "x"));
    return drawn + text_upwards(13, (kTop + kHeight - kBottom) / 2, text_in(chart, "y"));
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
    std::string said = readable(series.name) + ": " + number_text(point.x) + ", " + number_text(point.y);
    if (point.low && point.high) said += " (" + number_text(point.low) + " to " + number_text(point.high) + ")";
    return element("path", "class=\"mark\" d=\"" + mark_path(x(point.x), y(point.y), shape, radius) + "\"",
                   element("title", "", escaped(said)));
  }

 private:
  static std::string tick_text(double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%.4g", value);
    return text;
  }

  Axis x_axis_, y_axis_;
};

}  // namespace

std::string plot_html(const Json& chart, bool lines) {
  const std::vector<Series> all = series_of(chart);
  const auto axes = axes_of(all);
  if (!axes) return empty_note(chart);
  const Plot plot(axes->first, axes->second);
  std::string drawn = plot.frame(chart);
  std::vector<LegendEntry> entries;
  for (size_t i = 0; i < all.size(); ++i) {
    std::string series;
    for (const auto& run : all[i].runs) {
      if (lines) series += plot.bands(run);
      if (lines && run.size() > 1) series += "<path class=\"line\" d=\"" + plot.path(run) + "\"/>";
      const size_t every = lines && run.size() > kFewPoints ? run.size() / kMarks : 1;
      for (size_t j = every / 2; j < run.size(); j += every) series += plot.mark(all[i], run[j], i, lines ? 3 : 2.5);
    }
    drawn += element("g", "class=\"" + all[i].classes + (lines ? "" : " cloud") + "\"", series);
    entries.push_back({all[i].name, all[i].classes, i, lines});
  }
  return figure(lines ? "lines" : "scatter", chart, legend(entries) + svg(chart, kWidth, kHeight, drawn));
}

}  // namespace openbook::attribution
