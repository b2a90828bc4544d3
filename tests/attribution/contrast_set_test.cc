#include "openbook/attribution/contrast_set.h"

#include <set>

#include "base/test_support.h"
#include "openbook/base/utf8.h"
#include "openbook/base/words.h"

namespace openbook::attribution {
namespace {

const ContrastSet& shipped() {
  static const ContrastSet set = ContrastSet::load(test::source_folder() / "attribution/data");
  return set;
}

std::string all_text(const ContrastCase& made) {
  std::string text;
  for (const Passage& passage : made.passages) text += passage.text + "\n";
  return text;
}

TEST(ContrastSet, NoSubjectStandsInEvaluationData) {
  std::set<std::string> evaluated;
  for (const char* name : {"conflict.jsonl", "facts.jsonl"}) {
    const auto file = test::evaluation_data(name);
    if (!file) GTEST_SKIP() << name << " is not beside the checkout";
    for (const auto& row : test::read_json_lines(*file)) evaluated.insert(fold_case(row["subject"].get<std::string>()));
  }
  for (const Fact& fact : shipped().facts) EXPECT_FALSE(evaluated.contains(fold_case(fact.subject))) << fact.subject;
}

// Articles whose title is a subject of the facts, which can't be changed: the shipped atlas was made from them. They do no harm
// as long as nobody asks for the fact. The university's rows ask for other things than its city, and one "Mustang" is a horse.
// The row on Ecuador asks where it is, and one fact says on which continent; of the unanswerable data only whether it was
// answered is counted.
TEST(ContrastSet, TitlesOfEvaluationDataAreNoSubjectsButForThreeThatAreKnown) {
  std::set<std::string> found;
  const auto look_up = [&](const std::string& title, const std::string& answer) {
    for (const Fact& fact : shipped().facts) {
      if (fold_case(fact.subject) != fold_case(title)) continue;
      found.insert(title);
      EXPECT_FALSE(holds_words(answer, fact.object)) << title << ": " << answer;
    }
  };
  for (const char* name : {"read.jsonl", "swap.jsonl", "unanswerable.jsonl"}) {
    const auto file = test::evaluation_data(name);
    if (!file) GTEST_SKIP() << name << " is not beside the checkout";
    for (const auto& row : test::read_json_lines(*file)) {
      if (row.contains("title")) look_up(row["title"], row.value("answer", row.value("original_answer", "")));
      if (row.contains("passages"))
        for (const auto& passage : row["passages"]) look_up(passage["title"], "");
    }
  }
  EXPECT_EQ(found, (std::set<std::string>{"Ecuador", "Harvard University", "Mustang"}));
}

TEST(ContrastSet, SettingsDifferInWhereTheAnswerCanComeFrom) {
  for (int32_t fact = 0; fact < static_cast<int32_t>(shipped().facts.size()); fact += 17) {
    const auto made = [&](Setting setting) { return shipped().make_case(fact, setting, 1); };
    const ContrastCase own = made(Setting::kOwn);
    EXPECT_TRUE(holds_words(all_text(own), own.document_answer));
    EXPECT_FALSE(holds_words(all_text(own), own.replacement));
    EXPECT_FALSE(holds_words(all_text(made(Setting::kSilent)), own.document_answer)) << own.question;
    EXPECT_TRUE(holds_words(all_text(made(Setting::kDecoy)), own.memory_answer));
    EXPECT_FALSE(holds_words(all_text(made(Setting::kOther)), own.memory_answer)) << own.question;
    EXPECT_TRUE(made(Setting::kClosed).passages.empty());
  }
}

TEST(ContrastSet, SameSeedSameCase) {
  EXPECT_EQ(all_text(shipped().make_case(5, Setting::kDecoy, 3)), all_text(shipped().make_case(5, Setting::kDecoy, 3)));
}

TEST(GivenAnswer, TheFirstWholeWordMatchDecides) {
  EXPECT_EQ(given_answer("It is Toledo, not Oslo.", "Toledo", {"Oslo"}), GivenAnswer::kDocument);
  EXPECT_EQ(given_answer("Oslo. Some say Toledo.", "Toledo", {"Oslo"}), GivenAnswer::kMemory);
  EXPECT_EQ(given_answer("Oslogate and Toledos", "Toledo", {"Oslo"}), GivenAnswer::kNeither);
  EXPECT_EQ(given_answer("in the Hague", "The Hague", {"Oslo"}), GivenAnswer::kDocument);
}

}  // namespace
}  // namespace openbook::attribution
