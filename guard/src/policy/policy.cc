#include "openbook/guard/policy.h"

#include <toml++/toml.h>

#include <algorithm>
#include <array>
#include <optional>
#include <sstream>
#include <utility>
#include <variant>
#include <vector>

#include "openbook/base/error.h"
#include "openbook/base/file.h"
#include "openbook/base/hash.h"
#include "openbook/base/utf8.h"

namespace openbook {
namespace {

namespace fs = std::filesystem;

constexpr std::array kActions = {Action::kAllow, Action::kFlag, Action::kSteer, Action::kRefuse};
constexpr uint64_t kMaxFileBytes = 64 << 10;
constexpr int64_t kMaxSentences = 1000;

using Member = std::variant<Action Policy::*, bool Policy::*, int64_t Policy::*, std::string Policy::*>;
struct Field {
  std::string_view key;
  Member member;
  bool added_later = false;  // not in the first builds' fingerprints
};

// Every field there is. The parser, the message that names the known keys, and the fingerprint all read this table.
const std::array<Field, 11>& fields() {
  static const std::array<Field, 11> table = {{{"name", &Policy::name},
                                               {"on_recited", &Policy::on_recited},
                                               {"on_unchecked", &Policy::on_unchecked},
                                               {"on_off_topic", &Policy::on_off_topic},
                                               {"on_uncited", &Policy::on_uncited},
                                               {"after_steering", &Policy::after_steering},
                                               {"require_causal_citations", &Policy::require_causal_citations},
                                               {"stream_words", &Policy::stream_words},
                                               {"max_sentences", &Policy::max_sentences},
                                               {"refusal_text", &Policy::refusal_text},
                                               {"abstained_text", &Policy::abstained_text, true}}};
  return table;
}

template <typename Range, typename Name>
std::string listed(const Range& items, const Name& name) {
  std::string text;
  for (const auto& item : items) text += (text.empty() ? "" : ", ") + std::string(name(item));
  return text;
}

[[noreturn]] void refuse(const std::string& where, const std::string& what, const std::string& hint = {}) {
  throw Error(Code::kInvalidArgument, "policy " + where + ": " + what, hint);
}

std::string at_line(const toml::node& node) { return "line " + std::to_string(node.source().begin.line) + ": "; }

// The value of `node` as exactly `Value`, never converted: 1 is not true, and "true" is not either.
template <typename Value>
Value exact(const toml::node& node, std::string_view key, std::string_view expected, const std::string& where) {
  if (const auto value = node.value_exact<Value>()) return *value;
  std::ostringstream found;
  found << node.type();
  refuse(where, at_line(node) + std::string(key) + " is " + found.str() + ", expected " + std::string(expected));
}

Action parse_action(const toml::node& node, std::string_view key, const std::string& where) {
  const std::string name = exact<std::string>(node, key, "an action in quotes", where);
  for (const Action action : kActions)
    if (action_name(action) == name) return action;
  refuse(where, at_line(node) + std::string(key) + " = \"" + name + "\" is no action; known: " + listed(kActions, action_name));
}

std::string value_text(const Policy& policy, const Field& field) {
  if (const auto* action = std::get_if<Action Policy::*>(&field.member)) return std::string(action_name(policy.**action));
  if (const auto* flag = std::get_if<bool Policy::*>(&field.member)) return policy.**flag ? "true" : "false";
  if (const auto* number = std::get_if<int64_t Policy::*>(&field.member)) return std::to_string(policy.**number);
  return policy.*std::get<std::string Policy::*>(field.member);
}

struct Assign {
  Policy& policy;
  const toml::node& node;
  std::string_view key;
  const std::string& where;

  void operator()(Action Policy::*member) const { policy.*member = parse_action(node, key, where); }
  void operator()(bool Policy::*member) const { policy.*member = exact<bool>(node, key, "true or false", where); }
  void operator()(int64_t Policy::*member) const { policy.*member = exact<int64_t>(node, key, "a whole number", where); }
  void operator()(std::string Policy::*member) const { policy.*member = exact<std::string>(node, key, "text in quotes", where); }
};

void require_version(const toml::table& table, const std::string& where) {
  const toml::node* version = table.get("version");
  if (!version) refuse(where, "has no version", "Its first line should be: version = " + std::to_string(Policy::kVersion));
  const auto found = exact<int64_t>(*version, "version", "a whole number", where);
  if (found != Policy::kVersion)
    throw Error(Code::kUnimplemented, "policy " + where + ": version " + std::to_string(found) + ", this build reads version " +
                                          std::to_string(Policy::kVersion));
}

// Rules that can't all hold: the file's writer meant something else than what would happen.
void require_consistent(const Policy& policy, const std::string& where) {
  const std::array<std::pair<std::string_view, Action>, 4> rules = {{{"on_recited", policy.on_recited},
                                                                     {"on_unchecked", policy.on_unchecked},
                                                                     {"on_off_topic", policy.on_off_topic},
                                                                     {"on_uncited", policy.on_uncited}}};
  for (const auto& [key, action] : rules)
    if (policy.stream_words && (action == Action::kSteer || action == Action::kRefuse))
      refuse(where,
             "stream_words = true contradicts " + std::string(key) + " = \"" + std::string(action_name(action)) +
                 "\": words that were shown can't be taken back",
             "Set stream_words = false, or every on_* to allow or flag.");
  if (policy.stream_words && policy.require_causal_citations)
    refuse(where,
           "stream_words = true contradicts require_causal_citations = true: a citation is known to be causal only when its "
           "sentence ends");
  if (policy.after_steering != Action::kFlag && policy.after_steering != Action::kRefuse)
    refuse(where, "after_steering = \"" + std::string(action_name(policy.after_steering)) + "\", expected flag or refuse",
           "It says what follows when steering did not help.");
  if (policy.max_sentences < 1 || policy.max_sentences > kMaxSentences)
    refuse(where, "max_sentences = " + std::to_string(policy.max_sentences) + ", expected 1 to " + std::to_string(kMaxSentences));
  if (policy.name.empty()) refuse(where, "has no name", "Reports and log records name the policy: name = \"my-policy\"");
  if (policy.refusal_text.empty()) refuse(where, "refusal_text is empty: a refusal must not look like an empty answer");
  if (policy.abstained_text.empty()) refuse(where, "abstained_text is empty: it must not look like an empty answer");
}

std::vector<fs::path> shipped_folders() {
  std::vector<fs::path> folders = {OPENBOOK_POLICY_SOURCE_FOLDER, OPENBOOK_POLICY_INSTALL_FOLDER};
  std::error_code problem;
  const auto program = fs::read_symlink("/proc/self/exe", problem);  // an installation that was moved
  if (!problem) folders.push_back(program.parent_path().parent_path() / "share/openbook/policies");
  return folders;
}

std::optional<fs::path> shipped(const std::string& name) {
  for (const fs::path& folder : shipped_folders()) {
    std::error_code problem;
    if (fs::is_regular_file(folder / (name + ".toml"), problem)) return folder / (name + ".toml");
  }
  return std::nullopt;
}

std::string shipped_names() {
  std::vector<std::string> names;
  std::error_code problem;
  for (const fs::path& folder : shipped_folders())
    for (fs::directory_iterator file(folder, problem), end; !problem && file != end; file.increment(problem))
      if (file->path().extension() == ".toml") names.push_back(file->path().stem());
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return listed(names, [](const std::string& name) { return name; });
}

bool looks_like_a_name(const std::string& text) { return text.find('/') == text.npos && !text.ends_with(".toml"); }

}  // namespace

std::string_view action_name(Action action) {
  switch (action) {
    case Action::kAllow:
      return "allow";
    case Action::kFlag:
      return "flag";
    case Action::kSteer:
      return "steer";
    case Action::kRefuse:
      return "refuse";
  }
  return "unknown";
}

Policy Policy::parse(std::string_view toml, const std::string& where) {
  if (const auto bad = first_invalid_utf8(toml)) refuse(where, "not UTF-8 at byte " + std::to_string(*bad));
  toml::table table;
  try {
    table = toml::parse(toml, where);
  } catch (const toml::parse_error& error) {
    refuse(where, "line " + std::to_string(error.source().begin.line) + ": " + std::string(error.description()));
  }
  require_version(table, where);
  Policy policy;
  policy.name.clear();
  for (const auto& [key, node] : table) {
    if (key == "version") continue;
    const auto field =
        std::find_if(fields().begin(), fields().end(), [name = key.str()](const Field& known) { return known.key == name; });
    if (field == fields().end())
      refuse(where, at_line(node) + "unknown key \"" + std::string(key.str()) + "\"; known: version, " +
                        listed(fields(), [](const Field& known) { return known.key; }));
    std::visit(Assign{policy, node, field->key, where}, field->member);
  }
  require_consistent(policy, where);
  return policy;
}

Policy Policy::load(const fs::path& name_or_file) {
  const std::string text = name_or_file.string();
  fs::path file = name_or_file;
  if (looks_like_a_name(text)) file = shipped(text).value_or(name_or_file);
  std::error_code problem;
  if (!fs::exists(file, problem))
    throw Error(Code::kNotFound, "policy " + text + ": neither a shipped policy nor a file",
                "Shipped policies: " + shipped_names() + ".");
  return parse(read_file(file, kMaxFileBytes), file.string());
}

Policy Policy::annotate() {
  Policy policy;
  policy.name = "annotate";
  policy.on_recited = policy.on_unchecked = policy.on_off_topic = policy.on_uncited = Action::kFlag;
  policy.stream_words = true;
  policy.max_sentences = 64;
  return policy;
}

std::string Policy::to_toml() const {
  std::ostringstream text;
  text << "version = " << kVersion << "\n";
  for (const Field& field : fields()) {
    const std::string value = value_text(*this, field);
    const bool quoted =
        std::holds_alternative<Action Policy::*>(field.member) || std::holds_alternative<std::string Policy::*>(field.member);
    text << field.key << " = ";
    if (quoted)
      text << toml::toml_formatter(toml::value<std::string>(value), toml::format_flags::none);
    else
      text << value;
    text << "\n";
  }
  return text.str();
}

std::string Policy::fingerprint() const {
  std::string canonical = "openbook-policy " + std::to_string(kVersion) + "\n";
  const auto add = [&](std::string_view text) { canonical += std::to_string(text.size()) + ":" + std::string(text); };
  const Policy defaults;
  for (const Field& field : fields()) {
    const std::string value = value_text(*this, field);
    if (field.added_later && value == value_text(defaults, field)) continue;
    add(field.key);
    add(value);
  }
  return sha256_hex(canonical);
}

}  // namespace openbook
