// On a hand-written model of which one knows what its two heads do: L0H0 reads answers from documents, L0H1 recites them.
#include "report/roles.h"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>

#include "attribution/knowing_llama.h"
#include "base/test_support.h"

namespace openbook::attribution {
namespace {

TEST(FunctionalMap, AHeadHasTheRoleThatItStandsHighestIn) {
  const Json map = functional_map(
      "Map", 2, 3,
      {{"task", {4, 0, 1, 0, 3, 0}, 3}, {"retrieval", {0, 0, 5, 0, 10, 0}, 2}, {"parametric", {0.5, 0, 0, 0.2, 0.1, 0}, 1}});
  EXPECT_EQ(map["cells"], Json::parse(R"([{"layer": 0, "head": 0, "color": "task", "strength": 1.0},
                                          {"layer": 0, "head": 2, "color": "retrieval", "strength": 0.5},
                                          {"layer": 1, "head": 1, "color": "retrieval", "strength": 1.0}])"));
  EXPECT_EQ(map["layers"], 2);
  EXPECT_EQ(map["heads"], 3);
}

// What the model said is the same for all tests of one model.
struct World {
  // Of heads that write nearly all of an answer the plain gradient through the final norm is negative: it finds them where they
  // look at their words a little.
  explicit World(bool looks_a_little) {
    openbook::test::ReadingLlama model = openbook::test::knowing_llama(facts);
    if (looks_a_little) model.reading = -0.7f, model.reciting = -3;
    model.write(folder / "model");
    decoder.emplace(engine::Model::load(folder / "model"));
    runs = run_contrast_set(CaseRunner(*decoder), facts, {}, {}, nullptr);
  }

  const openbook::test::TemporaryFolder folder;
  const ContrastSet facts = openbook::test::capital_facts();
  std::optional<engine::Decoder> decoder;
  ContrastRuns runs;
};

class Roles : public testing::Test {
 protected:
  static void SetUpTestSuite() { looks_a_little_ = std::make_unique<World>(true); }
  static void TearDownTestSuite() { looks_a_little_.reset(); }

  Roles() { enter(*looks_a_little_); }

  void enter(const World& world) {
    atlas_ = openbook::test::reading_atlas(world.folder / "model");
    atlas_.provenance["finder"] = "write score, gradient times activation";
    lab_ = {.decoder = &*world.decoder, .facts = &world.facts, .runs = &world.runs, .atlas = &atlas_};
    lab_.seed = 6;  // other documents beside which needles are fetched, in either half
  }

  static std::map<std::string, Json> figures(const Json& part) {
    std::map<std::string, Json> values;
    for (const Json& each : part["figures"]) values[each["name"]] = each["estimate"]["value"];
    return values;
  }

  // Cells of the chart whose title begins so.
  static Json cells(const Json& part, const std::string& title) {
    for (const Json& chart : part["charts"])
      if (chart["title"].get<std::string>().starts_with(title)) return chart["cells"];
    throw std::logic_error("no chart " + title);
  }

  static std::unique_ptr<World> looks_a_little_;
  HeadAtlas atlas_;
  Laboratory lab_;
};

std::unique_ptr<World> Roles::looks_a_little_;

TEST_F(Roles, StabilityIsOfTheAtlassFinderWithAttnLrpBesideIt) {
  const Json part = run_roles(lab_);
  EXPECT_FALSE(part.contains("left_out")) << part["left_out"];
  std::map<std::string, Json> found = figures(part);
  for (const char* name : {"stability", "stability_attnlrp", "agreement_attnlrp"}) {
    EXPECT_EQ(found[std::string(name) + "_difference"], 1) << name;
    EXPECT_EQ(found[std::string(name) + "_retrieval"], 1) << name;
    EXPECT_TRUE(found.contains(std::string(name) + "_task")) << name;
  }
  EXPECT_EQ(found.size(), 9u);
  EXPECT_EQ(part["charts"].size(), 5u);
  for (const Json& row : part["heads"]) EXPECT_EQ(row["attnlrp"].size(), 3u);
  EXPECT_EQ(run_roles(lab_).dump(), part.dump());
}

TEST_F(Roles, MapAndCountsAreOfTheSameRule) {
  const Json part = run_roles(lab_);
  const Json own = cells(part, "Functional map, heads before the elbow: the atlas");
  EXPECT_EQ(own, Json::parse(R"([{"layer": 0, "head": 0, "color": "retrieval", "strength": 1.0},
                                 {"layer": 0, "head": 1, "color": "parametric", "strength": 1.0}])"));
  EXPECT_EQ(cells(part, "Functional map, heads before the elbow: AttnLRP")[0]["color"], "retrieval");
  // Own rule, in either half, in both, by AttnLRP, the paper's share of two heads, of all.
  const Json& counts = part["tables"][0]["rows"];
  EXPECT_EQ(counts[0], Json({"in-context", 1, 1, 1, 1, 1, 0, 2}));
  EXPECT_EQ(counts[1], Json({"parametric", 1, 1, 1, 1, 1, 0, 2}));
  EXPECT_EQ(counts[3][1], 1);
  EXPECT_EQ(counts[2][1], 0) << "no head of the atlas has a task score";
  const Json& shared = part["tables"][1]["rows"];
  EXPECT_EQ(shared[4], Json({"retrieval and in-context", 1, 0, 1}));
  EXPECT_EQ(shared[2], Json({"retrieval and parametric", 0, 0, 0}));
}

TEST_F(Roles, OfAnAtlasByAttnLrpThereIsNothingToCompare) {
  atlas_.provenance["finder"] = "AttnLRP";
  const Json part = run_roles(lab_);
  const std::map<std::string, Json> found = figures(part);
  EXPECT_EQ(found.size(), 3u);
  EXPECT_EQ(found.at("stability_difference"), 1);
  EXPECT_EQ(part["charts"].size(), 3u);
}

TEST_F(Roles, WhereTheGradientFindsNothingThatIsSaid) {
  const World looks_much(false);
  enter(looks_much);
  const Json part = run_roles(lab_);
  ASSERT_EQ(part["left_out"].size(), 1u);
  EXPECT_NE(part["left_out"][0].get<std::string>().find("gradient times activation: "), std::string::npos) << part["left_out"];
  const std::map<std::string, Json> found = figures(part);
  EXPECT_FALSE(found.contains("stability_difference"));
  EXPECT_EQ(found.at("stability_attnlrp_difference"), 1);
}

// The atlas's retrieval heads are those of the write score, which needs needles that were fetched.
TEST_F(Roles, WhereNoNeedleIsFetchedThatIsSaid) {
  lab_.seed = 1;
  const Json part = run_roles(lab_);
  ASSERT_EQ(part["left_out"].size(), 1u);
  EXPECT_NE(part["left_out"][0].get<std::string>().find("fetched 0 and 0"), std::string::npos) << part["left_out"];
  const std::map<std::string, Json> found = figures(part);
  EXPECT_FALSE(found.contains("stability_retrieval"));
  EXPECT_FALSE(found.contains("agreement_attnlrp_retrieval"));
  EXPECT_EQ(found.at("stability_difference"), 1);
  EXPECT_EQ(found.at("stability_attnlrp_retrieval"), 1);
  EXPECT_EQ(part["tables"][0]["rows"][3][2], nullptr) << "heads in a half whose scores are missing";
}

TEST_F(Roles, WithoutCasesTheAtlassMapRemains) {
  const ContrastRuns nothing;
  lab_.runs = &nothing;
  const Json part = run_roles(lab_);
  EXPECT_NE(part["left_out"].dump().find("0 from memory"), std::string::npos) << part["left_out"];
  EXPECT_TRUE(part["figures"].empty());
  EXPECT_EQ(cells(part, "Functional map, heads before the elbow: the atlas").size(), 2u);
}

}  // namespace
}  // namespace openbook::attribution
