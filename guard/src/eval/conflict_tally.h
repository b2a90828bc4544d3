// What is counted of the conflict data: one outcome at a time goes in, the figures of `openbook eval conflict` come out. Pure:
// what a model did is given.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "eval/shares.h"
#include "openbook/attribution/contrast_set.h"
#include "openbook/guard/answer.h"
#include "report/data_cases.h"

namespace openbook::guard {

struct ConflictResult {
  attribution::DataCase made;
  Answer unguarded, guarded;
  attribution::GivenAnswer unguarded_given = attribution::GivenAnswer::kNeither;
  std::optional<bool> copied;  // label by cause of the unguarded answer
};

// Which of the two answers the text gives.
attribution::GivenAnswer given(const std::string& text, const attribution::DataCase& made);
const std::string& answer_text(const attribution::DataCase& made, attribution::GivenAnswer which);  // not kNeither

// Over the cases of one setting. Not thread-safe.
struct ConflictTally {
  int64_t cases = 0, unlabelled = 0, label_dropped = 0;
  Share unguarded_document, unguarded_memory, document, memory, memory_unflagged, supported, off_topic, refused, steered;
  Share citation_match, citation_gold, place_top1;
  Separation probe, string_match, steered_probe;

  void add(const ConflictResult& result, bool guarded);

 private:
  void add_label(const ConflictResult& result);
  void add_guarded(const ConflictResult& result);
  void add_citations(const ConflictResult& result);
};

// "settings", and what is taken over several of them. `guarded`: the results hold what the guard did, too.
nlohmann::ordered_json conflict_figures(const std::map<attribution::Setting, ConflictTally>& tallies, bool guarded);

}  // namespace openbook::guard
