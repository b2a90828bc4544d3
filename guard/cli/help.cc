#include "help.h"

#include <algorithm>

#include "verbs.h"

namespace openbook::cli {
namespace {

constexpr char kStatuses[] =
    "Exit status: 0 done (answered or refused), 1 failed, 2 wrong usage, 3 integrity broken, 4 refused under --fail-on-refusal "
    "or --fail-on,\n"
    "130 interrupted.\n";

}  // namespace

HelpFormatter::HelpFormatter() {
  column_width(26);
  label("Positionals", "Arguments");
}

std::string HelpFormatter::make_help(const CLI::App* app, std::string name, CLI::AppFormatMode mode) const {
  std::string text = app->get_footer() + "\n\n" + app->get_description() + "\n";
  text += make_positionals(app) + make_groups(app, mode) + make_subcommands(app, CLI::AppFormatMode::Normal) + "\n" + kStatuses;
  for (size_t gap; (gap = text.find("\n\n\n")) != std::string::npos;) text.erase(gap, 1);
  return text;
}

// The first sentence of what a verb does.
std::string HelpFormatter::make_subcommand(const CLI::App* verb) const {
  std::string description = verb->get_description();
  std::replace(description.begin(), description.end(), '\n', ' ');
  const size_t end = std::min(description.find(". "), description.size());
  std::string line = "  " + verb->get_name();
  line.resize(std::max(line.size() + 1, get_column_width()), ' ');
  return line + description.substr(0, end) + (end < description.size() ? ".\n" : "\n");
}

// The value's name, as in "--index DIR", or the values that there are, as in "--format text|json".
std::string HelpFormatter::make_option_opts(const CLI::Option* option) const {
  if (option->get_type_size() == 0) return "";
  std::string type = option->get_type_name();
  if (const size_t values = type.find('{'); values != std::string::npos && type.ends_with('}')) {
    type = type.substr(values + 1, type.size() - values - 2);
    std::replace(type.begin(), type.end(), ',', '|');
  }
  type = type.substr(0, type.find(':'));  // what follows is the name of a check
  const bool many = option->get_expected_max() == CLI::detail::expected_max_vector_size;
  return (option->get_positional() && !option->nonpositional() ? "" : " " + type) + (many ? " ..." : "");
}

std::string HelpFormatter::make_option_desc(const CLI::Option* option) const {
  const std::string value = option->get_default_str();
  return option->get_description() + (option->get_required() ? " (needed)" : value.empty() ? "" : " (default: " + value + ")");
}

CLI::App* add_group(CLI::App& app, const std::string& name, const std::string& summary, const std::string& examples) {
  CLI::App* group = app.add_subcommand(name, summary);
  group->footer(examples);
  group->group("Verbs");
  group->get_help_ptr()->description("show this")->group("Common");
  return group->require_subcommand(1);
}

CLI::App* add_verb(CLI::App& app, Context& context, const std::string& name, const std::string& summary,
                   const std::string& examples) {
  CLI::App* verb = app.add_subcommand(name, summary);
  verb->footer(examples);
  verb->group("Verbs");
  verb->get_help_ptr()->description("show this")->group("Common");
  verb->add_option("--format", context.format, "text for people, json for programs (default: text)")
      ->check(CLI::IsMember({"text", "json"}))
      ->group("Common");
  verb->add_flag("-v,--verbose", context.verbose, "say on stderr what is being done")->group("Common");
  return verb;
}

}  // namespace openbook::cli
