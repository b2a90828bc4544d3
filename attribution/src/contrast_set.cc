#include "openbook/attribution/contrast_set.h"

#include <algorithm>

#include "contrast_files.h"
#include "openbook/base/error.h"
#include "openbook/base/file.h"
#include "openbook/base/hash.h"
#include "openbook/base/utf8.h"
#include "openbook/base/words.h"
#include "seeded_draw.h"

namespace openbook::attribution {
namespace {

std::string filled(const std::string& form, std::string_view subject, std::string_view object) {
  std::string text = replaced(replaced(form, kSubject, subject), kObject, object);
  // Subjects and objects that are common words are written small; a sentence that begins with one is not.
  if (!text.empty() && text[0] >= 'a' && text[0] <= 'z') text[0] = static_cast<char>(text[0] - 'a' + 'A');
  return text;
}

std::vector<std::string> filled_all(const std::vector<std::string>& forms, const std::string& subject,
                                    const std::string& object) {
  std::vector<std::string> sentences;
  for (const std::string& form : forms) sentences.push_back(filled(form, subject, object));
  return sentences;
}

std::string joined(const std::vector<std::string>& sentences) {
  std::string text;
  for (const std::string& sentence : sentences) text += (text.empty() ? "" : " ") + sentence;
  return text;
}

// A document about `subject` that says `object`; without an object the sentences that would say it are left out.
std::string compose(Random random, const Relation& relation, const std::string& subject, const std::string* object) {
  std::vector<std::string> sentences =
      filled_all(pick_several(random, relation.filler_sentences, 3 + draw(random, 2)), subject, "");
  const bool lead = draw(random, 3) > 0;  // two documents of three state the answer first, as encyclopedias do
  const std::string answer_form = pick(random, relation.answer_sentences);
  const std::string support_form = pick(random, relation.support_sentences);
  if (object) {
    sentences.insert(sentences.begin() + (lead ? 0 : 1), filled(answer_form, subject, *object));
    sentences.insert(sentences.begin() + 3, filled(support_form, subject, *object));
  }
  return joined(sentences);
}

bool same_answer(const std::string& a, const Fact& fact) {
  const auto alike = [&](const std::string& b) { return holds_words(a, b) || holds_words(b, a); };
  return alike(fact.object) || std::any_of(fact.aliases.begin(), fact.aliases.end(), alike);
}

// Documents of two other subjects, each with an object that is none of the case's three.
std::vector<Passage> other_documents(const Relation& relation, const std::vector<const Fact*>& others, const ContrastCase& made,
                                     Random& wording, Random& objects) {
  std::vector<Passage> passages;
  for (const Fact* other : pick_several(wording, others, 2)) {
    std::vector<const Fact*> said;
    for (const Fact* fact : others)
      if (!same_answer(made.replacement, *fact) && !holds_words(other->subject, fact->object)) said.push_back(fact);
    if (said.empty()) continue;
    passages.push_back(
        whole_document(other->subject, compose(seeded({wording()}), relation, other->subject, &pick(objects, said)->object)));
  }
  return passages;
}

}  // namespace

std::string_view setting_name(Setting setting) {
  switch (setting) {
    case Setting::kOwn:
      return "own";
    case Setting::kDecoy:
      return "decoy";
    case Setting::kSilent:
      return "silent";
    case Setting::kOther:
      return "other";
    case Setting::kClosed:
      return "closed";
    case Setting::kBare:
      return "bare";
  }
  return "own";
}

Setting parse_setting(std::string_view name) {
  for (const Setting setting :
       {Setting::kOwn, Setting::kDecoy, Setting::kSilent, Setting::kOther, Setting::kClosed, Setting::kBare})
    if (setting_name(setting) == name) return setting;
  throw Error(Code::kInvalidArgument, "setting \"" + std::string(name) + "\" is not known",
              "Known: own, decoy, silent, other, closed, bare.");
}

ContrastSet ContrastSet::load(const std::filesystem::path& folder) {
  const std::string relations = read_file(folder / "relations.json"), facts = read_file(folder / "facts.tsv");
  ContrastSet set;
  set.relations = parse_relations(relations, (folder / "relations.json").string());
  set.facts = parse_facts(facts, (folder / "facts.tsv").string(), set.relations);
  set.sha256 = sha256_hex(sha256_hex(relations) + sha256_hex(facts));
  return set;
}

std::vector<std::string> ContrastSet::questions(int32_t fact_index, Setting setting) const {
  const Fact& fact = facts.at(fact_index);
  const Relation& relation = relations[fact.relation];
  return filled_all(setting == Setting::kBare ? relation.clozes : relation.questions, fact.subject, "");
}

ContrastCase ContrastSet::make_case(int32_t fact_index, Setting setting, uint64_t seed) const {
  const Fact& fact = facts.at(fact_index);
  const Relation& relation = relations[fact.relation];
  const auto fact_key = static_cast<uint64_t>(fact_index);
  Random wording = seeded({seed, fact_key, 1});
  Random objects = seeded({seed, fact_key, 2});

  std::vector<const Fact*> others;  // facts of the relation whose object can't be mistaken for this one's
  for (const Fact& other : facts)
    if (other.relation == fact.relation && !same_answer(other.object, fact) && !holds_words(fact.subject, other.object))
      others.push_back(&other);
  if (others.size() < 3)
    throw Error(Code::kFailedPrecondition, "relation \"" + relation.name + "\" has too few different objects",
                "Add facts with other objects to facts.tsv.");

  ContrastCase made;
  made.fact = fact_index;
  made.setting = setting;
  made.memory_answer = fact.object;
  made.memory_aliases = fact.aliases;
  const Fact* counterfactual = pick(objects, others);
  made.document_answer = counterfactual->object;
  std::vector<const Fact*> third;
  for (const Fact* other : others)
    if (!same_answer(other->object, *counterfactual)) third.push_back(other);
  if (third.empty())
    throw Error(Code::kFailedPrecondition, "relation \"" + relation.name + "\" has too few different objects",
                "Add facts with other objects to facts.tsv.");
  made.replacement = pick(objects, third)->object;
  made.question = pick(wording, questions(fact_index, setting));

  const bool own = setting == Setting::kOwn || setting == Setting::kDecoy || setting == Setting::kBare;
  if (own || setting == Setting::kSilent)
    made.passages.push_back(
        whole_document(fact.subject, compose(wording, relation, fact.subject, own ? &made.document_answer : nullptr)));
  if (setting == Setting::kDecoy) {
    Passage decoy =
        whole_document("decoy", joined(filled_all(pick_several(wording, relation.decoy_sentences, 2), "", fact.object)));
    made.passages.insert(made.passages.begin() + static_cast<int64_t>(draw(wording, 2)), std::move(decoy));
  }
  if (setting == Setting::kOther) made.passages = other_documents(relation, third, made, wording, objects);
  return made;
}

std::vector<std::string> answer_words(std::string_view text) {
  std::vector<std::string> words = folded_words(text);
  std::erase_if(words, [](const std::string& word) { return word == "a" || word == "an" || word == "the"; });
  return words;
}

GivenAnswer given_answer(std::string_view text, const std::string& document_answer,
                         const std::vector<std::string>& memory_answers) {
  const std::vector<std::string> words = answer_words(text);
  const auto place = [&](const std::string& answer) {
    const std::vector<std::string> wanted = answer_words(answer);
    return wanted.empty() ? words.end() : std::search(words.begin(), words.end(), wanted.begin(), wanted.end());
  };
  const auto document = place(document_answer);
  auto memory = words.end();
  for (const std::string& answer : memory_answers) memory = std::min(memory, place(answer));
  if (document == memory) return GivenAnswer::kNeither;
  return document < memory ? GivenAnswer::kDocument : GivenAnswer::kMemory;
}

}  // namespace openbook::attribution
