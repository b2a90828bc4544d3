#include "report/page.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "report/charts.h"
#include "report/glossary.h"
#include "report/markup.h"
#include "report/names.h"
#include "report/page_style.h"

namespace openbook::attribution {
namespace {

// A goal that is ">= 0.98" or "<= 8 %"; nothing for other texts.
struct Goal {
  bool least;  // else at most
  double limit;

  bool holds(double value) const { return least ? value >= limit : value <= limit; }
};

std::optional<Goal> goal_of(const std::string& text) {
  const bool least = text.starts_with(">= ");
  if (!least && !text.starts_with("<= ")) return std::nullopt;
  const char* begin = text.c_str() + 3;
  char* end = nullptr;
  const double limit = std::strtod(begin, &end);
  const std::string unit = end;
  if (end == begin || (!unit.empty() && unit != "%" && unit != " %")) return std::nullopt;
  return Goal{least, unit.empty() ? limit : limit / 100};
}

const Json& estimate_in(const Json& figure) {
  static const Json kNone;
  return figure.is_object() && figure.contains("estimate") ? figure["estimate"] : kNone;
}

// How many cases of either label, of a figure or a table's estimate.
std::string counts_text(const Json& given) {
  const auto copied = number_in(given, "copied"), recited = number_in(given, "recited");
  return copied && recited ? number_text(copied) + " copied, " + number_text(recited) + " recited" : "";
}

ReportFigure figure_of(const std::string& part, const Json& given) {
  const Json& estimate = estimate_in(given);
  const std::string label = text_in(given, "label");
  ReportFigure figure{.part = part,
                      .label = label.empty() ? text_in(given, "name") : label,
                      .ours = estimate_text(estimate),
                      .goal = text_in(given, "goal"),
                      .paper = text_in(given, "paper"),
                      .counts = counts_text(given)};
  const auto value = estimate.is_object() ? number_in(estimate, "value") : finite(estimate);
  const auto goal = goal_of(figure.goal);
  if (!goal || !value) return figure;
  figure.reached = goal->holds(*value);
  const auto low = number_in(estimate, "low"), high = number_in(estimate, "high");
  figure.crosses = low && high && goal->holds(*low) != goal->holds(*high);
  return figure;
}

std::string link_to(const std::string& part, const std::string& text) {
  return element("a", "href=\"#" + escaped(part) + "\"", escaped(text));
}

std::string note(const std::string& text) { return text.empty() ? "" : element("p", "class=\"note\"", escaped(text)) + "\n"; }

std::string counts(const std::string& text) {
  return text.empty() ? "" : element("span", "class=\"counts\"", "; " + escaped(text));
}

std::string cell(const Json& value) {
  if (value.is_string()) return element("td", "", escaped(readable(value.get<std::string>())));
  if (value.is_boolean()) return element("td", "", value.get<bool>() ? "yes" : "no");
  if (value.is_object()) return element("td", "class=\"number\"", escaped(estimate_text(value)) + counts(counts_text(value)));
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
  std::string head, rows, title = text_in(given, "title");
  if (const auto cases = number_in(given, "n")) title += ", n = " + number_text(cases);
  for (const Json& column : list_in(given, "columns"))
    head += element("th", "scope=\"col\"", column.is_string() ? escaped(readable(column.get<std::string>())) : "");
  for (const Json& row : list_in(given, "rows")) {
    std::string cells;
    if (row.is_array())
      for (const Json& value : row) cells += cell(value);
    if (!cells.empty()) rows += element("tr", "", cells);
  }
  if (rows.empty()) return note(title + ": no rows.");
  return table(title, head, rows) + note(text_in(given, "note"));
}

std::string figures_table(const std::vector<ReportFigure>& figures, bool with_parts) {
  if (figures.empty()) return "";
  std::string rows;
  for (const ReportFigure& figure : figures) {
    std::string ours = escaped(figure.ours) + counts(figure.counts);
    if (figure.reached)
      ours += element("span", *figure.reached ? "class=\"reached\"" : "class=\"missed\"",
                      (*figure.reached ? " ✓ " : " ✗ ") + figure.verdict());
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

// What the report is held against: figures with a goal or a published number. The others stand in their parts.
std::string summary(std::vector<ReportFigure> figures) {
  std::erase_if(figures, [](const ReportFigure& each) { return each.goal.empty() && each.paper.empty(); });
  if (figures.empty()) return "";
  return element(
      "section", "id=\"figures\"",
      element("h2", "", "Figures") +
          element("p", "class=\"about\"",
                  "Those that have a goal or a published number; every part has its others. A figure has reached its goal by its "
                  "value alone: where the interval crosses the goal, another sample could say otherwise.") +
          figures_table(figures, true));
}

std::string left_out_list(const Json& result) {
  std::string items;
  for (const Json& reason : list_in(result, "left_out"))
    if (reason.is_string()) items += element("li", "", escaped(reason.get<std::string>()));
  return items.empty() ? "" : element("h3", "", "Left out") + element("ul", "class=\"left_out\"", items);
}

// A head map whose "legend" has words for its colours: every cell carries them.
Json with_legend(const Json& chart) {
  const Json& legend = object_in(chart, "legend");
  Json named = chart;
  if (legend.empty() || list_in(chart, "cells").empty()) return named;
  for (Json& cell : named["cells"])
    if (const std::string color = text_in(cell, "color"), words = text_in(legend, color.c_str()); !words.empty())
      cell["color"] = color + ": " + words;
  return named;
}

std::string section(const Json& part, const std::vector<ReportFigure>& all) {
  const std::string name = text_in(part, "name");
  const Json& result = object_in(part, "result");
  const std::string about = text_in(part, "about");
  std::string content = element("h2", "", escaped(text_in(part, "title")));
  if (!about.empty()) content += element("p", "class=\"about\"", escaped(about));
  if (text_in(part, "state") == "missing") content += note("Not run yet; the same command without --only goes on with it.");
  std::vector<ReportFigure> own;
  for (const ReportFigure& figure : all)
    if (figure.part == name) own.push_back(figure);
  content += figures_table(own, false);
  std::string charts;
  for (const Json& chart : list_in(result, "charts")) charts += chart_html(with_legend(chart));
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
  items += element("li", "", link_to("glossary", "Words"));
  return element("nav", "aria-label=\"Contents\"", element("ol", "", items));
}

std::string duration_text(std::optional<double> seconds) {
  if (!seconds) return "–";
  const auto whole = static_cast<int64_t>(std::lround(std::clamp(*seconds, 0.0, 1e9)));
  return (whole >= 60 ? std::to_string(whole / 60) + " min " : "") + std::to_string(whole % 60) + " s";
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
  row("atlas fingerprint",
      text_in(made, "atlas") +
          " (the report builds an atlas of its own, atlas.json in its folder; one that was built apart from it has another)");
  row("contrast set", text_in(key, "contrast_set"));
  const auto most = number_in(key, "max_facts");
  row("facts of it that were run", !most || *most == 0 ? "all" : "at most " + number_text(most));
  row("biographies", text_in(key, "biographies"));
  row("embedder", text_in(key, "embedder"));
  for (const auto& [file, hash] : object_in(key, "data").items())
    row("data", file + " " + (hash.is_string() ? hash.get<std::string>() : ""));
  row("seed", number_text(number_in(key, "seed")));
  row("numbers", text_in(key, "dtype") + " on " + text_in(key, "device") + " (" + text_in(made, "device") + ")");
  row("date", text_in(made, "date"));
  row("time", duration_text(number_in(made, "seconds")) + " in all");
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

std::string ReportFigure::verdict() const {
  if (!reached) return "";
  return std::string(*reached ? "reached" : "not reached") + (crosses ? " (interval crosses)" : "");
}

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
                  "report.json. Words that have a meaning of their own here stand " +
                      link_to("glossary", "at the end") + ".");
  if (key.contains("quick") && key["quick"] == true) body += note("A quick report: small samples, wide intervals.");
  body += contents(parts) + description(report);
  body += summary(figures);
  for (const Json& part : parts) body += section(part, figures);
  body += times(report) + glossary_html();
  return "<!DOCTYPE html>\n" +
         element("html", "lang=\"en\"",
                 element("head", "",
                         "<meta charset=\"utf-8\"/><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>" +
                             element("title", "", title) + element("style", "", kPageStyle)) +
                     "\n" + element("body", "", element("main", "", body))) +
         "\n";
}

}  // namespace openbook::attribution
