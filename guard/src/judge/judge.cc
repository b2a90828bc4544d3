#include "judge/judge.h"

#include <algorithm>

#include "judge/agreement.h"
#include "judge/claims.h"
#include "judge/one_source.h"
#include "judge/quote.h"
#include "judge/quoted.h"
#include "judge/support.h"

namespace openbook::guard {
namespace {

// A claim counts as read at a place only when the heads looked there at least this much. Several places may qualify: the same
// words may stand in a sentence on topic and in one that is not.
constexpr float kAttendedShare = 0.05f;

Verdict verdict_of(double probability_copied, const attribution::VerdictThresholds& thresholds) {
  if (probability_copied >= thresholds.copied_above) return Verdict::kCopied;
  if (probability_copied <= thresholds.recited_below) return Verdict::kRecited;
  return Verdict::kUnchecked;
}

Judgement read_sentence(const Spoken& spoken, const JudgeContext& context) {
  Judgement judgement;
  judgement.language = language_of(context.question->text() + " " + spoken.text);
  judgement.said = read_words(spoken.text, judgement.language);
  judgement.words = words_of(spoken, judgement.said, judgement.language);
  return judgement;
}

void place_words(std::vector<Word>& words, const Spoken& spoken, const engine::Prompt& prompt) {
  for (Word& word : words)
    if (word.verdict != Verdict::kNeutral) word.place = most_attended(prompt, spoken.tokens[word.first_token].attention);
}

// Whether the word claims something that the question has not said.
bool claims_beyond_question(const Judgement& judgement, size_t word, const Question& question) {
  return !is_binding(judgement.said[word], judgement.language) && !question.holds(judgement.said[word].folded);
}

// Every word of the sentence is copied, and its claims are cited from the one place where it stands.
void judge_as_quoted(Judgement& judgement, const Source& place, const JudgeContext& context) {
  judgement.quoted = true;
  bool beyond_question = false;
  for (size_t i = 0; i < judgement.words.size(); ++i) {
    if (judgement.words[i].verdict == Verdict::kNeutral) continue;
    judgement.words[i].verdict = Verdict::kCopied;
    beyond_question |= claims_beyond_question(judgement, i, *context.question);
  }
  if (beyond_question) neutralise_asked_words(judgement.words, judgement.said, *context.question, judgement.language);
  judgement.claims = claims_of(judgement.words, judgement.said, judgement.language);
  const ReadPassage& passage = context.passages->at(place.passage);
  const ByteSpan sentence = passage.sentence_around(place.range);
  // Of a text from elsewhere it is not asked whether it answers, only whether the documents say it.
  const bool on_topic = context.written_elsewhere || (context.topic && context.topic->sentence_on_topic(place.passage, sentence));
  for (Claim& claim : judgement.claims) {
    const auto words = std::span(judgement.said).subspan(claim.first_word, claim.words);
    for (const ByteSpan& found : passage.find(words)) {
      if (found.begin < place.range.begin || found.end > place.range.end) continue;
      cite(claim, judgement, {place.passage, found}, sentence, on_topic, context);
      break;
    }
  }
}

// Takes the support of a text that says more, or something else, than one sentence of the passages.
void require_one_source(Judgement& judgement, const JudgeContext& context) {
  if (find_one_source(judgement.said, judgement.language, context)) return;
  for (Claim& claim : judgement.claims)
    if (claim.support == Support::kSupported) judgement.take_support(claim);
}

}  // namespace

bool Judgement::has(Verdict verdict) const {
  return std::any_of(claims.begin(), claims.end(), [&](const Claim& claim) { return claim.verdict == verdict; });
}

bool Judgement::has_supported() const {
  return std::any_of(claims.begin(), claims.end(), [](const Claim& claim) { return claim.support == Support::kSupported; });
}

bool Judgement::read_elsewhere() const {
  return std::any_of(claims.begin(), claims.end(), [](const Claim& claim) { return claim.support == Support::kCopiedOffTopic; });
}

void Judgement::take_support(Claim& claim) {
  claim.support = Support::kUnsupported;
  claim.verdict = Verdict::kUnchecked;
  claim.source.reset();
  claim.citation.reset();
  for (int32_t i = 0; i < claim.words; ++i) words[claim.first_word + i].verdict = Verdict::kUnchecked;
}

std::optional<std::string> first_claim_beyond(const Question& question, const Judgement& judgement, std::string_view text,
                                              const std::function<bool(const Claim&)>& wanted) {
  for (const Claim& claim : judgement.claims) {
    if (!wanted(claim)) continue;
    for (int32_t i = 0; i < claim.words; ++i)
      if (!question.holds(judgement.said[claim.first_word + i].folded)) return std::string(slice(text, claim.answer));
  }
  return std::nullopt;
}

Judgement judge_by_probe(const Spoken& spoken, const JudgeContext& context) {
  Judgement judgement = read_sentence(spoken, context);
  bool copied_beyond_question = false;
  for (size_t i = 0; i < judgement.words.size(); ++i) {
    Word& word = judgement.words[i];
    if (word.verdict == Verdict::kNeutral) continue;
    word.verdict = verdict_of(word.probability_copied, context.atlas->first_token);
    copied_beyond_question |= word.verdict == Verdict::kCopied && claims_beyond_question(judgement, i, *context.question);
  }
  if (const auto place = find_quoted(judgement.said, context)) {
    judge_as_quoted(judgement, *place, context);
  } else {
    if (copied_beyond_question) neutralise_asked_words(judgement.words, judgement.said, *context.question, judgement.language);
    judgement.claims = claims_of(judgement.words, judgement.said, judgement.language);
    support_claims(judgement, spoken, context, {.least_share = kAttendedShare, .one_section = false});
    require_agreement(judgement, context);
    if (context.written_elsewhere) require_one_source(judgement, context);
  }
  place_words(judgement.words, spoken, *context.prompt);
  return judgement;
}

Judgement judge_by_quote(const Spoken& spoken, const JudgeContext& context) {
  Judgement judgement = read_sentence(spoken, context);
  neutralise_asked_words(judgement.words, judgement.said, *context.question, judgement.language);
  judgement.claims = claims_of(judgement.words, judgement.said, judgement.language);
  for (Claim& claim : judgement.claims)
    claim.verdict = Verdict::kCopied;  // presumed, until the quote or the causal check says otherwise
  support_claims(judgement, spoken, context, {.least_share = 0, .one_section = true});
  for (Claim& claim : judgement.claims) {
    if (claim.support != Support::kSupported) claim.verdict = Verdict::kUnchecked;
    for (int32_t i = 0; i < claim.words; ++i) judgement.words[claim.first_word + i].verdict = claim.verdict;
  }
  require_agreement(judgement, context);
  place_words(judgement.words, spoken, *context.prompt);
  return judgement;
}

}  // namespace openbook::guard
