// The program `openbook`: parses the command line, runs one verb, and turns whatever goes wrong into one line and an exit status.
#include <csignal>
#include <iostream>

#include "help.h"
#include "openbook/base/error.h"
#include "openbook/base/log.h"
#include "openbook/base/utf8.h"
#include "verbs.h"

namespace openbook::cli {
namespace {

Cancellation* cancelled_by_signal = nullptr;

// The first Ctrl-C asks to stop; SA_RESETHAND gives the second one back its usual meaning.
void cancel_on_interrupt(Cancellation& cancellation) {
  cancelled_by_signal = &cancellation;
  struct sigaction action {};
  action.sa_handler = [](int) { cancelled_by_signal->cancel(); };
  action.sa_flags = SA_RESETHAND;
  ::sigaction(SIGINT, &action, nullptr);
}

int report(std::string_view message, std::string_view hint, int status) {
  std::cerr << "openbook: " << escape_line(message) << "\n";
  if (!hint.empty()) std::cerr << "  " << escape_line(hint) << "\n";
  return status;
}

int status_of(Code code) {
  if (code == Code::kCancelled) return kInterrupted;
  return code == Code::kDataLoss ? kIntegrityBroken : kFailed;
}

std::string unknown_verb(const CLI::App& app) {
  std::string verbs;
  for (const CLI::App* verb : app.get_subcommands({})) verbs += (verbs.empty() ? "" : ", ") + verb->get_name();
  const auto given = app.remaining();
  if (!given.empty() && given.front().starts_with('-')) return "unknown option \"" + given.front() + "\"";
  return (given.empty() ? "no verb given" : "unknown verb \"" + given.front() + "\"") + "; there are: " + verbs;
}

// CLI11 has an exit status a kind of mistake; here every mistake of usage is one.
int report_parse(const CLI::App& app, const CLI::ParseError& error) {
  if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success)) return app.exit(error) == 0 ? kDone : kFailed;
  const CLI::App* verb = &app;
  std::string name = app.get_name();
  for (auto chosen = app.get_subcommands(); !chosen.empty(); chosen = verb->get_subcommands()) {
    verb = chosen.front();
    name += " " + verb->get_name();
  }
  const bool verb_missing = !verb->get_subcommands({}).empty();
  return report(verb_missing ? unknown_verb(*verb) : error.what(), name + " --help shows how it is used.", kWrongUsage);
}

int run(int argc, char** argv) {
  Context context;
  CLI::App app("Answers questions from your documents: cites what the model copied, stops what it recited.", "openbook");
  app.formatter(std::make_shared<HelpFormatter>());
  app.footer("openbook ingest handbook/ --index handbook.index\nopenbook ask \"How many days of leave?\" --index handbook.index");
  app.get_help_ptr()->description("show this");
  app.set_version_flag("--version", "openbook " OPENBOOK_VERSION, "show the version");
  app.require_subcommand(1);
  for (AddVerb* add : kVerbs) add(app, context);
  try {
    app.parse(argc, argv);
    if (context.verbose) set_log_level(LogLevel::kInfo);
    cancel_on_interrupt(context.cancellation);
    return context.run();
  } catch (const CLI::ParseError& error) {
    return report_parse(app, error);
  } catch (const Error& error) {
    return report(error.what(), error.hint(), status_of(error.code()));
  } catch (const std::bad_alloc&) {
    return report("out of memory", "", kFailed);
  } catch (const std::exception& error) {
    return report(error.what(), "This is a defect of openbook: it should have said what went wrong and where.", kFailed);
  }
}

}  // namespace
}  // namespace openbook::cli

int main(int argc, char** argv) { return openbook::cli::run(argc, argv); }
