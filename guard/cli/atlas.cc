#include "openbook/attribution/atlas_builder.h"
#include "openbook/attribution/atlas_check.h"
#include "openbook/attribution/head_atlas.h"
#include "openbook/base/utf8.h"
#include "openbook/engine/text_encoder.h"
#include "options.h"
#include "terminal.h"
#include "verbs.h"

namespace openbook::cli {
namespace {

using attribution::HeadAtlas;

struct AtlasFlags {
  std::string model, embedder, atlas, out, facts, finder = "write-score", roles = "elbow", device = "auto", dtype = "float32";
  attribution::AtlasBuildOptions build;
  attribution::AtlasCheckOptions check;
};

std::string heads_text(const std::vector<engine::HeadId>& heads, size_t most) {
  std::string text;
  for (size_t i = 0; i < std::min(most, heads.size()); ++i) text += (i ? " " : "") + engine::to_string(heads[i]);
  return text + (heads.size() > most ? " ..." : "");
}

nlohmann::ordered_json heads_json(const std::vector<engine::HeadId>& heads) {
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  for (const engine::HeadId head : heads) json.push_back(engine::to_string(head));
  return json;
}

nlohmann::ordered_json to_json(const HeadAtlas& atlas) {
  nlohmann::ordered_json validation = nlohmann::ordered_json::array();
  for (const auto& row : atlas.validation)
    validation.push_back({{"setting", row.setting},
                          {"copied", row.copied},
                          {"recited", row.recited},
                          {"auc", row.auc},
                          {"place_top1", row.place_top1}});
  return {{"model", atlas.model_name},
          {"model_fingerprint", atlas.model_fingerprint},
          {"fingerprint", atlas.fingerprint()},
          {"in_context", heads_json(atlas.in_context)},
          {"parametric", heads_json(atlas.parametric)},
          {"task", heads_json(atlas.task)},
          {"retrieval", heads_json(atlas.retrieval)},
          {"probe_heads", heads_json(atlas.probe.heads)},
          {"copied_above", atlas.first_token.copied_above},
          {"recited_below", atlas.first_token.recited_below},
          {"recited_passed_bound", atlas.first_token.recited_passed_bound},
          {"causal_nats", atlas.causal_nats},
          {"topic_similarity", atlas.topic_similarity},
          {"steering",
           {{"bias", atlas.steering.bias},
            {"retrieval_heads", heads_json(atlas.steering.retrieval_heads)},
            {"gain", atlas.steering.gain},
            {"parametric_heads", heads_json(atlas.steering.parametric_heads)}}},
          {"validation", std::move(validation)},
          {"provenance", atlas.provenance}};
}

std::string to_text(const HeadAtlas& atlas) {
  std::string text = "head atlas of " + escape_line(atlas.model_name) + " (" + std::to_string(atlas.layers) + " layers of " +
                     std::to_string(atlas.heads) + " heads)\n";
  text += "in-context  " + heads_text(atlas.in_context, 10) + "\nparametric  " + heads_text(atlas.parametric, 10) +
          "\ntask        " + heads_text(atlas.task, 10) + "\nretrieval   " + heads_text(atlas.retrieval, 10) + "\n";
  char line[160];
  std::snprintf(
      line, sizeof line,
      "verdicts    copied from %.3f, recited up to %.3f; recited passed as copied <= %.2f %% (95 %% bound, %lld cases)\n",
      atlas.first_token.copied_above, atlas.first_token.recited_below, 100 * atlas.first_token.recited_passed_bound,
      static_cast<long long>(atlas.first_token.recited_cases));
  text += line;
  std::snprintf(line, sizeof line,
                "steering    bias %.1f on %zu retrieval heads, gain %.2f on %zu parametric heads; causal above %.2f nats\n",
                atlas.steering.bias, atlas.steering.retrieval_heads.size(), atlas.steering.gain,
                atlas.steering.parametric_heads.size(), atlas.causal_nats);
  text += line;
  text += "\ntest relations   copied  recited     AUC   place top-1\n";
  for (const auto& row : atlas.validation) {
    std::snprintf(line, sizeof line, "%-16s %6lld  %7lld  %6.3f  %12.3f\n", row.setting.c_str(),
                  static_cast<long long>(row.copied), static_cast<long long>(row.recited), row.auc, row.place_top1);
    text += line;
  }
  return text;
}

nlohmann::ordered_json to_json(const attribution::AtlasCheck& check, const HeadAtlas& atlas, const engine::Model& model) {
  return {{"atlas", atlas.fingerprint()},
          {"model", model.fingerprint()},
          {"matches", atlas.model_fingerprint == model.fingerprint()},
          {"holds", check.holds},
          {"reason", check.reason},
          {"facts", check.facts},
          {"copied", check.copied},
          {"recited", check.recited},
          {"auc", check.auc},
          {"place_top1", check.place_top1},
          {"recited_passed", check.recited_passed},
          {"copied_blamed", check.copied_blamed}};
}

std::string to_text(const attribution::AtlasCheck& check, bool made_for_it) {
  char line[240];
  std::snprintf(line, sizeof line,
                "%lld facts, %lld copied and %lld recited answers: AUC %.3f, place top-1 %.3f, recited passed as copied %.1f %%, "
                "copied called recited %.1f %%\n",
                static_cast<long long>(check.facts), static_cast<long long>(check.copied), static_cast<long long>(check.recited),
                check.auc, check.place_top1, 100 * check.recited_passed, 100 * check.copied_blamed);
  const std::string whose =
      made_for_it ? "the atlas is whole and made for this model"
                  : "the atlas is whole and made for another model or other weights (the guard refuses it for this one)";
  return whose + "\n" + line + (check.holds ? "it holds\n" : "it does not hold: " + check.reason + "\n");
}

int show(const AtlasFlags& flags, Context& context) {
  const HeadAtlas atlas = HeadAtlas::load(find(Place::kAtlas, flags.atlas).path);
  context.json() ? print_json(to_json(atlas)) : print(to_text(atlas));
  return kDone;
}

int build(const AtlasFlags& flags, Context& context) {
  require_folder_of(flags.out);
  ProgressBar bar;
  const auto model = engine::Model::load(find(Place::kModel, flags.model).path, {.device = flags.device, .dtype = flags.dtype});
  const auto embedder = engine::TextEncoder::load(find(Place::kEmbedder, flags.embedder).path, flags.device);
  const auto facts = attribution::ContrastSet::load(find(Place::kFacts, flags.facts).path);
  const auto progress = [&](const std::string& stage, int64_t done, int64_t total) { bar.update(stage, done, total); };
  const HeadAtlas atlas = attribution::build_atlas(model, facts, *embedder, flags.build, progress, &context.cancellation);
  atlas.save(flags.out);
  bar.clear();
  context.json() ? print_json(to_json(atlas)) : print(to_text(atlas));
  return kDone;
}

// Whether an atlas is whole, made for this model, and holds for it: a changed model is tried, not refused.
int check(const AtlasFlags& flags, Context& context) {
  const HeadAtlas atlas = HeadAtlas::load(find(Place::kAtlas, flags.atlas).path);
  const auto model = engine::Model::load(find(Place::kModel, flags.model).path, {.device = flags.device, .dtype = flags.dtype});
  const bool made_for_it = atlas.model_fingerprint == model->fingerprint();
  if (flags.check.facts == 0) {
    atlas.require_model(*model);
    context.json() ? print_json({{"atlas", atlas.fingerprint()}, {"model", model->fingerprint()}, {"matches", true}})
                   : print("the atlas is whole and made for this model\n");
    return kDone;
  }
  ProgressBar bar;
  const auto progress = [&](const std::string& stage, int64_t done, int64_t total) { bar.update(stage, done, total); };
  const auto facts = attribution::ContrastSet::load(find(Place::kFacts, flags.facts).path);
  const attribution::AtlasCheck found =
      attribution::check_atlas(model, facts, atlas, flags.check, progress, &context.cancellation);
  bar.clear();
  context.json() ? print_json(to_json(found, atlas, *model)) : print(to_text(found, made_for_it));
  return found.holds ? kDone : kFailed;
}

}  // namespace

void add_atlas(CLI::App& app, Context& context) {
  auto flags = std::make_shared<AtlasFlags>();
  CLI::App* group = add_group(app, "atlas", "Learns which heads of a model read and which recite, and shows what was learnt.",
                              "openbook atlas show");

  CLI::App* made = add_verb(*group, context, "build", "Builds the head atlas of a model from facts that it knows.",
                            "openbook atlas build --out smollm2.atlas.json");
  add_place(*made, Place::kModel, flags->model);
  add_place(*made, Place::kEmbedder, flags->embedder);
  add_place(*made, Place::kFacts, flags->facts);
  made->add_option("--out", flags->out, "file to write, whole or not at all")->type_name("FILE")->required();
  made->add_option("--max-facts", flags->build.max_facts, "for a quick look; 0: all")
      ->check(not_negative())
      ->capture_default_str();
  made->add_option("--finder", flags->finder, "how heads are found; attnlrp may be patented (see README)")
      ->check(CLI::IsMember({"write-score", "attnlrp"}))
      ->capture_default_str();
  made->add_option("--roles", flags->roles,
                   "how many heads have a role: those before the elbow of their sorted scores, or the paper's share of all")
      ->check(CLI::IsMember({"elbow", "paper-share"}))
      ->capture_default_str();
  made->add_option("--seed", flags->build.seed, "of wording and counterfactual objects")->capture_default_str();
  made->add_option("--device", flags->device, "cpu, cuda, cuda:N or auto")->capture_default_str();
  made->add_option("--dtype", flags->dtype, "float32 or bfloat16")
      ->check(CLI::IsMember({"float32", "bfloat16"}))
      ->capture_default_str();
  made->callback([flags, &context] {
    const bool attnlrp = flags->finder == "attnlrp";
    flags->build.finder = attnlrp ? attribution::HeadFinder::kAttnLrp : attribution::HeadFinder::kWriteScore;
    const bool papers = flags->roles == "paper-share";
    flags->build.role_size = papers ? attribution::RoleSize::kPaperShare : attribution::RoleSize::kElbow;
    flags->build.command = std::string("openbook atlas build") + (attnlrp ? " --finder attnlrp" : "") +
                           (papers ? " --roles paper-share" : "") + " --seed " + std::to_string(flags->build.seed) +
                           (flags->build.max_facts ? " --max-facts " + std::to_string(flags->build.max_facts) : "");
    context.run = [flags, &context] { return build(*flags, context); };
  });

  CLI::App* shown_verb = add_verb(*group, context, "show", "Shows heads, thresholds, steering dose and validation.",
                                  "openbook atlas show --atlas smollm2.atlas.json");
  add_place(*shown_verb, Place::kAtlas, flags->atlas);
  shown_verb->callback([flags, &context] { context.run = [flags, &context] { return show(*flags, context); }; });

  CLI::App* checked = add_verb(*group, context, "check", "Says whether an atlas is whole and still holds for a model.",
                               "openbook atlas check --atlas smollm2.atlas.json --model models/smollm2");
  add_place(*checked, Place::kModel, flags->model);
  add_place(*checked, Place::kAtlas, flags->atlas);
  add_place(*checked, Place::kFacts, flags->facts);
  checked
      ->add_option("--sample", flags->check.facts, "facts of the test relations that are asked; 0: only checksum and fingerprint")
      ->check(not_negative())
      ->capture_default_str();
  checked->add_option("--seed", flags->check.seed, "of wording and counterfactual objects")->capture_default_str();
  checked->add_option("--device", flags->device, "cpu, cuda, cuda:N or auto")->capture_default_str();
  checked->add_option("--dtype", flags->dtype, "float32 or bfloat16")
      ->check(CLI::IsMember({"float32", "bfloat16"}))
      ->capture_default_str();
  checked->callback([flags, &context] { context.run = [flags, &context] { return check(*flags, context); }; });
  add_atlas_report(*group, context);
}

}  // namespace openbook::cli
