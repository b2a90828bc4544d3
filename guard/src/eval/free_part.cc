#include "eval/free_part.h"

#include "eval/eval.h"
#include "loaded_guard.h"
#include "openbook/base/error.h"

namespace openbook::guard {
namespace {

using attribution::figure;
using attribution::Json;
using attribution::Laboratory;

constexpr char kRows[] = "ragtruth_qa.jsonl";
constexpr int64_t kAnswers = 120, kQuickAnswers = 4;
constexpr int64_t kWorkersOnCuda = 5;  // one answer leaves most of a GPU idle; on a CPU one uses every core
// Of detectors that look inside the very model that wrote the answers (docs/free-answers.md).
constexpr char kPublished[] = "about 0.75 on a model's own answers (other detectors); 0.66 in a rerun";

std::unique_ptr<Guard> guard_of(const Laboratory& lab) {
  // Both are the caller's and outlive this guard.
  return make_guard({.model = lab.decoder->shared_model(),
                     .embedder = std::shared_ptr<const Embedder>(std::shared_ptr<void>(), lab.embedder),
                     .atlas = *lab.atlas,
                     .policy = {}});
}

Json read_answers(const Laboratory& lab) {
  if (lab.data.empty())
    throw Error(Code::kFailedPrecondition, "no folder of evaluation data was given",
                std::string("Name one that holds ") + kRows + " with --data.");
  EvalOptions options;
  options.limit = lab.sample(kAnswers, kQuickAnswers);
  options.seed = lab.seed;
  options.workers = lab.model().device().is_cuda() ? kWorkersOnCuda : 1;
  options.progress = [&](const std::string&, int64_t done, int64_t total) { lab.report("answers", done, total); };
  options.cancellation = lab.cancellation;
  try {
    return eval_free_answers(*guard_of(lab), lab.data / kRows, options);
  } catch (const Error& error) {
    if (error.code() != Code::kOutOfRange) throw;
    throw Error(Code::kFailedPrecondition, error.what(), "These answers need a model with more positions.");
  }
}

Json figures_of(const Json& read) {
  const Json &baselines = read["baselines"], &by_answer = baselines["auc_response"], &by_word = baselines["auc_word"];
  return {
      figure("auc_response", "answer has an unsupported span: AUC of its words' mean p(recited)",
             read["auc_response"]["mean_recited"], "", kPublished),
      figure("auc_response_words_said", "answer, without a model: AUC of how many words it says", by_answer["words_said"]),
      figure("auc_response_words", "answer, without a model: AUC of its share of words that stand in no passage",
             by_answer["words_not_in_passages"]),
      figure("auc_response_trigrams", "answer, without a model: AUC of its share of words in no three words of a passage",
             by_answer["trigrams_not_in_passages"]),
      figure("auc_word", "word is unsupported: AUC of p(recited)", read["auc_word"]),
      figure("auc_word_words", "word, without a model: AUC of whether it stands in no passage", by_word["words_not_in_passages"]),
      figure("auc_word_trigrams", "word, without a model: AUC of whether it is in no three words of a passage",
             by_word["trigrams_not_in_passages"]),
      figure("span_f1", "unsupported spans: F1 of the bytes of recited words", read["spans"]["recited"]["joined"]["f1"]),
      figure("span_f1_words", "spans, without a model: F1 of words that stand in no passage",
             baselines["spans"]["words_not_in_passages"]["joined"]["f1"]),
      figure("span_f1_everything", "spans, everything flagged: F1", baselines["spans"]["everything"]["f1"]),
  };
}

// A share as an estimate, which tables of the report know how to show.
Json estimate_of(const Json& share) {
  const Json& interval = share["interval"];
  return {{"value", share["share"]},
          {"low", interval.is_null() ? Json() : interval[0]},
          {"high", interval.is_null() ? Json() : interval[1]},
          {"n", share["of"]}};
}

Json misses_table(const std::string& title, const Json& misses) {
  Json rows = Json::array();
  for (const auto& [name, each] : misses.items())
    rows.push_back({name, estimate_of(each["spans_with_recited_word"]), estimate_of(each["words_recited"]),
                    estimate_of(each["words_unchecked"]), estimate_of(each["words_copied"]), each["auc_word"]});
  return {
      {"title", title},
      {"columns",
       {"span", "has a recited word", "its words: recited", "unchecked", "copied", "AUC of its words against unlabelled ones"}},
      {"rows", std::move(rows)}};
}

Json false_alarms_table(const Json& false_alarms) {
  Json rows = Json::array();
  for (const auto& [kind, share] : false_alarms.items()) rows.push_back({kind, estimate_of(share)});
  return {{"title", "False alarms: words outside every label that read as recited, by their kind"},
          {"columns", {"word", "recited"}},
          {"rows", std::move(rows)}};
}

Json left_out_of(const Json& read) {
  Json reasons = Json::array();
  const int64_t answers = read["rows"], unsupported = read["unsupported_answers"], passages = read["passages_left_out"];
  if (unsupported == 0 || unsupported == answers)
    reasons.push_back("AUC by answer: of " + std::to_string(answers) + " answers " +
                      (unsupported == 0 ? "none has" : "each has") + " an unsupported span; a larger sample would do");
  if (passages > 0)
    reasons.push_back(std::to_string(passages) + " passages that the model's prompt had no room for: what rests on them alone " +
                      "can only read as recited");
  return reasons;
}

Json run_free_answers(const Laboratory& lab) {
  Json read = read_answers(lab);
  return {{"figures", figures_of(read)},
          {"tables",
           {misses_table("Unsupported spans by what people called them", read["misses"]["by_type"]),
            misses_table("Unsupported spans by what their text adds", read["misses"]["by_kind"]),
            false_alarms_table(read["false_alarms"])}},
          {"left_out", left_out_of(read)},
          {"answers", std::move(read)}};
}

}  // namespace

attribution::Experiment free_answers_experiment() {
  return {"free",
          "Free answers: what other models wrote",
          "Answers that larger models wrote in their own words (question answering of RAGTruth) are read word by word under the "
          "report's atlas; what the probe calls recited is held against the spans that people marked as unsupported. This model "
          "never chose those words, so it is the hard question; baselines without any model stand beside it. Tables say which "
          "kinds of spans are missed and which words are wrongly called recited.",
          run_free_answers,
          {149, 17}};
}

}  // namespace openbook::guard
