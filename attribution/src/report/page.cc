#include "report/page.h"

#include <cmath>
#include <cstdlib>

#include "report/charts.h"
#include "report/markup.h"
#include "report/page_style.h"

namespace openbook::attribution {
namespace {

// Whether `goal`, if it is ">= 0.98" or "<= 8 %", holds of `value`.
std::optional<bool> reached(const std::string& goal, std::optional<double> value) {
  const bool least = goal.starts_with(">= "), most = goal.starts_with("<= ");
  if (!value || (!least && !most)) return std::nullopt;
  const char* begin = goal.c_str() + 3;
  char* end = nullptr;
  double limit = std::strtod(begin, &end);
  if (end == begin) return std::nullopt;
  const std::string unit = end;
  if (unit == " %" || unit == "%")
    limit /= 100;
  else if (!unit.empty())
    return std::nullopt;
  return least ? *value >= limit : *value <= limit;
}

const Json& estimate_in(const Json& figure) {
  static const Json kNone;
  return figure.is_object() && figure.contains("estimate") ? figure["estimate"] : kNone;
}

ReportFigure figure_of(const std::string& part, const Json& figure) {
  const Json& estimate = estimate_in(figure);
  const std::string label = text_in(figure, "label");
  const std::string goal = text_in(figure, "goal");
  return {.part = part,
          .label = label.empty() ? text_in(figure, "name") : label,
          .ours = estimate_text(estimate),
          .goal = goal,
          .paper = text_in(figure, "paper"),
          .reached = reached(goal, estimate.is_object() ? number_in(estimate, "value") : finite(estimate))};
}

std::string link_to(const std::string& part, const std::string& text) {
  return element("a", "href=\"#" + escaped(part) + "\"", escaped(text));
}

std::string cell(const Json& value) {
  if (value.is_string()) return element("td", "", escaped(value.get<std::string>()));
  if (value.is_boolean()) return element("td", "", value.get<bool>() ? "yes" : "no");
  if (value.is_object()) return element("td", "class=\"number\"", escaped(estimate_text(value)));
  return element("td", "class=\"number\"", number_text(finite(value)));
}

// Wide tables scroll by themselves, not the page.
std::string table(const std::string& title, const std::string& head, const std::string& rows) {
  return element("div", "class=\"scroll\"",
                 element("table", "",
                         (title.empty() ? "" : element("caption", "", escaped(title))) +
                             (head.empty() ? "" : element("thead", "", element("tr", "", head))) + element("tbody", "", rows))) +
         "\n";
}

std::string table_of(const Json& given) {
  std::string head, rows;
  for (const Json& column : list_in(given, "columns"))
    head += element("th", "scope=\"col\"", column.is_string() ? escaped(column.get<std::string>()) : "");
  for (const Json& row : list_in(given, "rows")) {
    std::string cells;
    if (row.is_array())
      for (const Json& value : row) cells += cell(value);
    if (!cells.empty()) rows += element("tr", "", cells);
  }
  if (rows.empty()) return element("p", "class=\"note\"", escaped(text_in(given, "title")) + ": no rows.") + "\n";
  return table(text_in(given, "title"), head, rows);
}

std::string figures_table(const std::vector<ReportFigure>& figures, bool with_parts) {
  if (figures.empty()) return "";
  std::string rows;
  for (const ReportFigure& figure : figures) {
    std::string ours = escaped(figure.ours);
    if (figure.reached)
      ours += *figure.reached ? " <span class=\"reached\">✓ reached</span>" : " <span class=\"missed\">✗ not reached</span>";
    rows += element("tr", "",
                    (with_parts ? element("td", "", link_to(figure.part, figure.part)) : "") +
                        element("td", "class=\"label\"", escaped(figure.label)) + element("td", "class=\"ours\"", ours) +
                        element("td", "class=\"goal\"", escaped(figure.goal)) + element("td", "", escaped(figure.paper)));
  }
  const auto column = [](const char* name) { return element("th", "scope=\"col\"", name); };
  return table(
      "",
      (with_parts ? column("part") : "") + column("figure") + column("here (95 % interval)") + column("goal") + column("paper"),
      rows);
}

std::string left_out_list(const Json& result) {
  std::string items;
  for (const Json& reason : list_in(result, "left_out"))
    if (reason.is_string()) items += element("li", "", escaped(reason.get<std::string>()));
  return items.empty() ? "" : element("h3", "", "Left out") + element("ul", "class=\"left_out\"", items);
}

std::string section(const Json& part, const std::vector<ReportFigure>& all) {
  const std::string name = text_in(part, "name");
  const Json& result = object_in(part, "result");
  std::string content = element("h2", "", escaped(text_in(part, "title")));
  if (text_in(part, "state") == "missing")
    content += element("p", "class=\"note\"", "Not run yet; the same command without --only goes on with it.");
  std::vector<ReportFigure> own;
  for (const ReportFigure& figure : all)
    if (figure.part == name) own.push_back(figure);
  content += figures_table(own, false);
  std::string charts;
  for (const Json& chart : list_in(result, "charts")) charts += chart_html(chart);
  if (!charts.empty()) content += element("div", "class=\"charts\"", charts);
  for (const Json& each : list_in(result, "tables")) content += table_of(each);
  content += left_out_list(result);
  return element("section", "id=\"" + escaped(name) + "\"", content) + "\n";
}

std::string contents(const Json& parts) {
  std::string items;
  for (const Json& part : parts) {
    const std::string state = text_in(part, "state");
    items += element("li", "",
                     link_to(text_in(part, "name"), text_in(part, "title")) + (state == "finished"   ? ""
                                                                               : state == "left_out" ? " (left out)"
                                                                                                     : " (not run)"));
  }
  return element("nav", "aria-label=\"Contents\"", element("ol", "", items));
}

// What it was made of, as pairs.
std::string description(const Json& report) {
  const Json &model = object_in(report, "model"), &key = object_in(report, "key"), &made = object_in(report, "made");
  std::string rows;
  const auto row = [&](const char* name, const std::string& value) {
    rows += element("tr", "", element("th", "scope=\"row\"", name) + element("td", "", escaped(value)));
  };
  row("model", text_in(model, "name") + ", " + number_text(number_in(model, "layers")) + " layers of " +
                   number_text(number_in(model, "heads")) + " heads");
  row("model fingerprint", text_in(model, "fingerprint"));
  row("atlas fingerprint", text_in(made, "atlas"));
  row("contrast set", text_in(key, "contrast_set"));
  row("embedder", text_in(key, "embedder"));
  for (const auto& [file, hash] : object_in(key, "data").items())
    row("data", file + " " + (hash.is_string() ? hash.get<std::string>() : ""));
  row("seed", number_text(number_in(key, "seed")));
  row("numbers", text_in(key, "dtype") + " on " + text_in(key, "device") + " (" + text_in(made, "device") + ")");
  row("date", text_in(made, "date"));
  row("command", text_in(made, "command"));
  return element("details", "", element("summary", "", "How it was made") + table("", "", rows));
}

std::string times(const Json& report) {
  const Json& parts = object_in(object_in(report, "made"), "parts");
  if (parts.empty()) return "";
  std::string rows;
  for (const auto& [name, made] : parts.items())
    rows += element("tr", "",
                    element("td", "", link_to(name, name)) + cell(number_in(made, "seconds") ? made["seconds"] : Json()) +
                        cell(number_in(made, "groundwork_seconds") ? made["groundwork_seconds"] : Json()) +
                        element("td", "", escaped(text_in(made, "date"))) + element("td", "", escaped(text_in(made, "device"))));
  const auto column = [](const char* text) { return element("th", "scope=\"col\"", text); };
  return element(
      "section", "id=\"times\"",
      element("h2", "", "Times") +
          table("Groundwork: the contrast set's runs and the atlas, made when the first part needs them",
                column("part") + column("seconds") + column("groundwork before it") + column("date") + column("device"), rows));
}

}  // namespace

std::vector<ReportFigure> figures_of(const Json& report) {
  std::vector<ReportFigure> figures;
  for (const Json& part : list_in(report, "parts"))
    for (const Json& figure : list_in(object_in(part, "result"), "figures"))
      figures.push_back(figure_of(text_in(part, "name"), figure));
  return figures;
}

std::string report_page(const Json& report) {
  const Json& parts = list_in(report, "parts");
  const std::vector<ReportFigure> figures = figures_of(report);
  const Json& key = object_in(report, "key");
  const std::string title = "Head atlas of " + escaped(text_in(object_in(report, "model"), "name"));
  std::string body = element("h1", "", title);
  body += element("p", "",
                  "Which attention heads read from the prompt and which speak from memory, after &quot;The Atlas of In-Context "
                  "Learning&quot; (Kahardipraja et al. 2025, arXiv 2505.15807). "
                  "Every number with its 95 % bootstrap interval, clustered by subject, and its sample size; raw numbers are in "
                  "report.json.");
  if (key.contains("quick") && key["quick"] == true)
    body += element("p", "class=\"note\"", "A quick report: small samples, wide intervals.");
  body += contents(parts) + description(report);
  if (!figures.empty()) body += element("section", "id=\"figures\"", element("h2", "", "Figures") + figures_table(figures, true));
  for (const Json& part : parts) body += section(part, figures);
  body += times(report);
  return "<!DOCTYPE html>\n" +
         element("html", "lang=\"en\"",
                 element("head", "",
                         "<meta charset=\"utf-8\"/><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>" +
                             element("title", "", title) + element("style", "", kPageStyle)) +
                     "\n" + element("body", "", element("main", "", body))) +
         "\n";
}

}  // namespace openbook::attribution
