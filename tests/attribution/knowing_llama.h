// A contrast set of made-up capitals, and a hand-written model that knows every one of them by heart and reads what a document
// says instead: experiments on the two can be told in advance.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "guard/reading_llama.h"
#include "openbook/attribution/contrast_set.h"

namespace openbook::test {

// Four relations, the first and the last to fit on: one is held out to choose the probe's regularisation. Answers have two words:
// those after the first are calibrated apart.
inline attribution::ContrastSet capital_facts() {
  const std::vector<std::vector<std::pair<std::string, std::string>>> facts = {
      {{"Norway", "Oslo"},
       {"Sweden", "Stockholm"},
       {"Poland", "Warsaw"},
       {"Spain", "Madrid"},
       {"Italy", "Rome"},
       {"Latvia", "Riga"}},
      {{"Kenya", "Nairobi"}, {"Egypt", "Cairo"}, {"Ghana", "Accra"}, {"Mali", "Bamako"}, {"Togo", "Lome"}, {"Angola", "Luanda"}},
      {{"Peru", "Lima"},
       {"Chile", "Santiago"},
       {"Cuba", "Havana"},
       {"Ecuador", "Quito"},
       {"Bolivia", "Sucre"},
       {"Uruguay", "Montevideo"}},
      {{"Japan", "Tokyo"},
       {"Nepal", "Kathmandu"},
       {"Iran", "Tehran"},
       {"Oman", "Muscat"},
       {"Laos", "Vientiane"},
       {"Iraq", "Baghdad"}}};
  attribution::ContrastSet set;
  char letter = 'A';
  for (size_t i = 0; i < facts.size(); ++i) {
    attribution::Relation relation;
    relation.name = "capital " + std::to_string(i);
    relation.split = i == 0 || i == 3 ? attribution::Split::kFit
                     : i == 1         ? attribution::Split::kCalibrate
                                      : attribution::Split::kTest;
    relation.questions = {"Which town leads {subject}?", "What leads {subject}?"};
    relation.clozes = {"The capital of {subject} is", "The first town of {subject} is"};
    relation.answer_sentences = {"The capital of {subject} is {object}."};
    relation.support_sentences = {"Most go to {object}."};
    relation.filler_sentences = {"Few leave {subject}.", "All like {subject}.", "One sees {subject}.", "We know {subject}."};
    relation.decoy_sentences = {"A boat for {object}.", "A song on {object}."};
    set.relations.push_back(relation);
    for (const auto& [subject, object] : facts[i])
      set.facts.push_back({static_cast<int32_t>(i), subject, object + " " + letter++ + "ville", {}});
  }
  return set;
}

inline ReadingLlama knowing_llama(const attribution::ContrastSet& set) {
  ReadingLlama model;
  model.max_positions = 2048;
  for (const attribution::Fact& fact : set.facts) {
    const std::string first_word = std::string(" ") + fact.object.substr(0, fact.object.find(' '));
    model.answers.push_back(first_word);
    model.memory[" " + fact.subject] = first_word;
    const std::string second_word = fact.object.substr(fact.object.find(' '));
    model.grammar.push_back({first_word, {second_word}});
    model.grammar.push_back({second_word, {"."}});
  }
  model.grammar.push_back({"\n", model.answers});
  model.grammar.push_back({" is", model.answers});
  model.grammar.push_back({".", {"<|im_end|>"}});
  return model;
}

}  // namespace openbook::test
