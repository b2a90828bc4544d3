#include "report/biographies.h"

#include <algorithm>
#include <numeric>
#include <set>

#include "openbook/base/error.h"
#include "openbook/base/file.h"
#include "openbook/base/hash.h"
#include "openbook/base/words.h"
#include "report/biography_file.h"
#include "seeded_draw.h"

namespace openbook::attribution {
namespace {

constexpr int kMostTries = 1000;  // for a name or a value that nobody and nothing else has

int64_t word_count(const std::string& text) {
  const std::vector<WordSpan> words = split_words(text);
  return std::count_if(words.begin(), words.end(), [](const WordSpan& word) { return !word.punctuation; });
}

// Writes one life.
class Author {
 public:
  Author(const BiographyLanguage& language, const std::string& name, Random random)
      : language_(language), random_(std::move(random)), gender_(draw(random_, 2) ? ".female" : ".male") {
    life_.language = name;
  }

  // A new name at every call.
  std::string christen() {
    bound_.clear();
    for (const char* part : {"given", "family", "name"}) bound_[part] = expand(part);
    return bound_["name"];
  }

  Biography write() {
    life_.person = bound_["name"];
    for (const BiographyLanguage::Fact& fact : language_.facts) life_.facts.push_back({fact.name, new_value(fact.name), {}, {}});
    for (const Line& line : plan()) append(line);
    for (size_t i = 0; i < life_.facts.size(); ++i)
      for (const std::string& question : language_.facts[i].questions) life_.facts[i].questions.push_back(fill(question));
    return std::move(life_);
  }

 private:
  struct Line {
    std::string form;
    int fact;  // -1: a filler
  };

  // A value that neither holds nor stands in one of the person's other values, so that it is found at one place.
  std::string new_value(const std::string& symbol) {
    for (int tries = 0; tries < kMostTries; ++tries) {
      const std::string value = expand(symbol);
      const bool known = std::any_of(life_.facts.begin(), life_.facts.end(), [&](const BiographyFact& fact) {
        return fact.value.find(value) != std::string::npos || value.find(fact.value) != std::string::npos;
      });
      if (!known) return value;
    }
    throw Error(Code::kFailedPrecondition, "biographies: every {" + symbol + "} is another fact's value, too",
                "Add forms to biographies.json.");
  }

  std::vector<Line> plan() {
    std::vector<Line> lines;
    int64_t words = 0;
    for (size_t i = 0; i < language_.facts.size(); ++i) {
      lines.push_back({pick(random_, language_.facts[i].sentences), static_cast<int>(i)});
      words += word_count(lines.back().form) + word_count(life_.facts[i].value);
    }
    for (const std::string& filler : pick_several(random_, language_.fillers, language_.fillers.size())) {
      if (words >= language_.words) break;
      lines.push_back({filler, -1});
      words += word_count(filler);
    }
    return pick_several(random_, lines, lines.size());
  }

  void append(const Line& line) {
    if (!life_.text.empty()) life_.text += language_.joiner;
    life_.sentence_begins.push_back(static_cast<int64_t>(life_.text.size()));
    for (const FormPiece& piece : pieces_of(line.form)) {
      if (!piece.symbol)
        life_.text += piece.text;
      else if (piece.text == "who")
        life_.text += person();
      else if (piece.text == "value")
        life_.text += placed(life_.facts[static_cast<size_t>(line.fact)]);
      else
        life_.text += expand(std::string(piece.text), line.fact < 0 ? "" : life_.facts[static_cast<size_t>(line.fact)].value);
    }
  }

  const std::string& placed(BiographyFact& fact) const {
    const auto begin = static_cast<int64_t>(life_.text.size());
    fact.place = {begin, begin + static_cast<int64_t>(fact.value.size())};
    return fact.value;
  }

  // The full name where the text first speaks of the person.
  std::string person() {
    if (life_.text.find(life_.person) == std::string::npos) return life_.person;
    const bool begins = static_cast<int64_t>(life_.text.size()) == life_.sentence_begins.back();
    return expand(begins ? "who" : "who_inside");
  }

  std::string expand(const std::string& symbol, const std::string& value = "") {
    if (const auto known = bound_.find(symbol); known != bound_.end()) return known->second;
    if (const NumberRange range = number_range(symbol); !range.empty())
      return std::to_string(range.first + static_cast<int64_t>(draw(random_, static_cast<size_t>(range.last - range.first + 1))));
    const bool vowel = !value.empty() && std::string_view("aeiouAEIOU").find(value[0]) != std::string_view::npos;
    for (const std::string& key : {symbol, symbol + gender_, symbol + (vowel ? ".vowel" : ".consonant")})
      if (const auto forms = language_.grammar.find(key); forms != language_.grammar.end())
        return fill(pick(random_, forms->second));
    throw Error(Code::kInternal, "biographies: {" + symbol + "} stands for nothing");  // refused when the file was read
  }

  std::string fill(const std::string& form) {
    std::string text;
    for (const FormPiece& piece : pieces_of(form))
      text += piece.symbol ? expand(std::string(piece.text)) : std::string(piece.text);
    return text;
  }

  const BiographyLanguage& language_;
  Random random_;
  std::string gender_;
  std::map<std::string, std::string> bound_;
  Biography life_;
};

}  // namespace

const BiographyFact& Biography::fact(const std::string& name) const {
  for (const BiographyFact& fact : facts)
    if (fact.name == name) return fact;
  throw Error(Code::kNotFound, "biography of " + person + ": no fact \"" + name + "\"");
}

Biographies Biographies::load(const std::filesystem::path& folder) {
  const std::filesystem::path file = folder / "biographies.json";
  const std::string json = read_file(file);
  Biographies biographies;
  biographies.languages_ = parse_biographies(json, file.string());
  biographies.sha256_ = sha256_hex(json);
  return biographies;
}

std::vector<std::string> Biographies::languages() const {
  std::vector<std::string> names;
  for (const auto& [name, language] : languages_) names.push_back(name);
  return names;
}

const BiographyLanguage& Biographies::language(const std::string& name) const {
  if (const auto found = languages_.find(name); found != languages_.end()) return found->second;
  std::string known;
  for (const std::string& each : languages()) known += (known.empty() ? "" : ", ") + each;
  throw Error(Code::kNotFound, "biographies: no language \"" + name + "\"", "Known: " + known + ".");
}

std::vector<Biography> Biographies::make(const std::string& name, int64_t count, uint64_t seed) const {
  const BiographyLanguage& known = language(name);
  const uint64_t language_key = std::accumulate(
      name.begin(), name.end(), uint64_t{0}, [](uint64_t key, char letter) { return key * 256 + static_cast<uint8_t>(letter); });
  std::vector<Biography> lives;
  std::set<std::string> people;
  for (int64_t i = 0; i < count; ++i) {
    Author author(known, name, seeded({seed, language_key, static_cast<uint64_t>(i)}));
    int tries = 0;
    while (!people.insert(author.christen()).second)
      if (++tries == kMostTries)
        throw Error(Code::kOutOfRange, "biographies: no name is left after " + std::to_string(i) + " people",
                    "Ask for fewer people.");
    lives.push_back(author.write());
  }
  return lives;
}

}  // namespace openbook::attribution
