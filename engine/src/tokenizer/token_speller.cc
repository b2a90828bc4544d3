#include "tokenizer/token_speller.h"

#include <charconv>

#include "tokenizer/byte_alphabet.h"
#include "tokenizer/lossy_utf8.h"

namespace openbook::engine {
namespace {

// Replacements may be chained, and each can make a text longer.
constexpr size_t kLongestReplacement = 64, kLongestToken = 1 << 16;

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) text.replace(at, from.size(), to);
}

std::optional<char> fallback_byte(std::string_view token) {  // <0x0A>
  uint8_t byte = 0;
  if (token.size() != 6 || !token.starts_with("<0x") || token.back() != '>') return std::nullopt;
  const auto [end, error] = std::from_chars(token.data() + 3, token.data() + 5, byte, 16);
  if (error != std::errc() || end != token.data() + 5) return std::nullopt;
  return static_cast<char>(byte);
}

// Devlin et al. 2018, as later released in Transformers: undoes the spaces that tokenisation put in.
void clean_up(std::string& word) {
  for (const auto& [from, to] : {std::pair{" .", "."},
                                 {" ?", "?"},
                                 {" !", "!"},
                                 {" ,", ","},
                                 {" ' ", "'"},
                                 {" n't", "n't"},
                                 {" 'm", "'m"},
                                 {" do not", " don't"},
                                 {" 's", "'s"},
                                 {" 've", "'ve"},
                                 {" 're", "'re"}})
    replace_all(word, from, to);
}

}  // namespace

TokenSpeller::TokenSpeller(const std::optional<JsonField>& description, bool byte_level) : byte_level_(byte_level) {
  if (description) read(*description);
}

void TokenSpeller::read(const JsonField& field) {
  const std::string type = field.text("type");
  if (type == "ByteLevel") {
    byte_level_ = true;
  } else if (type == "WordPiece") {
    continuing_prefix_ = field.text("prefix", "##");
    clean_up_ = field.flag("cleanup", true);
  } else if (type == "Metaspace") {
    add_replacement(field, field.text("replacement", "\u2581"), " ");
    strip_.assign(1, ' ');
    strip_count_ = field.text("prepend_scheme", "always") == "never" ? 0 : 1;
  } else if (type == "Replace") {
    const auto pattern = field.at("pattern").find("String");
    if (!pattern) field.unsupported("decoder Replace with anything but a string");
    add_replacement(field, pattern->text(), field.text("content"));
  } else if (type == "Strip") {
    if (field.integer("stop") != 0) field.unsupported("decoder Strip at the end of a text");
    strip_ = field.text("content");
    strip_count_ = field.integer("start");
  } else if (type == "ByteFallback") {
    byte_fallback_ = true;
  } else if (type == "Sequence") {
    for (const JsonField& step : field.at("decoders").items()) read(step);
  } else if (type != "Fuse") {
    field.unsupported("decoder " + type);
  }
}

void TokenSpeller::add_replacement(const JsonField& field, std::string from, std::string to) {
  if (from.empty()) field.malformed("looks for the empty text, which stands everywhere");
  if (to.size() > kLongestReplacement)
    field.malformed("puts in a text of " + std::to_string(to.size()) + " bytes; at most " + std::to_string(kLongestReplacement));
  replacements_.emplace_back(std::move(from), std::move(to));
}

std::string TokenSpeller::bytes(const std::string& token) const {
  if (continuing_prefix_)
    return token.starts_with(*continuing_prefix_) ? token.substr(continuing_prefix_->size()) : std::string(" ") += token;
  if (byte_level_) return spelled_bytes(token).value_or(token);
  if (byte_fallback_)
    if (const auto byte = fallback_byte(token)) return std::string(1, *byte);
  std::string bytes = token;
  for (const auto& [from, to] : replacements_) {
    replace_all(bytes, from, to);
    if (bytes.size() > kLongestToken)
      throw Error(Code::kInvalidArgument,
                  "the tokenizer's decoder makes more than " + std::to_string(kLongestToken) + " bytes of one token",
                  "Use the tokenizer that belongs to the model.");
  }
  return bytes;
}

std::string TokenSpeller::words(const std::vector<std::string>& tokens) const {
  std::string text;
  for (const std::string& token : tokens) {
    std::string word = &token == &tokens.front() ? token : bytes(token);
    if (clean_up_) clean_up(word);
    text += word;
  }
  return text;
}

std::string TokenSpeller::text(const std::vector<std::string>& tokens) const {
  if (continuing_prefix_) return words(tokens);
  std::string joined;
  for (const std::string& token : tokens) joined += bytes(token);
  for (int64_t i = 0; i < strip_count_ && !strip_.empty() && joined.starts_with(strip_); ++i) joined.erase(0, strip_.size());
  return lossy_utf8(joined);
}

}  // namespace openbook::engine
