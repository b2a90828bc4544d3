#include "report/page.h"

#include <gmock/gmock.h>

#include <limits>

#include "base/test_support.h"
#include "report/charts.h"
#include "report/markup.h"
#include "report/names.h"

namespace openbook::attribution {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr char kHostile[] = "<script>alert(\"1\")</script> & 'x'\x1B[31m\0";
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

bool is_name(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(),
                                      [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_'; });
}

// What is wrong with `text` as XML content: entities, and characters that may not stand there. Empty when nothing is.
std::string text_problem(std::string_view text) {
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '<' || text[i] == '>') return "a bare < or >";
    if (static_cast<unsigned char>(text[i]) < 0x20 && text[i] != '\n' && text[i] != '\t') return "a control character";
    if (text[i] != '&') continue;
    const std::string_view entity = text.substr(i, text.find(';', i) - i);
    if (entity != "&amp" && entity != "&lt" && entity != "&gt" && entity != "&quot" && entity != "&#39")
      return "a bare & in " + std::string(text.substr(i, 20));
  }
  return "";
}

// A tag's inside, such as `p class="note"` or `br/`: its name, or a problem.
std::string attributes_problem(std::string_view tag) {
  size_t at = tag.find(' ');
  while (at != std::string_view::npos && at < tag.size()) {
    const size_t equals = tag.find("=\"", ++at);
    if (equals == std::string_view::npos || !is_name(tag.substr(at, equals - at)))
      return "attributes of <" + std::string(tag) + ">";
    const size_t end = tag.find('"', equals + 2);
    if (end == std::string_view::npos) return "an open attribute in <" + std::string(tag) + ">";
    if (std::string problem = text_problem(tag.substr(equals + 2, end - equals - 2)); !problem.empty()) return problem;
    at = end + 1;
    if (at < tag.size() && tag[at] != ' ') return "no space between attributes of <" + std::string(tag) + ">";
  }
  return "";
}

// Empty when `xml` is one well-formed element (after <!DOCTYPE html>).
std::string xml_problem(std::string_view xml) {
  if (xml.starts_with("<!DOCTYPE html>\n")) xml.remove_prefix(16);
  std::vector<std::string> open;
  size_t at = 0, elements = 0;
  while (at < xml.size()) {
    const size_t tag = std::min(xml.find('<', at), xml.size());
    if (std::string problem = text_problem(xml.substr(at, tag - at)); !problem.empty()) return problem;
    if (open.empty() && xml.substr(at, tag - at).find_first_not_of(" \n") != std::string_view::npos) return "text outside";
    if (tag == xml.size()) break;
    const size_t end = xml.find('>', tag);
    if (end == std::string_view::npos) return "an open tag";
    std::string_view inside = xml.substr(tag + 1, end - tag - 1);
    at = end + 1;
    if (inside.starts_with('/')) {
      if (open.empty() || open.back() != inside.substr(1))
        return "</" + std::string(inside.substr(1)) + "> closes <" + (open.empty() ? "" : open.back()) + ">";
      open.pop_back();
      continue;
    }
    const bool alone = inside.ends_with('/');
    if (alone) inside.remove_suffix(1);
    if (open.empty() && elements++ > 0) return "a second root";
    const std::string_view name = inside.substr(0, inside.find(' '));
    if (!is_name(name)) return "the name of <" + std::string(inside) + ">";
    if (std::string problem = attributes_problem(inside); !problem.empty()) return problem;
    if (!alone) open.emplace_back(name);
  }
  return open.empty() ? "" : "<" + open.back() + "> stays open";
}

Json lines_chart(Json points) {
  return {{"kind", "lines"},
          {"title", "t"},
          {"x", "heads"},
          {"y", "recall"},
          {"series", Json::array({{{"name", "s"}, {"color", "task"}, {"points", std::move(points)}}})}};
}

size_t count(std::string_view text, std::string_view piece) {
  size_t found = 0;
  for (size_t at = 0; (at = text.find(piece, at)) != std::string_view::npos; at += piece.size()) ++found;
  return found;
}

TEST(XmlCheck, FindsWhatIsWrong) {
  EXPECT_EQ(xml_problem("<a b=\"1\" c=\"&amp;\"><d/>x</a>\n"), "");
  for (const char* bad : {"<a>", "<a></b>", "<a/><a/>", "<a b=1/>", "<a b=\"1\"c=\"2\"/>", "<a>&nbsp;</a>", "<a>&</a>",
                          "<a>></a>", "x<a/>", "<a b=\"<\"/>", "<a>\x1B</a>"})
    EXPECT_NE(xml_problem(bad), "") << bad;
}

TEST(Markup, EscapesEverythingThatCouldEndAText) {
  EXPECT_EQ(escaped("<a href=\"x\">'&</a>"), "&lt;a href=&quot;x&quot;&gt;&#39;&amp;&lt;/a&gt;");
  EXPECT_EQ(escaped(std::string("a\0b\x1B\r\t\n", 7)), "a\uFFFDb\uFFFD\uFFFD\t\n");
  EXPECT_EQ(escaped("\xE2\x82 \xFF"), "\uFFFD\uFFFD \uFFFD");
  EXPECT_EQ(escaped("ab\u202Ecd\u2066"), "ab\uFFFDcd\uFFFD");
  EXPECT_EQ(escaped("año 北京"), "año 北京");
}

TEST(Markup, NumbersHaveTheDigitsThatMatter) {
  const std::pair<double, const char*> rows[] = {
      {0, "0"},      {-0.0, "0"},     {1, "1"},         {412, "412"},     {0.98312, "0.983"},    {0.00123, "0.0012"},
      {3.2, "3.20"}, {14.26, "14.3"}, {1234.5, "1234"}, {-0.5, "-0.500"}, {1.5e9, "1500000000"}, {kNan, "–"}};
  for (const auto& [value, text] : rows) EXPECT_EQ(number_text(value), text);
  EXPECT_EQ(number_text(std::nullopt), "–");
  EXPECT_EQ(estimate_text({{"value", 0.9833}, {"low", 0.971}, {"high", 0.991}, {"n", 412}}), "0.983 (0.971 to 0.991), n = 412");
  EXPECT_EQ(estimate_text({{"value", nullptr}, {"low", nullptr}, {"high", nullptr}, {"n", 0}}), "–, n = 0");
  EXPECT_EQ(estimate_text(0.25), "0.250");
  EXPECT_EQ(estimate_text(Json()), "–");
}

TEST(Charts, ALineStandsWhereItsNumbersSay) {
  const std::string drawn = chart_html(lines_chart({{0, 0}, {1, 1}}));
  EXPECT_THAT(drawn, HasSubstr("class=\"line\" d=\"M56.0 272.0L468.0 10.0\""));  // the corners of the frame
  EXPECT_EQ(count(drawn, "class=\"mark\""), 3u);                                 // two points and the legend
  EXPECT_THAT(drawn, HasSubstr("<title>s: 1, 1</title>"));
  EXPECT_THAT(drawn, HasSubstr(">heads</text>"));
  EXPECT_EQ(xml_problem(drawn), "");
}

TEST(Charts, IntervalsAreBandsOverTheStretchesThatHaveThem) {
  const std::string drawn =
      chart_html(lines_chart({{0, 0.5, 0, 1}, {1, 0.5, 0.25, 0.75}, {2, 0.5}, {3, 0.5, nullptr, 0.6}, {4, 0.5, 0.4, 0.6}}));
  EXPECT_THAT(drawn, HasSubstr("class=\"band\" d=\"M56.0 10.0L159.0 75.5L159.0 206.5L56.0 272.0z\""));
  EXPECT_EQ(count(drawn, "class=\"band\""), 1u);
  EXPECT_EQ(count(drawn, "class=\"whisker\""), 1u);
  EXPECT_THAT(drawn, HasSubstr("<title>s: 4, 0.500 (0.400 to 0.600)</title>"));
}

TEST(Charts, ALineBreaksWhereANumberIsMissing) {
  const std::string drawn = chart_html(lines_chart({{0, 1}, {1, 2}, {2, nullptr}, {kNan, 2}, {3, 1}, {4, 1}, {5}, "x", {6, 1}}));
  EXPECT_EQ(count(drawn, "class=\"line\" d="), 2u);
  EXPECT_EQ(count(drawn, "<title>"), 5u);
  EXPECT_THAT(drawn, Not(HasSubstr("nan")));
}

TEST(Charts, AllEqualHugeAndTinyNumbersHaveAxes) {
  for (const Json& points : {Json{{1, 1}, {1, 1}}, Json{{0, 0}}, Json{{1e-12, 3e-15}, {2e-12, 4e-15}},
                             Json{{1e16, -1e16}, {1e16 + 2, 1e99}}, Json{{0, 1e101}, {1, 1}}}) {
    const std::string drawn = chart_html(lines_chart(points));
    EXPECT_THAT(drawn, Not(HasSubstr("nan")));
    EXPECT_THAT(drawn, Not(HasSubstr("inf")));
    EXPECT_LE(count(drawn, "class=\"grid\""), 26u);
    EXPECT_GE(count(drawn, "class=\"grid\""), 4u);
    EXPECT_EQ(xml_problem(drawn), "");
  }
}

// Classes of the groups that series are drawn in, in order.
std::vector<std::string> classes_of_series(const std::vector<std::pair<std::string, std::string>>& names_and_colors) {
  Json chart = {{"kind", "lines"}, {"title", "t"}, {"series", Json::array()}};
  for (const auto& [name, color] : names_and_colors)
    chart["series"].push_back({{"name", name}, {"color", color}, {"points", {{0, 0}, {1, 1}}}});
  const std::string drawn = chart_html(chart);
  std::vector<std::string> classes;
  for (size_t at = 0; (at = drawn.find("<g class=\"", at)) != std::string::npos;) {
    at += 10;
    classes.push_back(drawn.substr(at, drawn.find('"', at) - at));
    EXPECT_THAT(drawn, HasSubstr("key stroke " + classes.back() + "\"")) << "the legend shows each line as it is drawn";
  }
  return classes;
}

TEST(Charts, EverySeriesCanBeToldFromTheOthers) {
  using Classes = std::vector<std::string>;
  EXPECT_EQ(classes_of_series({{"in_context", "in_context"}, {"random", "random"}}), (Classes{"c-in_context", "c-random"}));
  EXPECT_EQ(classes_of_series({{"lookback", "other"}, {"write score", "other"}}), (Classes{"p0", "p1"}));
  EXPECT_EQ(classes_of_series({{"scale 1", "task"}, {"scale 2", "task"}}), (Classes{"c-task", "p0"}));
  EXPECT_EQ(classes_of_series({{"perfect", "other"}, {"own", "copied"}, {"conflict", "recited"}}),
            (Classes{"c-other", "p0", "p1"}))
      << "the colours of labels are theirs alone";
  EXPECT_EQ(classes_of_series({{"copied", "copied"}, {"recited", "recited"}}), (Classes{"c-copied", "c-recited"}));
}

TEST(Charts, ALineOfManyPointsHasSomeMarks) {
  Json points = Json::array();
  for (int i = 0; i < 200; ++i) points.push_back({i, i});
  EXPECT_EQ(count(chart_html(lines_chart(points)), "class=\"mark\""), 8u + 1u);  // and the legend's
}

TEST(Charts, NamesAreThoseThatReadersKnow) {
  for (const auto& [raw, name] : {std::pair{"in_context", "in-context heads"},
                                  {"least", "least relevant heads"},
                                  {"birth_date", "birth date"},
                                  {"scale 2", "scale 2"},
                                  {"ReDeEP_x", "ReDeEP_x"}})
    EXPECT_EQ(readable(raw), name);
  Json chart = lines_chart({{0, 0}, {1, 1}});
  chart["series"][0]["name"] = "parametric";
  EXPECT_THAT(chart_html(chart), HasSubstr("</svg>parametric heads</li>"));
  EXPECT_THAT(chart_html(chart), HasSubstr("<title>parametric heads: 1, 1</title>"));
}

TEST(Charts, AScatterHasAMarkAPointAndASeriesItsShape) {
  const Json chart = {{"kind", "scatter"},
                      {"title", "t"},
                      {"series",
                       {{{"name", "copied"}, {"color", "copied"}, {"points", {{0, 1}, {1, 2}, {3, 3}}}},
                        {{"name", "mystery"}, {"color", "puce"}, {"points", Json::array({Json::array({2, 2})})}}}}};
  const std::string drawn = chart_html(chart);
  EXPECT_EQ(count(drawn, "<title>"), 4u);
  EXPECT_EQ(count(drawn, "class=\"line\""), 0u);
  EXPECT_THAT(drawn, HasSubstr("<g class=\"c-copied cloud\">"));
  EXPECT_THAT(drawn, HasSubstr("<g class=\"c-other cloud\">"));  // a colour that the style doesn't have
  EXPECT_EQ(xml_problem(drawn), "");
}

TEST(Charts, AHeadMapShadesByStrengthAndSplitsSharedHeads) {
  const Json chart = {{"kind", "head_map"},
                      {"title", "t"},
                      {"layers", 30},
                      {"heads", 9},
                      {"cells",
                       {{{"layer", 0}, {"head", 0}, {"color", "task"}, {"strength", 1}},
                        {{"layer", 18}, {"head", 6}, {"color", "retrieval"}, {"strength", 0.25}},
                        {{"layer", 18}, {"head", 6}, {"color", "in_context"}, {"strength", 0.5}},
                        {{"layer", 3}, {"head", 1}, {"color", "task"}, {"strength", nullptr}},
                        {{"layer", -1}, {"head", 1}, {"color", "task"}, {"strength", 1}}}}};
  const std::string drawn = chart_html(chart);
  EXPECT_EQ(count(drawn, "<rect"), 3u);
  EXPECT_EQ(count(drawn, "class=\"grid\""), 31u + 10u);
  EXPECT_THAT(drawn, HasSubstr("<rect class=\"c-task\" x=\"40.5\" y=\"6.5\" width=\"13.4\" height=\"13.4\" "
                               "fill-opacity=\"1.00\"><title>L0H0 task 1</title></rect>"));
  EXPECT_THAT(drawn, HasSubstr("width=\"6.7\" height=\"13.4\" fill-opacity=\"0.25\"><title>L18H6 retrieval 0.250</title>"));
  EXPECT_THAT(drawn, HasSubstr("</svg>in-context heads</li>"));
  EXPECT_THAT(drawn, HasSubstr("The stronger the colour, the higher the head stands by that score."));
  EXPECT_EQ(xml_problem(drawn), "");
}

TEST(Charts, HeatTextShadesTokensAndEscapesThem) {
  const Json chart = {{"kind", "heat_text"},
                      {"title", "t"},
                      {"tokens", {{" <script>", 1}, {"\n", 0}, {"born", 0.5}, {"x", nullptr}, {"y", 7}, {3, 1}}}};
  const std::string drawn = chart_html(chart);
  EXPECT_THAT(drawn, HasSubstr("<span class=\"h9\" title=\"1\"> &lt;script&gt;</span>"));
  EXPECT_THAT(drawn, HasSubstr("<span class=\"h5\" title=\"0.500\">born</span>"));
  EXPECT_EQ(count(drawn, "<span"), 5u);
  EXPECT_EQ(xml_problem(drawn), "");
}

TEST(Charts, NothingToDrawIsSaid) {
  const std::vector<Json> charts = {lines_chart(Json::array()),
                                    lines_chart({{nullptr, nullptr}}),
                                    lines_chart({{kNan, 1}}),
                                    {{"kind", "lines"}, {"title", "t"}},
                                    {{"kind", "scatter"}, {"title", "t"}, {"series", "x"}},
                                    {{"kind", "head_map"}, {"title", "t"}},
                                    {{"kind", "head_map"}, {"title", "t"}, {"layers", 0}, {"heads", -3}},
                                    {{"kind", "head_map"}, {"title", "t"}, {"layers", 1e300}, {"heads", 2}},
                                    {{"kind", "heat_text"}, {"title", "t"}, {"tokens", Json::array()}}};
  for (const Json& chart : charts) {
    EXPECT_THAT(chart_html(chart), HasSubstr("Nothing to draw")) << chart;
    EXPECT_EQ(xml_problem(chart_html(chart)), "");
  }
  EXPECT_THAT(chart_html({{"kind", "<pie>"}}), HasSubstr("unknown kind &quot;&lt;pie&gt;&quot;"));
  EXPECT_THAT(chart_html(Json::array()), HasSubstr("unknown kind"));
}

Json sample_report() {
  const std::string hostile(kHostile, sizeof kHostile - 1);
  Json charts = Json::array({lines_chart({{0, 1, 0, 2}, {1, 2, 1, 3}}),
                             {{"kind", "heat_text"}, {"title", hostile}, {"tokens", Json::array({Json::array({hostile, 0.5})})}},
                             {{"kind", "scatter"},
                              {"title", hostile},
                              {"x", hostile},
                              {"y", hostile},
                              {"series", Json::array({{{"name", hostile}, {"color", hostile}, {"points", {{1, 2}, {2, 3}}}}})}},
                             {{"kind", "head_map"},
                              {"title", hostile},
                              {"layers", 2},
                              {"heads", 2},
                              {"cells", Json::array({{{"layer", 1}, {"head", 1}, {"color", hostile}, {"strength", 1}}})}},
                             {{"kind", "head_map"},
                              {"title", "Top 30"},
                              {"legend", {{"retrieval", "top 30 by " + hostile}}},
                              {"note", hostile},
                              {"cells", Json::array({{{"layer", 1}, {"head", 1}, {"color", "retrieval"}, {"strength", 1}}})}}});
  Json result = {
      {"figures",
       {{{"name", "auc"},
         {"label", hostile},
         {"estimate", {{"value", 0.985}, {"low", 0.97}, {"high", 0.99}, {"n", 50}}},
         {"goal", ">= 0.98"},
         {"paper", "95 % (Llama-3.1-8B)"},
         {"copied", 30},
         {"recited", 20}},
        {{"name", "task"}, {"estimate", {{"value", 0.8}}}, {"goal", ">= 85 %"}},
        {{"name", "closed"}, {"estimate", {{"value", 0.05}}}, {"goal", "<= 0.08"}},
        {{"name", "printed"}, {"estimate", {{"value", 0.5}}}, {"goal", "printed"}},
        {{"name", "absent"}, {"estimate", {{"value", nullptr}}}, {"goal", ">= 1"}}}},
      {"charts", charts},
      {"tables",
       Json::array({{{"title", hostile},
                     {"columns", {hostile, "n"}},
                     {"rows", {{hostile, 3}, {nullptr, true}, Json::array({{{"value", 0.5}, {"n", 2}}})}}},
                    {{"title", "counted"}, {"n", 7}, {"note", hostile}, {"rows", Json::array({Json::array({"birth_place", 1})})}},
                    {{"title", "none"}, {"rows", Json::array()}}})},
      {"left_out", Json::array({hostile})}};
  return {{"model", {{"name", hostile}, {"fingerprint", "f"}, {"layers", 2}, {"heads", 2}}},
          {"key", {{"quick", true}, {"max_facts", 160}, {"biographies", "b1b2"}, {"seed", 1}, {"data", {{hostile, "h"}}}}},
          {"parts",
           {{{"name", "roles"}, {"title", hostile}, {"about", hostile}, {"state", "finished"}, {"result", result}},
            {{"name", "surgery"}, {"title", "Surgery"}, {"state", "missing"}}}},
          {"made",
           {{"date", "2025-01-31"},
            {"command", hostile},
            {"seconds", 461.0},
            {"parts", {{"roles", {{"seconds", 1.5}, {"groundwork_seconds", 20}, {"device", hostile}}}}}}}};
}

TEST(Page, IsWellFormedWhateverItsTextsHold) {
  const std::string page = report_page(sample_report());
  EXPECT_EQ(xml_problem(page), "");
  EXPECT_THAT(page, Not(HasSubstr("<script")));
  EXPECT_THAT(page, HasSubstr("&lt;script&gt;"));
  for (const Json& odd : {Json(), Json::object(), Json{{"parts", 3}},
                          Json{{"parts", {1, nullptr, {{"name", 2}, {"result", {{"tables", "x"}, {"figures", {1}}}}}}}}})
    EXPECT_EQ(xml_problem(report_page(odd)), "") << odd;
}

TEST(Page, NeedsNoNetworkAndNoScript) {
  const std::string page = report_page(sample_report());
  for (const char* piece : {"http:", "https:", "url(", "@import", " src=", "<link", "<iframe", "onclick", "javascript:"})
    EXPECT_THAT(page, Not(HasSubstr(piece))) << piece;
  EXPECT_THAT(page, HasSubstr("name=\"viewport\""));
  EXPECT_THAT(page, HasSubstr("prefers-color-scheme: dark"));
}

TEST(Page, EveryLinkOfTheContentsHasItsSection) {
  const std::string page = report_page(sample_report());
  size_t links = 0;
  for (size_t at = 0; (at = page.find("href=\"#", at)) != std::string::npos; ++links) {
    at += 7;
    EXPECT_THAT(page, HasSubstr("id=\"" + page.substr(at, page.find('"', at) - at) + "\""));
  }
  EXPECT_GE(links, 4u);
  EXPECT_THAT(page, HasSubstr("Surgery</a> (not run)"));
}

TEST(Page, FiguresStandBesideGoalAndPaper) {
  const std::vector<ReportFigure> figures = figures_of(sample_report());
  ASSERT_EQ(figures.size(), 5u);
  EXPECT_EQ(figures[0].ours, "0.985 (0.970 to 0.990), n = 50");
  EXPECT_EQ(figures[0].reached, true);
  EXPECT_EQ(figures[1].label, "task");  // a figure without a label shows its name
  EXPECT_EQ(figures[1].reached, false);
  EXPECT_EQ(figures[2].reached, true);
  EXPECT_EQ(figures[3].reached, std::nullopt);
  EXPECT_EQ(figures[4].reached, std::nullopt);
  const std::string page = report_page(sample_report());
  EXPECT_THAT(page, HasSubstr("<td class=\"goal\">&gt;= 0.98</td><td>95 % (Llama-3.1-8B)</td>"));
  EXPECT_EQ(count(page, "✗ not reached"), 2u);  // in the summary and in the part
  EXPECT_EQ(figures[0].counts, "30 copied, 20 recited");
  EXPECT_THAT(page, HasSubstr("n = 50<span class=\"counts\">; 30 copied, 20 recited</span>"));
}

TEST(Page, AGoalInsideTheIntervalIsSaid) {
  const struct {
    double low, high;
    const char *goal, *verdict;
  } rows[] = {{0.97, 0.99, ">= 0.98", "reached (interval crosses)"},
              {0.981, 0.99, ">= 0.98", "reached"},
              {0.97, 0.99, ">= 99 %", "not reached (interval crosses)"},
              {0.97, 0.987, ">= 0.99", "not reached"},
              {0.97, 0.99, "<= 0.98", "not reached (interval crosses)"},
              {0.97, 0.985, "<= 0.99", "reached"},
              {0.97, 0.985, "printed", ""}};
  for (const auto& row : rows) {
    const Json figure = {{"estimate", {{"value", 0.985}, {"low", row.low}, {"high", row.high}}}, {"goal", row.goal}};
    const Json report = {{"parts", Json::array({{{"name", "p"}, {"result", {{"figures", Json::array({figure})}}}}})}};
    EXPECT_EQ(figures_of(report).at(0).verdict(), row.verdict) << row.goal << " in " << row.low << " to " << row.high;
  }
}

TEST(Page, FiguresWithoutGoalOrPaperStandInTheirPartAlone) {
  Json report = sample_report();
  report["parts"][0]["result"]["figures"].push_back({{"name", "x"}, {"label", "just a number"}, {"estimate", 1}});
  EXPECT_EQ(count(report_page(report), "just a number"), 1u);
}

TEST(Page, SaysHowItWasMadeAndWhatItsWordsMean) {
  const std::string page = report_page(sample_report());
  for (const char* piece :
       {"<td>7 min 41 s in all</td>", "<td>b1b2</td>", "<td>at most 160</td>", "the report builds an atlas of its own",
        "<p class=\"about\">&lt;script&gt;", "<section id=\"glossary\">", "<dt>decoy</dt>", "<dt>recited passed</dt>",
        "counted, n = 7", "<td>birth place</td>", "</svg>top 30 by &lt;script&gt;"})
    EXPECT_THAT(page, HasSubstr(piece));
}

}  // namespace
}  // namespace openbook::attribution
