#include "options.h"

#include <unistd.h>

#include <array>
#include <cstdlib>
#include <vector>

#include "openbook/base/error.h"

namespace openbook::cli {
namespace {

namespace fs = std::filesystem;

struct PlaceRules {
  const char* what;
  const char* flag;
  const char* value;  // as help shows it
  const char* variable;
  const char* made;  // by set-up or the quickstart, from the repository's folder; for a policy the name of a shipped one
  const char* hint;  // how to get one
};

const PlaceRules& rules_of(Place place) {
  static constexpr std::array<PlaceRules, 8> kRules = {{
      {"language model", "--model", "DIR", "OPENBOOK_MODEL", "build/models/smollm2-135m-instruct", "cmake/setup.sh fetches one."},
      {"text encoder", "--embedder", "DIR", "OPENBOOK_EMBEDDER", "build/models/all-minilm-l6-v2", "cmake/setup.sh fetches one."},
      {"head atlas", "--atlas", "FILE", "OPENBOOK_ATLAS", "examples/smollm2.atlas.json", "`openbook atlas build` makes one."},
      {"policy", "--policy", "FILE", "OPENBOOK_POLICY", "cite-or-refuse", ""},
      {"index", "--index", "DIR", "OPENBOOK_INDEX", "build/quickstart/index", "`openbook ingest PATH... --index DIR` makes one."},
      {"provenance log", "--log", "DIR", "OPENBOOK_LOG", "build/quickstart/log",
       "`openbook log init --log DIR --log-key FILE` makes one."},
      {"log key", "--log-key", "FILE", "OPENBOOK_LOG_KEY", "build/quickstart/log.key",
       "`openbook log init --log DIR --log-key FILE` makes one."},
      {"folder with relations.json and facts.tsv", "--facts", "DIR", "OPENBOOK_FACTS", "attribution/data",
       "openbook's source holds them in attribution/data."},
  }};
  return kRules[static_cast<size_t>(place)];
}

// Where `made` is looked for: here, in the repository whose build/PRESET/bin holds this program, and beside an installed program.
std::vector<fs::path> candidates(const char* made) {
  std::vector<fs::path> found = {made};
  std::error_code problem;
  const fs::path program = fs::read_symlink("/proc/self/exe", problem);
  if (problem) return found;
  const fs::path bin = program.parent_path();
  found.push_back(bin.parent_path().parent_path().parent_path() / made);
  found.push_back(bin.parent_path() / "share/openbook" / fs::path(made).filename());
  return found;
}

std::optional<Found> named(const PlaceRules& rules, const std::string& flag) {
  if (!flag.empty()) return Found{flag, rules.flag};
  const char* variable = std::getenv(rules.variable);
  if (variable && *variable) return Found{variable, rules.variable};
  return std::nullopt;
}

}  // namespace

CLI::Option* add_place(CLI::App& verb, Place place, std::string& flag) {
  const PlaceRules& rules = rules_of(place);
  return verb
      .add_option(rules.flag, flag, std::string(rules.what) + " (default: " + rules.variable + ", else " + rules.made + ")")
      ->type_name(rules.value)
      ->check([](const std::string& value) { return value.empty() ? "is empty: name one, or leave the flag out" : ""; })
      ->group("Common");
}

std::optional<Found> look_for(Place place, const std::string& flag) {
  const PlaceRules& rules = rules_of(place);
  if (auto found = named(rules, flag)) return found;
  if (place == Place::kPolicy) return Found{rules.made, "shipped"};
  for (const fs::path& path : candidates(rules.made)) {
    std::error_code problem;
    if (fs::exists(path, problem)) return Found{path, "set-up"};
  }
  return std::nullopt;
}

Found find(Place place, const std::string& flag) {
  if (auto found = look_for(place, flag)) return *found;
  const PlaceRules& rules = rules_of(place);
  throw Error(Code::kNotFound,
              std::string("no ") + rules.what + ": neither " + rules.flag + " nor " + rules.variable + " names one, and " +
                  rules.made + " is not there",
              rules.hint);
}

std::optional<Found> look_for_named(Place place, const std::string& flag) { return named(rules_of(place), flag); }

Found find_named(Place place, const std::string& flag) {
  const PlaceRules& rules = rules_of(place);
  if (auto found = named(rules, flag)) return *found;
  throw CLI::ValidationError(std::string(rules.flag) + " " + rules.value + " is needed (or " + rules.variable +
                             "): it will be written");
}

void require_folder_of(const fs::path& file) {
  const fs::path folder = file.parent_path().empty() ? "." : file.parent_path();
  std::error_code problem;
  if (!fs::is_directory(folder, problem))
    throw Error(Code::kNotFound, file.string() + ": can't be written, " + folder.string() + " is no folder", "Make it first.");
  if (fs::is_directory(file, problem))
    throw Error(Code::kInvalidArgument, file.string() + ": is a folder", "Name a file.");
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
