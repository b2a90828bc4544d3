// Facts that a model may know, and the documents that contradict them: what the atlas is learnt from.
//
// A fact is asked in several settings, which differ in where the answer can come from. Labels are by cause: the answer's words
// are replaced in the passages, and whether the model's answer follows tells how it came about. The data are the project's own:
// attribution/data. Settings and labels are explained in docs/glossary.md.
//
// Thread-safe: immutable after loading.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "openbook/base/passage.h"

namespace openbook::attribution {

enum class Split { kFit, kCalibrate, kTest };

struct Relation {
  std::string name;
  Split split = Split::kFit;
  std::string object_type;
  std::vector<std::string> questions, clozes, answer_sentences, support_sentences, filler_sentences,
      decoy_sentences;  // {subject}, {object}
  std::vector<std::string> invented_subjects;
};

struct Fact {
  int32_t relation = 0;  // index into ContrastSet::relations
  std::string subject;
  std::string object;                // the true one: the memory answer
  std::vector<std::string> aliases;  // other spellings of `object`
};

enum class Setting {
  kOwn,     // the subject's document, with a counterfactual object
  kDecoy,   // own, and a second passage that names memory's answer in another matter
  kSilent,  // the subject's document without the sentences that hold the answer
  kOther,   // documents about other subjects, which hold neither answer
  kClosed,  // no document
  kBare,    // own without instructions: the model continues a sentence
};
std::string_view setting_name(Setting setting);  // "own", "decoy", ...
Setting parse_setting(std::string_view name);    // throws invalid_argument naming the known ones

// One fact in one setting, ready for a prompt.
struct ContrastCase {
  int32_t fact = 0;  // index into ContrastSet::facts
  Setting setting = Setting::kOwn;
  std::string question;  // a sentence to be continued in kBare
  std::vector<Passage> passages;
  std::string document_answer;  // the counterfactual; what `own` says
  std::string memory_answer;
  std::vector<std::string> memory_aliases;
  std::string replacement;  // a third object, named in no passage, which takes the answer's place there to label by cause
};

struct ContrastSet {
  std::vector<Relation> relations;
  std::vector<Fact> facts;
  std::string sha256;  // of the two files

  // Reads relations.json and facts.tsv. Throws not_found; invalid_argument naming file, line and field (unknown relation, missing
  // form, a placeholder that isn't one, an object inside its subject, a fact given twice).
  static ContrastSet load(const std::filesystem::path& folder);

  // Deterministic in (fact, setting, seed): wording, sentence order, counterfactual object. Throws failed_precondition when the
  // relation has too few different objects.
  ContrastCase make_case(int32_t fact, Setting setting, uint64_t seed) const;

  // Every wording of the question that make_case() picks from.
  std::vector<std::string> questions(int32_t fact, Setting setting) const;
};

// The words by which answers are compared: in lower case, without punctuation and English articles.
std::vector<std::string> answer_words(std::string_view text);

// Which answer a text gives: the one whose words come first in it. kNeither when there is none, or both begin at one place.
enum class GivenAnswer { kDocument, kMemory, kNeither };
GivenAnswer given_answer(std::string_view text, const std::string& document_answer,
                         const std::vector<std::string>& memory_answers);

}  // namespace openbook::attribution
