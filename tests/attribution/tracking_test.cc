// Source tracking: the formulas of its baselines on hand-made attention, the paper's protocol on hand-made features, and the
// labels and places of answers that a hand-written model gives.
#include "report/tracking.h"

#include <map>
#include <set>

#include "attribution/knowing_laboratory.h"
#include "openbook/base/file.h"
#include "openbook/base/words.h"
#include "report/paper_protocol.h"
#include "report/tracked_heat.h"
#include "report/tracking_places.h"

namespace openbook::attribution {
namespace {

using openbook::test::knowing_llama;

TEST(SpanF1, IsOfTheOccurrenceThatOverlapsMost) {
  TrackedAnswer answer{.place = 4, .last_place = 6, .occurrences = {{1, 3}, {5, 9}}};
  EXPECT_NEAR(span_f1(answer), 2.0 * 2 / (3 + 4), 1e-12);
  answer.occurrences.push_back({4, 7});
  EXPECT_EQ(span_f1(answer), 1);
  answer.last_place = 2;  // before the first: the first token alone
  EXPECT_NEAR(span_f1(answer), 2.0 / (1 + 3), 1e-12);
  answer.place = answer.last_place = 0;
  EXPECT_EQ(span_f1(answer), 0);
  EXPECT_EQ(span_f1({.place = std::nullopt, .occurrences = {{0, 1}}}), 0);
}

// Prompts of own relations whose contextual candidate is `by` larger in the first head, and equal in the second.
void add_prompts(TrackedSets& sets, const std::string& set, Split split, int count, float by) {
  for (int i = 0; i < count; ++i) {
    const float noise = 0.1f * static_cast<float>(i % 3);
    sets.answers.push_back({.set = set,
                            .subject = std::to_string(i),
                            .split = split,
                            .copied = true,
                            .contextual = {noise + by, 1 - noise},
                            .parametric = {noise, 1 - noise}});
  }
}

class PaperProtocol : public testing::Test {
 protected:
  Json follow(const TrackedSets& sets) const {
    HeadAtlas atlas;
    atlas.heads = 2;
    atlas.probe.heads = {{0, 0}, {0, 1}};
    const Laboratory lab{.atlas = &atlas};
    Json part;
    follow_the_paper(lab, sets, part);
    return part;
  }
};

TEST_F(PaperProtocol, TellsCandidatesApartByWhatTheFitSplitSays) {
  TrackedSets sets;
  add_prompts(sets, "own relations", Split::kFit, 12, 1);
  add_prompts(sets, "own relations", Split::kTest, 5, 1);
  add_prompts(sets, "conflict", Split::kTest, 7, -1);  // there the other candidate is the larger: the weights aren't fitted on it
  const Json figures = follow(sets)["figures"];
  ASSERT_EQ(figures.size(), 2u);
  EXPECT_EQ(figures[0]["name"], "paper_own_test");
  EXPECT_EQ(figures[0]["estimate"]["value"], 1);
  EXPECT_EQ(figures[0]["estimate"]["contextual"], 5);
  EXPECT_NE(figures[0]["label"].get<std::string>().find("(5 contextual, 5 parametric)"), std::string::npos);
  EXPECT_LT(figures[1]["estimate"]["value"].get<double>(), 0.1);
}

TEST_F(PaperProtocol, SaysWhenTooFewPromptsHaveBothCandidates) {
  TrackedSets sets;
  add_prompts(sets, "own relations", Split::kFit, 9, 1);
  add_prompts(sets, "own relations", Split::kTest, 20, 1);
  const Json part = follow(sets);
  EXPECT_FALSE(part.contains("figures"));
  EXPECT_NE(part["left_out"][0].get<std::string>().find("fewer than 10"), std::string::npos);
}

TEST(MadeUpAnswer, IsWhatNeitherTheQuestionNorTheLanguageSays) {
  const Biographies biographies = Biographies::load(test::source_folder() / "attribution/data");
  const struct {
    const char *language, *question, *said, *answer;
  } rows[] = {
      {"en", "Where was Ada Hessgard born?", "Ada Hessgard was born in New London, the town of ships.", "New London"},
      {"en", "When was Ada Hessgard born?", "She was born on 12 March 1890.", "12 March 1890"},
      {"en", "Where was Ada Hessgard born?", "Ada Hessgard was born.", ""},
      {"en", "Where was Ada Hessgard born?", "I don't know. Perhaps in London.", ""},
      {"en", "Where was Ada Hessgard born?", "", ""},
      {"es", "¿Dónde nació Ana Riba?", "Ana Riba nació en Cádiz.", "Cádiz"},
      {"es", "¿Dónde nació Ana Riba?", "No se sabe, quizá en Cádiz.", ""},
      {"zh", "李明是哪里人？", "李明出生于北京。", "北京"},
      {"zh", "李明是哪里人？", "The documents do not answer.", ""},
      {"zh", "李明是哪里人？", "The document states that the woman is from a town there.", ""},
      {"zh", "李明是哪里人？", "我不知道，也许北京。", ""},
  };
  for (const auto& row : rows)
    EXPECT_EQ(made_up_answer(row.said, row.question, biographies.language(row.language)), row.answer) << row.said;
}

TEST(BiographyCase, AsksForTheNamedPersonAndLeavesTheAnswersSentencesOut) {
  const Biographies biographies = Biographies::load(test::source_folder() / "attribution/data");
  for (const std::string language : {"en", "es", "zh"}) {
    const std::vector<Biography> lives = biographies.make(language, 20, 5);
    std::set<std::string> kinds;
    for (size_t life = 0; life < lives.size(); ++life) {
      const auto own = make_biography_case(lives, life, Setting::kOwn),
                 silent = make_biography_case(lives, life, Setting::kSilent),
                 closed = make_biography_case(lives, life, Setting::kClosed);
      ASSERT_TRUE(own && silent && closed);
      kinds.insert(own->kind);
      EXPECT_NE(own->question.find(lives[life].person), std::string::npos) << own->question;
      EXPECT_EQ(slice(own->passages[0].text, own->gold[0]), own->document_answer);
      EXPECT_FALSE(holds_words(silent->passages[0].text, silent->document_answer));
      EXPECT_GT(silent->passages[0].text.size(), own->passages[0].text.size() / 2);
      EXPECT_TRUE(closed->passages.empty());
      EXPECT_FALSE(own->replacement.empty());
      EXPECT_FALSE(holds_words(own->passages[0].text, own->replacement));
    }
    EXPECT_EQ(kinds.size(), 5u) << language;
  }
}

nlohmann::json conflict_row(const std::string& subject, const std::string& document, const std::string& answer,
                            const std::string& memory) {
  return {{"subject", subject},
          {"relation", "capital"},
          {"question", "Which town leads " + subject + "?"},
          {"cloze", "Its capital is"},
          {"document", document},
          {"document_answer", answer},
          {"memory_answer", memory},
          {"spans", nlohmann::json::array()},
          {"memory_spans", nlohmann::json::array()},
          {"memory_in_subject", false}};
}

nlohmann::json read_row(const std::string& title, const std::string& language, const std::string& question,
                        const std::string& document, const std::string& answer) {
  return {{"title", title},
          {"language", language},
          {"question", question},
          {"document", document},
          {"answer", answer},
          {"spans", nlohmann::json::array()},
          {"other_spans", nlohmann::json::array()}};
}

std::string lines(const std::vector<nlohmann::json>& rows) {
  std::string text;
  for (const nlohmann::json& row : rows) text += row.dump() + "\n";
  return text;
}

// The model of the capitals, which also reads dates, numbers, a doubled word, and Chinese.
class TrackedAnswers : public openbook::test::KnowingLaboratory {
 protected:
  void SetUp() override {
    openbook::test::ReadingLlama model = knowing_llama(facts_);
    model.max_positions = 4096;
    const std::vector<std::string> more = {" 12", " 42,500", " Baden", " Long", "卑尔根", "特罗姆瑟"};
    model.answers.resize(20);  // there is room for 32
    for (const std::string& answer : more) model.answers.push_back(answer);
    model.follow("\n", model.answers);
    model.follow(" is", model.answers);
    model.follow(" 12", {" March"});
    model.follow(" March", {" 1890"});
    model.follow(" 1890", {"."});
    model.follow(" 42,500", {"."});
    model.follow(" Baden", {" Baden"});
    model.follow(" Long", {" s1"});
    for (int i = 1; i <= kLongSteps; ++i)
      model.follow(" s" + std::to_string(i), {i < kLongSteps ? " s" + std::to_string(i + 1) : "."});
    for (const char* town : {"卑尔根", "特罗姆瑟"}) model.follow(town, {"。"});
    model.follow("。", {"<|im_end|>"});
    for (auto& [subject, answer] : model.memory)
      if (std::find(model.answers.begin(), model.answers.end(), answer) == model.answers.end()) answer = " Oslo";
    enter(model);
    write_data();
    lab_.data = folder_.path();
  }

  void write_data() const {
    nlohmann::json togo = conflict_row("Togo", "Togo has " + long_answer() + ".", long_answer(), "Lome Kville");
    togo["relation"] = "road";  // its answer replaces none of the others
    nlohmann::json poland = conflict_row("Poland", "Poland has 42,500 hills. All like Poland.", "42,500", "Warsaw Cville");
    poland["relation"] = "hills";
    write_file_atomically(
        folder_ / "conflict.jsonl",
        lines({conflict_row("Norway", "Norway has it. Its town is Warsaw Cville. All go to Warsaw Cville. We know Norway.",
                            "Warsaw Cville", "Oslo Aville"),
               conflict_row("Sweden", "Sweden began on 12 March 1890. All like Sweden.", "12 March 1890", "Stockholm Bville"),
               poland, conflict_row("Kenya", "Kenya has Baden Baden. All like Kenya.", "Baden Baden", "Nairobi Gville"),
               conflict_row("Angola", "We saw Riga Fville. Or Madrid Dville, Madrid Dville, Madrid Dville.", "Madrid Dville",
                            "Luanda Lville"),
               togo}));
    nlohmann::json swap = conflict_row("Egypt", "Egypt has Madrid Dville. All like Egypt.", "Madrid Dville", "");
    swap["title"] = "Egypt", swap["type"] = "place", swap["memory_answer"] = {"The Nile", "Cairo Hville"};
    swap["original_answer"] = "Nil";
    nlohmann::json other = swap;
    other["title"] = "Ghana", other["document_answer"] = "Rome Eville",
    other["document"] = "Ghana has Rome Eville. All like Ghana.";
    write_file_atomically(folder_ / "swap.jsonl", lines({swap, other}));
    write_file_atomically(folder_ / "read.jsonl",
                          lines({read_row("Spain", "en", "What is it?", "It has Madrid Dville.", "Madrid Dville"),
                                 read_row("Italy", "en", "What is it?", "It has Rome Eville.", "Rome Eville"),
                                 read_row("Ways", "en", "What is it?", "It has " + long_answer() + ".", long_answer())}));
    write_file_atomically(folder_ / "read.es.jsonl",
                          lines({read_row("España", "es", "¿Cuál es la capital?",
                                          "La capital de España es Madrid Dville. Hay más.", "Madrid Dville"),
                                 read_row("Italia", "es", "¿Cuál es la capital?", "Es Rome Eville.", "Rome Eville")}));
    write_file_atomically(folder_ / "read.zh.jsonl",
                          lines({read_row("挪威", "zh", "首都在哪里？", "挪威的首都是卑尔根。人们喜欢卑尔根。", "卑尔根"),
                                 read_row("北方", "zh", "城市在哪里？", "那座城市是特罗姆瑟。", "特罗姆瑟")}));
  }

  static std::string long_answer() {
    std::string answer = "Long";
    for (int i = 1; i <= kLongSteps; ++i) answer += " s" + std::to_string(i);
    return answer;
  }

  const TrackedAnswer& tracked(const TrackedSets& sets, const std::string& set, const std::string& subject,
                               Setting setting) const {
    for (const TrackedAnswer& each : sets.answers)
      if (each.set == set && each.subject == subject && each.setting == setting) return each;
    throw std::logic_error("no answer for " + subject + " in " + set);
  }

  static constexpr int kLongSteps = 24;
};

TEST_F(TrackedAnswers, AreLabelledAndPlacedWhateverTheyAreMadeOf) {
  const TrackedSets sets = track_answers(lab_);
  const struct {
    const char *set, *subject;
    size_t occurrences;
    int64_t tokens;  // of the first occurrence
  } rows[] = {{"conflict", "Norway", 2, 2}, {"conflict", "Sweden", 1, 3}, {"conflict", "Poland", 1, 1},
              {"conflict", "Kenya", 1, 2},  {"read.es", "España", 1, 2},  {"read.zh", "挪威", 2, 1}};
  for (const auto& row : rows) {
    const TrackedAnswer& answer = tracked(sets, row.set, row.subject, Setting::kOwn);
    EXPECT_EQ(answer.copied, true) << row.subject;
    EXPECT_TRUE(answer.string_match) << row.subject;
    ASSERT_EQ(answer.occurrences.size(), row.occurrences) << row.subject;
    EXPECT_EQ(answer.occurrences[0].size(), row.tokens) << row.subject;
    ASSERT_TRUE(answer.place) << row.subject;
    EXPECT_EQ(answer.occurrences[0].begin, *answer.place) << row.subject;
    EXPECT_TRUE(answer.misplaced.empty()) << answer.misplaced;
  }
  EXPECT_EQ(span_f1(tracked(sets, "conflict", "Norway", Setting::kOwn)), 2.0 / 3) << "the head reads first words only";
}

TEST_F(TrackedAnswers, OfMoreThanTwentyTokensAreReadToTheirEndWhereSetsHaveThem) {
  const TrackedSets sets = track_answers(lab_);
  const TrackedAnswer& ways = tracked(sets, "read", "Ways", Setting::kOwn);
  EXPECT_EQ(ways.copied, true);
  ASSERT_EQ(ways.occurrences.size(), 1u);
  EXPECT_EQ(ways.occurrences[0].size(), kLongSteps + 1);
  EXPECT_EQ(ways.place, ways.occurrences[0].begin);
  for (const TrackedAnswer& each : sets.answers)
    EXPECT_FALSE(each.set == "conflict" && each.subject == "Togo" && each.setting == Setting::kOwn) << "20 tokens don't hold it";
}

TEST_F(TrackedAnswers, RecitedOnesAreFoundUnderAnyOfTheirSpellings) {
  const TrackedSets sets = track_answers(lab_);
  for (const Setting setting : {Setting::kSilent, Setting::kClosed}) {
    const TrackedAnswer& norway = tracked(sets, "conflict", "Norway", setting);
    EXPECT_EQ(norway.copied, false);
    EXPECT_FALSE(norway.string_match);
    EXPECT_TRUE(norway.occurrences.empty());
    EXPECT_EQ(tracked(sets, "swap", "Egypt", setting).copied, false) << "an alias";
  }
}

TEST_F(TrackedAnswers, OtherMethodsPlacesStandBesideTheLocalizers) {
  const TrackedSets sets = track_answers(lab_);
  const TrackedAnswer& angola = tracked(sets, "conflict", "Angola", Setting::kOwn);
  ASSERT_EQ(angola.copied, true);
  ASSERT_TRUE(angola.others);
  // Another answer stands in front of this one, and the heads look at either: spelling tells them apart.
  ASSERT_EQ(angola.occurrences.size(), 3u);
  EXPECT_EQ(angola.place, angola.occurrences[0].begin);
  EXPECT_EQ(angola.others->first_alike, angola.place);
  EXPECT_LT(angola.others->unspelt, angola.place);
  EXPECT_EQ(angola.others->mean, angola.others->unspelt);
  EXPECT_EQ(angola.others->probe, angola.others->unspelt) << "the head that reads has all of the evidence";
  EXPECT_EQ(angola.others->lens_attention.size(0), 2);
  EXPECT_EQ(angola.others->lens_attention.size(1), static_cast<int64_t>(angola.others->readable.size()));
  EXPECT_FALSE(tracked(sets, "conflict", "Norway", Setting::kSilent).others);
}

TEST_F(TrackedAnswers, WhatIsMadeUpOfPeopleWhoNeverLivedIsRecited) {
  const Biographies biographies = Biographies::load(test::source_folder() / "attribution/data");
  lab_.biographies = &biographies;
  lab_.quick = true;
  const Json part = run_tracking(lab_);
  const Json* counts = nullptr;
  for (const Json& table : part["tables"])
    if (table["title"].get<std::string>().starts_with("Answers by set")) counts = &table["rows"];
  ASSERT_TRUE(counts);
  std::map<std::string, Json> by_set;
  for (const Json& row : *counts) by_set[row[0]] = row;
  for (const char* set : {"biographies", "biographies.es", "biographies.zh"}) {
    EXPECT_EQ(by_set[set][1], 6) << set;
    EXPECT_EQ(by_set[set][3], 0) << "the model has no word for any of the answers: " << by_set[set];
    EXPECT_GE(by_set[set][4], 2) << by_set[set];
    EXPECT_NE(part["left_out"].dump().find(std::string(set) + ": no AUC; of 6 questions"), std::string::npos);
  }
  EXPECT_EQ(run_tracking(lab_).dump(), part.dump());
}

TEST_F(TrackedAnswers, AucsNameTheirClassesAndSayWhatClosedBooksAddToThem) {
  const Json part = run_tracking(lab_);
  std::map<std::string, Json> figures;
  for (const Json& each : part["figures"]) figures[each["name"]] = each;
  const Json &all = figures["auc_swap"], &with_passages = figures["auc_swap_with_passages"];
  EXPECT_EQ(all["label"], "AUC, swap, all settings (2 copied, 4 recited)");
  EXPECT_EQ(all["estimate"]["copied"], 2);
  EXPECT_EQ(all["estimate"]["recited"], 4);
  EXPECT_EQ(with_passages["label"], "AUC, swap, where there were passages (2 copied, 2 recited)");
  for (const Json& table : part["tables"])
    if (table["title"].get<std::string>().starts_with("Methods"))
      for (const Json& row : table["rows"])
        if (row[0] == "swap, where there were passages") EXPECT_EQ(row[1], "2 / 2");
  EXPECT_EQ(part["places"]["swap"]["localizer"]["n"], 2);
  for (const Json& chart : part["charts"])
    if (chart["title"].get<std::string>().starts_with("ROC, swap")) EXPECT_EQ(chart["series"].size(), 4u);
  EXPECT_EQ(figures.count("auc_read"), 0u) << "nothing was recited there";
  EXPECT_NE(part["left_out"].dump().find("read: no AUC"), std::string::npos);
}

TEST_F(TrackedAnswers, FilesThatAreMissingAreNamed) {
  std::filesystem::remove(folder_ / "read.zh.jsonl");
  const TrackedSets sets = track_answers(lab_);
  const std::string left_out = Json(sets.left_out).dump();
  EXPECT_NE(left_out.find("read.zh.jsonl is missing"), std::string::npos) << left_out;
  EXPECT_EQ(left_out.find("read.es"), std::string::npos) << left_out;
}

TEST_F(TrackedAnswers, BadRowsAreNamedBeforeAnythingIsAsked) {
  bool asked = false;
  lab_.progress = [&](const std::string&, int64_t, int64_t) { asked = true; };
  for (const auto& [field, value, piece] : std::vector<std::tuple<std::string, nlohmann::json, std::string>>{
           {"question", 7, "read.jsonl: line 1: \"question\" is not a string"},
           {"spans", {{{"byte_start", 0}, {"byte_end", 9999}}}, "read.jsonl: line 1: \"spans\" span 1: bytes 0 to 9999"},
           {"answer", " ", "read.jsonl: line 1: \"answer\" is empty"}}) {
    const std::string good = read_file(folder_ / "read.jsonl");
    nlohmann::json row = nlohmann::json::parse(good.substr(0, good.find('\n')));
    row[field] = value;
    write_file_atomically(folder_ / "read.jsonl", row.dump() + "\n" + good.substr(good.find('\n') + 1));
    EXPECT_ERROR(track_answers(lab_), Code::kInvalidArgument, piece);
    write_file_atomically(folder_ / "read.jsonl", good);
  }
  EXPECT_FALSE(asked);
}

TEST_F(TrackedAnswers, HeatTextsShowAnswersOfDifferentKindsOnOneScale) {
  const Json charts = track_answers(lab_).heat_texts;
  std::vector<std::string> titles;
  for (const Json& chart : charts) titles.push_back(chart["title"]);
  ASSERT_EQ(titles.size(), 5u) << charts.dump();
  EXPECT_TRUE(titles[0].starts_with("conflict: Which town leads Norway? > Warsaw Cville (copied, p(copied) = ")) << titles[0];
  EXPECT_TRUE(titles[1].starts_with("conflict: Which town leads Poland? > 42,500 (copied")) << "another relation: " << titles[1];
  EXPECT_TRUE(titles[2].starts_with("swap: ")) << titles[2];
  EXPECT_TRUE(titles[3].starts_with("read.es: ")) << titles[3];
  EXPECT_TRUE(titles[4].starts_with("conflict: Which town leads Sweden? > Stockholm Bville (recited, p(copied) = ")) << titles[4];
  double copied = 0, recited = 0;
  for (const Json& token : charts[0]["tokens"]) copied = std::max(copied, token[1].get<double>());
  for (const Json& token : charts[4]["tokens"]) recited = std::max(recited, token[1].get<double>());
  EXPECT_GT(copied, 0.5);
  EXPECT_LT(recited, 0.1) << "nothing lights up";
}

TEST_F(TrackedAnswers, HeatTextsShowWholeCharacters) {
  ObservedCase observed;
  const auto tokens = decoder_->model().tokenizer().encode("a城");
  for (const auto& token : tokens) observed.prompt.tokens.push_back(token.id);
  observed.prompt.all_passages = {0, std::ssize(tokens)};
  ASSERT_GT(tokens.size(), 2u) << "the character must take several tokens";
  HeatTexts texts;
  std::vector<float> attention(tokens.size(), 0.5f);
  attention.back() = 1;
  texts.offer({"conflict", "capital", "a", true, 1}, observed, attention, decoder_->model().tokenizer());
  EXPECT_EQ(texts.charts()[0]["tokens"], Json::array({{"a", 0.5}, {"城", 1.0}}));
}

}  // namespace
}  // namespace openbook::attribution
