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
  std::string question, answer, fail_on;
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
  const std::vector<Passage> passages = read_passages(flags.passage_files);
  const std::string answer = text_or_stdin(flags.answer);
  const Answer judged = Guard::open(flags.guard.options())->check(flags.question, passages, answer, &context.cancellation);
  context.json() ? print_json(nlohmann::ordered_json::parse(to_json(judged))) : print(answer_text(judged));
  return fails(judged, flags.fail_on) ? kRefusedOnRequest : kDone;
}

}  // namespace

void add_check(CLI::App& app, Context& context) {
  auto flags = std::make_shared<CheckFlags>();
  CLI::App* verb =
      add_verb(app, context, "check", "Judges an answer that somebody else wrote, word by word, against given passages.",
               "openbook check --question \"Where is it?\" --answer \"In Leeds.\" --passage facilities.md\n"
               "generate | openbook check --question \"Where is it?\" --answer - --passage facilities.md --format json");
  verb->add_option("--question", flags->question, "what was asked")->required();
  verb->add_option("--answer", flags->answer, "what was answered; - reads it from stdin")->required();
  verb->add_option("--passage", flags->passage_files, "what it was to be answered from; may be given again")
      ->type_name("FILE")
      ->required()
      ->check(CLI::ExistingFile);
  verb->add_option("--fail-on", flags->fail_on,
                   "exit with 4 when a word is recited, or (unchecked) when any sentence is flagged, for whatever reason")
      ->check(CLI::IsMember({"recited", "unchecked"}));
  flags->guard.add_to(*verb, false);
  verb->callback([flags, &context] { context.run = [flags, &context] { return check(*flags, context); }; });
}

}  // namespace openbook::cli
