#include "report/charts.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "openbook/engine/head_id.h"
#include "report/markup.h"
#include "report/plot.h"
#include "report/svg.h"

namespace openbook::attribution {

using namespace drawing;

namespace {

struct Cell {
  std::string role;
  double strength;
};

struct HeadMap {
  int64_t layers = 0, heads = 0;
  std::map<std::pair<int64_t, int64_t>, std::vector<Cell>> cells;  // by layer and head
  std::vector<std::pair<std::string, std::string>> legend;
};

constexpr double kMostHeads = 1024;  // a side of the map

// A count or a number of a head; nothing for what is none.
std::optional<int64_t> small_number(const Json& object, const char* key) {
  const auto number = number_in(object, key);
  return number && *number >= 0 && *number <= kMostHeads ? std::optional(static_cast<int64_t>(*number)) : std::nullopt;
}

// The map is as large as it says, or as its cells need.
HeadMap head_map_of(const Json& chart) {
  HeadMap map{.layers = small_number(chart, "layers").value_or(0), .heads = small_number(chart, "heads").value_or(0)};
  for (const Json& cell : list_in(chart, "cells")) {
    const auto layer = small_number(cell, "layer"), head = small_number(cell, "head");
    const auto strength = number_in(cell, "strength");
    if (!layer || !head || !strength) continue;
    map.layers = std::max(map.layers, *layer + 1);
    map.heads = std::max(map.heads, *head + 1);
    const std::string role = text_in(cell, "color");
    map.cells[{*layer, *head}].push_back({role, std::clamp(*strength, 0.0, 1.0)});
    const std::pair entry(color_label(role), color_class(role));
    if (std::find(map.legend.begin(), map.legend.end(), entry) == map.legend.end()) map.legend.push_back(entry);
  }
  return map;
}

std::string cell_rect(const engine::HeadId head, const Cell& cell, double x, double y, double width, double height) {
  const std::string said = engine::to_string(head) + " " + color_label(cell.role) + " " + number_text(cell.strength);
  return element("rect",
                 "class=\"" + color_class(cell.role) + "\" x=\"" + at(x) + "\" y=\"" + at(y) + "\" width=\"" + at(width) +
                     "\" height=\"" + at(height) + "\" fill-opacity=\"" + fixed(std::max(0.1, cell.strength), 2) + "\"",
                 element("title", "", escaped(said)));
}

// Layers from left to right, heads from top to bottom; a head with several roles shows them side by side.
std::string head_map_html(const Json& chart) {
  const HeadMap map = head_map_of(chart);
  if (map.layers == 0 || map.heads == 0) return empty_note(chart);
  const double left = 40, top = 6;
  const double size = std::clamp((kDrawingWidth - left - 8) / static_cast<double>(map.layers), 5.0, 22.0);
  const auto x = [&](double layer) { return left + size * layer; };
  const auto y = [&](double head) { return top + size * head; };
  const double right = x(map.layers), bottom = y(map.heads);
  std::string drawn;
  for (int64_t layer = 0; layer <= map.layers; ++layer) drawn += line(x(layer), top, x(layer), bottom, "grid");
  for (int64_t head = 0; head <= map.heads; ++head) drawn += line(left, y(head), right, y(head), "grid");
  const auto every = static_cast<int64_t>(std::ceil(16 / size));  // so that numbers don't touch
  for (int64_t layer = 0; layer < map.layers; layer += std::max<int64_t>(every, map.layers > 12 ? 5 : 1))
    drawn += text_at(x(layer + 0.5), bottom + 14, "middle", std::to_string(layer));
  for (int64_t head = 0; head < map.heads; head += every)
    drawn += text_at(left - 5, y(head + 0.5) + 4, "end", std::to_string(head));
  drawn += text_at((left + right) / 2, bottom + 30, "middle", "layer") + text_upwards(13, (top + bottom) / 2, "head");
  for (const auto& [place, roles] : map.cells) {
    const engine::HeadId head{static_cast<int32_t>(place.first), static_cast<int32_t>(place.second)};
    const double width = (size - 1) / static_cast<double>(roles.size());
    for (size_t i = 0; i < roles.size(); ++i)
      drawn +=
          cell_rect(head, roles[i], x(head.layer) + 0.5 + width * static_cast<double>(i), y(head.head) + 0.5, width, size - 1);
  }
  return figure("head_map", chart, legend(map.legend, true) + svg(chart, std::max(right + 8, kDrawingWidth), bottom + 36, drawn));
}

// A text whose tokens are the darker the more they weigh.
std::string heat_text_html(const Json& chart) {
  std::string tokens;
  for (const Json& token : list_in(chart, "tokens")) {
    if (!token.is_array() || token.empty() || !token[0].is_string()) continue;
    const double weight = std::clamp(token.size() > 1 ? finite(token[1]).value_or(0) : 0.0, 0.0, 1.0);
    const std::string shade = std::to_string(static_cast<int>(std::lround(weight * 9)));
    tokens +=
        element("span", "class=\"h" + shade + "\" title=\"" + number_text(weight) + "\"", escaped(token[0].get<std::string>()));
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
