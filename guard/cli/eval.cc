#include "eval/eval.h"

#include <fstream>

#include "guard_flags.h"
#include "openbook/base/error.h"
#include "openbook/engine/text_encoder.h"
#include "options.h"
#include "terminal.h"
#include "verbs.h"

namespace openbook::cli {
namespace {

struct EvalFlags {
  GuardFlags guard;
  std::string file, rows, guarded = "on", split = "test";
  std::string data;  // of the example, under ../shared/data
  bool asks = true;  // false: the answers are in the file, and no policy decides about them
  std::vector<std::string> settings;
  guard::EvalOptions eval;
};

using Run = std::function<nlohmann::ordered_json(const Guard&, const EvalFlags&, const guard::EvalOptions&)>;

// Figures come from float32 and one policy; both stand beside them.
int evaluate(const std::string& name, const EvalFlags& flags, Context& context, const Run& run) {
  const GuardOptions options = flags.guard.options();
  ProgressBar bar;
  guard::EvalOptions eval = flags.eval;
  eval.guarded = flags.guarded == "on";
  eval.cancellation = &context.cancellation;
  eval.progress = [&](const std::string& stage, int64_t done, int64_t total) { bar.update(stage, done, total); };
  std::ofstream rows;
  if (!flags.rows.empty()) {
    rows.open(flags.rows, std::ios::trunc);
    if (!rows) throw Error(Code::kNotFound, flags.rows + ": can't be written", "Name a file in a folder that exists.");
    eval.each_row = [&](const nlohmann::ordered_json& row) {
      rows << row.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) << '\n';
      if (!rows.flush())  // a run that is killed keeps the rows that were done
        throw Error(Code::kResourceExhausted, flags.rows + ": can't be written to its end", "Is the disk full?");
    };
  }
  const auto guard = Guard::open(options);
  nlohmann::ordered_json json = {{"eval", name}, {"file", flags.file}};
  if (flags.asks) json["guard"] = flags.guarded;
  json.update(run(*guard, flags, eval));
  if (flags.asks) json["policy"] = {{"name", options.policy.name}, {"fingerprint", options.policy.fingerprint()}};
  json["atlas"] = guard->atlas_fingerprint();
  json["model"] = guard->model_fingerprint();
  json["dtype"] = flags.guard.dtype;
  json["device"] = guard->device();
  json["seed"] = flags.eval.seed;
  bar.clear();
  print_json(json);
  return kDone;
}

CLI::App* add_eval(CLI::App& group, Context& context, const std::string& name, const std::string& summary,
                   std::shared_ptr<EvalFlags> flags, Run run) {
  CLI::App* verb =
      add_verb(group, context, name, summary, "openbook eval " + name + " ../shared/data/" + flags->data + " --format json");
  verb->add_option("file", flags->file, "rows, JSON Lines")->type_name("FILE")->required();
  verb->add_option("--limit", flags->eval.limit, "this many subjects or rows, drawn by the seed; 0: all")
      ->check(not_negative())
      ->capture_default_str();
  verb->add_option("--rows", flags->rows, "file that gets what was said and decided of every row once it is done, JSON Lines")
      ->type_name("FILE");
  verb->add_option("--seed", flags->eval.seed, "of the draw")->capture_default_str();
  verb->add_option("--workers", flags->eval.workers, "rows at a time; more than 1 pays on a GPU")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  if (flags->asks)
    verb->add_option("--guard", flags->guarded, "off: only what the model does by itself")
        ->check(CLI::IsMember({"on", "off"}))
        ->capture_default_str();
  flags->guard.add_to(*verb, true);
  verb->callback([=, &context] { context.run = [=, &context] { return evaluate(name, *flags, context, run); }; });
  return verb;
}

struct RetrievalFlags {
  std::string file, embedder, device = "auto";
  guard::EvalOptions eval;
};

int evaluate_retrieval(const RetrievalFlags& flags, Context& context) {
  ProgressBar bar;
  guard::EvalOptions eval = flags.eval;
  eval.cancellation = &context.cancellation;
  eval.progress = [&](const std::string& stage, int64_t done, int64_t total) { bar.update(stage, done, total); };
  const auto embedder = engine::TextEncoder::load(find(Place::kEmbedder, flags.embedder).path, flags.device);
  nlohmann::ordered_json json = {{"eval", "retrieval"}, {"file", flags.file}, {"embedder", embedder->fingerprint()}};
  json.update(guard::eval_retrieval(embedder, flags.file, eval));
  bar.clear();
  print_json(json);
  return kDone;
}

}  // namespace

void add_eval(CLI::App& app, Context& context) {
  CLI::App* group = add_group(app, "eval", "Measures the guard on data that nobody trained on.",
                              "openbook eval conflict conflict.jsonl --setting bare --format json");
  const auto flags_for = [](const std::string& data) {
    auto flags = std::make_shared<EvalFlags>();
    flags->data = data;
    return flags;
  };
  auto conflict = flags_for("conflict.jsonl");
  add_eval(*group, context, "conflict", "Documents that contradict what the model learnt.", conflict,
           [](const Guard& guard, const EvalFlags& flags, const guard::EvalOptions& eval) {
             std::vector<attribution::Setting> settings;
             for (const std::string& name : flags.settings) settings.push_back(attribution::parse_setting(name));
             return guard::eval_conflict(guard, flags.file, settings, eval);
           })
      ->add_option("--setting", conflict->settings,
                   "this one only; may be given again; all when it is not given")
      ->check(CLI::IsMember({"own", "decoy", "silent", "other", "closed", "bare"}));
  add_eval(*group, context, "read", "Plain reading: does the guard let right answers through?", flags_for("read.jsonl"),
           [](const Guard& guard, const EvalFlags& flags, const guard::EvalOptions& eval) {
             return guard::eval_read(guard, flags.file, eval);
           });
  add_eval(*group, context, "unanswerable", "Questions that their passage does not answer.", flags_for("unanswerable.jsonl"),
           [](const Guard& guard, const EvalFlags& flags, const guard::EvalOptions& eval) {
             return guard::eval_unanswerable(guard, flags.file, eval);
           });
  auto free = flags_for("ragtruth_qa.jsonl");
  free->asks = false;
  add_eval(*group, context, "free", "Answers that other models wrote: what do the passages not support?", free,
           [](const Guard& guard, const EvalFlags& flags, const guard::EvalOptions& eval) {
             return guard::eval_free_answers(guard, flags.file, eval, flags.split);
           })
      ->add_option("--split", free->split, "rows of this part of the data")
      ->check(CLI::IsMember({"test", "train", "all"}))
      ->capture_default_str();

  auto retrieval = std::make_shared<RetrievalFlags>();
  CLI::App* verb = add_verb(*group, context, "retrieval", "Is a right document among the first five found?",
                            "openbook eval retrieval ../shared/data/docs_qa.jsonl");
  verb->add_option("file", retrieval->file, "questions, JSON Lines; docs/ beside it holds the documents")->required();
  verb->add_option("--limit", retrieval->eval.limit, "this many questions, drawn by the seed; 0: all")
      ->check(not_negative())
      ->capture_default_str();
  add_place(*verb, Place::kEmbedder, retrieval->embedder);
  verb->add_option("--device", retrieval->device, "cpu, cuda, cuda:N or auto")->capture_default_str();
  verb->callback(
      [retrieval, &context] { context.run = [retrieval, &context] { return evaluate_retrieval(*retrieval, context); }; });
}

}  // namespace openbook::cli
