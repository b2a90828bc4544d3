// Which dose a sweep chooses, from answers that are written down here.
#include "dose_sweep.h"

#include <gtest/gtest.h>

namespace openbook::attribution {
namespace {

constexpr GivenAnswer D = GivenAnswer::kDocument, M = GivenAnswer::kMemory, N = GivenAnswer::kNeither;
constexpr int64_t kProbeHeads = 2;

std::vector<engine::HeadId> heads_of(int32_t layer, int32_t count) {
  std::vector<engine::HeadId> heads;
  for (int32_t head = 0; head < count; ++head) heads.push_back({layer, head});
  return heads;
}

// `documents` of a hundred cases give the document's answer, the first ones; the others give memory's.
std::vector<GivenAnswer> answers(int documents) {
  std::vector<GivenAnswer> given(100, M);
  std::fill_n(given.begin(), documents, D);
  return given;
}

template <typename Answers>
SteeringDose swept(const Answers& answers_under) {
  std::map<std::string, std::string> record;
  const SteeringDose best = sweep_dose(
      heads_of(1, 6), heads_of(2, 12), kProbeHeads,
      [&](const SteeringDose& dose, const std::string&) { return answers_under(dose); }, record);
  EXPECT_EQ(record.size(), 11u);  // none, four biases on two counts of heads, two gains
  return best;
}

TEST(DoseSweep, NoDoseWhereNoneHelps) {
  const SteeringDose best = swept([](const SteeringDose&) { return answers(90); });
  EXPECT_TRUE(best.retrieval_heads.empty());
  EXPECT_TRUE(best.parametric_heads.empty());
}

TEST(DoseSweep, TheWeakestOfThoseThatNoiseCantTellApart) {
  const SteeringDose best = swept([](const SteeringDose& dose) {
    std::vector<GivenAnswer> given = answers(dose.bias < 2 ? 40 : 90);
    if (dose.bias == 4) {  // four answers more, three others less
      std::fill_n(given.begin() + 90, 4, D);
      std::fill_n(given.begin(), 3, M);
    }
    return given;
  });
  EXPECT_EQ(best.bias, 2);
  EXPECT_EQ(best.retrieval_heads, heads_of(1, kProbeHeads));
  EXPECT_EQ(best.gain, 1);
}

TEST(DoseSweep, AStrongerOneThatIsPlainlyBetter) {
  const SteeringDose best = swept([](const SteeringDose& dose) {
    return answers(40 + 10 * static_cast<int>(dose.bias) + (dose.retrieval_heads.size() > 2 ? 5 : 0) +
                   (dose.gain == 0.25f ? 5 : 0));
  });
  EXPECT_EQ(best.bias, 4);
  EXPECT_EQ(best.retrieval_heads, heads_of(1, 2 * kProbeHeads));
  EXPECT_EQ(best.gain, 0.25f);
  EXPECT_EQ(best.parametric_heads, heads_of(2, 10));
}

TEST(DoseSweep, AnAnswerOfMemoryCountsAgainstADose) {
  const SteeringDose best = swept([](const SteeringDose& dose) {
    std::vector<GivenAnswer> given(100, D);
    std::fill_n(given.begin(), 30, dose.bias == 1 ? N : M);  // as many of the document's under every dose
    return given;
  });
  EXPECT_EQ(best.bias, 1);
}

}  // namespace
}  // namespace openbook::attribution
