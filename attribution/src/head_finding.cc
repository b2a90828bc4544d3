#include "head_finding.h"

#include <algorithm>

#include "openbook/base/words.h"
#include "openbook/engine/chat_template.h"

namespace openbook::attribution {
namespace {

constexpr size_t kAtOnce = 8;  // cases whose key relevance is held together

RelevanceRequest request_for(const ObservedCase& observed, bool key_relevance) {
  RelevanceRequest request;
  request.tokens = observed.prompt.tokens;
  request.tokens.insert(request.tokens.end(), observed.said.begin(), observed.said.begin() + observed.answer.begin);
  request.target = observed.said[observed.answer.begin];
  request.key_relevance = key_relevance;
  return request;
}

// Every token, in the prompt, of the document's answer in the passages.
std::vector<TokenRange> answer_tokens(const ObservedCase& observed) {
  std::vector<TokenRange> spans;
  for (const int64_t key : tokens_of(observed.prompt, observed.made.document_answer)) {
    const int64_t token = observed.prompt.all_passages.begin + key;
    spans.push_back({token, token + 1});
  }
  return spans;
}

template <typename Use>
void for_each_relevance(const Relevance& relevance, const std::vector<const ObservedCase*>& cases, bool key_relevance, Use use) {
  for (size_t begin = 0; begin < cases.size(); begin += kAtOnce) {
    const size_t end = std::min(begin + kAtOnce, cases.size());
    std::vector<RelevanceRequest> requests;
    for (size_t i = begin; i < end; ++i) requests.push_back(request_for(*cases[i], key_relevance));
    const std::vector<HeadRelevance> found = relevance.of(requests);
    for (size_t i = begin; i < end; ++i) use(*cases[i], found[i - begin]);
  }
}

}  // namespace

HeadScores score_heads(const Relevance& relevance, const engine::ModelConfig& config,
                       const std::vector<const ObservedCase*>& open_book, const std::vector<const ObservedCase*>& closed_book,
                       const std::function<void(int64_t)>& after_each) {
  HeadScoreMeans means(config.layers, config.heads);
  int64_t done = 0;
  for_each_relevance(relevance, open_book, true, [&](const ObservedCase& observed, const HeadRelevance& found) {
    means.add_open_book(found.heads);
    means.add_keys(found.keys, {observed.prompt.question_tokens}, answer_tokens(observed));
    after_each(++done);
  });
  for_each_relevance(relevance, closed_book, false, [&](const ObservedCase&, const HeadRelevance& found) {
    means.add_closed_book(found.heads);
    after_each(++done);
  });
  return means.scores();
}

AnswerTrials answer_trials(const engine::Model& model, const ContrastSet& set, const std::vector<const ObservedCase*>& open_book,
                           uint64_t seed) {
  const engine::PromptBuilder prompts(model.tokenizer(), engine::read_chat_template(model.folder()));
  AnswerTrials made;
  for (const ObservedCase* each : open_book) {
    engine::PromptRequest request{.passages = set.make_case(each->made.fact, Setting::kOther, seed).passages,
                                  .question = each->made.question};
    const size_t place = made.trials.size() % (request.passages.size() + 1);
    request.passages.insert(request.passages.begin() + static_cast<int64_t>(place), each->made.passages.begin(),
                            each->made.passages.end());
    const engine::Prompt prompt = prompts.build(request, model.config().max_positions - NeedleOptions().max_tokens);
    const std::vector<int64_t> needle = tokens_of(prompt, each->made.document_answer);
    const size_t occurrences = first_tokens_of(prompt, each->made.document_answer).size();
    if (occurrences == 0) continue;
    made.trials.push_back({prompt.tokens, needle, static_cast<int64_t>(needle.size() / occurrences)});
    for (int64_t& token : made.trials.back().needle) token += prompt.all_passages.begin;
    made.answers.push_back(each->made.document_answer);
  }
  return made;
}

NeedleScores score_needles(const engine::Decoder& decoder, const AnswerTrials& trials,
                           const std::function<void(int64_t)>& after_each, const Cancellation* cancellation) {
  const auto half_said = [&](size_t trial, const std::string& said) {
    std::vector<std::string> spoken = folded_words(said);
    const std::vector<std::string> wanted = folded_words(trials.answers[trial]);
    const auto found = std::count_if(wanted.begin(), wanted.end(), [&](const std::string& word) {
      return std::find(spoken.begin(), spoken.end(), word) != spoken.end();
    });
    return 2 * found > static_cast<int64_t>(wanted.size());
  };
  return needle_scores(decoder, trials.trials, {.keep = half_said, .progress = after_each, .cancellation = cancellation});
}

}  // namespace openbook::attribution
