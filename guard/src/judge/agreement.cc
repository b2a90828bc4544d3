#include "judge/agreement.h"

#include <algorithm>
#include <optional>
#include <set>
#include <vector>

#include "judge/binding.h"
#include "judge/claims.h"

namespace openbook::guard {
namespace {

using Words = std::span<const TextWord>;

// A word of a cited sentence that the answer's word is taken from.
struct Aligned {
  Words sentence;
  Language language;
  size_t word;  // in `sentence`
};

bool carries_nothing(const TextWord& word, Language language) {
  return !word.punctuation && is_neutral_word(word.written, word.begins_sentence, language);
}

// A minus sign, a bracket or a quotation mark ends no clause.
bool ends_clause(const TextWord& word) {
  static const std::set<std::string_view> marks = {",", ";", ":", ".", "!", "?"};
  return word.punctuation && marks.contains(word.written);
}

// The next word that claims something from `from` on, stepping by `step`; nothing when the clause ends before it.
std::optional<size_t> neighbour(Words words, Language language, size_t from, int step) {
  for (auto at = static_cast<int64_t>(from) + step; at >= 0 && at < std::ssize(words); at += step) {
    const TextWord& word = words[static_cast<size_t>(at)];
    if (ends_clause(word)) return std::nullopt;
    if (!word.punctuation && !is_binding(word, language) && !carries_nothing(word, language)) return static_cast<size_t>(at);
  }
  return std::nullopt;
}

// The binding words beside words[word], with nothing but neutral words between: those in front of it (step -1) or behind it (1).
std::set<std::string> binding_beside(Words words, Language language, size_t word, int step) {
  std::set<std::string> found;
  for (auto at = static_cast<int64_t>(word) + step; at >= 0 && at < std::ssize(words); at += step) {
    const TextWord& each = words[static_cast<size_t>(at)];
    if (is_binding(each, language))
      found.insert(each.folded);
    else if (ends_clause(each) || (!each.punctuation && !carries_nothing(each, language)))
      break;
  }
  return found;
}

class Comparison {
 public:
  Comparison(Judgement& judgement, const JudgeContext& context)
      : judgement_(judgement), said_(judgement.said), language_(judgement.language), context_(context), of_claim_(said_.size()) {
    for (const Claim& claim : judgement.claims)
      for (int32_t i = 0; i < claim.words; ++i) of_claim_[claim.first_word + i] = &claim;
  }

  void run() {
    std::vector<size_t> contradicting;
    for (size_t i = 0; i < said_.size(); ++i) {
      if (judgement_.words[i].verdict == Verdict::kNeutral || !is_binding(said_[i], language_)) continue;
      const std::optional<bool> agrees = agreement(i);
      if (agrees) judgement_.words[i].verdict = *agrees ? Verdict::kCopied : Verdict::kUnchecked;
      if (agrees && !*agrees) contradicting.push_back(i);
      if (!agrees) follow_neighbour(i);
    }
    for (Claim& claim : judgement_.claims)
      if (claim.support == Support::kSupported && leaves_something_out(claim)) judgement_.take_support(claim);
    for (const size_t word : contradicting) add_claim(word);
    if (judgement_.claims.empty())
      for (size_t i = 0; i < said_.size(); ++i)
        if (judgement_.words[i].verdict != Verdict::kNeutral) add_claim(i);
  }

 private:
  // Where said_[word] stands in the sentences that are cited: for a claim's word that claim's citation, for another one each.
  std::vector<Aligned> places_of(size_t word) const {
    std::vector<Aligned> places;
    const Claim* const claim = of_claim_[word];
    for (const Claim& cited : judgement_.claims) {
      if (!cited.citation || cited.support != Support::kSupported || (claim && claim != &cited)) continue;
      const Citation& citation = judgement_.citations[*cited.citation];
      const ReadPassage& passage = context_.passages->at(cited.source->passage);
      const ReadSentence* const sentence = passage.sentence_at(citation.sentence.begin);
      if (!sentence) continue;
      const Words words = Words(passage.words()).subspan(sentence->first_word, sentence->words);
      for (size_t i = 0; i < words.size(); ++i) {
        const bool inside =
            !claim || (citation.source.begin <= words[i].bytes.begin && words[i].bytes.end <= citation.source.end);
        if (inside && same_word(words[i], said_[word])) places.push_back({words, passage.language(), i});
      }
    }
    return places;
  }

  // Nothing: there is nothing to compare with.
  std::optional<bool> agreement(size_t word) const {
    const bool force = binding_of(said_[word].folded, language_) == Binding::kForce;
    const auto next = neighbour(said_, language_, word, 1), before = neighbour(said_, language_, word, -1);
    // What the question has said in front of its own words is its premise, but for how far the claim holds.
    const auto compared = [&](std::optional<size_t> beside) { return beside && (force || of_claim_[*beside]); };
    bool some = false;
    if (compared(next)) {
      for (const Aligned& place : places_of(*next)) {
        some = true;
        if (stands_in_front(said_[word].folded, place, before)) return true;
      }
    } else if (compared(before)) {
      for (const Aligned& place : places_of(*before)) {
        some = true;
        if (binding_beside(place.sentence, place.language, place.word, 1).contains(said_[word].folded)) return true;
      }
    }
    return some ? std::optional(false) : std::nullopt;
  }

  // Directly in front of the place; where the source has nothing that binds there ("opened in the spring of 1911" for "opened in
  // 1911"), between it and the word that the answer has before.
  bool stands_in_front(const std::string& folded, const Aligned& place, std::optional<size_t> before) const {
    const std::set<std::string> beside = binding_beside(place.sentence, place.language, place.word, -1);
    if (!beside.empty() || !before) return beside.contains(folded);
    for (size_t at = place.word; at-- > 0;) {
      if (same_word(place.sentence[at], said_[*before])) return false;
      if (place.sentence[at].folded == folded) return true;
    }
    return false;
  }

  bool leaves_something_out(const Claim& claim) const {
    const auto first = static_cast<size_t>(claim.first_word);
    const std::set<std::string> said = binding_beside(said_, language_, first, -1);
    const std::vector<Aligned> places = places_of(first);
    return !places.empty() && std::all_of(places.begin(), places.end(), [&](const Aligned& place) {
      const std::set<std::string> there = binding_beside(place.sentence, place.language, place.word, -1);
      return std::any_of(there.begin(), there.end(), [&](const std::string& word) {
        return binding_of(word, place.language) == Binding::kForce && !said.contains(word);
      });
    });
  }

  // With no source to compare with, a binding word is worth what the claim beside it is.
  void follow_neighbour(size_t word) {
    for (const int step : {1, -1}) {
      const auto beside = neighbour(said_, language_, word, step);
      if (!beside || judgement_.words[*beside].verdict == Verdict::kNeutral) continue;
      judgement_.words[word].verdict = judgement_.words[*beside].verdict;
      return;
    }
  }

  void add_claim(size_t word) {
    const Word& alone = judgement_.words[word];
    Claim claim{.answer = alone.answer,
                .first_word = static_cast<int32_t>(word),
                .words = 1,
                .verdict = alone.verdict,
                .score = alone.probability_copied};
    const auto after = std::find_if(judgement_.claims.begin(), judgement_.claims.end(),
                                    [&](const Claim& each) { return each.first_word > claim.first_word; });
    judgement_.claims.insert(after, claim);
  }

  Judgement& judgement_;
  Words said_;
  Language language_;
  const JudgeContext& context_;
  std::vector<const Claim*> of_claim_;  // by word; null outside claims. Not used once claims are added
};

}  // namespace

void require_agreement(Judgement& judgement, const JudgeContext& context) { Comparison(judgement, context).run(); }

}  // namespace openbook::guard
