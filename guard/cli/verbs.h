// The verbs of the command line. A new verb is a file with one function, declared here and named in kVerbs.
//
//   void add_search(CLI::App& app, Context& context) {
//     auto flags = std::make_shared<SearchFlags>();
//     CLI::App* verb = add_verb(app, context, "search", "Finds passages without asking the model.", "openbook search \"days of
//     leave\" --index handbook.index"); verb->add_option("question", flags->question, "what to look for; - reads it from
//     stdin")->required(); verb->callback([flags, &context] { context.run = [flags, &context] { return search(*flags, context);
//     }; });
//   }
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>

#include "openbook/base/cancellation.h"

namespace openbook::cli {

enum ExitStatus : int {
  kDone = 0,  // answered or refused: a refusal is a result
  kFailed = 1,
  kWrongUsage = 2,
  kIntegrityBroken = 3,   // or unverifiable
  kRefusedOnRequest = 4,  // under --fail-on-refusal or --fail-on
  kInterrupted = 130,
};

// What a verb is given, beside its own flags.
struct Context {
  Cancellation cancellation;  // raised by Ctrl-C; a second Ctrl-C kills
  std::string format = "text";
  bool verbose = false;
  std::function<int()> run;  // what the chosen verb does once all is parsed; returns an ExitStatus

  bool json() const { return format == "json"; }
};

// A verb with the flags that all verbs have. `summary` is what it does in a sentence; `examples` one command a line.
CLI::App* add_verb(CLI::App& app, Context& context, const std::string& name, const std::string& summary,
                   const std::string& examples);
// A verb that is nothing without one of its own verbs, as `log` is.
CLI::App* add_group(CLI::App& app, const std::string& name, const std::string& summary, const std::string& examples);

using AddVerb = void(CLI::App& app, Context& context);
AddVerb add_ingest, add_index, add_search, add_ask, add_check, add_atlas, add_eval, add_log, add_bench, add_doctor;

AddVerb add_atlas_report;  // of the group `atlas`

// In the order of `openbook --help`.
inline constexpr AddVerb* kVerbs[] = {add_ingest, add_index, add_search, add_ask,   add_check,
                                      add_atlas,  add_eval,  add_log,    add_bench, add_doctor};

}  // namespace openbook::cli
