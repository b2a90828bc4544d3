// Ways to tell copied answers from recited ones, openbook's probe first, and the answers that they are compared on.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "report/statistics.h"
#include "report/tracked_answers.h"

namespace openbook::attribution {

using Answers = std::vector<const TrackedAnswer*>;
// How likely a method holds an answer to be copied; the larger, the likelier.
using Score = std::function<double(const TrackedAnswer&)>;

struct Method {
  std::string name;
  Score score;
};

// openbook's probe, exact string match, then the published baselines; what they fit is fitted on own relations' fit split. Those
// behind the first two need signals.
std::vector<Method> methods_of(const Laboratory& laboratory, const TrackedSets& sets);

// Answers of a set in a setting (nothing: all settings) that have a label.
Answers answers_of(const TrackedSets& sets, const std::string& set, std::optional<Setting> setting, Split split = Split::kTest);

// Whether there were passages to read signals from.
inline bool has_signals(const TrackedAnswer& answer) { return !answer.signals.lookback.empty(); }

std::vector<ClusteredScore> scored(const Answers& answers, const Score& score, bool need_signals);

}  // namespace openbook::attribution
