#include "openbook/attribution/head_atlas.h"

#include <cmath>
#include <functional>
#include <limits>
#include <nlohmann/json.hpp>

#include "attribution/small_atlas.h"
#include "base/test_support.h"
#include "engine/tiny_llama.h"
#include "openbook/base/file.h"
#include "openbook/base/hash.h"

namespace openbook::attribution {
namespace {

using nlohmann::json;
using test::small_atlas;

json saved(const HeadAtlas& atlas, const test::TemporaryFolder& folder) {
  atlas.save(folder / "atlas.json");
  return json::parse(read_file(folder / "atlas.json"));
}

// The file with its content changed and the checksum made right again: what only the field checks can refuse.
std::filesystem::path with_content(const test::TemporaryFolder& folder, const std::function<void(json&)>& change) {
  json whole = saved(small_atlas(), folder);
  change(whole["content"]);
  whole["sha256"] = sha256_hex(whole["content"].dump());
  write_file_atomically(folder / "changed.json", whole.dump());
  return folder / "changed.json";
}

TEST(HeadAtlas, LoadsWhatWasSaved) {
  const test::TemporaryFolder folder;
  const HeadAtlas atlas = small_atlas();
  atlas.save(folder / "atlas.json");
  const HeadAtlas loaded = HeadAtlas::load(folder / "atlas.json");
  EXPECT_EQ(loaded.model_name, atlas.model_name);
  EXPECT_EQ(loaded.in_context, atlas.in_context);
  EXPECT_TRUE(loaded.task.empty());
  EXPECT_EQ(loaded.difference_score, atlas.difference_score);
  EXPECT_EQ(loaded.probe.heads, atlas.probe.heads);
  EXPECT_EQ(loaded.probe.scale, atlas.probe.scale);
  EXPECT_EQ(loaded.probe.weights, atlas.probe.weights);
  EXPECT_EQ(loaded.probe.bias, atlas.probe.bias);
  EXPECT_EQ(loaded.probe.first_token.offset, atlas.probe.first_token.offset);
  EXPECT_EQ(loaded.localizer.weights, atlas.localizer.weights);
  EXPECT_EQ(loaded.first_token.recited_cases, 412);
  EXPECT_EQ(loaded.steering.parametric_heads, atlas.steering.parametric_heads);
  EXPECT_EQ(loaded.steering.gain, 0.25f);
  EXPECT_EQ(loaded.validation.at(0).auc, 0.98);
  EXPECT_TRUE(std::isnan(loaded.validation.at(1).place_top1));
  EXPECT_EQ(loaded.provenance, atlas.provenance);
  EXPECT_EQ(loaded.fingerprint(), atlas.fingerprint());
}

TEST(HeadAtlas, FingerprintIsTheFilesChecksumAndFollowsTheContent) {
  const test::TemporaryFolder folder;
  HeadAtlas atlas = small_atlas();
  EXPECT_EQ(saved(atlas, folder)["sha256"], atlas.fingerprint());
  atlas.probe.bias = std::nextafter(atlas.probe.bias, 1.0f);
  EXPECT_NE(atlas.fingerprint(), small_atlas().fingerprint());
}

TEST(HeadAtlas, AnyChangedByteOfTheContentIsDataLoss) {
  const test::TemporaryFolder folder;
  small_atlas().save(folder / "atlas.json");
  std::string text = read_file(folder / "atlas.json");
  const size_t position = text.find("\"causal_nats\": 1.5");
  ASSERT_NE(position, std::string::npos);
  text[text.find("1.5", position)] = '2';
  write_file_atomically(folder / "atlas.json", text);
  EXPECT_ERROR(HeadAtlas::load(folder / "atlas.json"), Code::kDataLoss, "SHA-256");
}

TEST(HeadAtlas, FilesThatAreNoAtlasAreRefused) {
  const test::TemporaryFolder folder;
  const auto load = [&](const std::string& text) {
    write_file_atomically(folder / "file.json", text);
    HeadAtlas::load(folder / "file.json");
  };
  small_atlas().save(folder / "atlas.json");
  const std::string whole = read_file(folder / "atlas.json");
  EXPECT_ERROR(HeadAtlas::load(folder / "missing.json"), Code::kNotFound, "missing.json");
  EXPECT_ERROR(load(""), Code::kInvalidArgument, "atlas " + (folder / "file.json").string() + ": not JSON from byte 1 of 0");
  EXPECT_ERROR(load(whole.substr(0, whole.size() / 2)), Code::kInvalidArgument,
               "not JSON from byte " + std::to_string(whole.size() / 2 + 1) + " of " + std::to_string(whole.size() / 2));
  EXPECT_ERROR(load("\xff\xfe"), Code::kInvalidArgument, "not JSON");
  EXPECT_ERROR(load(std::string(1000000, '[')), Code::kInvalidArgument, "nested deeper than 32 levels");
  const size_t number = whole.find("1.5", whole.find("\"causal_nats\""));
  EXPECT_ERROR(load(std::string(whole).replace(number, 3, "1e999")), Code::kInvalidArgument,
               "file.json: \"content.causal_nats\" holds a number that is too large");
  EXPECT_ERROR(load("[]"), Code::kInvalidArgument, "expected an object, found array");
  EXPECT_ERROR(load("{}"), Code::kInvalidArgument, ".format: missing");
  EXPECT_ERROR(load(R"({"format": "something"})"), Code::kInvalidArgument, "another kind of file");
  EXPECT_ERROR(load(R"({"format": "openbook head atlas", "version": 1})"), Code::kUnimplemented,
               "version 1, this openbook reads version 2");
  EXPECT_ERROR(load(R"({"format": "openbook head atlas", "version": 1e99})"), Code::kInvalidArgument,
               ".version: expected a whole number");
  EXPECT_ERROR(load(R"({"format": "openbook head atlas", "version": 2, "sha256": "", "content": {}, "x\u001b": 1})"),
               Code::kInvalidArgument, "unknown key");
}

TEST(HeadAtlas, EveryFieldIsChecked) {
  struct Row {
    std::function<void(json&)> change;
    const char* piece;
  };
  const std::vector<Row> rows = {
      {[](json& c) { c.erase("probe"); }, ".probe: missing"},
      {[](json& c) { c["probe"].erase("bias"); }, ".probe.bias: missing"},
      {[](json& c) { c["surprise"] = 1; }, ".surprise: unknown key"},
      {[](json& c) { c["steering"]["extra"] = 1; }, ".steering.extra: unknown key"},
      {[](json& c) { c["verdicts"]["first_token"]["x"] = 1; }, ".verdicts.first_token.x: unknown key"},
      {[](json& c) { c["validation"][1]["x"] = 1; }, ".validation[1].x: unknown key"},
      {[](json& c) { c["model"]["layers"] = 0; }, ".model.layers: expected a whole number from 1"},
      {[](json& c) { c["model"]["layers"] = 4e9; }, ".model.layers"},
      {[](json& c) { c["model"]["heads"] = uint64_t(1) << 63; }, ".model.heads"},
      {[](json& c) { c["model"]["name"] = 3; }, ".model.name: expected a text"},
      {[](json& c) { c["roles"]["task"] = json::array({"L2H0"}); }, ".roles.task: L2H0 is not in a model of 2 layers"},
      {[](json& c) {
         c["roles"]["task"] = json::array({"L0H0", "L0H0"});
       },
       ".roles.task: L0H0 stands twice"},
      {[](json& c) { c["roles"]["task"] = json::array({"head"}); }, ".roles.task: \"head\" is not a head"},
      {[](json& c) { c["roles"]["task"] = "L0H0"; }, ".roles.task: expected a list"},
      {[](json& c) { c["scores"]["task"].push_back(1); }, ".scores.task: 7 numbers, expected 6"},
      {[](json& c) { c["scores"]["task"][2] = nullptr; }, ".scores.task: element 2 is not a finite number"},
      {[](json& c) { c["probe"]["heads"] = json::array(); }, ".probe.heads: empty"},
      {[](json& c) { c["probe"]["scale"][0] = 0; }, ".probe.scale: element 0"},
      {[](json& c) { c["probe"]["weights"][0] = 1e300; }, ".probe.weights: element 0"},
      {[](json& c) { c["probe"]["bias"] = 1e300; }, ".probe.bias"},
      {[](json& c) {
         c["localizer"]["weights"] = {0.6, 0.6};
       },
       ".localizer.weights: sum to 1.2"},
      {[](json& c) {
         c["localizer"]["weights"] = {1.5, -0.5};
       },
       ".localizer.weights: element 1"},
      {[](json& c) { c["verdicts"]["first_token"]["copied_above"] = 1.5; }, ".copied_above: expected a number from 0.0 to 1.0"},
      {[](json& c) { c["verdicts"]["first_token"]["recited_below"] = 0.95; }, ".recited_below: is above copied_above"},
      {[](json& c) { c["steering"]["gain"] = -1; }, ".steering.gain"},
      {[](json& c) { c["topic_similarity"] = "high"; }, ".topic_similarity: expected a number"},
      {[](json& c) { c["provenance"]["seed"] = 1; }, ".provenance.seed: expected a text"},
      {[](json& c) { c = json::array(); }, "expected an object"},
  };
  const test::TemporaryFolder folder;
  for (const Row& row : rows) EXPECT_ERROR(HeadAtlas::load(with_content(folder, row.change)), Code::kInvalidArgument, row.piece);
}

TEST(HeadAtlas, AnotherModelIsRefusedNamingBoth) {
  const auto plain = engine::test::load_tiny("plain"), other = engine::test::load_tiny("tied_llama3_rope");
  HeadAtlas atlas = small_atlas();
  atlas.model_fingerprint = plain->fingerprint();
  EXPECT_ERROR(atlas.require_model(*other), Code::kFailedPrecondition, plain->fingerprint());
  EXPECT_ERROR(atlas.require_model(*other), Code::kFailedPrecondition, other->fingerprint());
  EXPECT_ERROR(atlas.require_model(*plain), Code::kFailedPrecondition, "2 layers of 3 heads, the model has 2 of 4");
  atlas.heads = 4;
  EXPECT_NO_THROW(atlas.require_model(*plain));
}

TEST(HeadAtlas, WhatCouldNotBeLoadedIsNotSaved) {
  const test::TemporaryFolder folder;
  HeadAtlas atlas = small_atlas();
  atlas.save(folder / "atlas.json");
  const std::string before = read_file(folder / "atlas.json");
  atlas.probe.bias = NAN;
  EXPECT_ERROR(atlas.save(folder / "atlas.json"), Code::kInvalidArgument, "atlas.probe.bias");
  atlas = small_atlas();
  atlas.retrieval = {{7, 0}};
  EXPECT_ERROR(atlas.save(folder / "atlas.json"), Code::kInvalidArgument, "L7H0");
  atlas = small_atlas();
  atlas.provenance["command"] = "\xff";
  EXPECT_ERROR(atlas.save(folder / "atlas.json"), Code::kInvalidArgument, "UTF-8");
  EXPECT_EQ(read_file(folder / "atlas.json"), before);
}

}  // namespace
}  // namespace openbook::attribution
