#include <algorithm>

#include "answer_view.h"
#include "guard_flags.h"
#include "options.h"
#include "terminal.h"
#include "verbs.h"

namespace openbook::cli {
namespace {

struct CheckFlags {
  GuardFlags guard;
  std::string question, answer, index, fail_on;
  std::vector<std::string> passage_files;
};

// Of what --fail-on names, or of something worse.
bool fails(const Answer& judged, const std::string& fail_on) {
  if (fail_on == "recited")
    return std::any_of(judged.claims.begin(), judged.claims.end(),
                       [](const Claim& claim) { return claim.verdict == Verdict::kRecited; });
  if (fail_on == "unchecked")
    return std::any_of(judged.sentences.begin(), judged.sentences.end(),
                       [](const Sentence& sentence) { return sentence.delivery != Delivery::kDelivered; });
  return false;
}

int check(const CheckFlags& flags, Context& context) {
  GuardOptions options = flags.guard.options();
  const bool from_index = flags.passage_files.empty();
  if (from_index) options.index = find(Place::kIndex, flags.index).path;
  const std::string answer = text_or_stdin(flags.answer);
  const auto guard = Guard::open(options);
  const std::vector<Passage> passages = from_index ? guard->search(flags.question, {}) : read_passages(flags.passage_files);
  const Answer judged = guard->check(flags.question, passages, answer, &context.cancellation);
  context.json() ? print_json(nlohmann::ordered_json::parse(to_json(judged))) : print(answer_text(judged));
  return fails(judged, flags.fail_on) ? kRefusedOnRequest : kDone;
}

}  // namespace

void add_check(CLI::App& app, Context& context) {
  auto flags = std::make_shared<CheckFlags>();
  CLI::App* verb =
      add_verb(app, context, "check",
               "Judges an answer that somebody else wrote, word by word, against given passages or those that an index finds.",
               "openbook check --question \"Where is it?\" --answer \"In Leeds.\" --passage facilities.md\n"
               "openbook check --question \"Where is it?\" --answer \"In Leeds.\" --index handbook.index\n"
               "generate | openbook check --question \"Where is it?\" --answer - --passage facilities.md --format json");
  verb->add_option("--question", flags->question, "what was asked")->required();
  verb->add_option("--answer", flags->answer, "what was answered; - reads it from stdin")->required();
  CLI::Option* index = add_place(*verb, Place::kIndex, flags->index);
  verb->add_option("--passage", flags->passage_files, "what it was to be answered from, instead of an index; may be given again")
      ->type_name("FILE")
      ->check(CLI::ExistingFile)
      ->excludes(index);
  verb->add_option("--fail-on", flags->fail_on,
                   "exit with 4 when a word is recited, or (unchecked) when any sentence is flagged, for whatever reason")
      ->check(CLI::IsMember({"recited", "unchecked"}));
  flags->guard.add_to(*verb, false);
  verb->callback([flags, &context] { context.run = [flags, &context] { return check(*flags, context); }; });
}

}  // namespace openbook::cli
