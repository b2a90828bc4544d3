#include "answer/clause_citations.h"

#include <algorithm>
#include <limits>
#include <set>
#include <string_view>
#include <utility>

#include "judge/cited_cell.h"

namespace openbook::guard {
namespace {

// The words [first, end) of a sentence, without the mark that ends it.
struct Clause {
  size_t first = 0, end = 0;
  std::vector<size_t> claims;  // that are cited
};

bool ends_clause(const TextWord& word) {
  static const std::set<std::string_view> marks = {",", ";", ":", "\u2013", "\u2014", "\u3001", "\uff0c", "\uff1b", "\uff1a"};
  return word.punctuation && marks.contains(word.written);
}

std::vector<Clause> clauses_of(const Judgement& judgement) {
  std::vector<Clause> clauses(1);
  for (size_t i = 0; i < judgement.said.size(); ++i) {
    if (ends_clause(judgement.said[i])) {
      clauses.push_back({.first = i + 1, .end = i + 1});
    } else if (!judgement.said[i].punctuation) {
      clauses.back().end = i + 1;
    }
  }
  for (size_t i = 0; i < judgement.claims.size(); ++i) {
    if (!judgement.claims[i].citation) continue;
    const auto holder = std::find_if(clauses.rbegin(), clauses.rend(), [&](const Clause& clause) {
      return static_cast<int32_t>(clause.first) <= judgement.claims[i].first_word;
    });
    holder->claims.push_back(i);
  }
  return clauses;
}

// What a claim rests on: two claims with the same key share a citation.
struct Rest {
  std::string_view document, sha256;
  int64_t sentence;
  Support support;

  auto operator<=>(const Rest&) const = default;
};

Rest rest_of(const Claim& claim, const Judgement& judgement) {
  const Citation& citation = judgement.citations[*claim.citation];
  return {citation.document_id, citation.document_sha256, citation.sentence.begin, claim.support};
}

std::vector<Rest> rests_of(const Clause& clause, const Judgement& judgement) {
  std::vector<Rest> rests;
  for (const size_t claim : clause.claims) {
    const Rest rest = rest_of(judgement.claims[claim], judgement);
    if (std::find(rests.begin(), rests.end(), rest) == rests.end()) rests.push_back(rest);
  }
  return rests;
}

// Clauses that claim nothing which is cited belong to the one before; neighbours that rest on the same sentences are one.
std::vector<Clause> joined(std::vector<Clause> clauses, const Judgement& judgement) {
  std::vector<Clause> kept;
  for (Clause& clause : clauses) {
    if (clause.claims.empty()) continue;
    const auto sorted = [&](const Clause& each) {
      const std::vector<Rest> rests = rests_of(each, judgement);
      return std::set<Rest>(rests.begin(), rests.end());
    };
    if (kept.empty() || sorted(kept.back()) != sorted(clause)) {
      kept.push_back(std::move(clause));
    } else {
      kept.back().end = clause.end;
      kept.back().claims.insert(kept.back().claims.end(), clause.claims.begin(), clause.claims.end());
    }
  }
  return kept;
}

// The shortest range that holds one place of each list. Every list has one.
ByteSpan shortest_over(const std::vector<std::vector<ByteSpan>>& places) {
  ByteSpan best{0, std::numeric_limits<int64_t>::max()};
  for (const std::vector<ByteSpan>& starts : places)
    for (const ByteSpan& start : starts) {  // begins at `start`, and takes of every list the place that ends first behind it
      ByteSpan run = start;
      for (const std::vector<ByteSpan>& list : places) {
        int64_t end = std::numeric_limits<int64_t>::max();
        for (const ByteSpan& place : list)
          if (place.begin >= start.begin) end = std::min(end, place.end);
        run.end = std::max(run.end, end);
      }
      if (run.size() < best.size()) best = run;
    }
  return best;
}

// All places of the claim's words in the cited sentence; the claim's own at least.
std::vector<ByteSpan> places_in_sentence(const Claim& claim, const Judgement& judgement, const ReadPassage& passage,
                                         ByteSpan sentence) {
  std::vector<ByteSpan> places;
  const auto words = std::span(judgement.said).subspan(claim.first_word, claim.words);
  for (const ByteSpan& place : passage.find(words))
    if (sentence.begin <= place.begin && place.end <= sentence.end) places.push_back(place);
  if (places.empty()) places.push_back(claim.source->range);
  return places;
}

Citation cite(const Rest& rest, const Clause& clause, const Judgement& judgement, const std::vector<ReadPassage>& passages) {
  Citation citation;
  std::vector<std::vector<ByteSpan>> places;
  const ReadPassage* passage = nullptr;
  for (const size_t index : clause.claims) {
    const Claim& claim = judgement.claims[index];
    if (rest_of(claim, judgement) != rest) continue;
    if (places.empty()) {
      citation = judgement.citations[*claim.citation];
      citation.answer = {claim.answer.begin, judgement.words[clause.end - 1].answer.end};
      passage = &passages[claim.source->passage];
    }
    if (claim.causal_nats) citation.causal_nats = std::max(citation.causal_nats.value_or(*claim.causal_nats), *claim.causal_nats);
    citation.causal = citation.causal || claim.causal;
    citation.sentence.end = std::max(citation.sentence.end, judgement.citations[*claim.citation].sentence.end);
    places.push_back(places_in_sentence(claim, judgement, *passage, citation.sentence));
  }
  citation.source = shortest_over(places);
  citation.quote = text_at(passage->passage(), citation.source);
  citation.sentence_text = text_at(passage->passage(), citation.sentence);
  citation.cell = cited_cell(passage->passage(), citation.source);
  return citation;
}

}  // namespace

CitedClauses cite_clauses(const Judgement& judgement, const std::vector<ReadPassage>& passages) {
  CitedClauses cited{.claims = judgement.claims};
  for (const Clause& clause : joined(clauses_of(judgement), judgement)) {
    for (const Rest& rest : rests_of(clause, judgement)) {
      for (const size_t claim : clause.claims)
        if (rest_of(judgement.claims[claim], judgement) == rest)
          cited.claims[claim].citation = static_cast<int32_t>(cited.citations.size());
      cited.citations.push_back(cite(rest, clause, judgement, passages));
    }
  }
  return cited;
}

}  // namespace openbook::guard
