// An AUC as one of a part's figures. It says nothing without the size of either class: label and estimate name both.
#pragma once

#include <algorithm>
#include <string>

#include "report/experiment.h"
#include "report/statistics.h"

namespace openbook::attribution {

// What the cases that a score should be high for are called, and the others.
struct ClassNames {
  std::string positive = "copied", negative = "recited";
};

inline int64_t count_positive(const std::vector<ClusteredScore>& cases) {
  return std::count_if(cases.begin(), cases.end(), [](const ClusteredScore& each) { return each.positive; });
}

inline Json auc_figure(const std::string& name, const std::string& label, const std::vector<ClusteredScore>& cases,
                       const std::string& goal = "", const std::string& paper = "", const ClassNames& names = {}) {
  const int64_t positive = count_positive(cases), negative = static_cast<int64_t>(cases.size()) - positive;
  Json estimate = auc_of(cases).to_json();
  estimate[names.positive] = positive;
  estimate[names.negative] = negative;
  return figure(name,
                label + " (" + std::to_string(positive) + " " + names.positive + ", " + std::to_string(negative) + " " +
                    names.negative + ")",
                estimate, goal, paper);
}

}  // namespace openbook::attribution
