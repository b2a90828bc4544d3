#include "judge/support.h"

#include <algorithm>

#include "judge/quote.h"

namespace openbook::guard {
namespace {

// A place that a claim could be cited from.
struct Candidate {
  Occurrence occurrence;
  ByteSpan sentence;
  bool on_topic;
  bool heading;
};

// Most attended first.
std::vector<Candidate> candidates_of(std::span<const TextWord> claim, const std::vector<float>& attention,
                                     const JudgeContext& context) {
  std::vector<Candidate> candidates;
  for (const Occurrence& occurrence : find_quotes(claim, *context.passages, *context.prompt, attention)) {
    const ReadPassage& passage = context.passages->at(occurrence.source.passage);
    const ReadSentence* const holder = passage.sentence_at(occurrence.source.range.begin);
    const ByteSpan sentence = passage.sentence_around(occurrence.source.range);
    const bool on_topic = context.topic && context.topic->sentence_on_topic(occurrence.source.passage, sentence);
    candidates.push_back({occurrence, sentence, on_topic, holder && holder->heading});
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

}  // namespace

void cite(Claim& claim, Judgement& judgement, const Source& source, ByteSpan sentence, bool on_topic,
          const JudgeContext& context) {
  const Passage& passage = context.prompt->passages[source.passage];
  claim.support = on_topic ? Support::kSupported : Support::kCopiedOffTopic;
  claim.source = source;
  claim.citation = static_cast<int32_t>(judgement.citations.size());
  Citation citation;
  citation.answer = claim.answer;
  citation.document_id = passage.document_id;
  citation.document_sha256 = passage.document_sha256;
  citation.source = source.range;
  citation.sentence = sentence;
  citation.quote = text_at(passage, citation.source);
  citation.sentence_text = text_at(passage, citation.sentence);
  judgement.citations.push_back(std::move(citation));
}

void support_claims(Judgement& judgement, const Spoken& spoken, const JudgeContext& context, const Search& search) {
  std::vector<std::vector<Candidate>> of_claims;
  for (const Claim& claim : judgement.claims) {
    const TokenObservation& first = spoken.tokens[judgement.words[claim.first_word].first_token];
    const auto words = std::span(judgement.said).subspan(claim.first_word, claim.words);
    of_claims.push_back({});
    if (claim.verdict == Verdict::kCopied) of_claims.back() = candidates_of(words, first.attention, context);
  }
  if (search.one_section) keep_one_section(of_claims, context);
  if (search.one_section && !of_claims.empty()) put_answers_first(of_claims.front(), context);
  for (size_t i = 0; i < judgement.claims.size(); ++i)
    if (const auto quote = choose(of_claims[i], context, search.least_share))
      cite(judgement.claims[i], judgement, quote->occurrence.source, quote->sentence, quote->on_topic, context);
}

}  // namespace openbook::guard
