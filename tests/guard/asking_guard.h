// A Guard over a hand-written model is asked about Norway, and what it tried is told line by line.
#pragma once

#include <string>
#include <vector>

#include "guard/reading_guard.h"

namespace openbook::test {

// What the capital llamas say, begun for them; steered, which is not begun, they say it with a space.
inline const std::string kSaid = "The capital of Norway is ", kSteered = " " + kSaid;

class AskingGuardTest : public ReadingGuardTest {
 protected:
  Answer ask(const ReadingLlama& model, const std::vector<std::string>& texts, const Policy& policy = {},
             const AskOptions& ask = {}) const {
    GuardOptions options = this->options(model);
    options.policy = policy;
    return Guard::open(options)->ask(kQuestion, documents(texts), ask);
  }
  static std::vector<std::string> tried(const Answer& answer) {
    std::vector<std::string> lines;
    for (const Attempt& attempt : answer.trace) lines.push_back(attempt.what + ": " + attempt.outcome);
    return lines;
  }
};

}  // namespace openbook::test
