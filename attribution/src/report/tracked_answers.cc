#include "report/tracked_answers.h"

#include <algorithm>
#include <unordered_map>

#include "batch_evidence.h"
#include "calibration.h"
#include "openbook/attribution/spelling.h"
#include "openbook/base/words.h"
#include "report/tracked_heat.h"

namespace openbook::attribution {
namespace {

constexpr int64_t kLikeliest = 10;  // both candidate tokens must be among these (paper, section 7)
constexpr int64_t kLives = 120, kForeignLives = 60, kForeignRows = 150, kQuickRows = 2;
constexpr int64_t kReplyTokens = 20;      // the paper's
constexpr int64_t kLongReplyTokens = 32;  // where answers are phrases out of a paragraph: they are longer, and begin later

// What is read while the batch is still there.
struct Moment {
  AnswerSignals signals;
  std::vector<float> last_attention;  // the localizer's, over the passages' tokens
  std::vector<float> contextual, parametric;
  std::vector<float> lens;  // [head] the paper's, of the token that was said
};

struct Item {
  ContrastCase made;
  std::string subject, kind;
  Split split = Split::kTest;
  int32_t relation = 0;
};

// The answer that was given, in the spelling of the data that it was recognised by.
std::string answer_of(const engine::Tokenizer& tokenizer, const ObservedCase& observed) {
  const ContrastCase& made = observed.made;
  if (observed.given == GivenAnswer::kDocument) return made.document_answer;
  std::string said;
  for (int64_t i = observed.answer.begin; i < observed.answer.end; ++i) said += tokenizer.token_bytes(observed.said[i]);
  said = with_valid_utf8(said);
  if (!holds_words(said, made.memory_answer))
    for (const std::string& alias : made.memory_aliases)
      if (holds_words(said, alias)) return alias;
  return made.memory_answer;
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

  void track(const std::string& set, std::vector<Item> items, int64_t reply_tokens = kReplyTokens);
  // Lives of people who never lived, in one of the generator's languages.
  void track_biographies(const std::string& set, const std::string& language, int64_t count);
  TrackedSets take() {
    sets_.heat_texts = heat_texts_.charts();
    return std::move(sets_);
  }
  void leave_out(std::string why) { sets_.left_out.push_back(std::move(why)); }

 private:
  RunOptions running(const std::string& stage, size_t total, int64_t reply_tokens) const;
  void make_up(const std::string& set, const std::string& language, std::vector<Item>& items) const;
  void read(const AnswerMoment& moment);
  void read_candidates(const AnswerMoment& moment);
  Look look(const ObservedCase& observed, const Spelling& spelling, const at::Tensor& pattern, engine::TokenId token) const;
  TrackedAnswer answer(const std::string& set, const Item& item, const ObservedCase& observed, std::optional<bool> copied,
                       const Moment& moment);
  void place(const Item& item, const ObservedCase& observed, const std::string& text, const Moment& moment,
             TrackedAnswer& tracked);

  const Laboratory& laboratory_;
  CaseRunner runner_;
  BatchEvidence evidence_;
  ProbeFeatures features_;
  HeadColumns place_columns_;
  std::unordered_map<const ObservedCase*, Moment> moments_;
  HeatTexts heat_texts_;
  TrackedSets sets_;
};

RunOptions Tracker::running(const std::string& stage, size_t total, int64_t reply_tokens) const {
  return {.max_tokens = reply_tokens,
          .progress = [this, stage, total](int64_t done) { laboratory_.report(stage, done, static_cast<int64_t>(total)); },
          .cancellation = laboratory_.cancellation};
}

void Tracker::track(const std::string& set, std::vector<Item> items, int64_t reply_tokens) {
  std::vector<ContrastCase> cases;
  sets_.asked.emplace_back(set, 0);
  for (const Item& item : items) {
    cases.push_back(item.made);
    sets_.asked.back().second += item.split == Split::kTest;
  }
  RunOptions options = running("tracking: " + set, items.size(), reply_tokens);
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
      runner_.copied(given, running("labels by cause: " + set, given.size(), reply_tokens));
  for (size_t i = 0; i < given.size(); ++i)
    sets_.answers.push_back(answer(set, items[index[i]], *given[i], copied[i], moments_[given[i]]));
}

void Tracker::track_biographies(const std::string& set, const std::string& language, int64_t count) {
  const std::vector<Biography> lives = laboratory_.biographies->make(language, count, laboratory_.seed);
  std::vector<Item> items;
  for (size_t life = 0; life < lives.size(); ++life)
    for (const Setting setting : {Setting::kOwn, Setting::kSilent, Setting::kClosed})
      if (auto made = make_biography_case(lives, life, setting); made && !made->replacement.empty())
        items.push_back({*made, made->subject, made->kind});
  make_up(set, language, items);
  track(set, std::move(items), kLongReplyTokens);
}

// What the model says where the answer is missing becomes the item's memory answer, so that it is recognised when it comes again.
void Tracker::make_up(const std::string& set, const std::string& language, std::vector<Item>& items) const {
  std::vector<ContrastCase> without;
  std::vector<size_t> index;
  for (size_t i = 0; i < items.size(); ++i) {
    if (items[i].made.setting == Setting::kOwn) continue;
    without.push_back(items[i].made);
    index.push_back(i);
  }
  const BiographyLanguage& known = laboratory_.biographies->language(language);
  const std::vector<ObservedCase> replies =
      runner_.answer(std::move(without), running("made up: " + set, index.size(), kLongReplyTokens));
  for (size_t i = 0; i < replies.size(); ++i) {
    std::string said;
    for (const engine::TokenId token : replies[i].said) said += laboratory_.model().tokenizer().token_bytes(token);
    ContrastCase& made = items[index[i]].made;
    made.memory_answer = made_up_answer(with_valid_utf8(said), made.question, known);
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
    if (moment.rows[row]->given != GivenAnswer::kNeither)
      moments_[moment.rows[row]].lens = floats_of(
          (moment.rows[row]->given == GivenAnswer::kDocument ? of_contextual : of_parametric)[static_cast<int64_t>(row)]);
    const bool two = contextual[row] != parametric[row] && !moment.rows[row]->made.memory_answer.empty();
    if (moment.rows[row]->given == GivenAnswer::kNeither || !two || !likely(contextual[row]) || !likely(parametric[row]))
      continue;
    moments_[moment.rows[row]].contextual = floats_of(of_contextual[static_cast<int64_t>(row)]);
    moments_[moment.rows[row]].parametric = floats_of(of_parametric[static_cast<int64_t>(row)]);
  }
}

TrackedAnswer Tracker::answer(const std::string& set, const Item& item, const ObservedCase& observed, std::optional<bool> copied,
                              const Moment& moment) {
  TrackedAnswer tracked{.set = set,
                        .setting = item.made.setting,
                        .subject = item.subject,
                        .split = item.split,
                        .relation = item.relation,
                        .copied = copied};
  tracked.evidence = observed.evidence.front();
  tracked.features = features_.of(observed);
  tracked.probability_copied = laboratory_.atlas->probe.probability_copied(tracked.features, true);
  tracked.signals = moment.signals;
  tracked.contextual = moment.contextual;
  tracked.parametric = moment.parametric;
  const std::string text = answer_of(laboratory_.model().tokenizer(), observed);
  tracked.string_match = std::any_of(observed.prompt.passages.begin(), observed.prompt.passages.end(),
                                     [&](const Passage& passage) { return holds_words(passage.text, text); });
  if (observed.pattern.defined()) place(item, observed, text, moment, tracked);
  return tracked;
}

void Tracker::place(const Item& item, const ObservedCase& observed, const std::string& text, const Moment& moment,
                    TrackedAnswer& tracked) {
  const HeadAtlas& atlas = *laboratory_.atlas;
  const engine::Tokenizer& tokenizer = laboratory_.model().tokenizer();
  const std::vector<float> attention = look_at(atlas.localizer, atlas.heads, observed).attention;
  tracked.occurrences = ranges_of(tokens_of(observed.prompt, text));
  tracked.place = Localizer::best(attention);
  tracked.last_place = Localizer::best(moment.last_attention);
  tracked.nowhere = !atlas.localizer.locate(attention);
  // Of copied answers the plainest setting, for readers; of recited ones those in front of a document that could have been read.
  if (tracked.copied && (tracked.setting == Setting::kOwn || (tracked.setting == Setting::kSilent && !*tracked.copied)))
    heat_texts_.offer({tracked.set, item.kind, text, *tracked.copied, tracked.probability_copied}, observed, attention,
                      tokenizer);
  if (tracked.copied.value_or(false) && tracked.split == Split::kTest)
    tracked.others = other_places(atlas, observed, HeadColumns(atlas.heads, atlas.probe.heads).of(moment.lens));
  const bool right = tracked.place && std::any_of(tracked.occurrences.begin(), tracked.occurrences.end(),
                                                  [&](const TokenRange& range) { return range.contains(*tracked.place); });
  if (!tracked.place || right) return;
  const TokenRange passages = observed.prompt.all_passages;
  for (int64_t i = std::max<int64_t>(0, *tracked.place - 3); i < std::min(passages.size(), *tracked.place + 4); ++i) {
    const std::string token = with_valid_utf8(tokenizer.token_bytes(observed.prompt.tokens[passages.begin + i]));
    tracked.misplaced += i == *tracked.place ? "[" + token + "]" : token;
  }
  tracked.misplaced = observed.made.question + " > " + text + " > " + tracked.misplaced;
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
      items.push_back({facts.make_case(fact, setting, laboratory.seed), facts.facts[fact].subject, facts.relations[relation].name,
                       split, relation});
  }
  return items;
}

using MakeCase = std::optional<DataCase> (*)(const std::vector<nlohmann::json>&, size_t, Setting);

// Of the first `count` rows: the files are sorted by a hash of their subject.
std::vector<Item> data_items(const std::vector<nlohmann::json>& rows, int64_t count, MakeCase make,
                             const std::vector<Setting>& settings) {
  std::vector<Item> items;
  for (size_t row = 0; row < std::min(rows.size(), static_cast<size_t>(count)); ++row)
    for (const Setting setting : settings)
      if (auto made = make(rows, row, setting); made && !made->replacement.empty())
        items.push_back({*made, made->subject, made->kind});
  return items;
}

// A set of public data, read and checked.
struct PublicSet {
  std::string name;
  std::vector<Item> items;
  int64_t reply_tokens = kReplyTokens;
};

struct PublicData {
  std::vector<PublicSet> sets;
  std::vector<std::string> left_out;
};

PublicData public_data(const Laboratory& laboratory) {
  if (laboratory.data.empty()) return {.left_out = {"conflict, swap, read: no evaluation data was named (--data)"}};
  const std::filesystem::path& data = laboratory.data;
  const int64_t count = laboratory.sample(1 << 20, 8);
  const auto read_items = [](const std::filesystem::path& file, int64_t most) {
    return data_items(reading_rows(file), most, make_read_case, {Setting::kOwn, Setting::kSilent});
  };
  PublicData found;
  found.sets.push_back(
      {"conflict", data_items(conflict_rows(data / "conflict.jsonl").strict, count, make_conflict_case,
                              {Setting::kOwn, Setting::kDecoy, Setting::kBare, Setting::kSilent, Setting::kClosed})});
  found.sets.push_back({"swap", data_items(swap_rows(data / "swap.jsonl"), count, make_swap_case,
                                           {Setting::kOwn, Setting::kSilent, Setting::kClosed})});
  found.sets.push_back({"read", read_items(data / "read.jsonl", count), kLongReplyTokens});
  for (const std::string& language : std::vector<std::string>{"es", "zh"}) {
    const std::filesystem::path file = data / ("read." + language + ".jsonl");
    if (std::filesystem::exists(file))
      found.sets.push_back({"read." + language, read_items(file, laboratory.sample(kForeignRows, kQuickRows)), kLongReplyTokens});
    else
      found.left_out.push_back("read." + language + ": " + file.string() + " is missing");
  }
  return found;
}

void track_lives(const Laboratory& laboratory, Tracker& tracker) {
  if (!laboratory.biographies) return tracker.leave_out("biographies: the generator's file was not given");
  const std::vector<std::string> known = laboratory.biographies->languages();
  for (const std::string& language : std::vector<std::string>{"en", "es", "zh"}) {
    if (std::find(known.begin(), known.end(), language) == known.end()) continue;
    const int64_t count = language == "en" ? kLives : kForeignLives;
    tracker.track_biographies(language == "en" ? "biographies" : "biographies." + language, language,
                              laboratory.sample(count, kQuickRows));
  }
}

}  // namespace

TrackedSets track_answers(const Laboratory& laboratory) {
  PublicData data = public_data(laboratory);  // first: a bad row is found before anything is asked
  Tracker tracker(laboratory);
  tracker.track("own relations", own_items(laboratory));
  for (PublicSet& set : data.sets) tracker.track(set.name, std::move(set.items), set.reply_tokens);
  for (const std::string& why : data.left_out) tracker.leave_out(why);
  track_lives(laboratory, tracker);
  return tracker.take();
}

}  // namespace openbook::attribution
