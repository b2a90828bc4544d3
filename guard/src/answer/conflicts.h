// Passages that contradict each other: the answer rests on one sentence, and another passage says the same of the same thing with
// another number, day or name.
//
// Two sentences are compared when they are built alike: apart from one value (openbook/base/values.h) or one name, each holds the
// other's words that claim something, and what is not said again is at most a fifth of them. Sentences of one section are not
// compared, nor is what is not on the question's topic. Thread-safe.
#pragma once

#include <vector>

#include "judge/judge.h"

namespace openbook::guard {

// The conflicts of the answer's citations with other passages, each pair once.
std::vector<Conflict> find_conflicts(const Answer& answer, const JudgeContext& context);

}  // namespace openbook::guard
