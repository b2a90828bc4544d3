// The map of the probe's features that an optional Python script draws: from a report as the program writes it, with a stand-in
// for UMAP that takes the first two features.
#include <nlohmann/json.hpp>

#include "base/program.h"
#include "base/test_support.h"
#include "openbook/base/file.h"

namespace openbook {
namespace {

using nlohmann::json;

class UmapOfFeatures : public testing::Test {
 protected:
  void SetUp() override {
    if (test::run_program("/usr/bin/env", {"python3", "--version"}).status != 0) GTEST_SKIP() << "no python3";
    std::filesystem::create_directory(folder_ / "with");
    write_file_atomically(folder_ / "with/umap.py",
                          "class UMAP:\n"
                          "    def __init__(self, n_neighbors, random_state, n_jobs):\n"
                          "        assert (n_neighbors, random_state, n_jobs) == (3, 7, 1)\n"
                          "    def fit_transform(self, rows):\n"
                          "        return [row[:2] for row in rows]\n");
    std::filesystem::create_directory(folder_ / "without");
    write_file_atomically(folder_ / "without/umap.py", "raise ImportError('no UMAP here')\n");
  }

  // `modules`: "with" or "without" UMAP.
  test::ProgramResult draw(const std::string& report, const std::string& modules) const {
    write_file_atomically(folder_ / "report.json", report);
    return test::run_program("/usr/bin/env",
                             {"python3", test::source_folder() / "attribution/tools/umap_of_features.py", "report.json",
                              "map.svg", "--neighbors", "15", "--seed", "7"},
                             {.environment = {{"PYTHONPATH", folder_ / modules}}, .folder = folder_.path()});
  }

  static json report() {
    json rows = json::array();
    for (int i = 0; i < 4; ++i)
      rows.push_back({{"subject", std::to_string(i) + " <a> & b"},
                      {"setting", "bare"},
                      {"copied", i < 3},
                      {"values", {0.5 * i, i == 3 ? 1.0 : 0.0, 9.0}}});
    return {{"parts", {{{"name", "roles"}}, {{"name", "tracking"}, {"result", {{"features", {{"rows", rows}}}}}}}}};
  }

  const test::TemporaryFolder folder_;
};

TEST_F(UmapOfFeatures, DrawsEveryAnswerOfTheReport) {
  const auto drawn = draw(report().dump(), "with");
  ASSERT_EQ(drawn.status, 0) << drawn.err;
  const std::string svg = read_file(folder_ / "map.svg");
  EXPECT_NE(svg.find("<circle cx=\"24.0\" cy=\"616.0\" r=\"3\" fill=\"#1a8f3c\""), std::string::npos) << svg;
  EXPECT_NE(svg.find("<circle cx=\"616.0\" cy=\"24.0\" r=\"3\" fill=\"#c62f2f\""), std::string::npos) << svg;
  EXPECT_NE(svg.find("3 &lt;a&gt; &amp; b, bare: recited"), std::string::npos) << svg;
  EXPECT_NE(svg.find(">copied: 3<"), std::string::npos);
  EXPECT_NE(svg.find(">recited: 1<"), std::string::npos);
}

TEST_F(UmapOfFeatures, WhateverIsMissingIsOneLine) {
  json without_features = report(), without_part = report();
  without_features["parts"][1]["result"].erase("features");
  without_part["parts"].erase(1);
  const struct {
    std::string report, modules;
    const char* message;
  } rows[] = {{report().dump(), "without", "pip install umap-learn"},
              {without_features.dump(), "with", "holds no features"},
              {without_part.dump(), "with", "no part \"tracking\""},
              {"[]", "with", "no part \"tracking\""},
              {"{", "with", "report.json: no JSON"}};
  for (const auto& row : rows) {
    const auto refused = draw(row.report, row.modules);
    EXPECT_EQ(refused.status, 1) << row.message;
    EXPECT_NE(refused.err.find(row.message), std::string::npos) << refused.err;
    EXPECT_EQ(std::count(refused.err.begin(), refused.err.end(), '\n'), 1) << refused.err;
    EXPECT_FALSE(std::filesystem::exists(folder_ / "map.svg"));
  }
}

}  // namespace
}  // namespace openbook
