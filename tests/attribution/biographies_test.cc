#include "report/biographies.h"

#include <set>

#include "base/test_support.h"
#include "openbook/base/file.h"
#include "openbook/base/utf8.h"
#include "openbook/base/words.h"

namespace openbook::attribution {
namespace {

const Biographies& biographies() {
  static const Biographies loaded = Biographies::load(test::source_folder() / "attribution/data");
  return loaded;
}

class Lives : public testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(Languages, Lives, testing::Values("en", "es", "zh"), [](const auto& info) { return info.param; });

bool ideograph(char32_t value) { return value >= 0x4E00 && value <= 0x9FFF; }

TEST_P(Lives, SameSeedSamePeopleAndTheFirstStayTheFirst) {
  const std::vector<Biography> few = biographies().make(GetParam(), 10, 3), many = biographies().make(GetParam(), 30, 3),
                               others = biographies().make(GetParam(), 10, 4);
  for (size_t i = 0; i < few.size(); ++i) {
    EXPECT_EQ(few[i].text, many[i].text);
    EXPECT_NE(few[i].text, others[i].text);
  }
}

TEST_P(Lives, EveryValueStandsAtItsPlaceAndNowhereElse) {
  for (const Biography& life : biographies().make(GetParam(), 300, 5)) {
    EXPECT_EQ(life.facts.size(), 5u);
    for (const BiographyFact& fact : life.facts) {
      ASSERT_EQ(slice(life.text, fact.place), fact.value) << life.text;
      EXPECT_EQ(life.text.find(fact.value), static_cast<size_t>(fact.place.begin)) << life.text;
      EXPECT_EQ(life.text.rfind(fact.value), static_cast<size_t>(fact.place.begin)) << life.text;
      EXPECT_GE(fact.questions.size(), 4u);
      for (const std::string& question : fact.questions) EXPECT_EQ(question.find(fact.value), std::string::npos) << question;
    }
  }
}

TEST_P(Lives, NobodySharesANameAndTheTextBeginsWithIt) {
  std::set<std::string> names;
  for (const Biography& life : biographies().make(GetParam(), 1000, 6)) {
    EXPECT_TRUE(names.insert(life.person).second) << life.person;
    const size_t named = life.text.find(life.person);
    ASSERT_NE(named, std::string::npos) << life.text;
    EXPECT_LE(named, life.sentence_begins.size() > 1 ? static_cast<size_t>(life.sentence_begins[1]) : life.text.size());
  }
}

TEST_P(Lives, AreAboutAsLongAsAskedAndInRandomOrder) {
  const int64_t wanted = biographies().language(GetParam()).words;
  std::set<std::string> orders;
  double words = 0;
  const std::vector<Biography> lives = biographies().make(GetParam(), 200, 7);
  for (const Biography& life : lives) {
    const auto count = static_cast<int64_t>(folded_words(life.text).size());
    words += static_cast<double>(count) / static_cast<double>(lives.size());
    EXPECT_GE(count, wanted * 85 / 100) << life.text;
    EXPECT_LE(count, wanted * 125 / 100) << life.text;
    std::vector<std::pair<int64_t, std::string>> order;
    for (const BiographyFact& fact : life.facts) order.emplace_back(fact.place.begin, fact.name);
    std::sort(order.begin(), order.end());
    std::string names;
    for (const auto& [place, name] : order) names += name + " ";
    orders.insert(names);
  }
  EXPECT_NEAR(words, static_cast<double>(wanted), 0.1 * static_cast<double>(wanted));
  EXPECT_GT(orders.size(), 80u);  // of 120
}

TEST_P(Lives, AreWrittenInTheirLanguageWithNothingLeftOver) {
  for (const Biography& life : biographies().make(GetParam(), 300, 8)) {
    std::vector<std::string> texts = {life.text};
    for (const BiographyFact& fact : life.facts) texts.insert(texts.end(), fact.questions.begin(), fact.questions.end());
    for (const std::string& text : texts) {
      ASSERT_FALSE(first_invalid_utf8(text)) << text;
      EXPECT_EQ(text.find_first_of("{}<>_"), std::string::npos) << text;
      EXPECT_EQ(text.find("  "), std::string::npos) << text;
      int64_t ideographs = 0, ascii_letters = 0;
      for (const CodePoint& point : code_points(text)) {
        ideographs += ideograph(point.value);
        ascii_letters += point.value < 128 && std::isalpha(static_cast<int>(point.value));
      }
      if (GetParam() == "zh") {
        EXPECT_EQ(ascii_letters, 0) << text;
        EXPECT_GT(ideographs, 5) << text;
      } else {
        EXPECT_EQ(ideographs, 0) << text;
      }
    }
    for (const int64_t begin : life.sentence_begins) {
      const CodePoint first = code_point_at(life.text, static_cast<size_t>(begin));
      if (GetParam() != "zh") EXPECT_NE(to_lower(first.value), first.value) << life.text;  // a capital
    }
  }
}

TEST_P(Lives, NeedlesStandInNoLife) {
  const std::vector<std::string>& needles = biographies().language(GetParam()).needles;
  EXPECT_EQ(needles.size(), 10u);
  for (const Biography& life : biographies().make(GetParam(), 100, 9))
    for (const std::string& needle : needles) EXPECT_EQ(life.text.find(needle), std::string::npos);
}

TEST(Biographies, TheArticleFollowsTheValue) {
  for (const Biography& life : biographies().make("en", 300, 10)) {
    const std::string& text = life.text;
    const auto begin = static_cast<size_t>(life.fact("occupation").place.begin);
    const bool vowel = std::string("aeiou").find(text[begin]) != std::string::npos;
    if (text.compare(begin - 3, 3, " a ") == 0) EXPECT_FALSE(vowel) << text;
    if (text.compare(begin - 4, 4, " an ") == 0) EXPECT_TRUE(vowel) << text;
  }
}

TEST(Biographies, WrongFilesAreRefusedByName) {
  const nlohmann::json good = nlohmann::json::parse(read_file(test::source_folder() / "attribution/data/biographies.json"));
  const auto refused = [&](const std::function<void(nlohmann::json&)>& change, const std::string& piece) {
    const test::TemporaryFolder folder;
    nlohmann::json changed = good;
    change(changed["languages"]["en"]);
    write_file_atomically(folder / "biographies.json", changed.dump());
    EXPECT_ERROR(Biographies::load(folder.path()), Code::kInvalidArgument, piece);
  };
  refused([](auto& en) { en["facts"][0]["sentences"][0] = "{who} was born."; }, "\"{who} was born.\" lacks {value}");
  refused([](auto& en) { en["fillers"][0] = "Nobody was there."; }, "lacks {who}");
  refused([](auto& en) { en["fillers"][0] = "{who} saw {value}."; }, "must not hold {value}");
  refused([](auto& en) { en["fillers"][0] = "{who} saw {whale}."; }, "{whale} stands for nothing in the grammar");
  refused([](auto& en) { en["fillers"][0] = "{who} saw {him."; }, "has a brace without its other");
  refused([](auto& en) { en["grammar"]["noun"] = {"{noun} of {noun}"}; }, "without an end");
  refused([](auto& en) { en["grammar"].erase("who"); }, "{who} stands for nothing");
  refused([](auto& en) { en["grammar"].erase("he.female"); }, "{he} stands for nothing");
  refused([](auto& en) { en["words"] = 0; }, "languages.en.words: expected a whole number");
  refused([](auto& en) { en["needles"] = nlohmann::json::array(); }, "languages.en.needles: holds nothing");
  refused([](auto& en) { en["surprise"] = 1; }, "surprise");
  EXPECT_ERROR(Biographies::load("/nowhere"), Code::kNotFound, "biographies.json");
  EXPECT_ERROR(biographies().make("tlh", 1, 1), Code::kNotFound, "no language \"tlh\"");
}

}  // namespace
}  // namespace openbook::attribution
