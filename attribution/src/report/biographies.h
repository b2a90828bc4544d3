// Short lives of people who never lived: what no model can know, so that an answer without the document is an invention by
// construction.
//
// A seeded grammar writes them in English, Spanish and Chinese: about 150 words each, facts and remarks in random order and many
// phrasings. Every fact comes with its value, where the value stands in the text, and questions that ask for it. The words are
// the project's own: attribution/data/biographies.json.
//
// Thread-safe: immutable after loading.
//
//   const Biographies biographies = Biographies::load("attribution/data");
//   for (const Biography& life : biographies.make("en", 100, /*seed=*/1)) ask(life.text, life.facts[0].questions[0]);
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "openbook/base/span.h"

namespace openbook::attribution {

struct BiographyFact {
  std::string name;   // "birth_date", "birth_place", "education", "occupation", "work"
  std::string value;  // as the text spells it
  ByteSpan place;     // of the value in the text
  std::vector<std::string> questions;
};

struct Biography {
  std::string language;  // "en", "es", "zh"
  std::string person;
  std::string text;
  std::vector<BiographyFact> facts;      // in the order of the file, the same for everybody; the text has an order of its own
  std::vector<int64_t> sentence_begins;  // bytes of the text where a sentence begins

  const BiographyFact& fact(const std::string& name) const;  // throws not_found
};

// The grammar of one language: {symbol} stands for one of the symbol's forms, {1..28} for a number.
struct BiographyLanguage {
  struct Fact {
    std::string name;                               // also the symbol that its value is made from
    std::vector<std::string> questions, sentences;  // sentences hold {who} and {value}
  };
  std::string joiner;   // between sentences
  int64_t words = 150;  // to write, about
  std::map<std::string, std::vector<std::string>>
      grammar;  // "he.male", "he.female": by gender; "a.vowel", "a.consonant": by the value's first letter
  std::vector<Fact> facts;
  std::vector<std::string> fillers;  // hold {who}; say nothing that a question asks for
  std::vector<std::string> needles;  // titles of ten tokens and more that no text holds
};

class Biographies {
 public:
  // Reads biographies.json. Throws not_found; invalid_argument naming the language, the form and what is wrong with it.
  static Biographies load(const std::filesystem::path& folder);

  std::vector<std::string> languages() const;
  const std::string& sha256() const { return sha256_; }              // of the file
  const BiographyLanguage& language(const std::string& name) const;  // throws not_found naming the known ones

  // Deterministic in (language, seed), and the first n of any count are the same. No two people share a name.
  std::vector<Biography> make(const std::string& language, int64_t count, uint64_t seed) const;

 private:
  std::map<std::string, BiographyLanguage> languages_;
  std::string sha256_;
};

}  // namespace openbook::attribution
