#define PCRE2_CODE_UNIT_WIDTH 8
#include "tokenizer/pattern.h"

#include <pcre2.h>

#include "openbook/base/error.h"

namespace openbook::engine {
namespace {

// The contents of a set. PCRE2's own \s counts U+180E, and its \w leaves out marks and connectors.
constexpr std::string_view kSpaces =
    R"(\x{9}-\x{d}\x{20}\x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000})";
constexpr std::string_view kWord =
    R"(\p{L}\p{M}\p{Nd}\p{Nl}\p{Pc}\x{b2}\x{b3}\x{b9}\x{bc}-\x{be}\x{24b6}-\x{24e9}\x{1f130}-\x{1f149}\x{1f150}-\x{1f169}\x{1f170}-\x{1f189})";

// What `\letter` stands for, as the contents of a set; "" when PCRE2 reads it as Oniguruma does.
std::string_view shorthand(char letter) {
  switch (letter) {
    case 's':
    case 'S':
      return kSpaces;
    case 'w':
    case 'W':
      return kWord;
    case 'd':
    case 'D':
      return R"(\p{Nd})";
    case 'h':
    case 'H':
      return "0-9A-Fa-f";
    default:
      return {};
  }
}

bool is_negated(char letter) { return letter >= 'A' && letter <= 'Z'; }

// Oniguruma's \p{Han} asks for the script; PCRE2's for the script extensions, unless told.
std::string script_property(std::string_view escape) {
  const size_t name = escape.find('{') + 1;
  const bool is_script =
      escape.find_first_of(":=^&") == std::string_view::npos && escape.size() - name - 1 > 2 && escape.substr(name) != "Any}";
  return is_script ? std::string(escape.substr(0, name)) + "sc:" + std::string(escape.substr(name)) : std::string(escape);
}

// Rewrites an expression for PCRE2; throws what can't be kept, as a piece of a message.
std::string to_pcre2(std::string_view onig) {
  std::string out;
  bool in_set = false;
  for (size_t i = 0; i < onig.size(); ++i) {
    const char c = onig[i];
    if (c == '\\' && i + 1 < onig.size()) {
      const char letter = onig[++i];
      const std::string_view contents = shorthand(letter);
      if (!in_set && (letter == 'b' || letter == 'B')) throw std::string("\\") + letter;  // by another notion of word
      if (!contents.empty() && is_negated(letter) && in_set) throw std::string("\\") + letter + " inside a set";
      if (!contents.empty()) {
        out += in_set ? std::string(contents) : (is_negated(letter) ? "[^" : "[") + std::string(contents) + "]";
      } else if ((letter == 'p' || letter == 'P') && i + 1 < onig.size() && onig[i + 1] == '{' &&
                 onig.find('}', i) != onig.npos) {
        const size_t close = onig.find('}', i);
        out += script_property(onig.substr(i - 1, close - i + 2));
        i = close;
      } else {
        out += {c, letter};
      }
      continue;
    }
    if (in_set && c == '[') throw std::string("a set within a set");
    if (in_set && c == '&' && onig.substr(i, 2) == "&&") throw std::string("an intersection of sets");
    out += c;
    if (!in_set && c == '[') {
      in_set = true;
      if (i + 1 < onig.size() && onig[i + 1] == '^') out += onig[++i];
      if (i + 1 < onig.size() && onig[i + 1] == ']') out += {'\\', onig[++i]};
    } else if (in_set && c == ']') {
      in_set = false;
    }
  }
  return out;
}

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x80 && !std::isalnum(static_cast<unsigned char>(c))) out += '\\';
    out += c;
  }
  return out;
}

// What one thread needs to match: a place for the result and the compiled code's stack.
struct Matching {
  pcre2_match_data* result = pcre2_match_data_create(1, nullptr);
  pcre2_match_context* context = pcre2_match_context_create(nullptr);
  pcre2_jit_stack* stack = pcre2_jit_stack_create(32 << 10, 8 << 20, nullptr);

  Matching() {
    if (!result || !context || !stack) throw Error(Code::kResourceExhausted, "no memory to match a tokenizer's pattern");
    pcre2_jit_stack_assign(context, nullptr, stack);
  }
  ~Matching() {
    pcre2_match_data_free(result);
    pcre2_match_context_free(context);
    pcre2_jit_stack_free(stack);
  }
};

}  // namespace

struct Pattern::Code {
  explicit Code(pcre2_code* compiled) : code(compiled) {}
  pcre2_code* code;
  ~Code() { pcre2_code_free(code); }
};

Pattern::Pattern(const std::string& expression) {
  int error = 0;
  PCRE2_SIZE offset = 0;
  pcre2_code* code = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(expression.data()), expression.size(),
                                   PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE, &error, &offset, nullptr);
  if (!code) {
    PCRE2_UCHAR message[128];
    pcre2_get_error_message(error, message, sizeof message);
    throw std::string(reinterpret_cast<const char*>(message)) + " at byte " + std::to_string(offset);
  }
  pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);  // where it can't, pcre2_match interprets
  code_ = std::make_shared<const Code>(code);
}

Pattern::Pattern(std::string_view expression, const JsonField& where) try : Pattern(to_pcre2(expression)) {
} catch (const std::string& why) {
  where.unsupported("the pattern " + std::string(expression) + " (" + why + ")");
}

Pattern Pattern::from(const JsonField& description) {
  if (const auto expression = description.find("Regex")) return Pattern(expression->text(), *expression);
  const std::string text = description.text("String");
  if (text.empty()) description.malformed("looks for the empty text, which stands everywhere");
  return Pattern(escaped(text));
}

std::optional<std::pair<size_t, size_t>> Pattern::next_match(std::string_view text, size_t from) const {
  thread_local const Matching matching;
  const int found = pcre2_match(code_->code, reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(), from, PCRE2_NO_UTF_CHECK,
                                matching.result, matching.context);
  if (found == PCRE2_ERROR_NOMATCH) return std::nullopt;
  if (found < 0)
    throw Error(openbook::Code::kResourceExhausted,
                "text of " + std::to_string(text.size()) + " bytes: matching the tokenizer's pattern exceeds PCRE2's limits",
                "Split the text.");
  const PCRE2_SIZE* bounds = pcre2_get_ovector_pointer(matching.result);
  return std::pair<size_t, size_t>{bounds[0], bounds[1]};
}

}  // namespace openbook::engine
