// The contrast set run through a model: which facts it knows, what it said of them in every setting, and the labels by cause.
#pragma once

#include "case_runner.h"
#include "openbook/attribution/atlas_builder.h"

namespace openbook::attribution {

inline constexpr Setting kContrastSettings[] = {Setting::kOwn,    Setting::kDecoy, Setting::kBare,
                                                Setting::kSilent, Setting::kOther, Setting::kClosed};

struct LabelledCase {
  const ObservedCase* observed;
  bool copied;  // by cause
  Split split;
};

struct ContrastRuns {
  std::vector<int32_t>
      known;  // facts that the model answers closed-book, less those whose object it also gives for a subject that does not exist
  std::vector<ObservedCase> observed;  // of the known facts, in every setting, all heads observed
  std::vector<LabelledCase> labelled;  // those with a label; they point into `observed`

  ContrastRuns() = default;
  ContrastRuns(ContrastRuns&&) = default;
  ContrastRuns& operator=(ContrastRuns&&) = default;
  ContrastRuns(const ContrastRuns&) = delete;
  ContrastRuns& operator=(const ContrastRuns&) = delete;
};

struct ContrastRunOptions {
  int64_t max_facts = 0;  // 0: all; spread over the relations
  uint64_t seed = 1;
};

ContrastRuns run_contrast_set(const CaseRunner& runner, const ContrastSet& set, const ContrastRunOptions& options,
                              const Progress& progress, const Cancellation* cancellation);

}  // namespace openbook::attribution
