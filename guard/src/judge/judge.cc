#include "judge/judge.h"

#include <algorithm>
#include <set>

#include "judge/lead_in.h"
#include "judge/quote.h"
#include "openbook/base/language.h"
#include "openbook/base/lines.h"
#include "openbook/base/utf8.h"
#include "openbook/base/words.h"
#include "text/writing.h"

namespace openbook::guard {
namespace {

// The words count as read at an occurrence only when the heads looked there at least this much. Several may qualify: the same
// words may stand in a sentence on topic and in one that is not.
constexpr float kAttendedShare = 0.05f;

Verdict worse(Verdict a, Verdict b) {
  if (a == Verdict::kRecited || b == Verdict::kRecited) return Verdict::kRecited;
  if (a == Verdict::kUnchecked || b == Verdict::kUnchecked) return Verdict::kUnchecked;
  return Verdict::kCopied;
}

Verdict verdict_of(double probability_copied, const attribution::VerdictThresholds& thresholds) {
  if (probability_copied >= thresholds.copied_above) return Verdict::kCopied;
  if (probability_copied <= thresholds.recited_below) return Verdict::kRecited;
  return Verdict::kUnchecked;
}

// The words of the question, which repeat what was asked and claim nothing by themselves. Its numbers too: "Windows 7" in an
// answer about Windows 7 must not count as what the answer rests on.
std::set<std::string> asked_words(std::string_view question) {
  std::set<std::string> asked;
  for (std::string& word : folded_words(question)) asked.insert(std::move(word));
  return asked;
}

// Tokens of a word: from the one that holds its first byte to the one that holds its last.
void set_tokens(Word& word, const std::vector<ByteSpan>& token_bytes) {
  const auto holder = [&](int64_t byte) {
    return std::find_if(token_bytes.begin(), token_bytes.end(), [&](ByteSpan span) { return span.contains(byte); }) -
           token_bytes.begin();
  };
  word.first_token = static_cast<int32_t>(holder(word.answer.begin));
  word.tokens = static_cast<int32_t>(holder(word.answer.end - 1)) - word.first_token + 1;
}

// A number's digits are chosen one by one, each as free as a first token: the least sure one counts.
double probability_of(const Word& word, std::string_view text, const Spoken& spoken) {
  double probability = spoken.tokens[word.first_token].probability_first;
  if (is_number(slice(text, word.answer)))
    for (int32_t i = 1; i < word.tokens; ++i)
      probability = std::min(probability, spoken.tokens[word.first_token + i].probability_first);
  return probability;
}

std::vector<Word> words_of(const Spoken& spoken, Language language) {
  std::vector<Word> words;
  const std::vector<WordSpan> spans = split_words(spoken.text);
  const size_t announced = lead_in(spoken.text, spans, language);
  for (const WordSpan& span : spans) {
    Word word;
    word.answer = span.bytes;
    set_tokens(word, spoken.token_bytes);
    word.probability_copied = probability_of(word, spoken.text, spoken);
    const bool neutral =
        words.size() < announced || span.punctuation || is_function_word(fold_case(slice(spoken.text, span.bytes)), language);
    if (neutral) word.verdict = Verdict::kNeutral;
    words.push_back(word);
  }
  return words;
}

void neutralise_asked_words(std::vector<Word>& words, std::string_view text, const std::set<std::string>& asked) {
  for (Word& word : words)
    if (asked.contains(fold_case(slice(text, word.answer)))) word.verdict = Verdict::kNeutral;
}

std::vector<Claim> claims_of(const std::vector<Word>& words) {
  std::vector<Claim> claims;
  bool open = false;
  for (size_t i = 0; i < words.size(); ++i) {
    if (words[i].verdict == Verdict::kNeutral) {
      open = false;
      continue;
    }
    if (!open) {
      claims.push_back({});
      claims.back().first_word = static_cast<int32_t>(i);
      claims.back().answer.begin = words[i].answer.begin;
      claims.back().verdict = words[i].verdict;
      claims.back().score = words[i].probability_copied;
      open = true;
    }
    Claim& claim = claims.back();
    ++claim.words;
    claim.answer.end = words[i].answer.end;
    claim.verdict = worse(claim.verdict, words[i].verdict);
    claim.score = std::min(claim.score, words[i].probability_copied);
  }
  return claims;
}

// A place that a claim could be cited from.
struct Candidate {
  Occurrence occurrence;
  ByteSpan sentence;
  bool on_topic;
  bool heading;
};

bool is_heading(std::string_view sentence) {
  const std::vector<Line> lines = split_lines(sentence);
  return !lines.empty() && lines.front().kind == LineKind::kHeading;
}

// Most attended first.
std::vector<Candidate> candidates_of(std::string_view claim, const std::vector<float>& attention, const JudgeContext& context) {
  std::vector<Candidate> candidates;
  for (const Occurrence& occurrence : find_quotes(claim, *context.prompt, attention)) {
    const int32_t place = occurrence.source.passage;
    const ByteSpan sentence = sentence_around(context.prompt->passages[place], occurrence.source.range);
    const bool on_topic = context.topic && context.topic->sentence_on_topic(place, sentence);
    const bool heading = is_heading(text_at(context.prompt->passages[place], sentence));
    candidates.push_back({occurrence, sentence, on_topic, heading});
  }
  return candidates;
}

bool in_one_section(const Candidate& a, const Candidate& b, const JudgeContext& context) {
  return context.topic && context.topic->in_one_section(a.occurrence.source, b.occurrence.source);
}

// The one to cite: the most attended one that is on topic, else the most attended one. Where that is a heading, a sentence of its
// section that says the same is cited instead, however little it was looked at: a heading only names what its sentences say.
std::optional<Candidate> choose(const std::vector<Candidate>& candidates, const JudgeContext& context, float least_share) {
  std::optional<Candidate> chosen;
  for (const Candidate& candidate : candidates) {
    if (chosen && chosen->on_topic) {
      if (!chosen->heading) break;
      if (candidate.on_topic && !candidate.heading && in_one_section(*chosen, candidate, context)) chosen = candidate;
    } else if (candidate.occurrence.attention >= least_share && (!chosen || candidate.on_topic)) {
      chosen = candidate;
    }
  }
  return chosen;
}

// Leaves of the candidates on topic those of one section, the one in which most claims have a place. Attention was drawn to
// sentences from everywhere: words of two sections make a sentence that none of them says.
void keep_one_section(std::vector<std::vector<Candidate>>& of_claims, const JudgeContext& context) {
  const auto stands_in = [&](const std::vector<Candidate>& candidates, const Candidate& section) {
    return std::any_of(candidates.begin(), candidates.end(), [&](const Candidate& candidate) {
      return candidate.on_topic && in_one_section(candidate, section, context);
    });
  };
  std::optional<Candidate> home;
  int64_t most = 0;
  for (const std::vector<Candidate>& candidates : of_claims) {
    for (const Candidate& candidate : candidates) {
      if (!candidate.on_topic) continue;
      const int64_t claims = std::count_if(of_claims.begin(), of_claims.end(),
                                           [&](const std::vector<Candidate>& each) { return stands_in(each, candidate); });
      if (claims > most) {
        most = claims;
        home = candidate;
      }
    }
  }
  if (!home) return;
  for (std::vector<Candidate>& candidates : of_claims) {
    const bool on_topic_somewhere =
        std::any_of(candidates.begin(), candidates.end(), [](const Candidate& candidate) { return candidate.on_topic; });
    if (on_topic_somewhere)
      std::erase_if(candidates, [&](const Candidate& candidate) { return !in_one_section(candidate, *home, context); });
  }
}

// Puts the sentences on topic that answer the question first.
void put_answers_first(std::vector<Candidate>& candidates, const JudgeContext& context) {
  std::stable_partition(candidates.begin(), candidates.end(), [&](const Candidate& candidate) {
    return candidate.on_topic &&
           context.topic->answers(text_at(context.prompt->passages[candidate.occurrence.source.passage], candidate.sentence));
  });
}

Citation cite(const Claim& claim, const Candidate& quote, const engine::Prompt& prompt) {
  const Passage& passage = prompt.passages[quote.occurrence.source.passage];
  Citation citation;
  citation.answer = claim.answer;
  citation.document_id = passage.document_id;
  citation.document_sha256 = passage.document_sha256;
  citation.source = quote.occurrence.source.range;
  citation.sentence = quote.sentence;
  citation.quote = text_at(passage, citation.source);
  citation.sentence_text = text_at(passage, citation.sentence);
  return citation;
}

// How the claims of a sentence are looked for in the passages.
struct Search {
  float least_share;  // of the attention that a place must have had
  bool one_section;   // all claims have to stand in; what answers the question is the place of the first one, if it can be
};

void support_claims(Judgement& judgement, const Spoken& spoken, const JudgeContext& context, const Search& search) {
  std::vector<std::vector<Candidate>> of_claims;
  for (const Claim& claim : judgement.claims) {
    const TokenObservation& first = spoken.tokens[judgement.words[claim.first_word].first_token];
    of_claims.push_back({});
    if (claim.verdict == Verdict::kCopied)
      of_claims.back() = candidates_of(slice(spoken.text, claim.answer), first.attention, context);
  }
  if (search.one_section) keep_one_section(of_claims, context);
  if (search.one_section && !of_claims.empty()) put_answers_first(of_claims.front(), context);
  for (size_t i = 0; i < judgement.claims.size(); ++i) {
    const auto quote = choose(of_claims[i], context, search.least_share);
    if (!quote) continue;
    Claim& claim = judgement.claims[i];
    claim.support = quote->on_topic ? Support::kSupported : Support::kCopiedOffTopic;
    claim.citation = static_cast<int32_t>(judgement.citations.size());
    judgement.citations.push_back(cite(claim, *quote, *context.prompt));
  }
}

void place_words(std::vector<Word>& words, const Spoken& spoken, const engine::Prompt& prompt) {
  for (Word& word : words)
    if (word.verdict != Verdict::kNeutral) word.place = most_attended(prompt, spoken.tokens[word.first_token].attention);
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

std::optional<std::string> first_claim_beyond(std::string_view question, const Judgement& judgement, std::string_view text,
                                              const std::function<bool(const Claim&)>& wanted) {
  const std::set<std::string> asked = asked_words(question);
  for (const Claim& claim : judgement.claims) {
    if (!wanted(claim)) continue;
    const std::string words(slice(text, claim.answer));
    for (const std::string& word : folded_words(words))
      if (!asked.contains(word)) return words;
  }
  return std::nullopt;
}

Judgement judge_by_probe(const Spoken& spoken, const JudgeContext& context) {
  const Language language = language_of(std::string(context.question) + " " + spoken.text);
  const std::set<std::string> asked = asked_words(context.question);
  Judgement judgement;
  judgement.words = words_of(spoken, language);
  bool copied_beyond_question = false;
  for (Word& word : judgement.words) {
    if (word.verdict == Verdict::kNeutral) continue;
    word.verdict = verdict_of(word.probability_copied, context.atlas->first_token);
    copied_beyond_question |= word.verdict == Verdict::kCopied && !asked.contains(fold_case(slice(spoken.text, word.answer)));
  }
  if (copied_beyond_question) neutralise_asked_words(judgement.words, spoken.text, asked);
  place_words(judgement.words, spoken, *context.prompt);
  judgement.claims = claims_of(judgement.words);
  support_claims(judgement, spoken, context, {.least_share = kAttendedShare, .one_section = false});
  return judgement;
}

Judgement judge_by_quote(const Spoken& spoken, const JudgeContext& context) {
  const Language language = language_of(std::string(context.question) + " " + spoken.text);
  Judgement judgement;
  judgement.words = words_of(spoken, language);
  neutralise_asked_words(judgement.words, spoken.text, asked_words(context.question));
  judgement.claims = claims_of(judgement.words);
  for (Claim& claim : judgement.claims) {
    claim.verdict = Verdict::kCopied;  // presumed, until the quote or the causal check says otherwise
  }
  support_claims(judgement, spoken, context, {.least_share = 0, .one_section = true});
  for (Claim& claim : judgement.claims) {
    if (claim.support != Support::kSupported) claim.verdict = Verdict::kUnchecked;
    for (int32_t i = 0; i < claim.words; ++i) judgement.words[claim.first_word + i].verdict = claim.verdict;
  }
  place_words(judgement.words, spoken, *context.prompt);
  return judgement;
}

std::vector<TokenRecord> token_records(const Spoken& spoken, const Judgement& judgement) {
  std::vector<TokenRecord> records;
  for (size_t i = 0; i < spoken.tokens.size(); ++i) {
    const TokenObservation& seen = spoken.tokens[i];
    records.push_back({seen.id, spoken.token_bytes[i], seen.evidence, seen.probability_continuation, seen.edited});
  }
  for (const Word& word : judgement.words)
    records[word.first_token].probability_copied = spoken.tokens[word.first_token].probability_first;
  return records;
}

Attempt attempt_of(std::string what, const Spoken& spoken, const Judgement& judgement, std::string outcome,
                   std::string_view lacks) {
  return {.what = std::move(what),
          .text = spoken.text,
          .outcome = std::move(outcome),
          .lacks = std::string(lacks),
          .tokens = token_records(spoken, judgement),
          .words = judgement.words,
          .claims = judgement.claims,
          .citations = judgement.citations};
}

void append_to(Answer& answer, const Spoken& spoken, const Judgement& judgement, Delivery delivery, bool steered,
               std::string reason) {
  const auto byte = static_cast<int64_t>(answer.text.size());
  const auto token = static_cast<int32_t>(answer.tokens.size());
  const auto word = static_cast<int32_t>(answer.words.size());
  const auto citation = static_cast<int32_t>(answer.citations.size());
  const auto shifted = [&](ByteSpan span) { return ByteSpan{span.begin + byte, span.end + byte}; };

  for (TokenRecord each : token_records(spoken, judgement)) {
    each.answer = shifted(each.answer);
    answer.tokens.push_back(std::move(each));
  }
  for (Word each : judgement.words) {
    each.answer = shifted(each.answer);
    each.first_token += token;
    answer.words.push_back(each);
  }
  for (Claim each : judgement.claims) {
    each.answer = shifted(each.answer);
    each.first_word += word;
    if (each.citation) *each.citation += citation;
    answer.claims.push_back(each);
  }
  for (Citation each : judgement.citations) {
    each.answer = shifted(each.answer);
    answer.citations.push_back(each);
  }
  answer.sentences.push_back({shifted({0, static_cast<int64_t>(spoken.text.size())}), delivery, steered, std::move(reason)});
  answer.text += spoken.text;
}

}  // namespace openbook::guard
