#include "options.h"

#include <unistd.h>

#include "openbook/base/error.h"

namespace openbook::cli {
namespace fs = std::filesystem;

CLI::Option* add_place(CLI::App& verb, Place place, std::string& flag) {
  const PlaceRules& rules = rules_of(place);
  return verb
      .add_option(rules.flag, flag, std::string(rules.what) + " (default: " + rules.variable + ", else " + rules.made + ")")
      ->type_name(rules.value)
      ->check([](const std::string& value) { return value.empty() ? "is empty: name one, or leave the flag out" : ""; })
      ->group("Common");
}

Found find_named(Place place, const std::string& flag) {
  if (auto found = look_for_named(place, flag)) return *found;
  const PlaceRules& rules = rules_of(place);
  throw CLI::ValidationError(std::string(rules.flag) + " " + rules.value + " is needed (or " + rules.variable +
                             "): it will be written");
}

void require_folder_of(const fs::path& file) {
  const fs::path folder = file.parent_path().empty() ? "." : file.parent_path();
  std::error_code problem;
  if (!fs::is_directory(folder, problem))
    throw Error(Code::kNotFound, file.string() + ": can't be written, " + folder.string() + " is no folder", "Make it first.");
  if (fs::is_directory(file, problem)) throw Error(Code::kInvalidArgument, file.string() + ": is a folder", "Name a file.");
  if (::access(folder.c_str(), W_OK) != 0)
    throw Error(Code::kFailedPrecondition, file.string() + ": can't be written into " + folder.string());
}

const CLI::Validator& not_negative() {
  static const CLI::Validator check(
      [](std::string& value) { return value.starts_with('-') ? value + ": must be 0 or more" : std::string(); }, "");
  return check;
}

std::string read_stdin(size_t max_bytes) {
  std::string text;
  char buffer[1 << 16];
  for (;;) {
    const ssize_t got = ::read(STDIN_FILENO, buffer, sizeof buffer);
    if (got < 0 && errno != EINTR) throw Error(Code::kUnavailable, "stdin: can't read it");
    if (got < 0) throw Error(Code::kCancelled, "stopped on request");
    if (got == 0) return text;
    text.append(buffer, static_cast<size_t>(got));
    if (text.size() > max_bytes)
      throw Error(Code::kOutOfRange, "stdin: longer than the limit of " + std::to_string(max_bytes) + " bytes");
  }
}

std::string text_or_stdin(const std::string& argument) {
  if (argument != "-") return argument;
  std::string text = read_stdin(size_t{1} << 20);
  if (text.ends_with('\n')) text.pop_back();
  return text;
}

}  // namespace openbook::cli
