#include "report/tracked_answers.h"

#include <algorithm>
#include <unordered_map>

#include "batch_evidence.h"
#include "calibration.h"
#include "openbook/attribution/spelling.h"
#include "openbook/base/words.h"
#include "report/rows.h"

namespace openbook::attribution {
namespace {

constexpr int64_t kLikeliest = 10;  // both candidate tokens must be among these (paper, section 7)
constexpr size_t kHeatTexts = 4;

// What is read while the batch is still there.
struct Moment {
  AnswerSignals signals;
  std::vector<float> last_attention;  // the localizer's, over the passages' tokens
  std::vector<float> contextual, parametric;
};

struct Item {
  ContrastCase made;
  std::string subject;
  Split split = Split::kTest;
  int32_t relation = 0;
};

const std::string& answer_of(const ObservedCase& observed) {
  return observed.given == GivenAnswer::kMemory ? observed.made.memory_answer : observed.made.document_answer;
}

// Runs of neighbouring indices.
std::vector<TokenRange> ranges_of(const std::vector<int64_t>& tokens) {
  std::vector<TokenRange> ranges;
  for (const int64_t token : tokens) {
    if (!ranges.empty() && ranges.back().end == token)
      ++ranges.back().end;
    else
      ranges.push_back({token, token + 1});
  }
  return ranges;
}

std::vector<float> floats_of(const at::Tensor& values) {
  return {values.data_ptr<float>(), values.data_ptr<float>() + values.numel()};
}

class Tracker {
 public:
  explicit Tracker(const Laboratory& laboratory)
      : laboratory_(laboratory),
        runner_(*laboratory.decoder),
        evidence_(laboratory.decoder->shared_model()),
        features_(laboratory.atlas->heads, laboratory.atlas->probe.heads, laboratory.atlas->localizer),
        place_columns_(laboratory.atlas->heads, laboratory.atlas->localizer.heads) {}

  void track(const std::string& set, std::vector<Item> items);
  TrackedSets take() { return std::move(sets_); }
  void leave_out(std::string why) { sets_.left_out.push_back(std::move(why)); }

 private:
  void read(const AnswerMoment& moment);
  void read_candidates(const AnswerMoment& moment);
  Look look(const ObservedCase& observed, const Spelling& spelling, const at::Tensor& pattern, engine::TokenId token) const;
  TrackedAnswer answer(const std::string& set, const Item& item, const ObservedCase& observed, const Moment& moment);
  void place(const ObservedCase& observed, const Moment& moment, TrackedAnswer& tracked);
  void draw_heat(const ObservedCase& observed, const std::vector<float>& attention);

  const Laboratory& laboratory_;
  CaseRunner runner_;
  BatchEvidence evidence_;
  ProbeFeatures features_;
  HeadColumns place_columns_;
  std::unordered_map<const ObservedCase*, Moment> moments_;
  TrackedSets sets_;
};

void Tracker::track(const std::string& set, std::vector<Item> items) {
  const auto count = static_cast<int64_t>(items.size());
  const auto running = [&](const std::string& stage, int64_t total) {
    return RunOptions{.progress = [this, stage, total](int64_t done) { laboratory_.report(stage, done, total); },
                      .cancellation = laboratory_.cancellation};
  };
  std::vector<ContrastCase> cases;
  for (const Item& item : items) cases.push_back(item.made);
  RunOptions options = running("tracking: " + set, count);
  options.at_answer = [this](const AnswerMoment& moment) { read(moment); };
  moments_.clear();
  const std::vector<ObservedCase> observed = runner_.observe(std::move(cases), options);
  std::vector<const ObservedCase*> given;
  std::vector<size_t> index;
  for (size_t i = 0; i < observed.size(); ++i) {
    if (observed[i].given == GivenAnswer::kNeither) continue;
    given.push_back(&observed[i]);
    index.push_back(i);
  }
  const std::vector<std::optional<bool>> copied =
      runner_.copied(given, running("labels by cause: " + set, static_cast<int64_t>(given.size())));
  for (size_t i = 0; i < given.size(); ++i) {
    TrackedAnswer tracked = answer(set, items[index[i]], *given[i], moments_[given[i]]);
    tracked.copied = copied[i];
    sets_.answers.push_back(std::move(tracked));
  }
}

void Tracker::read(const AnswerMoment& moment) {
  std::vector<AnswerSignals> signals = read_signals(laboratory_.model(), moment);
  const int64_t keys = *std::max_element(moment.last_positions.begin(), moment.last_positions.end()) + 1;
  const at::Tensor last = moment.batch->pattern(moment.last_queries, moment.last_positions, keys).cpu();
  for (size_t row = 0; row < moment.rows.size(); ++row) {
    Moment& kept = moments_[moment.rows[row]];
    kept.signals = std::move(signals[row]);
    const TokenRange passages = moment.rows[row]->prompt.all_passages;
    if (passages.empty()) continue;
    const at::Tensor pattern = last[static_cast<int64_t>(row)].narrow(1, passages.begin, passages.size());
    const ObservedCase& observed = *moment.rows[row];
    if (observed.given == GivenAnswer::kNeither) continue;
    const Spelling spelling(laboratory_.model().tokenizer(), observed.prompt.passage_ids());
    kept.last_attention = look(observed, spelling, pattern, observed.said[observed.answer.end - 1]).attention;
  }
  read_candidates(moment);
}

// What the localizer sees for a token that the position of `pattern` [head, passage tokens] chose, or might have.
Look Tracker::look(const ObservedCase& observed, const Spelling& spelling, const at::Tensor& pattern,
                   engine::TokenId token) const {
  return laboratory_.atlas->localizer.look(place_columns_.of(pattern), observed.prompt.readable(), spelling.like(token));
}

void Tracker::read_candidates(const AnswerMoment& moment) {
  const at::AutoDispatchBelowADInplaceOrView below_autograd;
  const engine::Model& model = laboratory_.model();
  const engine::ModelConfig& config = model.config();
  const at::Tensor resid = moment.resid_post.select(1, config.layers - 1);
  const at::Tensor normed =
      resid * (resid.square().mean(-1, true) + config.norm_epsilon).rsqrt() * model.final_norm().to(at::kFloat);
  const at::Tensor likeliest = std::get<1>(at::matmul(normed, model.unembedding().to(at::kFloat).t()).topk(kLikeliest, -1)).cpu();
  std::vector<engine::TokenId> contextual, parametric;
  for (const ObservedCase* row : moment.rows) {
    const auto first_token = [&](const std::string& answer, GivenAnswer which) {
      if (row->given == which) return row->said[row->answer.begin];
      // As the given answer's: with a space before it, or without at the beginning of what was said.
      const bool spaced =
          row->given == GivenAnswer::kNeither || model.tokenizer().token_bytes(row->said[row->answer.begin])[0] == ' ';
      const auto tokens = model.tokenizer().encode((spaced ? " " : "") + answer);
      return tokens.empty() ? engine::TokenId{0} : tokens.front().id;
    };
    contextual.push_back(first_token(row->made.document_answer, GivenAnswer::kDocument));
    parametric.push_back(first_token(row->made.memory_answer, GivenAnswer::kMemory));
  }
  engine::BatchObservation observed;
  observed.z = moment.z;
  observed.resid_post = moment.resid_post;
  const at::Tensor of_contextual = evidence_.lens(observed, contextual), of_parametric = evidence_.lens(observed, parametric);
  for (size_t row = 0; row < moment.rows.size(); ++row) {
    const int64_t* ids = likeliest[static_cast<int64_t>(row)].data_ptr<int64_t>();
    const auto likely = [&](engine::TokenId id) { return std::find(ids, ids + kLikeliest, id) != ids + kLikeliest; };
    const bool two = contextual[row] != parametric[row] && !moment.rows[row]->made.memory_answer.empty();
    if (moment.rows[row]->given == GivenAnswer::kNeither || !two || !likely(contextual[row]) || !likely(parametric[row]))
      continue;
    moments_[moment.rows[row]].contextual = floats_of(of_contextual[static_cast<int64_t>(row)]);
    moments_[moment.rows[row]].parametric = floats_of(of_parametric[static_cast<int64_t>(row)]);
  }
}

TrackedAnswer Tracker::answer(const std::string& set, const Item& item, const ObservedCase& observed, const Moment& moment) {
  TrackedAnswer tracked{
      .set = set, .setting = item.made.setting, .subject = item.subject, .split = item.split, .relation = item.relation};
  tracked.evidence = observed.evidence.front();
  tracked.probability_copied = laboratory_.atlas->probe.probability_copied(features_.of(observed), true);
  tracked.signals = moment.signals;
  tracked.contextual = moment.contextual;
  tracked.parametric = moment.parametric;
  const std::string& text = answer_of(observed);
  tracked.string_match = std::any_of(observed.prompt.passages.begin(), observed.prompt.passages.end(),
                                     [&](const Passage& passage) { return holds_words(passage.text, text); });
  if (observed.pattern.defined()) place(observed, moment, tracked);
  return tracked;
}

void Tracker::place(const ObservedCase& observed, const Moment& moment, TrackedAnswer& tracked) {
  const Localizer& localizer = laboratory_.atlas->localizer;
  const std::vector<float> attention = look_at(localizer, laboratory_.atlas->heads, observed).attention;
  tracked.occurrences = ranges_of(tokens_of(observed.prompt, answer_of(observed)));
  if (tracked.set == "conflict" && tracked.setting == Setting::kOwn && sets_.heat_texts.size() < kHeatTexts)
    draw_heat(observed, attention);
  tracked.place = Localizer::best(attention);
  tracked.last_place = Localizer::best(moment.last_attention);
  tracked.nowhere = !localizer.locate(attention);
  const bool right =
      tracked.place && std::any_of(tracked.occurrences.begin(), tracked.occurrences.end(), [&](const TokenRange& range) {
        return *tracked.place >= range.begin && *tracked.place < range.end;
      });
  if (!tracked.place || right) return;
  const TokenRange passages = observed.prompt.all_passages;
  for (int64_t i = std::max<int64_t>(0, *tracked.place - 3); i < std::min(passages.size(), *tracked.place + 4); ++i) {
    const std::string token =
        with_valid_utf8(laboratory_.model().tokenizer().token_bytes(observed.prompt.tokens[passages.begin + i]));
    tracked.misplaced += i == *tracked.place ? "[" + token + "]" : token;
  }
  tracked.misplaced = observed.made.question + " > " + answer_of(observed) + " > " + tracked.misplaced;
}

void Tracker::draw_heat(const ObservedCase& observed, const std::vector<float>& attention) {
  const float most = *std::max_element(attention.begin(), attention.end());
  Json tokens = Json::array();
  for (int64_t i = 0; i < observed.prompt.all_passages.size(); ++i) {
    const std::string text = with_valid_utf8(
        laboratory_.model().tokenizer().token_bytes(observed.prompt.tokens[observed.prompt.all_passages.begin + i]));
    tokens.push_back({text, most > 0 ? std::round(attention[i] / most * 1000) / 1000 : 0});
  }
  sets_.heat_texts.push_back(
      {{"kind", "heat_text"}, {"title", observed.made.question + " " + answer_of(observed)}, {"tokens", std::move(tokens)}});
}

std::vector<Item> own_items(const Laboratory& laboratory) {
  const ContrastSet& facts = *laboratory.facts;
  int64_t fit = laboratory.sample(1 << 20, 24), test = laboratory.sample(1 << 20, 24);
  std::vector<Item> items;
  for (const int32_t fact : laboratory.runs->known) {
    const int32_t relation = facts.facts[fact].relation;
    const Split split = facts.relations[relation].split;
    if (split == Split::kCalibrate || (split == Split::kFit ? fit-- : test--) <= 0) continue;
    for (const Setting setting : kContrastSettings)
      items.push_back({facts.make_case(fact, setting, laboratory.seed), facts.facts[fact].subject, split, relation});
  }
  return items;
}

using MakeCase = std::optional<DataCase> (*)(const std::vector<nlohmann::json>&, size_t, Setting);

std::vector<Item> data_items(const Laboratory& laboratory, const std::vector<nlohmann::json>& rows, MakeCase make,
                             const std::vector<Setting>& settings) {
  // The first ones of a stable order: the files are sorted by a hash of their subject.
  const size_t count = std::min(rows.size(), static_cast<size_t>(laboratory.sample(1 << 20, 20)));
  std::vector<Item> items;
  for (size_t row = 0; row < count; ++row)
    for (const Setting setting : settings)
      if (auto made = make(rows, row, setting); made && !made->replacement.empty()) items.push_back({*made, made->subject});
  return items;
}

std::vector<nlohmann::json> strict_conflict_rows(const std::filesystem::path& file) {
  std::vector<nlohmann::json> rows = read_rows(file, {"subject", "relation", "question", "cloze", "document", "document_answer",
                                                      "memory_answer", "spans", "memory_spans", "memory_in_subject"});
  std::erase_if(rows,
                [](const nlohmann::json& row) { return !row["memory_spans"].empty() || row["memory_in_subject"].get<bool>(); });
  return rows;
}

}  // namespace

TrackedSets track_answers(const Laboratory& laboratory) {
  Tracker tracker(laboratory);
  tracker.track("own relations", own_items(laboratory));
  if (laboratory.data.empty()) {
    tracker.leave_out("conflict, swap, read: no evaluation data was named (--data)");
    return tracker.take();
  }
  const std::filesystem::path& data = laboratory.data;
  tracker.track("conflict", data_items(laboratory, strict_conflict_rows(data / "conflict.jsonl"), make_conflict_case,
                                       {Setting::kOwn, Setting::kDecoy, Setting::kBare, Setting::kSilent, Setting::kClosed}));
  tracker.track("swap", data_items(laboratory,
                                   read_rows(data / "swap.jsonl", {"title", "type", "question", "document", "document_answer",
                                                                   "memory_answer", "original_answer", "spans"}),
                                   make_swap_case, {Setting::kOwn, Setting::kSilent, Setting::kClosed}));
  tracker.track("read", data_items(laboratory,
                                   read_rows(data / "read.jsonl",
                                             {"title", "language", "question", "document", "answer", "spans", "other_spans"}),
                                   make_read_case, {Setting::kOwn, Setting::kSilent}));
  return tracker.take();
}

}  // namespace openbook::attribution
