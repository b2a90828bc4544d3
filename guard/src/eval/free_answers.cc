// Answers that other models wrote, read token by token. Everything printed was laid down before any of it was seen, the headline
// too: nothing is chosen on the labels (docs/free-answers.md says what each figure is).
#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <map>
#include <set>

#include "eval/eval.h"
#include "eval/free_words.h"
#include "eval/row_loop.h"
#include "eval/shares.h"
#include "openbook/base/error.h"
#include "report/rows.h"
#include "report/statistics.h"

namespace openbook::guard {
namespace {

using attribution::ClusteredPart;
using attribution::ClusteredScore;
using Json = nlohmann::ordered_json;

struct ReadWord {
  TextWord text;
  Verdict verdict = Verdict::kNeutral;
  double probability_copied = 0;
  bool labelled = false;  // a person marked some of it as unsupported

  bool judged() const { return verdict != Verdict::kNeutral; }
};

struct ReadAnswer {
  const FreeAnswer* row = nullptr;
  std::vector<ReadWord> words;  // without punctuation
  size_t passages_left_out = 0;
};

ReadAnswer read_answer(const Guard& guard, const FreeAnswer& row, const Cancellation* cancellation) {
  const Answer judged = guard.check(row.question, row.passages, row.answer, cancellation);
  if (judged.text.size() != row.answer.size())
    throw Error(Code::kFailedPrecondition,
                "answer " + row.id + ": this model's tokens spell it in " + std::to_string(judged.text.size()) +
                    " bytes instead of " + std::to_string(row.answer.size()),
                "Labels can't be laid over it; take a model with byte-level tokens.");
  std::vector<ByteSpan> spans;
  std::map<int64_t, const Word*> word_at;
  for (const Word& word : judged.words) {
    spans.push_back(word.answer);
    word_at[word.answer.begin] = &word;
  }
  ReadAnswer read{.row = &row, .passages_left_out = judged.passages_left_out};
  for (const TextWord& text : describe_words(row, spans)) {
    const Word& word = *word_at.at(text.bytes.begin);
    const bool labelled = std::any_of(row.labels.begin(), row.labels.end(),
                                      [&](const UnsupportedSpan& label) { return label.bytes.overlaps(text.bytes); });
    read.words.push_back({text, word.verdict, word.probability_copied, labelled});
  }
  return read;
}

// ---- scores: the higher, the more is unsupported. Of an answer without a judged word each is 0.

using ResponseScore = double (*)(const std::vector<ReadWord>&);

double share_of_judged(const std::vector<ReadWord>& words, const std::function<double(const ReadWord&)>& value) {
  double sum = 0, judged = 0;
  for (const ReadWord& word : words)
    if (word.judged()) sum += value(word), ++judged;
  return judged > 0 ? sum / judged : 0;
}

double mean_recited(const std::vector<ReadWord>& words) {
  return share_of_judged(words, [](const ReadWord& word) { return 1 - word.probability_copied; });
}

double share_recited(const std::vector<ReadWord>& words) {
  return share_of_judged(words, [](const ReadWord& word) { return word.verdict == Verdict::kRecited; });
}

// Of the word that a tenth of the judged words are not above.
double tenth_quantile(const std::vector<ReadWord>& words) {
  std::vector<double> copied;
  for (const ReadWord& word : words)
    if (word.judged()) copied.push_back(word.probability_copied);
  if (copied.empty()) return 0;
  std::sort(copied.begin(), copied.end());
  return 1 - copied[(copied.size() - 1) / 10];
}

double share_not_in_passages(const std::vector<ReadWord>& words) {
  return share_of_judged(words, [](const ReadWord& word) { return !word.text.in_passages; });
}

double share_not_in_trigram(const std::vector<ReadWord>& words) {
  return share_of_judged(words, [](const ReadWord& word) { return !word.text.in_trigram; });
}

double words_said(const std::vector<ReadWord>& words) { return static_cast<double>(words.size()); }

constexpr const char* kHeadline = "auc_response.mean_recited";
constexpr std::pair<const char*, ResponseScore> kScores[] = {
    {"mean_recited", mean_recited}, {"tenth_quantile", tenth_quantile}, {"share_recited", share_recited}};
constexpr std::pair<const char*, ResponseScore> kTextScores[] = {{"words_not_in_passages", share_not_in_passages},
                                                                 {"trigrams_not_in_passages", share_not_in_trigram},
                                                                 {"words_said", words_said}};

Json auc_by_response(const std::vector<ReadAnswer>& answers, ResponseScore score) {
  std::vector<ClusteredScore> cases;
  for (const ReadAnswer& answer : answers)
    cases.push_back({answer.row->source_id, score(answer.words), !answer.row->labels.empty()});
  return attribution::auc_of(cases).to_json();
}

// Labelled against unlabelled words; of the labelled only those that `wanted` accepts.
Json auc_by_word(const std::vector<ReadAnswer>& answers, const std::function<double(const ReadWord&)>& score,
                 const std::function<bool(const ReadAnswer&, const ReadWord&)>& wanted = {}) {
  std::vector<ClusteredScore> cases;
  for (const ReadAnswer& answer : answers)
    for (const ReadWord& word : answer.words)
      if (word.judged() && (!word.labelled || !wanted || wanted(answer, word)))
        cases.push_back({answer.row->source_id, score(word), word.labelled});
  return attribution::auc_of(cases).to_json();
}

double probability_recited(const ReadWord& word) { return 1 - word.probability_copied; }

// ---- spans

using Flagged = std::function<bool(const ReadWord&)>;

// The bytes of flagged words; `joined`: and what is between two of them when only neutral words are.
std::vector<ByteSpan> flagged_spans(const std::vector<ReadWord>& words, const Flagged& flagged, bool joined) {
  std::vector<ByteSpan> spans;
  bool open = false;
  for (const ReadWord& word : words) {
    if (!word.judged()) continue;
    const bool now = flagged(word);
    if (now && open && joined)
      spans.back().end = word.text.bytes.end;
    else if (now)
      spans.push_back(word.text.bytes);
    open = now;
  }
  return spans;
}

// Over the bytes of all answers together; intervals draw whole questions.
Json span_figures(const std::vector<ReadAnswer>& answers,
                  const std::function<std::vector<ByteSpan>(const ReadAnswer&)>& spans_of) {
  std::vector<ClusteredPart> precision, recall, f1;
  for (const ReadAnswer& answer : answers) {
    std::vector<ByteSpan> labelled;
    for (const UnsupportedSpan& label : answer.row->labels) labelled.push_back(label.bytes);
    const ByteOverlap overlap = overlap_of(spans_of(answer), std::move(labelled));
    const auto both = static_cast<double>(overlap.both), flagged = static_cast<double>(overlap.flagged),
               wanted = static_cast<double>(overlap.labelled);
    precision.push_back({answer.row->source_id, both, flagged});
    recall.push_back({answer.row->source_id, both, wanted});
    f1.push_back({answer.row->source_id, 2 * both, flagged + wanted});
  }
  return {{"f1", ratio_of(f1).to_json()}, {"precision", ratio_of(precision).to_json()}, {"recall", ratio_of(recall).to_json()}};
}

Json flagged_figures(const std::vector<ReadAnswer>& answers, const Flagged& flagged) {
  const auto by = [&](bool joined) {
    return span_figures(answers, [&](const ReadAnswer& answer) { return flagged_spans(answer.words, flagged, joined); });
  };
  return {{"words", by(false)}, {"joined", by(true)}};
}

std::vector<ByteSpan> whole_answer(const ReadAnswer& answer) { return {{0, static_cast<int64_t>(answer.row->answer.size())}}; }

// ---- where it fails

// Labelled spans of one type or kind. The words of a span that read as copied are what the probe missed.
struct Misses {
  Share found;  // spans with a recited word
  Share copied, unchecked, recited;
  std::set<std::pair<const ReadAnswer*, const ReadWord*>> words;

  void add(const ReadAnswer& answer, ByteSpan span) {
    const std::string& source = answer.row->source_id;
    bool any = false;
    for (const ReadWord& word : answer.words) {
      if (!word.judged() || !word.text.bytes.overlaps(span)) continue;
      any |= word.verdict == Verdict::kRecited;
      copied.add(source, word.verdict == Verdict::kCopied);
      unchecked.add(source, word.verdict == Verdict::kUnchecked);
      recited.add(source, word.verdict == Verdict::kRecited);
      words.insert({&answer, &word});
    }
    found.add(source, any);
  }

  Json to_json(const std::vector<ReadAnswer>& answers) const {
    const auto of_these = [this](const ReadAnswer& answer, const ReadWord& word) { return words.contains({&answer, &word}); };
    return {{"spans_with_recited_word", found.to_json()},
            {"words_copied", copied.to_json()},
            {"words_unchecked", unchecked.to_json()},
            {"words_recited", recited.to_json()},
            {"auc_word", auc_by_word(answers, probability_recited, of_these)}};
  }
};

TextKind kind_in(const ReadAnswer& answer, ByteSpan piece) {
  std::vector<TextWord> words;
  for (const ReadWord& word : answer.words) words.push_back(word.text);
  return kind_of(words, piece);
}

Json misses(const std::vector<ReadAnswer>& answers) {
  std::map<std::string, Misses> by_type, by_kind;
  for (const ReadAnswer& answer : answers)
    for (const UnsupportedSpan& label : answer.row->labels) {
      by_type[label.type].add(answer, label.bytes);
      by_kind[std::string(text_kind_name(kind_in(answer, label.bytes)))].add(answer, label.bytes);
    }
  Json json = {{"by_type", Json::object()}, {"by_kind", Json::object()}};
  for (const auto& [name, each] : by_type) json["by_type"][name] = each.to_json(answers);
  for (const auto& [name, each] : by_kind) json["by_kind"][name] = each.to_json(answers);
  return json;
}

// Words outside every label that read as recited, by what kind they are of themselves.
Json false_alarms(const std::vector<ReadAnswer>& answers) {
  std::map<TextKind, Share> by_kind;
  for (const ReadAnswer& answer : answers)
    for (const ReadWord& word : answer.words)
      if (word.judged() && !word.labelled)
        by_kind[kind_of({word.text}, word.text.bytes)].add(answer.row->source_id, word.verdict == Verdict::kRecited);
  Json json = Json::object();
  for (const TextKind kind : kTextKinds)
    json[kind == TextKind::kParaphrase ? "known" : std::string(text_kind_name(kind))] = by_kind[kind].to_json();
  return json;
}

// ---- the whole

Json counts(const std::vector<ReadAnswer>& answers, const FreeAnswers& all) {
  std::set<std::string> sources;
  int64_t unsupported = 0, spans = 0, words = 0, labelled = 0, passages_left_out = 0;
  for (const ReadAnswer& answer : answers) {
    sources.insert(answer.row->source_id);
    unsupported += !answer.row->labels.empty();
    spans += static_cast<int64_t>(answer.row->labels.size());
    passages_left_out += static_cast<int64_t>(answer.passages_left_out);
    for (const ReadWord& word : answer.words) {
      words += word.judged();
      labelled += word.judged() && word.labelled;
    }
  }
  return {{"rows", answers.size()},     {"left_out", all.left_out},
          {"sources", sources.size()},  {"unsupported_answers", unsupported},
          {"unsupported_spans", spans}, {"judged_words", words},
          {"labelled_words", labelled}, {"passages_left_out", passages_left_out}};
}

Json row_of(const ReadAnswer& answer) {
  Json words = Json::array(), scores = Json::object();
  for (const ReadWord& word : answer.words)
    words.push_back({{"text", slice(answer.row->answer, word.text.bytes)},
                     {"begin", word.text.bytes.begin},
                     {"verdict", verdict_name(word.verdict)},
                     {"probability_copied", std::round(word.probability_copied * 1e4) / 1e4},
                     {"in_passages", word.text.in_passages},
                     {"labelled", word.labelled}});
  for (const auto& [name, score] : kScores) scores[name] = score(answer.words);
  for (const auto& [name, score] : kTextScores) scores[name] = score(answer.words);
  return {{"id", answer.row->id},
          {"source_id", answer.row->source_id},
          {"model", answer.row->model},
          {"question", answer.row->question},
          {"unsupported_spans", answer.row->labels.size()},
          {"scores", scores},
          {"words", words}};
}

std::vector<ReadAnswer> read_all(const Guard& guard, const std::vector<FreeAnswer>& rows, const EvalOptions& options) {
  std::vector<ReadAnswer> answers(rows.size());
  for_each_row(options, "free", rows.size(), [&](size_t i) {
    answers[i] = read_answer(guard, rows[i], options.cancellation);
    return row_of(answers[i]);
  });
  return answers;
}

Json baselines(const std::vector<ReadAnswer>& answers) {
  Json json;
  for (const auto& [name, score] : kTextScores) json["auc_response"][name] = auc_by_response(answers, score);
  json["auc_word"]["words_not_in_passages"] = auc_by_word(answers, [](const ReadWord& word) { return !word.text.in_passages; });
  json["auc_word"]["trigrams_not_in_passages"] = auc_by_word(answers, [](const ReadWord& word) { return !word.text.in_trigram; });
  json["spans"]["words_not_in_passages"] = flagged_figures(answers, [](const ReadWord& word) { return !word.text.in_passages; });
  json["spans"]["everything"] = span_figures(answers, whole_answer);
  return json;
}

}  // namespace

Json eval_free_answers(const Guard& guard, const std::filesystem::path& file, const EvalOptions& options,
                       const std::string& split) {
  const FreeAnswers all = read_free_answers(file, split);
  const auto rows = attribution::draw_rows(all.kept, options.limit, options.seed);
  const std::vector<ReadAnswer> answers = read_all(guard, rows, options);
  Json json = {{"split", split}};
  json.update(counts(answers, all));
  json["headline"] = kHeadline;
  for (const auto& [name, score] : kScores) json["auc_response"][name] = auc_by_response(answers, score);
  json["auc_word"] = auc_by_word(answers, probability_recited);
  json["spans"]["recited"] = flagged_figures(answers, [](const ReadWord& word) { return word.verdict == Verdict::kRecited; });
  json["spans"]["recited_or_unchecked"] =
      flagged_figures(answers, [](const ReadWord& word) { return word.verdict != Verdict::kCopied; });
  json["baselines"] = baselines(answers);
  json["misses"] = misses(answers);
  json["false_alarms"] = false_alarms(answers);
  return json;
}

}  // namespace openbook::guard
