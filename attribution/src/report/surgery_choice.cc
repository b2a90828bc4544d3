#include "report/surgery_choice.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace openbook::attribution {
namespace {

constexpr int64_t kDepth = 6;       // more heads than that break a small model whichever they are
constexpr int64_t kPickedOn = 144;  // cases of a setting; on 48 the order did not carry over to other relations
constexpr size_t kCandidates = 16;  // of the pool stay in the race after the first head

std::vector<NextToken> next_tokens(const std::vector<const ObservedCase*>& cases) {
  std::vector<NextToken> tokens;
  for (const ObservedCase* each : cases) tokens.push_back(first_answer_token(*each));
  return tokens;
}

// By removal, how good it is to have removed it.
std::vector<double> removal_scores(const Laboratory& lab, const std::vector<NextToken>& lost, const std::vector<NextToken>& kept,
                                   const std::vector<HeadSet>& removals, const std::string& stage) {
  std::vector<NextToken> cases = lost;
  cases.insert(cases.end(), kept.begin(), kept.end());
  const NextTokenScores scores = score_without(lab, cases, removals, stage);
  const auto split = static_cast<int64_t>(lost.size()), rest = static_cast<int64_t>(kept.size());
  const auto mean = [](const at::Tensor& part) { return part.size(1) > 0 ? part.mean(1) : at::zeros({part.size(0)}); };
  const at::Tensor fallen = 1 - mean(scores.first.narrow(1, 0, split)), harmed = 1 - mean(scores.first.narrow(1, split, rest));
  const at::Tensor likelier = mean(scores.log_probability.narrow(1, 0, split));  // tells apart what falls alike
  const at::Tensor total =
      (100 * (fallen / SurgeryGoal::kFall - harmed / SurgeryGoal::kHarm) - 1e-3 * likelier).to(at::kDouble).contiguous();
  return {total.data_ptr<double>(), total.data_ptr<double>() + total.numel()};
}

// The choice's cases under one removal, in points lost.
struct Loss {
  double own = 0, closed = 0;
};

Loss loss_of(const std::vector<RemovalTrial>& trials, const std::vector<std::string>& before,
             const std::vector<std::string>& after) {
  double cases[2] = {0, 0}, lost[2] = {0, 0};
  for (size_t i = 0; i < trials.size(); ++i) {
    if (!trials[i].right(before[i])) continue;
    const int closed = trials[i].book == Book::kClosed;
    cases[closed] += 1;
    lost[closed] += !trials[i].right(after[i]);
  }
  const auto points = [&](int book) { return cases[book] > 0 ? 100 * lost[book] / cases[book] : 0; };
  return {points(0), points(1)};
}

class Choosing {
 public:
  Choosing(const Laboratory& lab, const std::vector<HeadOrder>& orders)
      : lab_(lab), orders_(orders), facts_(firmly_known(lab, known_facts(lab, {Split::kFit, Split::kCalibrate}))) {}

  SurgeryChoice choose() {
    const HeadSet& in_context = named("in_context").heads;
    const HeadSet& parametric = named("parametric").heads;
    std::vector<HeadChoice> read = {{"difference score", in_context}}, recited = {{"difference score", parametric}};
    if (!lab_.quick) {
      const auto open = next_tokens(given_cases(lab_, facts_, Setting::kOwn, GivenAnswer::kDocument, kPickedOn));
      const auto closed = next_tokens(given_cases(lab_, facts_, Setting::kClosed, GivenAnswer::kMemory, kPickedOn));
      read.push_back({"retrieval score", named("retrieval").heads});
      add_picked(read, lab_.atlas->in_context, open, closed, "choosing in-context heads");
      add_picked(recited, lab_.atlas->parametric, closed, open, "choosing parametric heads");
    }
    try_all(read, recited);
    return std::move(choice_);
  }

 private:
  const HeadOrder& named(const std::string& name) const {
    return *std::find_if(orders_.begin(), orders_.end(), [&](const HeadOrder& each) { return each.name == name; });
  }

  void add_picked(std::vector<HeadChoice>& choices, const HeadSet& pool, const std::vector<NextToken>& lost,
                  const std::vector<NextToken>& kept, const std::string& stage) {
    const PickedOrders picked = pick_orders(lab_, pool, lost, kept, kDepth, stage);
    choices.push_back({"alone", picked.alone});
    choices.push_back({"cumulative", picked.together});
  }

  void try_all(const std::vector<HeadChoice>& read, const std::vector<HeadChoice>& recited) {
    const std::vector<int64_t> counts = lab_.quick ? std::vector<int64_t>{2, 3} : std::vector<int64_t>{1, 2, 3, 4, 5, 6};
    RemovalList removals;
    removals.add({});
    const auto add = [&](const HeadSet& order) {
      std::vector<size_t> by_count;
      for (const int64_t count : counts) by_count.push_back(removals.add(first_of(order, count)));
      return by_count;
    };
    std::vector<std::vector<size_t>> random, of_read, of_recited;  // [order][count]
    for (const HeadOrder& order : orders_)
      if (order.color == "random") random.push_back(add(order.heads));
    for (const HeadChoice& each : read) of_read.push_back(add(each.heads));
    for (const HeadChoice& each : recited) of_recited.push_back(add(each.heads));
    const std::vector<RemovalTrial> trials = removal_trials(lab_, facts_, {Book::kOwn, Book::kClosed}, lab_.sample(288, 5));
    const auto said = say_without(lab_, trials, removals.sets(), "choosing how many heads");
    std::vector<Loss> losses;
    for (const auto& after : said) losses.push_back(loss_of(trials, said[0], after));

    const auto consider = [&](const std::vector<HeadChoice>& choices, const std::vector<std::vector<size_t>>& of_choices,
                              bool reading, HeadChoice& best) {
      best.slack = -INFINITY;
      for (size_t choice = 0; choice < choices.size(); ++choice)
        for (size_t i = 0; i < counts.size(); ++i) {
          const Loss& loss = losses[of_choices[choice][i]];
          Loss by_chance;
          for (const auto& of_random : random) {
            by_chance.own += losses[of_random[i]].own / static_cast<double>(random.size());
            by_chance.closed += losses[of_random[i]].closed / static_cast<double>(random.size());
          }
          const double fall = reading ? loss.own : loss.closed, harm = reading ? loss.closed : loss.own;
          const double slack = std::min(fall - SurgeryGoal::kFall, SurgeryGoal::kHarm - harm);
          choice_.tried.push_back({{"heads", reading ? "in_context" : "parametric"},
                                   {"order", choices[choice].order},
                                   {"count", counts[i]},
                                   {"open_book_lost", loss.own},
                                   {"closed_book_lost", loss.closed},
                                   {"random_open_book_lost", by_chance.own},
                                   {"random_closed_book_lost", by_chance.closed}});
          if (slack > best.slack) best = {choices[choice].order, choices[choice].heads, counts[i], slack};
        }
    };
    consider(read, of_read, true, choice_.in_context);
    consider(recited, of_recited, false, choice_.parametric);
  }

  const Laboratory& lab_;
  const std::vector<HeadOrder>& orders_;
  const std::vector<int32_t> facts_;
  SurgeryChoice choice_;
};

}  // namespace

PickedOrders pick_orders(const Laboratory& lab, const HeadSet& pool, const std::vector<NextToken>& lost,
                         const std::vector<NextToken>& kept, int64_t depth, const std::string& stage) {
  std::vector<HeadSet> removals;
  for (const engine::HeadId head : pool) removals.push_back({head});
  const std::vector<double> alone = removal_scores(lab, lost, kept, removals, stage);
  std::vector<size_t> order(pool.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return alone[a] > alone[b]; });
  PickedOrders picked;
  for (const size_t each : order) picked.alone.push_back(pool[each]);
  picked.together = first_of(picked.alone, 1);
  HeadSet candidates = first_of(picked.alone, kCandidates);
  while (static_cast<int64_t>(picked.together.size()) < std::min<int64_t>(depth, static_cast<int64_t>(candidates.size()))) {
    removals.clear();
    HeadSet added;
    for (const engine::HeadId head : candidates) {
      if (std::find(picked.together.begin(), picked.together.end(), head) != picked.together.end()) continue;
      removals.push_back(picked.together);
      removals.back().push_back(head);
      added.push_back(head);
    }
    const std::vector<double> scores = removal_scores(lab, lost, kept, removals, stage);
    picked.together.push_back(added[std::max_element(scores.begin(), scores.end()) - scores.begin()]);
  }
  return picked;
}

SurgeryChoice choose_surgery(const Laboratory& lab, const std::vector<HeadOrder>& orders) {
  return Choosing(lab, orders).choose();
}

}  // namespace openbook::attribution
