#include "report/biography_file.h"

#include <algorithm>
#include <charconv>

#include "json/parse_json.h"
#include "json_fields.h"
#include "openbook/base/error.h"
#include "openbook/base/utf8.h"

namespace openbook::attribution {
namespace {

using Json = nlohmann::json;

constexpr int kDeepest = 8;  // forms inside forms

[[noreturn]] void malformed(const std::string& where, const std::string& what) {
  throw Error(Code::kInvalidArgument, where + ": " + what, "See attribution/data/README.md for the format.");
}

std::vector<std::string> texts(JsonFields& fields, std::string_view key) {
  std::vector<std::string> list;
  for (const Json& each : fields.array(key)) {
    if (!each.is_string() || each.get<std::string>().empty()) fields.refuse(key, "expected texts that are not empty");
    list.push_back(each.get<std::string>());
  }
  if (list.empty()) fields.refuse(key, "holds nothing");
  return list;
}

bool holds(const std::string& form, std::string_view symbol) {
  const std::vector<FormPiece> pieces = pieces_of(form);
  return std::any_of(pieces.begin(), pieces.end(), [&](const FormPiece& piece) { return piece.symbol && piece.text == symbol; });
}

// Follows every symbol of every form down to plain text.
class Check {
 public:
  Check(const BiographyLanguage& language, std::string where) : language_(language), where_(std::move(where)) {}

  void run() const {
    for (const auto& [symbol, forms] : language_.grammar)
      for (const std::string& form : forms) follow(form, {}, kDeepest);
    for (const char* needed : {"given", "family", "name", "who", "who_inside"}) require(needed, "the grammar", {});
    for (const BiographyLanguage::Fact& fact : language_.facts) {
      require(fact.name, "the facts", {});
      for (const std::string& question : fact.questions) follow(question, {}, kDeepest);
      for (const std::string& sentence : fact.sentences) sentence_of(sentence, true);
    }
    for (const std::string& filler : language_.fillers) sentence_of(filler, false);
    for (const std::string& needle : language_.needles)
      if (needle.find('{') != std::string::npos) malformed(where_, "needle \"" + needle + "\" is no grammar, but holds a brace");
  }

 private:
  void sentence_of(const std::string& sentence, bool of_fact) const {
    if (!holds(sentence, "who")) malformed(where_, "\"" + sentence + "\" lacks {who}");
    if (holds(sentence, "value") != of_fact)
      malformed(where_, "\"" + sentence + (of_fact ? "\" lacks {value}" : "\" must not hold {value}"));
    follow(sentence, {"who", "value"}, kDeepest);
  }

  void follow(const std::string& form, const std::vector<std::string_view>& given, int deeper) const {
    if (deeper == 0) malformed(where_, "\"" + form + "\" stands for forms inside forms without an end");
    for (const FormPiece& piece : pieces_of(form)) {
      if (!piece.symbol && piece.text.find_first_of("{}") != std::string_view::npos)
        malformed(where_, "\"" + form + "\" has a brace without its other");
      if (!piece.symbol || std::find(given.begin(), given.end(), piece.text) != given.end() || !number_range(piece.text).empty())
        continue;
      for (const std::vector<std::string>* forms : require(std::string(piece.text), "\"" + form + "\"", given))
        for (const std::string& inner : *forms) follow(inner, {}, deeper - 1);
    }
  }

  // The lists that the symbol may stand for.
  std::vector<const std::vector<std::string>*> require(const std::string& symbol, const std::string& in,
                                                       const std::vector<std::string_view>& given) const {
    const auto list = [&](const std::string& key) {
      const auto found = language_.grammar.find(key);
      return found == language_.grammar.end() ? nullptr : &found->second;
    };
    if (const auto* plain = list(symbol)) return {plain};
    if (const auto* male = list(symbol + ".male"), *female = list(symbol + ".female"); male && female) return {male, female};
    if (const auto* vowel = list(symbol + ".vowel"), *consonant = list(symbol + ".consonant");
        vowel && consonant && !given.empty())
      return {vowel, consonant};
    malformed(where_, in + ": {" + symbol + "} stands for nothing in the grammar");
  }

  const BiographyLanguage& language_;
  std::string where_;
};

BiographyLanguage parse_language(JsonFields fields) {
  BiographyLanguage language;
  language.joiner = fields.text("joiner");
  language.words = fields.integer("words", 1, 10000);
  JsonFields grammar = fields.object("grammar");
  for (const auto& [symbol, forms] : fields.value("grammar").items()) language.grammar[symbol] = texts(grammar, symbol);
  for (const Json& each : fields.array("facts")) {
    JsonFields fact(each, fields.path("facts") + "[" + std::to_string(language.facts.size()) + "]");
    language.facts.push_back({fact.text("name"), texts(fact, "questions"), texts(fact, "sentences")});
    fact.nothing_else();
  }
  language.fillers = texts(fields, "fillers");
  language.needles = texts(fields, "needles");
  fields.nothing_else();
  return language;
}

}  // namespace

std::vector<FormPiece> pieces_of(std::string_view form) {
  std::vector<FormPiece> pieces;
  while (!form.empty()) {
    const size_t open = form.find('{'), close = open == std::string_view::npos ? open : form.find('}', open);
    if (close == std::string_view::npos) {
      pieces.push_back({form, false});
      break;
    }
    if (open > 0) pieces.push_back({form.substr(0, open), false});
    pieces.push_back({form.substr(open + 1, close - open - 1), true});
    form.remove_prefix(close + 1);
  }
  return pieces;
}

NumberRange number_range(std::string_view symbol) {
  const size_t dots = symbol.find("..");
  if (dots == std::string_view::npos) return {};
  const auto number = [](std::string_view digits, int64_t& value) {
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    return error == std::errc() && end == digits.data() + digits.size();
  };
  NumberRange range;
  if (!number(symbol.substr(0, dots), range.first) || !number(symbol.substr(dots + 2), range.last)) return {};
  return range;
}

std::map<std::string, BiographyLanguage> parse_biographies(const std::string& json, const std::string& file) {
  require_utf8(json, file);
  std::map<std::string, BiographyLanguage> languages;
  try {
    const Json parsed = parse_json<Json>(json, file);
    JsonFields whole(parsed, file);
    JsonFields by_name = whole.object("languages");
    for (const auto& [name, language] : whole.value("languages").items()) {
      languages[name] = parse_language(by_name.object(name));
      Check(languages[name], by_name.path(name)).run();
    }
    whole.nothing_else();
  } catch (const Json::exception& error) {
    malformed(file, error.what());
  }
  if (languages.empty()) malformed(file, "holds no language");
  return languages;
}

}  // namespace openbook::attribution
