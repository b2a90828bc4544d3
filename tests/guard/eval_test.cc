// The figures: shares and their intervals, separation, cases of the conflict data, and whole evaluations on a hand-written model.
#include "eval/eval.h"

#include <gmock/gmock.h>

#include <random>

#include "eval/shares.h"
#include "guard/reading_guard.h"
#include "openbook/base/file.h"
#include "openbook/base/sentences.h"
#include "openbook/base/words.h"
#include "report/data_cases.h"
#include "report/rows.h"

namespace openbook::guard {
namespace {

using attribution::draw_rows;
using attribution::make_conflict_case;
using attribution::read_rows;
using attribution::Setting;
using attribution::with_replaced;
using nlohmann::json;
using testing::ElementsAre;

constexpr Setting kSettings[] = {Setting::kOwn,   Setting::kDecoy,  Setting::kSilent,
                                 Setting::kOther, Setting::kClosed, Setting::kBare};

double width(const Share& share) {
  const auto interval = share.to_json()["interval"];
  return interval[1].get<double>() - interval[0].get<double>();
}

TEST(Share, CountsAndIsNullWithoutCases) {
  Share share;
  EXPECT_EQ(share.to_json(), nlohmann::ordered_json::parse(R"({"share": null, "hits": 0, "of": 0, "interval": null})"));
  for (const bool hit : {true, false, true, true}) share.add("a" + std::to_string(share.cases()), hit);
  EXPECT_EQ(share.to_json()["share"], 0.75);
  EXPECT_EQ(share.to_json()["hits"], 3);
  EXPECT_EQ(share.to_json()["of"], 4);
  Share all, none;
  for (int i = 0; i < 9; ++i) all.add(std::to_string(i), true), none.add(std::to_string(i), false);
  EXPECT_EQ(all.to_json()["interval"], json({1.0, 1.0}));
  EXPECT_EQ(none.to_json()["interval"], json({0.0, 0.0}));
}

TEST(Share, MoreCasesOfTheSameSubjectsTellNothingNew) {
  std::mt19937_64 random(7);
  Share once, tenfold, independent;
  for (int subject = 0; subject < 40; ++subject) {
    const bool hit = random() % 10 < 6;
    once.add(std::to_string(subject), hit);
    for (int i = 0; i < 10; ++i) tenfold.add(std::to_string(subject), hit);
  }
  for (int i = 0; i < 400; ++i) independent.add(std::to_string(i), random() % 10 < 6);
  EXPECT_EQ(once.to_json()["interval"], tenfold.to_json()["interval"]);
  EXPECT_GT(width(tenfold), 2 * width(independent));
}

TEST(Share, TheIntervalHoldsTheTruthAboutAsOftenAsItSays) {
  std::mt19937_64 random(11);
  int held = 0;
  constexpr int kTrials = 200;
  for (int trial = 0; trial < kTrials; ++trial) {
    Share share;  // 60 subjects of 3 cases that agree four times in five; 70 % hits in the long run
    for (int subject = 0; subject < 60; ++subject) {
      const bool tendency = random() % 10 < 7;
      for (int i = 0; i < 3; ++i) share.add(std::to_string(subject), random() % 5 ? tendency : random() % 10 < 7);
    }
    const auto interval = share.to_json()["interval"];
    held += interval[0] <= 0.7 && 0.7 <= interval[1];
  }
  EXPECT_GE(held, 0.90 * kTrials);
  EXPECT_LT(held, kTrials);
}

TEST(Share, DoesNotDependOnTheOrderOfItsCases) {
  Share forward, backward;
  for (int i = 0; i < 30; ++i) forward.add(std::to_string(i % 7), i % 3 == 0);
  for (int i = 29; i >= 0; --i) backward.add(std::to_string(i % 7), i % 3 == 0);
  EXPECT_EQ(forward.to_json(), backward.to_json());
  Share joined = forward;
  joined.add_all(backward);
  EXPECT_EQ(joined.cases(), 60);
  EXPECT_EQ(joined.hits(), 20);
}

TEST(Separation, IsTheShareOfPairsInTheRightOrder) {
  std::mt19937_64 random(3);
  Separation separation;
  for (int i = 0; i < 200; ++i) separation.add(static_cast<double>(random() % 20), random() % 3 == 0);
  double right = 0, pairs = 0;
  for (size_t i = 0; i < 200; ++i)
    for (size_t j = 0; j < 200; ++j) {
      if (!separation.copied[i] || separation.copied[j]) continue;
      pairs += 1;
      right += separation.scores[i] > separation.scores[j] ? 1 : separation.scores[i] == separation.scores[j] ? 0.5 : 0;
    }
  const auto printed = separation.to_json();
  EXPECT_NEAR(printed["auc"], right / pairs, 5e-5);
  EXPECT_EQ(printed["copied"].get<int>() + printed["recited"].get<int>(), 200);
  EXPECT_EQ(printed["copied"], std::count(separation.copied.begin(), separation.copied.end(), true));
  Separation one_class;
  one_class.add(0.3, true);
  EXPECT_EQ(one_class.to_json(), nlohmann::ordered_json::parse(R"({"auc": null, "copied": 1, "recited": 0})"));
}

// ---- rows

TEST(Rows, BadLinesAreNamed) {
  const openbook::test::TemporaryFolder folder;
  const auto read = [&](const std::string& text) {
    write_file_atomically(folder / "rows.jsonl", text);
    return read_rows(folder / "rows.jsonl", {{"a"}, {"b"}});
  };
  EXPECT_EQ(read("{\"a\": \"1\", \"b\": \"2\"}\n\n \r\n{\"a\": \"3\", \"b\": \"4\"}").size(), 2u);
  EXPECT_ERROR(read("{\"a\": \"1\", \"b\": \"2\"}\n{\"a\": \"1\"}\n"), Code::kInvalidArgument,
               "rows.jsonl: line 2: no field \"b\"");
  EXPECT_ERROR(read("{\"a\": \"1\", \"b\": 2}"), Code::kInvalidArgument, "line 1: \"b\" is not a string");
  EXPECT_ERROR(read("{\"a\": \"1\", \"b\": \"2\"}\n[1]\n"), Code::kInvalidArgument, "line 2: not a JSON object");
  EXPECT_ERROR(read("{\"a\": \"\xFF\"}"), Code::kInvalidArgument, "line 1");
  EXPECT_ERROR(read("\n"), Code::kInvalidArgument, "holds no rows");
  EXPECT_ERROR(read_rows(folder / "none.jsonl", {}), Code::kNotFound, "none.jsonl");
}

TEST(Rows, TheSeedDrawsWithoutReplacementInFileOrder) {
  std::vector<json> rows;
  for (int i = 0; i < 50; ++i) rows.push_back(i);
  EXPECT_EQ(draw_rows(rows, 0, 1), rows);
  EXPECT_EQ(draw_rows(rows, 99, 1), rows);
  const auto drawn = draw_rows(rows, 20, 1);
  EXPECT_EQ(drawn, draw_rows(rows, 20, 1));
  EXPECT_NE(drawn, draw_rows(rows, 20, 2));
  ASSERT_EQ(drawn.size(), 20u);
  for (size_t i = 1; i < drawn.size(); ++i) EXPECT_LT(drawn[i - 1], drawn[i]);
}

// ---- cases

json row(const std::string& subject, const std::string& document, const std::string& document_answer,
         const std::string& memory_answer) {
  json spans = json::array();
  for (const ByteSpan& place : find_words(document, document_answer))
    spans.push_back({{"byte_start", place.begin}, {"byte_end", place.end}});
  return {{"subject", subject},
          {"relation", "capital"},
          {"question", "What is the capital of Norway?"},
          {"cloze", "The capital of Norway is"},
          {"document", document},
          {"document_answer", document_answer},
          {"memory_answer", memory_answer},
          {"spans", spans},
          {"memory_spans", json::array()},
          {"memory_in_subject", false}};
}

std::vector<json> some_rows() {
  return {row("Norway", "Norway is cold. The capital of Norway is Bergen. Norway has fjords. Bergen is wet.", "Bergen", "Oslo"),
          row("Sweden", "The capital of Sweden is Lund. Sweden has woods.", "Lund", "Stockholm"),
          row("Finland", "Finland has lakes. The capital of Finland is Turku.", "Turku", "Helsinki"),
          row("Denmark", "The capital of Denmark is Malmo, not Bergen.", "Malmo", "Copenhagen")};
}

bool any_holds(const std::vector<Passage>& passages, const std::string& words) {
  return std::any_of(passages.begin(), passages.end(), [&](const Passage& passage) { return holds_words(passage.text, words); });
}

TEST(ConflictCases, SettingsDifferInWhereTheAnswersStand) {
  const std::vector<json> rows = some_rows();
  for (size_t i = 0; i < rows.size(); ++i) {
    const std::string document_answer = rows[i]["document_answer"], memory_answer = rows[i]["memory_answer"],
                      document = rows[i]["document"];
    for (const Setting setting : kSettings) {
      SCOPED_TRACE(std::to_string(i) + " " + std::string(attribution::setting_name(setting)));
      const auto made = make_conflict_case(rows, i, setting);
      if (!made) {
        EXPECT_TRUE(setting == Setting::kSilent && i == 3) << "only the one sentence of Denmark holds its answer";
        continue;
      }
      EXPECT_EQ(made->question, rows[i][setting == Setting::kBare ? "cloze" : "question"]);
      EXPECT_EQ(made->setting, setting);
      EXPECT_EQ(made->passages.size(), setting == Setting::kClosed                                ? 0u
                                       : setting == Setting::kDecoy || setting == Setting::kOther ? 2u
                                                                                                  : 1u);
      const bool own = setting == Setting::kOwn || setting == Setting::kBare || setting == Setting::kDecoy;
      EXPECT_EQ(any_holds(made->passages, document_answer), own);
      EXPECT_EQ(any_holds(made->passages, memory_answer), setting == Setting::kDecoy);
      EXPECT_FALSE(made->replacement.empty());
      EXPECT_FALSE(holds_words(document + " " + memory_answer, made->replacement));
      for (const Passage& passage : made->passages) {
        EXPECT_EQ(passage.document_sha256, whole_document("", passage.text).document_sha256);
        if (setting == Setting::kOther) EXPECT_NE(passage.document_id, made->subject);
        if (passage.document_id == made->subject && own)
          for (const ByteSpan& gold : made->gold) EXPECT_EQ(slice(passage.text, gold), document_answer);
        if (setting == Setting::kSilent)
          for (const ByteSpan& sentence : split_sentences(passage.text))
            EXPECT_TRUE(document.find(slice(passage.text, sentence)) != std::string::npos);
      }
    }
  }
  EXPECT_EQ(make_conflict_case(rows, 0, Setting::kDecoy)->passages[0].document_id, "decoy");
  EXPECT_EQ(make_conflict_case(rows, 1, Setting::kDecoy)->passages[1].document_id, "decoy");
}

TEST(ConflictCases, ReplacingMakesAnotherDocument) {
  const std::vector<Passage> passages = {whole_document("a", "Bergen is Bergen's. Bergenland is not."),
                                         whole_document("b", "Lund.")};
  const std::vector<Passage> replaced = with_replaced(passages, "bergen", "Turku");
  EXPECT_EQ(replaced[0].text, "Turku is Turku's. Bergenland is not.");
  EXPECT_EQ(replaced[0].range, (ByteSpan{0, static_cast<int64_t>(replaced[0].text.size())}));
  EXPECT_NE(replaced[0].document_sha256, passages[0].document_sha256);
  EXPECT_EQ(replaced[1].document_sha256, passages[1].document_sha256);
}

// ---- whole evaluations

using Evaluation = openbook::test::ReadingGuardTest;

std::vector<json> norways() {
  std::vector<json> rows;
  for (const char* capital : {"Bergen", "Lund", "Turku", "Malmo"})
    rows.push_back(row(std::string("Norway of ") + capital,
                       std::string("Norway is cold. The capital of Norway is ") + capital + ". Norway has fjords.", capital,
                       "Oslo"));
  return rows;
}

TEST_F(Evaluation, ConflictCountsWhatTheModelAndTheGuardDid) {
  std::vector<json> rows = norways();
  rows.push_back(row("Oslo County", "The capital of Norway is Lund.", "Lund", "Oslo"));
  rows.back()["memory_in_subject"] = true;
  rows.push_back(row("Norway", "The capital of Norway is Lund, not Oslo.", "Lund", "Oslo"));
  rows.back()["memory_spans"].push_back({{"byte_start", 35}, {"byte_end", 39}});
  const auto guard = Guard::open(options(openbook::test::capital_llama()));
  const auto json = eval_conflict(*guard, file(rows), {Setting::kOwn, Setting::kSilent}, {});
  EXPECT_EQ(json["rows"], 4);
  EXPECT_EQ(json["left_out"], 2);
  const auto& own = json["settings"]["own"];
  EXPECT_EQ(own["unguarded_document"]["hits"], 4);
  EXPECT_EQ(own["delivered_document"]["hits"], 4);
  EXPECT_EQ(own["delivered_supported"]["hits"], 4);
  EXPECT_EQ(own["refused"]["hits"], 0);
  EXPECT_EQ(own["citation_answer_match"]["share"], 1.0);
  EXPECT_EQ(own["citation_gold_overlap"]["hits"], 4);
  const auto& silent = json["settings"]["silent"];
  EXPECT_EQ(silent["unguarded_memory"]["hits"], 4);
  EXPECT_EQ(silent["delivered_memory"]["hits"], 0);
  EXPECT_EQ(silent["refused"]["hits"], 4);
  EXPECT_EQ(silent["citation_answer_match"]["share"], nullptr);
  EXPECT_EQ(json["auc_silent"]["auc"], 1.0);
  EXPECT_EQ(json["auc_pooled"]["copied"], 4);
  EXPECT_EQ(json["auc_pooled"]["recited"], 4);
  EXPECT_EQ(json["place_top1"]["share"], 1.0);
}

TEST_F(Evaluation, ConflictLabelsByCauseAndCountsSteering) {
  const auto guard = Guard::open(options(openbook::test::stubborn_llama()));
  const auto json = eval_conflict(*guard, file(norways()), {Setting::kOwn}, {});
  const auto& own = json["settings"]["own"];
  EXPECT_EQ(own["unguarded_memory"]["hits"], 4);  // and the string stands in no passage: recited
  EXPECT_EQ(json["auc_pooled"]["recited"], 4);
  EXPECT_EQ(json["auc_pooled"]["copied"], 0);
  EXPECT_EQ(own["delivered_document"]["hits"], 4);
  EXPECT_EQ(own["steered"]["hits"], 4);
  EXPECT_EQ(own["delivered_memory"]["hits"], 0);
}

TEST_F(Evaluation, ResultsDoNotDependOnTheNumberOfWorkersAndLimitDrawsSubjects) {
  const auto guard = Guard::open(options(openbook::test::capital_llama()));
  const auto rows = file(norways());
  const auto alone = eval_conflict(*guard, rows, {}, {.workers = 1});
  EXPECT_EQ(alone, eval_conflict(*guard, rows, {}, {.workers = 3}));
  EXPECT_EQ(alone["settings"].size(), 6u);
  EXPECT_EQ(eval_conflict(*guard, rows, {Setting::kClosed}, {.limit = 2})["rows"], 2);
  const auto unguarded = eval_conflict(*guard, rows, {Setting::kOwn}, {.guarded = false});
  EXPECT_FALSE(unguarded["settings"]["own"].contains("delivered_document"));
  EXPECT_EQ(unguarded["settings"]["own"]["unguarded_document"]["hits"], 4);
}

TEST_F(Evaluation, ARowIsHandedOverOnceItIsDoneAndWhatWasDoneBeforeAStopIsKept) {
  const auto guard = Guard::open(options(openbook::test::capital_llama()));
  const auto conflicts = file(norways());
  Cancellation cancellation;
  std::vector<std::string> subjects;
  EvalOptions options{.cancellation = &cancellation, .each_row = [&](const auto& row) {
                        subjects.push_back(row["subject"]);
                        if (subjects.size() == 2) cancellation.cancel();
                      }};
  EXPECT_ERROR(eval_conflict(*guard, conflicts, {Setting::kOwn}, options), Code::kCancelled, "stopped");
  EXPECT_THAT(subjects, ElementsAre(norways()[0]["subject"], norways()[1]["subject"]));

  // What refuses a row ends the run, on several threads too, and progress counts only rows that were handed over.
  int64_t handed_over = 0, progress = 0;
  options = {.workers = 3};
  options.progress = [&](const std::string&, int64_t done, int64_t) { progress = done; };
  options.each_row = [&](const auto&) {
    if (handed_over == 1) throw Error(Code::kResourceExhausted, "the disk is full");
    ++handed_over;
  };
  EXPECT_ERROR(eval_conflict(*guard, conflicts, {Setting::kOwn}, options), Code::kResourceExhausted, "the disk is full");
  EXPECT_EQ(progress, 1);
}

TEST_F(Evaluation, ReadingCountsRightAnswersAmongDeliveredOnes) {
  const auto guard = Guard::open(options(openbook::test::capital_llama()));
  const std::string question = openbook::test::kQuestion;
  const auto result = eval_read(
      *guard,
      file({{{"question", question}, {"document", "The capital of Norway is Lund."}, {"answer", "Lund"}, {"title", "a"}},
            {{"question", question}, {"document", "Norway is cold."}, {"answer", "cold"}, {"title", "b"}},
            {{"question", question}, {"document", "The capital of Norway is Lund."}, {"answer", "another"}, {"title", "c"}}}),
      {});
  EXPECT_EQ(result["delivered"]["hits"], 2);
  EXPECT_EQ(result["precision"]["hits"], 1);
  EXPECT_EQ(result["precision"]["of"], 2);
  EXPECT_EQ(result["unguarded_precision"]["hits"], 1);
  EXPECT_EQ(result["unguarded_precision"]["of"], 3);
  EXPECT_EQ(result["paraphrase_refused"]["of"], 1);
}

TEST_F(Evaluation, UnanswerableCountsBothKindsApart) {
  const auto guard = Guard::open(options(openbook::test::capital_llama()));
  const auto asked = [](const char* id, const char* text, bool answerable) {
    return json{{"id", id},
                {"question", openbook::test::kQuestion},
                {"answerable", answerable},
                {"passages", {{{"title", "t"}, {"text", text}}}}};
  };
  const auto result = eval_unanswerable(*guard,
                                        file({asked("1", "The capital of Norway is Lund.", true),
                                              asked("2", "Norway is cold.", false), asked("3", "Norway is wet.", false)}),
                                        {});
  EXPECT_EQ(result["refused_unanswerable"]["hits"], 2);
  EXPECT_EQ(result["refused_unanswerable"]["of"], 2);
  EXPECT_EQ(result["answered_answerable"]["hits"], 1);
  EXPECT_EQ(result["unguarded_refused_unanswerable"]["hits"], 0);
}

TEST_F(Evaluation, AFieldOfAnotherTypeIsRefusedByFileLineAndName) {
  const auto guard = Guard::open(options(openbook::test::capital_llama()));
  const auto conflict = [&](const auto& rows) { return eval_conflict(*guard, rows, {Setting::kOwn}, {}); };
  const auto read = [&](const auto& rows) { return eval_read(*guard, rows, {}); };
  const auto unanswerable = [&](const auto& rows) { return eval_unanswerable(*guard, rows, {}); };
  const json norway = norways()[0];
  const json reading = {{"id", "r"}, {"question", "Where?"}, {"document", "Here."}, {"answer", "Here"}, {"title", "t"}};
  const json asked = {
      {"id", "u"}, {"question", "Where?"}, {"answerable", true}, {"passages", {{{"title", "t"}, {"text", "Here."}}}}};
  const struct {
    std::function<nlohmann::ordered_json(const std::filesystem::path&)> evaluate;
    json good;
    const char* place;
    json value;
    const char* piece;
  } rows[] = {
      {conflict, norway, "/question", 5, "\"question\" is not a string"},
      {conflict, norway, "/subject", 5, "\"subject\" is not a string"},
      {conflict, norway, "/relation", nullptr, "\"relation\" is not a string"},
      {conflict, norway, "/document_answer", " ", "\"document_answer\" is empty"},
      {conflict, norway, "/spans", "x", "\"spans\" is not a list of spans"},
      {conflict, norway, "/spans/0", 3, "\"spans\" span 1: not an object"},
      {conflict, norway, "/spans/0/byte_start", -1, "\"spans\" span 1: \"byte_start\" is not a number of bytes"},
      {conflict, norway, "/spans/0/byte_end", 1000, "span 1: bytes 41 to 1000 are not inside the document of 67 bytes"},
      {conflict, norway, "/spans/0/byte_end", 41, "span 1: bytes 41 to 41 are not inside"},
      {conflict, norway, "/memory_spans", 5, "\"memory_spans\" is not a list of spans"},
      {conflict, norway, "/memory_in_subject", "no", "\"memory_in_subject\" is not true or false"},
      {read, reading, "/question", 5, "\"question\" is not a string"},
      {read, reading, "/id", 5, "\"id\" is not a string"},
      {read, reading, "/title", json::array(), "\"title\" is not a string"},
      {unanswerable, asked, "/passages", "x", "\"passages\" is not a list of passages"},
      {unanswerable, asked, "/passages/0", "x", "\"passages\" passage 1 has no \"title\""},
      {unanswerable, asked, "/passages/0/text", 5, "\"passages\" passage 1: \"text\" is not a string"},
      {unanswerable, asked, "/answerable", 1, "\"answerable\" is not true or false"},
  };
  for (const auto& each : rows) {
    SCOPED_TRACE(each.piece);
    json bad = each.good;
    bad[json::json_pointer(each.place)] = each.value;
    EXPECT_ERROR(each.evaluate(file({each.good, bad})), Code::kInvalidArgument, "rows.jsonl: line 2: ");
    EXPECT_ERROR(each.evaluate(file({each.good, bad})), Code::kInvalidArgument, each.piece);
  }
}

TEST_F(Evaluation, ACancelledEvaluationStops) {
  const auto guard = Guard::open(options(openbook::test::capital_llama()));
  Cancellation cancellation;
  EvalOptions options{.cancellation = &cancellation};
  options.progress = [&](const std::string&, int64_t, int64_t) { cancellation.cancel(); };
  EXPECT_ERROR(eval_conflict(*guard, file(norways()), {Setting::kOwn}, options), Code::kCancelled, "stopped");
}

}  // namespace
}  // namespace openbook::guard
