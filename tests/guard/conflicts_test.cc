// Passages that contradict what an answer cites.
#include "answer/conflicts.h"

#include <gmock/gmock.h>

#include "answer/append.h"
#include "guard/ground.h"

namespace openbook::guard {
namespace {

using test::Ground;
using testing::ElementsAre;
using testing::IsEmpty;

// "2.8 / 3.1": what the cited sentence says, and what another one does.
std::vector<std::string> conflicts(const std::vector<std::string>& texts, const std::string& said) {
  std::vector<Passage> passages;
  for (size_t i = 0; i < texts.size(); ++i) passages.push_back(whole_document("d" + std::to_string(i), texts[i]));
  const Ground ground("What of the Heron kayak?", passages, -1);
  const Spoken spoken = test::speak({{said, 0}}, ground.prompt);
  Answer answer;
  answer.passages = ground.prompt.passages;
  append_to(answer, spoken, judge_by_quote(spoken, ground.context()), ground.read, Delivery::kDelivered, false, {});
  std::vector<std::string> lines;
  for (const Conflict& conflict : find_conflicts(answer, ground.context())) {
    EXPECT_EQ(conflict.sentence_text, text_at(answer.passages.at(conflict.passage), conflict.sentence));
    lines.push_back(conflict.said + " / " + conflict.other);
  }
  return lines;
}

TEST(Conflicts, AreAnotherNumberDayOrNameInASentenceThatIsBuiltAlike) {
  EXPECT_THAT(conflicts({"The Heron kayak weighs 21 kg.", "Sheet 2. The Heron kayak weighs 23 kg."}, "It weighs 21 kg."),
              ElementsAre("21 / 23"));
  EXPECT_THAT(conflicts({"The Heron kayak was launched on 3 May 2019.", "The Heron kayak was launched on 2019-06-03."},
                        "It was launched on 3 May 2019."),
              testing::SizeIs(1));
  EXPECT_THAT(conflicts({"The Heron kayak was designed by Ada.", "The Heron kayak was designed by Bea."}, "It was designed by Ada."),
              ElementsAre("Ada / Bea"));
}

TEST(Conflicts, AreNoneWhereTheSentencesAgreeOrSpeakOfSomethingElse) {
  const std::string cited = "The Heron kayak weighs 21 kg.";
  for (const char* other : {"The Heron kayak weighs 21 kg.", "The Heron kayak weighs 21.0 kg, empty and without its seat.",
                            "The Tern kayak of Marlow weighs 30 kg.", "The Heron kayak costs 900 crowns.", "The kayak is blue.",
                            "The Heron kayak weighs little."})
    EXPECT_THAT(conflicts({cited, other}, "It weighs 21 kg."), IsEmpty()) << other;
  EXPECT_THAT(conflicts({cited + " The Heron kayak weighs 23 kg."}, "It weighs 21 kg."), IsEmpty()) << "one document";
}

}  // namespace
}  // namespace openbook::guard
