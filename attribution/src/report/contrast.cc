#include "report/contrast.h"

#include <map>

namespace openbook::attribution {
namespace {

std::string heads_text(const std::vector<engine::HeadId>& heads) {
  std::string text;
  for (const engine::HeadId head : heads) text.append(text.empty() ? "" : " ").append(engine::to_string(head));
  return text;
}

Json cases_by_setting(const Laboratory& laboratory) {
  std::map<Setting, int64_t> cases, document, memory, copied, recited;
  for (const ObservedCase& observed : laboratory.runs->observed) {
    ++cases[observed.made.setting];
    document[observed.made.setting] += observed.given == GivenAnswer::kDocument;
    memory[observed.made.setting] += observed.given == GivenAnswer::kMemory;
  }
  for (const LabelledCase& each : laboratory.runs->labelled) ++(each.copied ? copied : recited)[each.observed->made.setting];
  Json rows = Json::array();
  for (const Setting setting : kContrastSettings)
    rows.push_back(
        {setting_name(setting), cases[setting], document[setting], memory[setting], copied[setting], recited[setting]});
  return {{"title", "Cases by setting: which answer was given, and its cause"},
          {"columns", {"setting", "cases", "document's answer", "memory's answer", "copied", "recited"}},
          {"rows", std::move(rows)}};
}

Json labels_by_split(const Laboratory& laboratory) {
  std::map<Split, int64_t> facts, copied, recited;
  for (const int32_t fact : laboratory.runs->known)
    ++facts[laboratory.facts->relations[laboratory.facts->facts[fact].relation].split];
  for (const LabelledCase& each : laboratory.runs->labelled) ++(each.copied ? copied : recited)[each.split];
  Json rows = Json::array();
  for (const auto& [split, name] :
       {std::pair(Split::kFit, "fit"), std::pair(Split::kCalibrate, "calibrate"), std::pair(Split::kTest, "test")})
    rows.push_back({name, facts[split], copied[split], recited[split]});
  return {{"title", "Known facts and labelled answers by split; splits share no relation"},
          {"columns", {"split", "known facts", "copied", "recited"}},
          {"rows", std::move(rows)}};
}

Json atlas_table(const HeadAtlas& atlas) {
  const SteeringDose& dose = atlas.steering;
  Json rows = Json::array();
  const auto row = [&](const char* name, Json value) { rows.push_back(Json::array({name, std::move(value)})); };
  row("in-context heads, best first", heads_text(atlas.in_context));
  row("parametric heads", heads_text(atlas.parametric));
  row("task heads", heads_text(atlas.task));
  row("retrieval heads", heads_text(atlas.retrieval));
  row("copied from a probability of", atlas.first_token.copied_above);
  row("recited up to", atlas.first_token.recited_below);
  row("recited passed as copied, 95 % bound", atlas.first_token.recited_passed_bound);
  row("steering: bias in nats", dose.bias);
  row("steering: retrieval heads", dose.retrieval_heads.size());
  row("steering: gain", dose.gain);
  row("steering: parametric heads", dose.parametric_heads.size());
  row("causal above, in nats", atlas.causal_nats);
  return {{"title", "The atlas"}, {"columns", {"", "value"}}, {"rows", std::move(rows)}};
}

Json validation_table(const HeadAtlas& atlas) {
  Json rows = Json::array();
  for (const AtlasValidation& row : atlas.validation)
    rows.push_back({row.setting, row.copied, row.recited, row.auc, row.place_top1});
  return {{"title", "Validation on test relations"},
          {"columns", {"setting", "copied", "recited", "AUC", "place top-1"}},
          {"rows", std::move(rows)}};
}

}  // namespace

Json describe_contrast(const Laboratory& laboratory) {
  return {{"known_facts", laboratory.runs->known.size()},
          {"cases", laboratory.runs->observed.size()},
          {"labelled", laboratory.runs->labelled.size()},
          {"tables",
           {cases_by_setting(laboratory), labels_by_split(laboratory), validation_table(*laboratory.atlas),
            atlas_table(*laboratory.atlas)}}};
}

}  // namespace openbook::attribution
