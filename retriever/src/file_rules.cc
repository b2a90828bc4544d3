#include "file_rules.h"

#include <algorithm>
#include <array>
#include <vector>

#include "openbook/base/error.h"

namespace openbook::retriever {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMaxPatternBytes = 4096;

// Matches one pattern against one text, both bytes; a character is a UTF-8 sequence. Time: at most pattern times text.
class Glob {
 public:
  Glob(std::string_view pattern, std::string_view text)
      : pattern_(pattern), text_(text), failed_(pattern.size() * (text.size() + 1)) {}

  bool matches(size_t p = 0, size_t t = 0) {
    for (; p < pattern_.size(); ++p) {
      if (pattern_[p] == '*') return matches_run(p, t);
      if (t == text_.size()) return false;
      if (pattern_[p] == '?') {
        if (text_[t] == '/') return false;
        t = after_character(t);
      } else if (pattern_[p] == '[') {
        const size_t end = class_end(pattern_, p);
        if (text_[t] == '/' || !class_holds(pattern_.substr(p + 1, end - p - 1), t)) return false;
        p = end;
        t = after_character(t);
      } else if (pattern_[p] != text_[t++]) {
        return false;
      }
    }
    return t == text_.size();
  }

  // Where the class that opens at `p` closes; npos when it doesn't. A ] that comes first is one of the class.
  static size_t class_end(std::string_view pattern, size_t p) {
    const size_t first = p + 1 < pattern.size() && pattern[p + 1] == '!' ? p + 2 : p + 1;
    return pattern.find(']', first + 1);
  }

 private:
  // `p` is at a star.
  bool matches_run(size_t p, size_t t) {
    if (failed_[p * (text_.size() + 1) + t]) return false;
    const bool crosses = pattern_.substr(p).starts_with("**");
    const size_t rest = std::min(pattern_.find_first_not_of('*', p), pattern_.size());
    // "**/" at the beginning of a component is also no folder at all.
    if (crosses && (p == 0 || pattern_[p - 1] == '/') && pattern_.substr(rest).starts_with('/') && matches(rest + 1, t))
      return true;
    for (size_t end = t;; ++end) {
      if (matches(rest, end)) return true;
      if (end == text_.size() || (!crosses && text_[end] == '/')) break;
    }
    failed_[p * (text_.size() + 1) + t] = true;
    return false;
  }

  size_t after_character(size_t t) const {
    for (++t; t < text_.size() && (static_cast<uint8_t>(text_[t]) & 0xC0) == 0x80;) ++t;
    return t;
  }

  // Characters compare by their bytes, which for UTF-8 is the order of code points.
  bool class_holds(std::string_view members, size_t t) const {
    const bool negated = members.starts_with('!');
    if (negated) members.remove_prefix(1);
    const std::string_view character = text_.substr(t, after_character(t) - t);
    std::vector<std::string_view> split;
    for (size_t at = 0; at < members.size();) {
      size_t end = at + 1;
      while (end < members.size() && (static_cast<uint8_t>(members[end]) & 0xC0) == 0x80) ++end;
      split.push_back(members.substr(at, end - at));
      at = end;
    }
    for (size_t i = 0; i < split.size(); ++i) {
      const bool range = i + 2 < split.size() && split[i + 1] == "-";
      if (range ? split[i] <= character && character <= split[i + 2] : split[i] == character) return !negated;
      if (range) i += 2;
    }
    return negated;
  }

  std::string_view pattern_, text_;
  std::vector<bool> failed_;  // by star and place in the text
};

bool matches(std::string_view pattern, const fs::path& path) { return Glob(pattern, path.native()).matches(); }

// Whether `pattern` names the file or folder at `below`, or a folder above it.
bool names(std::string_view pattern, const fs::path& below) {
  const bool folders_only = pattern.ends_with('/');
  if (folders_only) pattern.remove_suffix(1);
  const bool whole_path = pattern.find('/') != std::string_view::npos;
  if (pattern.starts_with('/')) pattern.remove_prefix(1);
  if (pattern.starts_with("./")) pattern.remove_prefix(2);
  fs::path so_far;
  for (auto component = below.begin(); component != below.end(); ++component) {
    so_far /= *component;
    if (folders_only && std::next(component) == below.end()) break;
    if (matches(pattern, whole_path ? so_far : *component)) return true;
  }
  return false;
}

bool any_names(const std::vector<std::string>& patterns, const fs::path& below) {
  return std::any_of(patterns.begin(), patterns.end(), [&](const std::string& pattern) { return names(pattern, below); });
}

}  // namespace

void require_patterns(const FileRules& rules) {
  for (const auto* patterns : {&rules.include, &rules.exclude})
    for (const std::string& pattern : *patterns) {
      if (pattern.find_first_not_of('/') == std::string::npos || pattern.size() > kMaxPatternBytes)
        throw Error(Code::kInvalidArgument, "pattern \"" + pattern.substr(0, 80) + "\": it has " +
                                                std::to_string(pattern.size()) + " bytes; it must name something, in at most " +
                                                std::to_string(kMaxPatternBytes));
      for (size_t at = 0; (at = pattern.find('[', at)) != std::string::npos; at = Glob::class_end(pattern, at))
        if (Glob::class_end(pattern, at) == std::string::npos)
          throw Error(Code::kInvalidArgument, "pattern \"" + pattern + "\": the [ at byte " + std::to_string(at) + " has no ]",
                      "Write [[] for the character itself.");
    }
}

bool excludes(const FileRules& rules, const fs::path& below) { return any_names(rules.exclude, below); }

bool is_excluded(const fs::path& below, const FileRules& rules) {
  return excludes(rules, below) || (!rules.include.empty() && !any_names(rules.include, below));
}

bool asks_for_secret(const FileRules& rules, const fs::path& below) {
  return std::any_of(rules.include.begin(), rules.include.end(), [&](const std::string& pattern) {
    return is_secret_name(fs::path(pattern).filename().native()) && names(pattern, below);
  });
}

bool is_secret_name(std::string_view file_name) {
  static constexpr std::array<std::string_view, 13> kWhole = {
      "id_rsa",  "id_dsa",    "id_ecdsa",         "id_ecdsa_sk", "id_ed25519", "id_ed25519_sk", ".netrc",
      ".pgpass", ".htpasswd", ".git-credentials", ".pypirc",     ".npmrc",     "secring.gpg"};
  static constexpr std::array<std::string_view, 13> kEndings = {".pem", ".key", ".p8",  ".p12",  ".pfx",      ".kdb",   ".kdbx",
                                                                ".jks", ".ppk", ".env", ".ovpn", ".keystore", ".keytab"};
  std::string name(file_name);
  std::transform(name.begin(), name.end(), name.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return name.starts_with(".env") || std::find(kWhole.begin(), kWhole.end(), name) != kWhole.end() ||
         std::any_of(kEndings.begin(), kEndings.end(), [&](std::string_view ending) { return name.ends_with(ending); });
}

}  // namespace openbook::retriever
