#include "atlas_json.h"

#include <charconv>
#include <cmath>
#include <numeric>

#include "json_fields.h"

namespace openbook::attribution {
namespace {

using engine::HeadId;
using nlohmann::json;

constexpr int64_t kMostLayers = 4096, kMostHeads = 4096;  // beyond any model; bounds what a hostile file makes us expect
constexpr int64_t kMostCases = int64_t{1} << 48;

// The shortest decimal that reads back as this float32: 0.1 instead of 0.10000000149011612.
double shortest(float value) {
  char digits[32];
  const auto written = std::to_chars(digits, digits + sizeof(digits), value);
  double read = 0;
  std::from_chars(digits, written.ptr, read);
  return read;
}

json singles(const std::vector<float>& values) {
  json list = json::array();
  for (const float value : values) list.push_back(shortest(value));
  return list;
}

json names(const std::vector<HeadId>& heads) {
  json list = json::array();
  for (const HeadId head : heads) list.push_back(engine::to_string(head));
  return list;
}

json to_json(const PlattScaling& scaling) { return {{"slope", scaling.slope}, {"offset", scaling.offset}}; }

PlattScaling platt_scaling(JsonFields fields) {
  const PlattScaling scaling{.slope = fields.number("slope"), .offset = fields.number("offset")};
  fields.nothing_else();
  return scaling;
}

json to_json(const Probe& probe) {
  return {{"heads", names(probe.heads)},
          {"mean", singles(probe.mean)},
          {"scale", singles(probe.scale)},
          {"weights", singles(probe.weights)},
          {"bias", shortest(probe.bias)},
          {"first_token", to_json(probe.first_token)},
          {"continuation", to_json(probe.continuation)}};
}

Probe probe(JsonFields fields, int64_t layers, int64_t heads) {
  Probe probe;
  probe.heads = fields.heads("heads", layers, heads);
  if (probe.heads.empty()) fields.refuse("heads", "empty");
  const auto count = int64_t(probe.heads.size()) + 1;  // and the echo
  probe.mean = fields.singles("mean", count);
  probe.scale = fields.singles("scale", count, std::numeric_limits<float>::min());
  probe.weights = fields.singles("weights", count);
  probe.bias = fields.single("bias");
  probe.first_token = platt_scaling(fields.object("first_token"));
  probe.continuation = platt_scaling(fields.object("continuation"));
  fields.nothing_else();
  return probe;
}

json to_json(const Localizer& localizer) {
  return {{"heads", names(localizer.heads)},
          {"weights", singles(localizer.weights)},
          {"nowhere_below", shortest(localizer.nowhere_below)}};
}

Localizer localizer(JsonFields fields, int64_t layers, int64_t heads) {
  Localizer localizer;
  localizer.heads = fields.heads("heads", layers, heads);
  if (localizer.heads.empty()) fields.refuse("heads", "empty");
  localizer.weights = fields.singles("weights", int64_t(localizer.heads.size()), 0);
  const double sum = std::accumulate(localizer.weights.begin(), localizer.weights.end(), 0.0);
  if (std::abs(sum - 1) > 1e-3) fields.refuse("weights", "sum to " + json(sum).dump() + ", expected 1");
  localizer.nowhere_below = fields.single("nowhere_below", 0);
  fields.nothing_else();
  return localizer;
}

json to_json(const VerdictThresholds& thresholds) {
  return {{"copied_above", thresholds.copied_above},
          {"recited_below", thresholds.recited_below},
          {"recited_passed_bound", thresholds.recited_passed_bound},
          {"recited_cases", thresholds.recited_cases}};
}

VerdictThresholds verdict_thresholds(JsonFields fields) {
  const VerdictThresholds thresholds{.copied_above = fields.number("copied_above", 0, 1),
                                     .recited_below = fields.number("recited_below", 0, 1),
                                     .recited_passed_bound = fields.number("recited_passed_bound", 0, 1),
                                     .recited_cases = fields.integer("recited_cases", 0, kMostCases)};
  if (thresholds.recited_below > thresholds.copied_above) fields.refuse("recited_below", "is above copied_above");
  fields.nothing_else();
  return thresholds;
}

json to_json(const SteeringDose& dose) {
  return {{"retrieval_heads", names(dose.retrieval_heads)},
          {"bias", shortest(dose.bias)},
          {"parametric_heads", names(dose.parametric_heads)},
          {"gain", shortest(dose.gain)}};
}

SteeringDose steering_dose(JsonFields fields, int64_t layers, int64_t heads) {
  const SteeringDose dose{.retrieval_heads = fields.heads("retrieval_heads", layers, heads),
                          .bias = fields.single("bias"),
                          .parametric_heads = fields.heads("parametric_heads", layers, heads),
                          .gain = fields.single("gain", 0)};
  fields.nothing_else();
  return dose;
}

json number_or_null(double value) { return std::isnan(value) ? json(nullptr) : json(value); }

json to_json(const AtlasValidation& row) {
  return {{"setting", row.setting},
          {"copied", row.copied},
          {"recited", row.recited},
          {"auc", number_or_null(row.auc)},
          {"place_top1", number_or_null(row.place_top1)}};
}

AtlasValidation validation_row(JsonFields fields) {
  const AtlasValidation row{.setting = fields.text("setting"),
                            .copied = fields.integer("copied", 0, kMostCases),
                            .recited = fields.integer("recited", 0, kMostCases),
                            .auc = fields.number_or_nan("auc", 0, 1),
                            .place_top1 = fields.number_or_nan("place_top1", 0, 1)};
  fields.nothing_else();
  return row;
}

}  // namespace

json to_json(const HeadAtlas& atlas) {
  json validation = json::array();
  for (const AtlasValidation& row : atlas.validation) validation.push_back(to_json(row));
  return {
      {"model",
       {{"fingerprint", atlas.model_fingerprint}, {"name", atlas.model_name}, {"layers", atlas.layers}, {"heads", atlas.heads}}},
      {"roles",
       {{"in_context", names(atlas.in_context)},
        {"parametric", names(atlas.parametric)},
        {"task", names(atlas.task)},
        {"retrieval", names(atlas.retrieval)}}},
      {"scores", {{"difference", atlas.difference_score}, {"task", atlas.task_score}, {"retrieval", atlas.retrieval_score}}},
      {"probe", to_json(atlas.probe)},
      {"localizer", to_json(atlas.localizer)},
      {"verdicts", {{"first_token", to_json(atlas.first_token)}, {"continuation", to_json(atlas.continuation)}}},
      {"steering", to_json(atlas.steering)},
      {"causal_nats", atlas.causal_nats},
      {"topic_similarity", atlas.topic_similarity},
      {"validation", validation},
      {"provenance", atlas.provenance},
  };
}

HeadAtlas from_json(const json& content, const std::string& where) {
  HeadAtlas atlas;
  JsonFields fields(content, where);

  JsonFields model = fields.object("model");
  atlas.model_fingerprint = model.text("fingerprint");
  atlas.model_name = model.text("name");
  atlas.layers = model.integer("layers", 1, kMostLayers);
  atlas.heads = model.integer("heads", 1, kMostHeads);
  model.nothing_else();
  const int64_t layers = atlas.layers, heads = atlas.heads;

  JsonFields roles = fields.object("roles");
  atlas.in_context = roles.heads("in_context", layers, heads);
  atlas.parametric = roles.heads("parametric", layers, heads);
  atlas.task = roles.heads("task", layers, heads);
  atlas.retrieval = roles.heads("retrieval", layers, heads);
  roles.nothing_else();

  JsonFields scores = fields.object("scores");
  atlas.difference_score = scores.numbers("difference", layers * heads);
  atlas.task_score = scores.numbers("task", layers * heads);
  atlas.retrieval_score = scores.numbers("retrieval", layers * heads);
  scores.nothing_else();

  atlas.probe = probe(fields.object("probe"), layers, heads);
  atlas.localizer = localizer(fields.object("localizer"), layers, heads);
  JsonFields verdicts = fields.object("verdicts");
  atlas.first_token = verdict_thresholds(verdicts.object("first_token"));
  atlas.continuation = verdict_thresholds(verdicts.object("continuation"));
  verdicts.nothing_else();
  atlas.steering = steering_dose(fields.object("steering"), layers, heads);
  atlas.causal_nats = fields.number("causal_nats");
  atlas.topic_similarity = fields.number("topic_similarity", -1, 1);

  const json& rows = fields.array("validation");
  for (size_t row = 0; row < rows.size(); ++row)
    atlas.validation.push_back(validation_row({rows[row], fields.path("validation[" + std::to_string(row) + "]")}));
  JsonFields provenance = fields.object("provenance");
  for (const auto& [key, ignored] : fields.value("provenance").items()) atlas.provenance[key] = provenance.text(key);
  fields.nothing_else();
  return atlas;
}

}  // namespace openbook::attribution
