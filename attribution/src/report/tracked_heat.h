// Charts of where the localizer looks for some answers' first tokens: a few, of different kinds, chosen by a rule.
//
// Not thread-safe. The first fitting answer offered takes each of five places, so that the same answers in the same order give
// the same charts: two of conflict with different relations, one of swap or read, one Spanish or Chinese, and one that was
// recited in front of a document, where nothing should light up.
#pragma once

#include <string>
#include <vector>

#include "case_runner.h"
#include "report/experiment.h"

namespace openbook::attribution {

struct HeatOffer {
  std::string set, kind;  // the answer's relation, type or fact
  std::string answer;
  bool copied = false;
  double probability_copied = 0;
};

class HeatTexts {
 public:
  // `attention` is the localizer's, over the passages' tokens.
  void offer(const HeatOffer& offered, const ObservedCase& observed, const std::vector<float>& attention,
             const engine::Tokenizer& tokenizer);

  // The charts, in the order above. One scale for all, or a recited answer's faint traces would look like a place.
  Json charts() const;

 private:
  struct Shaded {
    std::string text;  // whole characters: of several tokens where they share one
    float attention;
  };
  struct Chosen {
    size_t place;
    std::string title, kind, question;
    std::vector<Shaded> tokens;
  };
  static std::vector<Shaded> shaded(const ObservedCase& observed, const std::vector<float>& attention,
                                    const engine::Tokenizer& tokenizer);

  std::vector<Chosen> chosen_;
};

}  // namespace openbook::attribution
