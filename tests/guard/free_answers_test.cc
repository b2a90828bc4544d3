// Answers that others wrote: rows and what is wrong with them, words and kinds, span overlap, the whole evaluation on a
// hand-written model, and the report's part that it makes.
#include <gmock/gmock.h>

#include "eval/eval.h"
#include "eval/free_part.h"
#include "eval/free_words.h"
#include "guard/reading_guard.h"
#include "openbook/base/file.h"
#include "openbook/base/words.h"
#include "report/markup.h"
#include "report/report.h"

namespace openbook::guard {
namespace {

using nlohmann::json;

constexpr char kType[] = "Evident Baseless Info";

json label(const std::string& answer, const std::string& piece, const std::string& type = kType) {
  const size_t begin = answer.find(piece);
  return {{"byte_start", begin}, {"byte_end", begin + piece.size()}, {"text", piece}, {"type", type}};
}

json free_row(const std::string& id, const std::string& document, const std::string& answer,
              const std::vector<json>& labels = {}) {
  return {{"id", id},
          {"source_id", "about " + id},
          {"model", "another"},
          {"split", "test"},
          {"quality", "good"},
          {"question", openbook::test::kQuestion},
          {"passages", {document}},
          {"answer", answer},
          {"labels", json(labels)}};
}

using FreeAnswersTest = openbook::test::ReadingGuardTest;

// ---- rows

TEST_F(FreeAnswersTest, RowsOfAnotherSplitOrQualityAreLeftOutAndCounted) {
  std::vector<json> rows;
  for (int i = 0; i < 5; ++i) rows.push_back(free_row(std::to_string(i), "Norway.", "Oslo."));
  rows[1]["split"] = "train";
  rows[2]["quality"] = "truncated";
  rows[3]["quality"] = "incorrect_refusal";
  rows[4]["split"] = "train";
  rows[4]["quality"] = "truncated";
  const FreeAnswers test = read_free_answers(file(rows), "test");
  ASSERT_EQ(test.kept.size(), 1u);
  EXPECT_EQ(test.kept[0].id, "0");
  EXPECT_EQ(test.left_out,
            (std::map<std::string, int64_t>{{"split train", 2}, {"quality truncated", 1}, {"quality incorrect_refusal", 1}}));
  EXPECT_EQ(read_free_answers(file(rows), "train").kept.size(), 1u);
  EXPECT_EQ(read_free_answers(file(rows), "all").kept.size(), 2u);
  EXPECT_ERROR(read_free_answers(file({rows[1]}), "test"), Code::kInvalidArgument, "no rows of quality good in split \"test\"");
}

TEST_F(FreeAnswersTest, BadRowsAreRefusedByLine) {
  const std::string answer = "The capital is Oslo.";
  const struct {
    std::function<void(json&)> spoil;
    const char* piece;
  } rows[] = {
      {[](json& row) { row.erase("labels"); }, "line 2: no field \"labels\""},
      {[](json& row) { row["quality"] = 1; }, "line 2: \"quality\" is not a string"},
      {[](json& row) { row["answer"] = " \n"; }, "line 2: \"answer\" is empty"},
      {[](json& row) { row["passages"] = "one"; }, "line 2: \"passages\" is not a list of strings"},
      {[](json& row) { row["passages"] = json::array(); }, "line 2: \"passages\" is not a list of strings"},
      {[](json& row) { row["passages"][0] = 7; }, "line 2: \"passages\" is not a list of strings"},
      {[](json& row) { row["labels"] = "none"; }, "line 2: \"labels\" is not a list"},
      {[](json& row) { row["labels"][0] = 3; }, "line 2: label 1: not an object"},
      {[](json& row) { row["labels"][0]["byte_start"] = -1; }, "label 1: \"byte_start\" is not a number of bytes"},
      {[](json& row) { row["labels"][0]["byte_end"] = 21; }, "label 1: bytes 15 to 21 are not inside the answer of 20 bytes"},
      {[](json& row) { row["labels"][0]["byte_end"] = 15; }, "label 1: bytes 15 to 15 are not inside"},
      {[](json& row) { row["labels"][0]["byte_start"] = 14; }, "label 1: its text is not what stands at bytes 14 to 19"},
      {[](json& row) { row["labels"][0]["type"] = "Guess"; }, "label 1: unknown type \"Guess\""},
  };
  for (const auto& each : rows) {
    SCOPED_TRACE(each.piece);
    const json good = free_row("a", "Norway.", answer, {label(answer, "Oslo")});
    json bad = good;
    each.spoil(bad);
    EXPECT_ERROR(read_free_answers(file({good, bad}), "test"), Code::kInvalidArgument, each.piece);
  }
}

// ---- words

FreeAnswer answer_over(const std::vector<std::string>& passages, const std::string& text) {
  FreeAnswer answer{.question = "Who built it?", .answer = text};
  for (const std::string& passage : passages) answer.passages.push_back(whole_document("p", passage));
  return answer;
}

std::vector<TextWord> words_of(const FreeAnswer& answer) {
  std::vector<ByteSpan> spans;
  for (const WordSpan& word : split_words(answer.answer)) spans.push_back(word.bytes);
  return describe_words(answer, spans);
}

TEST(FreeWords, TellWhatStandsInThePassages) {
  const FreeAnswer answer =
      answer_over({"The old tower was built", "in 1931 by Anna."}, "Built the old tower, in 1931, Bob BUILT 1932");
  const std::vector<TextWord> words = words_of(answer);
  const auto flags = [&](bool TextWord::*flag) {
    std::string shown;
    for (const TextWord& word : words) shown += word.*flag ? '1' : '0';
    return shown;
  };
  ASSERT_EQ(words.size(), 9u);  // Built the old tower in 1931 Bob BUILT 1932
  EXPECT_EQ(flags(&TextWord::in_passages), "111111010");
  EXPECT_EQ(flags(&TextWord::in_trigram), "011100000")
      << "\"the old tower\" is in one passage; \"tower in 1931\" would cross two";
  EXPECT_EQ(flags(&TextWord::number), "000001001");
  EXPECT_EQ(flags(&TextWord::name), "000000110") << "a first word has a capital whatever it is, a word after a comma has not";
  EXPECT_EQ(flags(&TextWord::content), "101101111");
}

TEST(FreeWords, AKindIsToldByWhatIsNotKnown) {
  const struct {
    const char* text;
    TextKind kind;
  } rows[] = {{"Anna built the tower.", TextKind::kParaphrase},
              {"By Anna, in 1931!", TextKind::kParaphrase},
              {"Anna built it in 1932 with Bob.", TextKind::kNumber},
              {"the tower of Bob", TextKind::kName},
              {"Sadly the tower leans", TextKind::kAddition},
              {"the tower. Sadly", TextKind::kAddition},
              {"who", TextKind::kParaphrase}};
  for (const auto& row : rows) {
    const FreeAnswer answer = answer_over({"The tower was built in 1931 by Anna."}, row.text);
    EXPECT_EQ(text_kind_name(kind_of(words_of(answer), {0, static_cast<int64_t>(answer.answer.size())})),
              text_kind_name(row.kind))
        << row.text;
  }
  const FreeAnswer answer = answer_over({"The tower."}, "The tower of Bob");
  EXPECT_EQ(kind_of(words_of(answer), {0, 9}), TextKind::kParaphrase) << "only what the piece overlaps counts";
}

TEST(FreeWords, OverlapCountsEveryByteOnce) {
  const auto counts = [](std::vector<ByteSpan> flagged, std::vector<ByteSpan> labelled) {
    const ByteOverlap overlap = overlap_of(std::move(flagged), std::move(labelled));
    return std::vector<int64_t>{overlap.flagged, overlap.labelled, overlap.both};
  };
  using testing::ElementsAre;
  EXPECT_THAT(counts({}, {}), ElementsAre(0, 0, 0));
  EXPECT_THAT(counts({{0, 10}}, {{5, 20}}), ElementsAre(10, 15, 5));
  EXPECT_THAT(counts({{0, 5}, {10, 15}}, {{5, 10}}), ElementsAre(10, 5, 0));
  EXPECT_THAT(counts({{20, 30}, {0, 10}, {5, 12}}, {{8, 25}, {8, 9}, {24, 26}}), ElementsAre(22, 18, 10));
  EXPECT_THAT(counts({{0, 100}}, {{10, 20}, {30, 40}}), ElementsAre(100, 20, 20));
}

// ---- the whole evaluation: the model reads answers from the document, and knows of Oslo by itself

std::vector<json> answers_about_norway() {
  const std::string oslo = "The capital of Norway is Oslo.", bergen = openbook::test::kBergen;
  std::vector<json> rows = {free_row("a", bergen, bergen), free_row("b", bergen, oslo, {label(oslo, "Oslo")}),
                            free_row("c", "The capital of Norway is Lund.", "The capital of Norway is Lund."),
                            free_row("d", bergen, oslo, {label(oslo, "is Oslo", "Subtle Conflict")})};
  rows.push_back(free_row("e", bergen, oslo));
  rows.back()["quality"] = "truncated";
  return rows;
}

TEST_F(FreeAnswersTest, FiguresOfKnownVerdicts) {
  const auto guard = Guard::open(options(openbook::test::capital_llama()));
  std::vector<nlohmann::ordered_json> said;
  const auto figures =
      eval_free_answers(*guard, file(answers_about_norway()), {.each_row = [&](const auto& row) { said.push_back(row); }});
  EXPECT_EQ(figures["rows"], 4);
  EXPECT_EQ(figures["left_out"], json({{"quality truncated", 1}}));
  EXPECT_EQ(figures["unsupported_answers"], 2);
  EXPECT_EQ(figures["unsupported_spans"], 2);
  EXPECT_EQ(figures["headline"], "auc_response.mean_recited");
  EXPECT_EQ(figures["auc_response"]["tenth_quantile"]["value"], 1.0);
  EXPECT_EQ(figures["auc_response"]["share_recited"]["n"], 4);
  EXPECT_EQ(figures["baselines"]["auc_response"]["words_not_in_passages"]["value"], 1.0);
  EXPECT_EQ(figures["baselines"]["auc_response"]["words_said"]["value"], 0.5);

  // What people marked: "Oslo" and "is Oslo". Flagged are at least both "Oslo".
  ASSERT_EQ(said.size(), 4u);
  int64_t flagged = 0;
  for (const auto& row : said)
    for (const auto& word : row["words"]) {
      const std::string text = word["text"];
      if (word["verdict"] == "recited") flagged += static_cast<int64_t>(text.size());
      if (text == "Oslo") EXPECT_EQ(word["verdict"], "recited");
      if (text == "Lund" || text == "Bergen") EXPECT_EQ(word["verdict"], "copied");
      EXPECT_EQ(word["labelled"].get<bool>(), text == "Oslo" || (row["id"] == "d" && text == "is")) << row["id"] << text;
    }
  const double precision = 8.0 / static_cast<double>(flagged), recall = 8.0 / 11;
  const auto& words = figures["spans"]["recited"]["words"];
  EXPECT_NEAR(words["precision"]["value"], precision, 1e-4);
  EXPECT_NEAR(words["recall"]["value"], recall, 1e-4);
  EXPECT_NEAR(words["f1"]["value"], 2 * precision * recall / (precision + recall), 1e-4);
  EXPECT_EQ(figures["baselines"]["spans"]["everything"]["recall"]["value"], 1.0);
  EXPECT_NEAR(figures["baselines"]["spans"]["everything"]["precision"]["value"], 11.0 / (32 + 30 + 30 + 30), 1e-4);

  EXPECT_EQ(figures["misses"]["by_type"]["Subtle Conflict"]["spans_with_recited_word"]["hits"], 1);
  EXPECT_EQ(figures["misses"]["by_type"][kType]["words_recited"]["hits"], 1);
  EXPECT_EQ(figures["misses"]["by_kind"]["name"]["spans_with_recited_word"]["of"], 2);
  EXPECT_FALSE(figures["misses"]["by_kind"].contains("number"));
}

TEST_F(FreeAnswersTest, FiguresDoNotDependOnTheNumberOfWorkersAndLimitDrawsRows) {
  const auto guard = Guard::open(options(openbook::test::capital_llama()));
  const auto rows = file(answers_about_norway());
  const auto alone = eval_free_answers(*guard, rows, {.workers = 1});
  EXPECT_EQ(alone, eval_free_answers(*guard, rows, {.workers = 3}));
  EXPECT_EQ(eval_free_answers(*guard, rows, {.limit = 2})["rows"], 2);
  Cancellation cancellation;
  cancellation.cancel();
  EXPECT_ERROR(eval_free_answers(*guard, rows, {.cancellation = &cancellation}), Code::kCancelled, "stopped");
}

// ---- the report's part

class FreePartTest : public FreeAnswersTest {
 protected:
  FreePartTest() : guard_options_(options(openbook::test::capital_llama())) {
    lab_ = {.decoder = &decoder_, .facts = &facts_, .embedder = embedder_.get(), .data = folder_ / "data"};
    std::filesystem::create_directory(lab_.data);
  }

  void write_data(const std::vector<json>& rows) const { std::filesystem::rename(file(rows), lab_.data / "ragtruth_qa.jsonl"); }
  // The part as the report has it.
  attribution::Json part(const std::string& out) {
    const auto report = attribution::write_report(lab_, {free_answers_experiment()}, {.out = folder_ / out},
                                                  [&](const auto&, const auto&, std::optional<attribution::HeadAtlas>) {
                                                    auto groundwork = std::make_unique<attribution::Groundwork>();
                                                    groundwork->atlas = attribution::HeadAtlas::load(guard_options_.atlas);
                                                    return groundwork;
                                                  });
    EXPECT_EQ(report["parts"][0]["name"], "free");
    return report["parts"][0];
  }
  static json figure(const attribution::Json& part, const std::string& name) {
    for (const auto& each : part["result"]["figures"])
      if (each["name"] == name) return each;
    throw std::logic_error("no figure " + name);
  }

  const GuardOptions guard_options_;
  const engine::Decoder decoder_{engine::Model::load(guard_options_.model)};
  const std::shared_ptr<const Embedder> embedder_ = engine::TextEncoder::load(guard_options_.embedder);
  const attribution::ContrastSet facts_;
  attribution::Laboratory lab_;
};

TEST_F(FreePartTest, SaysWhatTheEvaluationSaysOfTheReportsModelAndAtlas) {
  write_data(answers_about_norway());
  std::vector<int64_t> done;
  lab_.progress = [&](const std::string& stage, int64_t so_far, int64_t) {
    if (stage.starts_with("part 1 of 1, free: answers")) done.push_back(so_far);
  };
  const auto part = this->part("report");
  ASSERT_EQ(part["state"], "finished");
  EXPECT_EQ(done, (std::vector<int64_t>{1, 2, 3, 4}));
  const auto read = eval_free_answers(*Guard::open(guard_options_), lab_.data / "ragtruth_qa.jsonl", {});
  EXPECT_EQ(part["result"]["answers"], read);
  EXPECT_EQ(figure(part, "auc_response")["estimate"], read["auc_response"]["mean_recited"]);
  EXPECT_NE(figure(part, "auc_response")["paper"].get<std::string>().find("0.75"), std::string::npos);
  EXPECT_EQ(figure(part, "auc_response_words")["estimate"]["value"], 1.0);
  EXPECT_EQ(figure(part, "span_f1")["estimate"], read["spans"]["recited"]["joined"]["f1"]);
  EXPECT_EQ(figure(part, "span_f1_everything")["estimate"]["n"], 4);

  const auto& tables = part["result"]["tables"];
  ASSERT_EQ(tables.size(), 3u);
  ASSERT_EQ(tables[0]["rows"].size(), 2u);
  EXPECT_EQ(tables[0]["rows"][0][0], kType);
  EXPECT_EQ(attribution::estimate_text(tables[0]["rows"][0][1]), "1 (1 to 1), n = 1");
  ASSERT_EQ(tables[1]["rows"].size(), 1u);
  EXPECT_EQ(tables[1]["rows"][0][0], "name");
  EXPECT_EQ(tables[1]["rows"][0].size(), tables[1]["columns"].size());
  ASSERT_EQ(tables[2]["rows"].size(), 4u);
  EXPECT_EQ(tables[2]["rows"][0][0], "known");
  EXPECT_EQ(tables[2]["rows"][1][1]["value"], nullptr) << "no number was said";
  EXPECT_TRUE(part["result"]["left_out"].empty()) << part["result"]["left_out"];
}

TEST_F(FreePartTest, WithoutRowsItIsLeftOutAndOfOneClassItSaysSo) {
  EXPECT_EQ(part("absent")["state"], "left_out");
  EXPECT_THAT(part("absent")["result"]["left_out"][0], testing::HasSubstr("ragtruth_qa.jsonl"));
  lab_.data.clear();
  EXPECT_THAT(part("unnamed")["result"]["left_out"][0], testing::HasSubstr("--data"));

  lab_.data = folder_ / "data";
  std::vector<json> rows = answers_about_norway();
  rows.erase(rows.begin() + 1, rows.end());
  write_data(rows);
  const auto one = part("one");
  EXPECT_EQ(one["state"], "finished");
  EXPECT_EQ(figure(one, "auc_response")["estimate"]["value"], nullptr);
  EXPECT_EQ(one["result"]["left_out"],
            json({"AUC by answer: of 1 answers none has an unsupported span; a larger sample would do"}));

  rows[0]["answer"] = std::string(1000, 'x');
  write_data(rows);
  EXPECT_THAT(part("long")["result"]["left_out"][0], testing::HasSubstr("does not fit into the model's 512 positions"));
}

TEST_F(FreePartTest, AQuickOneReadsFourAnswersDrawnByTheSeed) {
  std::vector<json> rows;
  for (int i = 0; i < 40; ++i) rows.push_back(free_row(std::to_string(i), openbook::test::kBergen, openbook::test::kBergen));
  write_data(rows);
  lab_.quick = true;
  EXPECT_EQ(part("quick")["result"]["answers"]["rows"], 4);
  EXPECT_EQ(part("quick").dump(), part("again").dump());
}

}  // namespace
}  // namespace openbook::guard
