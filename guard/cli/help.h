// How `--help` looks: an example first, then what the verb does, its flags, and the exit statuses.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace openbook::cli {

// Shows an app's footer, which holds its examples, at the top.
class HelpFormatter : public CLI::Formatter {
 public:
  HelpFormatter();
  std::string make_help(const CLI::App* app, std::string name, CLI::AppFormatMode mode) const override;
  std::string make_subcommand(const CLI::App* verb) const override;
  std::string make_option_opts(const CLI::Option* option) const override;
  std::string make_option_desc(const CLI::Option* option) const override;
};

}  // namespace openbook::cli
