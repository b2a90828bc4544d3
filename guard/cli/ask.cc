#include <chrono>
#include <utility>

#include "answer_view.h"
#include "guard_flags.h"
#include "options.h"
#include "terminal.h"
#include "verbs.h"

namespace openbook::cli {
namespace {

struct AskFlags {
  GuardFlags guard;
  std::string question, index, log, log_key, guarded = "on";
  std::vector<std::string> passage_files;
  bool fail_on_refusal = false;
  AskOptions ask;
};

int ask(const AskFlags& flags, Context& context) {
  GuardOptions options = flags.guard.options();
  const bool from_index = flags.passage_files.empty();
  if (from_index) options.index = find(Place::kIndex, flags.index).path;
  if (const auto log = look_for_named(Place::kLog, flags.log)) {
    options.log = log->path;
    options.log_key = find(Place::kLogKey, flags.log_key).path;
  }
  const std::string question = text_or_stdin(flags.question);
  AskOptions ask = flags.ask;
  const auto guard = Guard::open(options);
  // From here on: search and answer share the time.
  const Cancellation stop(&context.cancellation, std::chrono::milliseconds(std::exchange(ask.deadline_ms, 0)));
  ask.cancellation = &stop;
  const std::vector<Passage> passages = from_index ? guard->search(question, ask) : read_passages(flags.passage_files);
  const Answer answer =
      flags.guarded == "on" ? guard->ask(question, passages, ask) : guard->ask_unguarded(question, passages, ask);
  if (context.json()) {
    print_json(nlohmann::ordered_json::parse(to_json(answer)));
  } else {
    print(answer_text(answer));
    if (!answer.log_receipt.empty()) print("receipt: " + answer.log_receipt + "\n");
  }
  return answer.outcome != Outcome::kAnswered && flags.fail_on_refusal ? kRefusedOnRequest : kDone;
}

}  // namespace

void add_ask(CLI::App& app, Context& context) {
  auto flags = std::make_shared<AskFlags>();
  CLI::App* verb =
      add_verb(app, context, "ask", "Answers from documents, cites what it copied, and refuses what it can't support.",
               "openbook ask \"How many days of leave do I get?\" --index handbook.index\n"
               "openbook ask \"Who founded it?\" --passage history.md --guard off");
  verb->add_option("question", flags->question, "what to answer; - reads it from stdin")->required();
  CLI::Option* index = add_place(*verb, Place::kIndex, flags->index);
  verb->add_option("--passage", flags->passage_files, "answer from this file instead of an index; may be given again")
      ->type_name("FILE")
      ->check(CLI::ExistingFile)
      ->excludes(index);
  verb->add_option("--guard", flags->guarded,
                   "off: show what the model says by itself, every word judged, nothing held back and nothing logged")
      ->check(CLI::IsMember({"on", "off"}))
      ->capture_default_str();
  flags->guard.add_to(*verb, true);
  add_place(*verb, Place::kLog, flags->log)->description("provenance log to write (default: OPENBOOK_LOG, else none)");
  add_place(*verb, Place::kLogKey, flags->log_key);
  verb->add_option("--passages", flags->ask.passages, "passages to read at most")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  verb->add_option("--max-tokens", flags->ask.max_tokens, "length of the answer at most")
      ->check(CLI::Range(1, 4096))
      ->capture_default_str();
  verb->add_option("--temperature", flags->ask.temperature, "0: always the likeliest token")
      ->check(CLI::Range(0.0, 5.0))
      ->capture_default_str();
  verb->add_option("--seed", flags->ask.seed, "of the sampler, with a temperature")->capture_default_str();
  verb->add_option("--deadline-ms", flags->ask.deadline_ms, "give up after this long; 0: never")
      ->check(not_negative())
      ->capture_default_str();
  verb->add_flag("--fail-on-refusal", flags->fail_on_refusal, "exit with 4 when nothing was answered");
  verb->callback([flags, &context] { context.run = [flags, &context] { return ask(*flags, context); }; });
}

}  // namespace openbook::cli
