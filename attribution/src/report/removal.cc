#include "report/removal.h"

#include <algorithm>
#include <cmath>
#include <random>

#include "batches.h"
#include "openbook/attribution/head_roles.h"
#include "openbook/base/error.h"
#include "openbook/base/words.h"
#include "openbook/engine/chat_template.h"
#include "report/data_cases.h"

namespace openbook::attribution {
namespace {

constexpr int64_t kMaxTokens = 20;  // the paper's, and those of the contrast cases

at::Tensor by_head(const std::vector<double>& scores, const HeadAtlas& atlas) {
  return at::tensor(scores, at::kDouble).view({atlas.layers, atlas.heads});
}

template <typename T>
bool among(const std::vector<T>& all, T each) {
  return std::find(all.begin(), all.end(), each) != all.end();
}

Setting setting_of(Book book) {
  return book == Book::kClosed ? Setting::kClosed : book == Book::kBare ? Setting::kBare : Setting::kOwn;
}

// The answer that is right in it.
GivenAnswer right_answer(Book book) {
  return book == Book::kOwn || book == Book::kBare ? GivenAnswer::kDocument : GivenAnswer::kMemory;
}

// The case in that book and wording.
ContrastCase asked_in(ContrastCase made, Book book, const std::string& question) {
  made.question = question;
  if (book == Book::kOriginal) made.passages = with_replaced(made.passages, made.document_answer, made.memory_answer);
  return made;
}

RemovalTrial trial_of(const Laboratory& lab, const engine::PromptBuilder& prompts, const ContrastCase& made, Book book) {
  RemovalTrial trial{.fact = made.fact,
                     .book = book,
                     .subject = lab.facts->facts[made.fact].subject,
                     .document_answer = made.document_answer,
                     .memory_answers = made.memory_aliases};
  trial.memory_answers.insert(trial.memory_answers.begin(), made.memory_answer);
  const engine::PromptRequest request{.passages = made.passages,
                                      .question = made.question,
                                      .style = book == Book::kBare ? engine::PromptStyle::kBare : engine::PromptStyle::kChat};
  trial.prompt = prompts.build(request, lab.model().config().max_positions - kMaxTokens).tokens;
  return trial;
}

// Of each case, whether the model gives that answer, with a first token that is likelier than all others together.
std::vector<bool> surely_gives(const Laboratory& lab, std::vector<ContrastCase> cases, const std::vector<GivenAnswer>& wanted) {
  const std::string stage = "facts that are firmly known";
  const auto total = static_cast<int64_t>(cases.size());
  const std::vector<ObservedCase> observed =
      CaseRunner(*lab.decoder)
          .answer(std::move(cases), {.max_tokens = kMaxTokens,
                                     .progress = [&](int64_t done) { lab.report(stage, done, total); },
                                     .cancellation = lab.cancellation});
  std::vector<NextToken> given;
  std::vector<size_t> of_case;
  for (size_t i = 0; i < observed.size(); ++i) {
    if (observed[i].given != wanted[i] || observed[i].answer.size() == 0) continue;
    given.push_back(first_answer_token(observed[i]));
    of_case.push_back(i);
  }
  const at::Tensor log_probability = log_probability_without(lab, given, {{}}, stage);
  std::vector<bool> sure(observed.size());
  for (size_t i = 0; i < given.size(); ++i)
    sure[of_case[i]] = log_probability[0][static_cast<int64_t>(i)].item<float>() > std::log(0.5f);
  return sure;
}

// Rows of a batch that are (removal, case) pairs, case running fastest.
std::vector<const HeadSet*> removed_in(const std::vector<size_t>& rows, const std::vector<HeadSet>& removals, size_t cases) {
  std::vector<const HeadSet*> removed;
  for (const size_t row : rows) removed.push_back(&removals[row / cases]);
  return removed;
}

}  // namespace

size_t RemovalList::add(HeadSet heads) {
  std::sort(heads.begin(), heads.end());
  const auto [found, fresh] = index_.try_emplace(std::move(heads), sets_.size());
  if (fresh) sets_.push_back(found->first);
  return found->second;
}

at::Tensor gains_without(const engine::Model& model, const std::vector<const HeadSet*>& removed) {
  at::Tensor gains = at::ones({static_cast<int64_t>(removed.size()), model.config().layers, model.config().heads}, at::kFloat);
  auto of_row = gains.accessor<float, 3>();
  for (size_t row = 0; row < removed.size(); ++row)
    for (const engine::HeadId head : *removed[row]) {
      engine::require_head(head, model.config());
      of_row[static_cast<int64_t>(row)][head.layer][head.head] = 0;
    }
  return gains.to(model.device());
}

std::vector<HeadOrder> removal_orders(const HeadAtlas& atlas, int64_t random_orders, uint64_t seed) {
  const at::Tensor difference = by_head(atlas.difference_score, atlas), task = by_head(atlas.task_score, atlas),
                   retrieval = by_head(atlas.retrieval_score, atlas);
  const int64_t all = atlas.layers * atlas.heads;
  std::vector<HeadOrder> orders = {{"in_context", "in_context", largest(difference, all)},
                                   {"retrieval", "retrieval", largest(retrieval, all)},
                                   {"task", "task", largest(task, all)},
                                   {"parametric", "parametric", smallest(difference, all)},
                                   {"least", "least", smallest(difference.abs() + task + retrieval, all)}};
  for (int64_t i = 1; i <= random_orders; ++i) {
    std::seed_seq sequence{seed, static_cast<uint64_t>(i)};
    std::mt19937_64 random(sequence);
    HeadSet heads = orders[0].heads;
    std::sort(heads.begin(), heads.end());
    for (size_t left = heads.size(); left > 1; --left) std::swap(heads[left - 1], heads[random() % left]);
    orders.push_back({"random " + std::to_string(i), "random", std::move(heads)});
  }
  return orders;
}

HeadSet first_of(const HeadSet& order, int64_t count) {
  return {order.begin(), order.begin() + std::min<int64_t>(count, static_cast<int64_t>(order.size()))};
}

std::string book_name(Book book) {
  switch (book) {
    case Book::kOwn:
      return "own";
    case Book::kOriginal:
      return "original";
    case Book::kBare:
      return "bare";
    case Book::kClosed:
      return "closed";
  }
  return "own";
}

bool RemovalTrial::right(const std::string& said) const {
  return given_answer(said, document_answer, memory_answers) == right_answer(book);
}

bool RemovalTrial::answered(const std::string& said) const {
  return given_answer(said, document_answer, memory_answers) != GivenAnswer::kNeither;
}

double RemovalTrial::points_lost(const std::string& before, const std::string& after) const {
  return 100.0 * (right(before) - right(after));
}

std::vector<int32_t> known_facts(const Laboratory& lab, const std::vector<Split>& splits, int64_t most) {
  std::vector<int32_t> facts;
  for (const int32_t fact : lab.runs->known)
    if (among(splits, lab.facts->relations[lab.facts->facts[fact].relation].split)) facts.push_back(fact);
  return most > 0 ? spread(facts, most) : facts;
}

std::vector<RemovalTrial> removal_trials(const Laboratory& lab, const std::vector<int32_t>& facts,
                                         const std::vector<Book>& books) {
  const engine::PromptBuilder prompts(lab.model().tokenizer(), engine::read_chat_template(lab.model().folder()));
  std::map<std::pair<int32_t, Setting>, const ContrastCase*> made;
  for (const ObservedCase& each : lab.runs->observed) made[{each.made.fact, each.made.setting}] = &each.made;
  std::vector<RemovalTrial> trials;
  std::vector<ContrastCase> otherwise;  // the trials in every other wording
  std::vector<GivenAnswer> wanted;      // of each `otherwise`
  std::vector<size_t> of_trial;
  for (const int32_t fact : facts)
    for (const Book book : books) {
      const Setting setting = setting_of(book);
      const auto found = made.find({fact, setting});
      if (found == made.end()) continue;
      const std::vector<std::string> wordings = lab.facts->questions(fact, setting);
      const size_t known_by = std::find(wordings.begin(), wordings.end(), found->second->question) - wordings.begin();
      const size_t asked = (known_by + 1) % wordings.size();
      trials.push_back(trial_of(lab, prompts, asked_in(*found->second, book, wordings[asked]), book));
      for (size_t i = 0; i < wordings.size(); ++i) {
        if (i == asked) continue;
        otherwise.push_back(asked_in(*found->second, book, wordings[i]));
        wanted.push_back(right_answer(book));
        of_trial.push_back(trials.size() - 1);
      }
    }
  for (const size_t trial : of_trial) trials[trial].firm = true;  // what is never asked otherwise is not
  const std::vector<bool> sure = surely_gives(lab, std::move(otherwise), wanted);
  for (size_t i = 0; i < sure.size(); ++i)
    if (!sure[i]) trials[of_trial[i]].firm = false;
  return trials;
}

void require_firm(const std::vector<RemovalTrial>& trials, Book book, const std::string& relations) {
  const auto of_book = [&](const RemovalTrial& each) { return each.book == book; };
  if (std::any_of(trials.begin(), trials.end(), [&](const RemovalTrial& each) { return of_book(each) && each.firm; })) return;
  const std::string where = book == Book::kClosed ? "asked without a document" : "asked with the fact's document";
  throw Error(
      Code::kFailedPrecondition,
      "surgery: of " + std::to_string(std::count_if(trials.begin(), trials.end(), of_book)) + " facts of the " + relations +
          " relations, " + where + ", the model is sure of none in every wording of the question: nothing can be taken away",
      book == Book::kClosed ? "Add facts that the model knows well to facts.tsv, and two wordings or more of every question."
                            : "Use a model that follows documents, and two wordings or more of every question.");
}

std::vector<std::vector<std::string>> say_without(const Laboratory& lab, const std::vector<RemovalTrial>& trials,
                                                  const std::vector<HeadSet>& removals, const std::string& stage) {
  if (trials.empty()) return std::vector<std::vector<std::string>>(removals.size());
  std::vector<std::vector<engine::TokenId>> prompts;
  for (size_t removal = 0; removal < removals.size(); ++removal)
    for (const RemovalTrial& trial : trials) prompts.push_back(trial.prompt);
  const auto total = static_cast<int64_t>(prompts.size());
  const std::vector<std::string> texts = say_all(
      *lab.decoder, prompts,
      {.max_tokens = kMaxTokens,
       .edits =
           [&](const std::vector<size_t>& rows) {
             return engine::BatchEdits{.gains = gains_without(lab.model(), removed_in(rows, removals, trials.size()))};
           },
       .done = [&](size_t row, const std::string& text) { return trials[row % trials.size()].answered(with_valid_utf8(text)); },
       .progress = [&](int64_t done) { lab.report(stage, done, total); },
       .cancellation = lab.cancellation});
  std::vector<std::vector<std::string>> said;
  for (size_t removal = 0; removal < removals.size(); ++removal)
    said.emplace_back(texts.begin() + static_cast<int64_t>(removal * trials.size()),
                      texts.begin() + static_cast<int64_t>((removal + 1) * trials.size()));
  return said;
}

NextToken first_answer_token(const ObservedCase& observed) {
  NextToken next{observed.prompt.tokens, observed.said.at(observed.answer.begin)};
  next.tokens.insert(next.tokens.end(), observed.said.begin(), observed.said.begin() + observed.answer.begin);
  return next;
}

at::Tensor log_probability_without(const Laboratory& lab, const std::vector<NextToken>& cases,
                                   const std::vector<HeadSet>& removals, const std::string& stage) {
  const auto count = static_cast<int64_t>(cases.size()), sets = static_cast<int64_t>(removals.size());
  if (count == 0) return at::zeros({sets, 0});
  std::vector<size_t> lengths;
  for (size_t row = 0; row < cases.size() * removals.size(); ++row) lengths.push_back(cases[row % cases.size()].tokens.size());
  std::vector<int64_t> order;
  std::vector<at::Tensor> log_probabilities;  // on the device until the end: a copy would wait for it
  for (const std::vector<size_t>& rows : batches_of(lengths, lab.model().device())) {
    lab.check();
    std::vector<std::vector<engine::TokenId>> prompts;
    std::vector<int64_t> next;
    for (const size_t row : rows) {
      const NextToken& each = cases[row % cases.size()];
      prompts.push_back(each.tokens);
      next.push_back(each.next);
      order.push_back(static_cast<int64_t>(row));
    }
    const engine::BatchSession batch(*lab.decoder, prompts, 0,
                                     {.edits = {.gains = gains_without(lab.model(), removed_in(rows, removals, cases.size()))}});
    const at::Tensor ids = at::tensor(next, at::kLong).to(lab.model().device()).unsqueeze(1);
    log_probabilities.push_back(batch.logits().gather(1, ids).squeeze(1) - batch.logits().logsumexp(1));
    lab.report(stage, static_cast<int64_t>(order.size()), static_cast<int64_t>(lengths.size()));
  }
  const at::Tensor joined = at::cat(log_probabilities).to(at::kCPU, at::kFloat);
  return at::empty({count * sets}).index_copy_(0, at::tensor(order, at::kLong), joined).view({sets, count});
}

std::vector<const ObservedCase*> given_cases(const Laboratory& lab, const std::vector<int32_t>& facts, Setting setting,
                                             GivenAnswer given, int64_t most) {
  std::vector<const ObservedCase*> cases;
  for (const ObservedCase& each : lab.runs->observed)
    if (each.made.setting == setting && each.given == given && among(facts, each.made.fact)) cases.push_back(&each);
  return spread(cases, most);
}

}  // namespace openbook::attribution
