#include "report/surgery_choice.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <numeric>

namespace openbook::attribution {
namespace {

// Of a book. Most of what the model reads it reads firmly; what it knows firmly is less, and hangs by the relation.
constexpr int64_t kOwnTrials = 150, kClosedTrials = 300;
constexpr double kFreeHarm = SurgeryGoal::kHarm / 2;  // less is within the noise of a hundred trials
constexpr int64_t kDepth = 10;                        // heads; as many random ones cost about what the goal allows
constexpr size_t kCandidates = 16;                    // of the pool stay in the race after the first head
constexpr size_t kScreened = 16;                      // heads that join the atlas's in the pool,
constexpr int64_t kScreenCases = 150;                 // by so many answers of either kind

// Mean of the book's trials.
double points_lost(const std::vector<RemovalTrial>& trials, Book book, const std::vector<std::string>& before,
                   const std::vector<std::string>& after) {
  double cases = 0, lost = 0;
  for (size_t i = 0; i < trials.size(); ++i) {
    if (trials[i].book != book) continue;
    cases += 1;
    lost += trials[i].points_lost(before[i], after[i]);
  }
  return cases > 0 ? lost / cases : 0;
}

struct Loss {
  double own = 0, closed = 0;
};

// How near a removal comes to taking one book's answers away and leaving the other's.
double score_of(const Loss& loss, Book lost) {
  const double fall = lost == Book::kOwn ? loss.own : loss.closed, harm = lost == Book::kOwn ? loss.closed : loss.own;
  return fall / SurgeryGoal::kFall - std::max(harm - kFreeHarm, 0.0) / SurgeryGoal::kHarm;
}

// Of every removal, from what is said with all heads.
std::vector<Loss> losses_of(const Laboratory& lab, const std::vector<RemovalTrial>& trials, const std::vector<std::string>& whole,
                            const std::vector<HeadSet>& removals, const std::string& stage) {
  std::vector<Loss> losses;
  for (const auto& after : say_without(lab, trials, removals, stage))
    losses.push_back({points_lost(trials, Book::kOwn, whole, after), points_lost(trials, Book::kClosed, whole, after)});
  return losses;
}

// Of every head of the model: what its removal takes, in points, from the probability of the right answer's first token.
std::vector<Loss> losses_of_probability(const Laboratory& lab, const std::vector<int32_t>& facts, const HeadSet& heads) {
  std::vector<HeadSet> removals = {{}};
  for (const engine::HeadId head : heads) removals.push_back({head});
  const auto of_book = [&](Setting setting, GivenAnswer given) {
    std::vector<NextToken> right;
    for (const ObservedCase* each : given_cases(lab, facts, setting, given, kScreenCases))
      right.push_back(first_answer_token(*each));
    const at::Tensor mean =
        log_probability_without(lab, right, removals, "choosing heads: each alone").exp().mean(1, false, at::kDouble);
    std::vector<double> lost;
    for (int64_t i = 1; i < mean.size(0); ++i) lost.push_back(100 * (mean[0] - mean[i]).item<double>());
    return lost;
  };
  const std::vector<double> own = of_book(Setting::kOwn, GivenAnswer::kDocument),
                            closed = of_book(Setting::kClosed, GivenAnswer::kMemory);
  std::vector<Loss> losses;
  for (size_t i = 0; i < heads.size(); ++i) losses.push_back({own[i], closed[i]});
  return losses;
}

// Indices of the scores, the largest first.
std::vector<size_t> best_first(const std::vector<double>& scores) {
  std::vector<size_t> order(scores.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return scores[a] > scores[b]; });
  return order;
}

class Choosing {
 public:
  Choosing(const Laboratory& lab, const std::vector<HeadOrder>& orders) : lab_(lab), orders_(orders) {
    facts_ = known_facts(lab, {Split::kFit, Split::kCalibrate}, lab.sample(0, 10));
    std::vector<RemovalTrial> all = removal_trials(lab, facts_, {Book::kOwn, Book::kClosed});
    for (const Book book : {Book::kOwn, Book::kClosed}) require_firm(all, book, "fit and calibrate");
    std::erase_if(all, [](const RemovalTrial& each) { return !each.firm; });
    for (const Book book : {Book::kOwn, Book::kClosed}) {
      std::vector<RemovalTrial> of_book;
      std::copy_if(all.begin(), all.end(), std::back_inserter(of_book),
                   [&](const RemovalTrial& each) { return each.book == book; });
      for (RemovalTrial& each : spread(of_book, book == Book::kOwn ? kOwnTrials : kClosedTrials))
        trials_.push_back(std::move(each));
    }
    whole_ = say_without(lab, trials_, {{}}, "choosing how many heads").front();
  }

  SurgeryChoice choose() {
    const HeadSet& in_context = named("in_context").heads;
    const HeadSet& parametric = named("parametric").heads;
    std::vector<HeadChoice> read = {{"difference score", in_context}}, recited = {{"difference score", parametric}};
    if (!lab_.quick) {
      read.push_back({"retrieval score", named("retrieval").heads});
      const HeadSet all = all_heads(lab_.model().config());
      const std::vector<Loss> alone = losses_of_probability(lab_, facts_, all);
      add_picked(read, pool_of(lab_.atlas->in_context, all, alone, Book::kOwn), Book::kOwn, "choosing in-context heads");
      add_picked(recited, pool_of(lab_.atlas->parametric, all, alone, Book::kClosed), Book::kClosed, "choosing parametric heads");
    }
    try_all(read, recited);
    return std::move(choice_);
  }

 private:
  const HeadOrder& named(const std::string& name) const {
    return *std::find_if(orders_.begin(), orders_.end(), [&](const HeadOrder& each) { return each.name == name; });
  }

  // The atlas's heads, and those of all whose removal alone scores best by the probability of the right answer.
  static HeadSet pool_of(HeadSet pool, const HeadSet& all, const std::vector<Loss>& alone, Book lost) {
    std::vector<double> scores;
    for (const Loss& loss : alone) scores.push_back(score_of(loss, lost));
    std::vector<size_t> order = best_first(scores);
    order.resize(std::min(order.size(), kScreened));
    for (const size_t each : order)
      if (std::find(pool.begin(), pool.end(), all[each]) == pool.end()) pool.push_back(all[each]);
    return pool;
  }

  void add_picked(std::vector<HeadChoice>& choices, const HeadSet& pool, Book lost, const std::string& stage) const {
    const PickedOrders picked = pick_orders(lab_, trials_, whole_, pool, lost, kDepth, stage);
    choices.push_back({"alone", picked.alone});
    choices.push_back({"cumulative", picked.together});
  }

  void try_all(const std::vector<HeadChoice>& read, const std::vector<HeadChoice>& recited) {
    const std::vector<int64_t> counts =
        lab_.quick ? std::vector<int64_t>{2, 3} : std::vector<int64_t>{1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
    RemovalList removals;
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
    const std::vector<Loss> losses = losses_of(lab_, trials_, whole_, removals.sets(), "choosing how many heads");

    const auto consider = [&](const std::vector<HeadChoice>& choices, const std::vector<std::vector<size_t>>& of_choices,
                              Book lost, HeadChoice& best) {
      for (size_t choice = 0; choice < choices.size(); ++choice)
        for (size_t i = 0; i < counts.size(); ++i) {
          const Loss& loss = losses[of_choices[choice][i]];
          Loss by_chance;
          for (const auto& of_random : random) {
            by_chance.own += losses[of_random[i]].own / static_cast<double>(random.size());
            by_chance.closed += losses[of_random[i]].closed / static_cast<double>(random.size());
          }
          choice_.tried.push_back({{"heads", lost == Book::kOwn ? "in_context" : "parametric"},
                                   {"order", choices[choice].order},
                                   {"count", counts[i]},
                                   {"open_book_lost", loss.own},
                                   {"closed_book_lost", loss.closed},
                                   {"random_open_book_lost", by_chance.own},
                                   {"random_closed_book_lost", by_chance.closed}});
          const bool allowed = std::max(by_chance.own, by_chance.closed) <= SurgeryGoal::kChance;
          const HeadChoice tried = {choices[choice].order, choices[choice].heads, counts[i], score_of(loss, lost), allowed};
          if (best.heads.empty() || std::pair(tried.allowed, tried.score) > std::pair(best.allowed, best.score)) best = tried;
        }
    };
    consider(read, of_read, Book::kOwn, choice_.in_context);
    consider(recited, of_recited, Book::kClosed, choice_.parametric);
  }

  const Laboratory& lab_;
  const std::vector<HeadOrder>& orders_;
  std::vector<int32_t> facts_;        // known, of fit and calibrate relations
  std::vector<RemovalTrial> trials_;  // of them, firm ones
  std::vector<std::string> whole_;    // what is said of them with all heads
  SurgeryChoice choice_;
};

}  // namespace

PickedOrders pick_orders(const Laboratory& lab, const std::vector<RemovalTrial>& trials, const std::vector<std::string>& whole,
                         const HeadSet& pool, Book lost, int64_t depth, const std::string& stage) {
  // By head of `added`, how good it is to remove it with `before`.
  const auto scores_with = [&](const HeadSet& before, const HeadSet& added) {
    std::vector<HeadSet> removals;
    for (const engine::HeadId head : added) {
      removals.push_back(before);
      removals.back().push_back(head);
    }
    std::vector<double> scores;
    for (const Loss& loss : losses_of(lab, trials, whole, removals, stage)) scores.push_back(score_of(loss, lost));
    return scores;
  };
  const std::vector<double> alone = scores_with({}, pool);
  PickedOrders picked;
  for (const size_t each : best_first(alone)) picked.alone.push_back(pool[each]);
  picked.together = first_of(picked.alone, 1);
  HeadSet candidates = first_of(picked.alone, kCandidates);
  while (static_cast<int64_t>(picked.together.size()) < std::min<int64_t>(depth, std::ssize(candidates))) {
    HeadSet added;
    for (const engine::HeadId head : candidates)
      if (std::find(picked.together.begin(), picked.together.end(), head) == picked.together.end()) added.push_back(head);
    const std::vector<double> scores = scores_with(picked.together, added);
    picked.together.push_back(added[std::max_element(scores.begin(), scores.end()) - scores.begin()]);
  }
  return picked;
}

SurgeryChoice choose_surgery(const Laboratory& lab, const std::vector<HeadOrder>& orders) {
  return Choosing(lab, orders).choose();
}

}  // namespace openbook::attribution
