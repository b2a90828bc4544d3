// How many heads of which order to remove, so that one source of answers is lost and the other is not: chosen on fit and
// calibrate relations alone.
#pragma once

#include "report/removal.h"

namespace openbook::attribution {

// What surgery is to reach, in points of accuracy.
struct SurgeryGoal {
  static constexpr double kFall = 50, kHarm = 8, kChance = 10;  // kChance: of as many random heads, at most
};

struct HeadChoice {
  std::string order;     // how it was made: "difference score", "alone", "cumulative", ...
  HeadSet heads;         // the order
  int64_t count = 0;     // of them to remove
  double score = 0;      // pick_orders' of removing them, on the choice's cases
  bool allowed = false;  // as many random heads cost no more than the goal allows there
};

struct SurgeryChoice {
  HeadChoice in_context, parametric;
  Json tried;  // every order and count with its figures, in points
};

// Orders that are tried: the atlas's and, unless quick, retrieval heads for in-context ones, and two of a pool: by what each head
// loses alone and by what it loses together with those before it. The pool is the atlas's heads of the role and the 16 of all
// heads whose removal scores best by the probability of the right answer's first token. Of orders and counts, up to ten heads,
// the one with the best score of pick_orders wins, of those where as many random heads cost no more than the goal allows, if
// there are any. `orders` are removal_orders'.
SurgeryChoice choose_surgery(const Laboratory& lab, const std::vector<HeadOrder>& orders);

// Heads of `pool`, best first: `alone` by the score of removing each of them only, `together` by that of removing it with all
// before it, up to `depth`. The score is the fall of accuracy in trials of the book `lost` (kOwn or kClosed), over the goal's
// fall, less that in those of the other, where it is more than half of the goal's harm, over that harm. `whole`: what is said of
// the trials with all heads.
struct PickedOrders {
  HeadSet alone, together;
};
PickedOrders pick_orders(const Laboratory& lab, const std::vector<RemovalTrial>& trials, const std::vector<std::string>& whole,
                         const HeadSet& pool, Book lost, int64_t depth, const std::string& stage);

}  // namespace openbook::attribution
