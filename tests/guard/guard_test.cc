// What becomes of an answer: delivered and cited, flagged, or refused with a reason. On models whose weights are written by hand.
#include <gmock/gmock.h>

#include <thread>

#include "guard/asking_guard.h"

namespace openbook {
namespace {

using test::kBergen;
using test::kQuestion;
using test::kSaid;
using testing::ElementsAre;

using GuardAnswers = test::AskingGuardTest;

TEST_F(GuardAnswers, WhatTheDocumentSaysIsDeliveredAndCited) {
  const Answer answer = ask(test::capital_llama(), {"Ships leave daily.", kBergen});
  EXPECT_EQ(answer.outcome, Outcome::kAnswered);
  EXPECT_EQ(answer.text, kSaid + "Bergen.");
  EXPECT_THAT(tried(answer), ElementsAre("decode: supported"));
  ASSERT_EQ(answer.claims.size(), 1u);
  EXPECT_EQ(slice(answer.text, answer.claims[0].answer), "Bergen");
  EXPECT_EQ(answer.claims[0].support, Support::kSupported);
  ASSERT_EQ(answer.citations.size(), 1u);
  const Citation& citation = answer.citations[0];
  EXPECT_EQ(citation.document_id, "document-2");
  EXPECT_EQ(citation.document_sha256, whole_document("x", kBergen).document_sha256);
  EXPECT_EQ(citation.quote, "Bergen");
  EXPECT_EQ(slice(kBergen, citation.source), "Bergen");
  EXPECT_EQ(citation.sentence_text, kBergen);
  EXPECT_EQ(citation.line, 1);
  ASSERT_EQ(answer.sentences.size(), 1u);
  EXPECT_EQ(answer.sentences[0].delivery, Delivery::kDelivered);
  EXPECT_FALSE(answer.sentences[0].steered);
  EXPECT_EQ(answer.sentences[0].reason, "");
}

TEST_F(GuardAnswers, WhatIsRecitedIsRefusedAndNamed) {
  for (const std::vector<std::string>& texts : {std::vector<std::string>{}, {"Norway is cold."}}) {
    const Answer answer = ask(test::capital_llama(), texts);
    EXPECT_EQ(answer.outcome, Outcome::kRefused);
    EXPECT_EQ(answer.text, Policy().refusal_text);
    EXPECT_EQ(answer.refusal_reason, "recited: \"Oslo\"");
    EXPECT_TRUE(answer.sentences.empty() && answer.citations.empty() && answer.words.empty());
    EXPECT_EQ(answer.trace.front().text, (texts.empty() ? " " : "") + kSaid + "Oslo.") << "only with documents it is begun";
    EXPECT_EQ(answer.trace.back().what, "refuse");
  }
}

TEST_F(GuardAnswers, CopiedWordsThatAreNoQuoteAreNotDeliveredBesideOnesThatAre) {
  test::ReadingLlama model = test::capital_llama();
  model.follow(" is", {" Bergen"});
  model.follow(" Bergen", {" and"});
  model.follow(" and", {" Lund", " Malmo"});
  model.follow(" Lund", {" Turku", " Malmo"});
  const auto guard = Guard::open(options(model, [](attribution::HeadAtlas& atlas) { atlas.first_token.copied_above = 0.6; }));
  const Answer joined = guard->ask(kQuestion, documents({"The capital of Norway is Bergen. Norway has Lund. Norway has Turku."}));
  ASSERT_FALSE(joined.trace.empty());
  EXPECT_EQ(joined.trace[0].text, kSaid + "Bergen and Lund Turku.");
  EXPECT_EQ(joined.trace[0].outcome, "words of the passages that do not stand together there: \"Lund Turku\"");
  EXPECT_EQ(joined.outcome, Outcome::kRefused);
  const Answer quoted = guard->ask(kQuestion, documents({"The capital of Norway is Bergen. Norway has Lund Turku."}));
  EXPECT_EQ(quoted.text, kSaid + "Bergen and Lund Turku.");
}

TEST_F(GuardAnswers, TheRightWordReadInTheWrongPlaceIsNotDelivered) {
  const Answer answer = ask(test::capital_llama(), {"The capital of Sweden is Lund."});
  EXPECT_EQ(answer.outcome, Outcome::kRefused);
  EXPECT_THAT(tried(answer), ElementsAre("decode: copied from a place that does not speak of the question: \"Lund\"",
                                         "steer: not possible: no passage speaks of the question",
                                         "refuse: copied from a place that does not speak of the question: \"Lund\""));
}

TEST_F(GuardAnswers, TheSameWordInTwoDocumentsIsCitedWhereItIsOnTopic) {
  const Answer answer = ask(test::capital_llama(), {"The ferry to Bergen is late: Bergen again.", kBergen});
  ASSERT_EQ(answer.citations.size(), 1u);
  EXPECT_EQ(answer.citations[0].document_id, "document-2");
}

TEST_F(GuardAnswers, TheModelsOwnNoIsAbstained) {
  test::ReadingLlama model = test::capital_llama();
  model.follow(" The", {" documents"});
  model.follow(" documents", {" do"});
  model.follow(" do", {" not"});
  model.follow(" not", {" answer"});
  model.follow(" answer", {"."});
  const Answer answer = ask(model, {kBergen});
  EXPECT_EQ(answer.outcome, Outcome::kAbstained);
  EXPECT_EQ(answer.text, Policy().abstained_text) << "the policy's words, not the model's";
  EXPECT_TRUE(answer.sentences.empty());
  EXPECT_EQ(answer.trace.back().text, "The documents do not answer.");
  EXPECT_FALSE(answer.trace.back().words.empty()) << "judged as any other sentence";
}

TEST_F(GuardAnswers, AModelThatSaysNothingIsRefused) {
  test::ReadingLlama model = test::capital_llama();
  model.follow("\n", {"<|im_end|>"});
  const Answer answer = ask(model, {kBergen});
  EXPECT_EQ(answer.outcome, Outcome::kRefused);
  EXPECT_EQ(answer.refusal_reason, "the model said nothing");
}

TEST_F(GuardAnswers, AWordOfTheQuestionIsNoReason) {
  // "The capital of Norway." repeats the question: probed between the thresholds, every word of it is unchecked.
  test::ReadingLlama model = test::capital_llama();
  model.follow(" Norway", {"."});
  const Answer answer = ask(model, {kBergen});
  EXPECT_EQ(answer.outcome, Outcome::kRefused);
  EXPECT_EQ(answer.refusal_reason, "not copied from a passage about the question");
  // One that says more, unchecked too: that is what is named.
  model.follow(" Norway", {" is"});
  model.follow(" is", {" splendid"});
  model.follow(" splendid", {"."});
  EXPECT_EQ(ask(model, {kBergen}).refusal_reason, "not copied from a passage about the question: \"splendid\"");
}

TEST_F(GuardAnswers, UncheckedBesideSupportedIsSaidByName) {
  test::ReadingLlama model = test::capital_llama();
  for (const std::string& capital : model.answers) model.follow(capital, {" and"});
  model.follow(" and", {" splendid"});
  model.follow(" splendid", {"."});
  Policy policy;
  policy.on_unchecked = Action::kFlag;
  const Answer answer = ask(model, {kBergen}, policy);
  ASSERT_EQ(answer.sentences.size(), 1u);
  EXPECT_EQ(answer.sentences[0].delivery, Delivery::kFlagged);
  EXPECT_EQ(answer.sentences[0].reason, "unchecked: \"splendid\"");
}

TEST_F(GuardAnswers, MarksOfAHeadingAreNotDeliveredAndOffsetsStayRight) {
  test::ReadingLlama model = test::capital_llama();
  model.follow("\n", {"##"});
  model.follow("##", {" The"});
  const std::string document = "# Cities\n\n## The capital of Norway is Bergen.\n";
  const Answer answer = ask(model, {document});
  EXPECT_EQ(answer.text, "The capital of Norway is Bergen.");
  ASSERT_EQ(answer.tokens.size(), 8u);
  EXPECT_TRUE(answer.tokens[0].answer.empty());
  EXPECT_EQ(answer.tokens[1].answer, (ByteSpan{0, 3}));
  ASSERT_EQ(answer.citations.size(), 1u);
  EXPECT_EQ(slice(answer.text, answer.citations[0].answer), "Bergen");
  EXPECT_EQ(slice(document, answer.citations[0].source), "Bergen");
  EXPECT_EQ(answer.citations[0].line, 3);
}

// ---- what is shown, and when

TEST_F(GuardAnswers, HeldSentencesAreShownWholeAndStreamedWordsAreProvisional) {
  std::vector<std::string> shown;
  AskOptions ask;
  ask.on_text = [&](std::string_view text, Delivery delivery, bool provisional) {
    shown.push_back(std::string(text) + "|" + std::string(delivery_name(delivery)) + (provisional ? "?" : ""));
  };
  this->ask(test::two_sentence_llama(), {"The capital of Norway is Bergen. Norway has 31 fjords!"}, {}, ask);
  EXPECT_THAT(shown, ElementsAre(test::kSteered + "Bergen.|delivered", " And it has 31!|delivered"));

  shown.clear();
  const Answer answer = this->ask(test::capital_llama(), {kBergen}, Policy::load("annotate"), ask);
  EXPECT_THAT(shown, ElementsAre(" |flagged?", "The |flagged?", "capital |flagged?", "of |flagged?", "Norway |flagged?",
                                 "is |flagged?", "Bergen|flagged?", answer.text + "|delivered"));
}

TEST_F(GuardAnswers, TheFilterDecidesWhatMayBeRead) {
  GuardOptions options = this->options(test::capital_llama());
  options.index = folder_ / "index";
  {
    const auto index = open_index(options.index);
    index->ingest({.id = "open.txt", .text = "Norway is cold.", .format = "text", .metadata = {}});
    index->ingest({.id = "secret.txt", .text = kBergen, .format = "text", .metadata = {{"level", "secret"}}});
  }
  const auto guard = Guard::open(options);
  const Answer cited = guard->ask(kQuestion);
  ASSERT_EQ(cited.citations.size(), 1u) << to_json(cited);
  EXPECT_EQ(cited.citations[0].document_id, "secret.txt");
  EXPECT_GT(cited.index_generation, 0u);
  AskOptions restricted;
  restricted.filter = [](const std::string&, const std::map<std::string, std::string>& metadata) {
    return !metadata.contains("level");
  };
  const Answer without = guard->ask(kQuestion, restricted);
  EXPECT_EQ(without.outcome, Outcome::kRefused);
  ASSERT_EQ(without.passages.size(), 1u);
  EXPECT_EQ(without.passages[0].document_id, "open.txt");
  restricted.filter = [](const std::string&, const auto&) { return false; };
  const Answer nothing = guard->ask(kQuestion, restricted);
  EXPECT_EQ(nothing.outcome, Outcome::kRefused);
  EXPECT_TRUE(nothing.passages.empty());
  EXPECT_EQ(nothing.refusal_reason, "recited: \"Oslo\"");
}

TEST_F(GuardAnswers, AQuoteIsReReadFromTheStoreAndAMismatchIsDataLoss) {
  GuardOptions options = this->options(test::capital_llama());
  options.index = folder_ / "index";
  open_index(options.index)->ingest({.id = "norway.txt", .text = "Cold.\n" + kBergen, .format = "text", .metadata = {}});
  const auto guard = Guard::open(options);
  std::vector<Passage> passages = guard->search(kQuestion);
  const Answer answer = guard->ask(kQuestion, passages);
  ASSERT_EQ(answer.citations.size(), 1u);
  EXPECT_EQ(answer.citations[0].line, 2);
  // The passage says something else than the store at its place.
  passages[0].text.replace(passages[0].text.find("Bergen"), 6, "Lund  ");
  EXPECT_ERROR(guard->ask(kQuestion, passages), Code::kDataLoss, "norway.txt: bytes 31 to 35 are not what was quoted");
}

TEST_F(GuardAnswers, CheckJudgesAForeignAnswerAndChangesNothingOfIt) {
  const auto guard = Guard::open(options(test::capital_llama()));
  const std::string text = "The capital of Norway is Bergen. The capital of Norway is Oslo.";
  const Answer judged = guard->check(kQuestion, documents({kBergen}), text);
  EXPECT_EQ(judged.text, text);
  std::map<std::string, Verdict> verdicts;
  for (const Word& word : judged.words) verdicts[std::string(slice(text, word.answer))] = word.verdict;
  EXPECT_EQ(verdicts["Bergen"], Verdict::kCopied);
  EXPECT_EQ(verdicts["Oslo"], Verdict::kRecited);
  EXPECT_ERROR(guard->check(kQuestion, documents({kBergen}), "caf\xE9"), Code::kInvalidArgument, "the answer");
}

TEST_F(GuardAnswers, ACheckCanBeStopped) {
  Cancellation cancellation;
  cancellation.cancel();
  EXPECT_ERROR(Guard::open(options(test::capital_llama()))->check(kQuestion, documents({kBergen}), kBergen, &cancellation),
               Code::kCancelled, "stopped");
}

TEST_F(GuardAnswers, ManyThreadsShareOneGuard) {
  const auto guard = Guard::open(options(test::capital_llama()));
  std::vector<std::string> texts(8);
  std::vector<std::thread> threads;
  const std::vector<std::string> capitals = {"Bergen", "Lund", "Turku", "Malmo"};
  for (size_t i = 0; i < texts.size(); ++i)
    threads.emplace_back(
        [&, i] { texts[i] = guard->ask(kQuestion, documents({"The capital of Norway is " + capitals[i % 4] + "."})).text; });
  for (std::thread& thread : threads) thread.join();
  for (size_t i = 0; i < texts.size(); ++i) EXPECT_EQ(texts[i], kSaid + capitals[i % 4] + ".");
}

// ---- bad input

TEST_F(GuardAnswers, BadQuestionsAreOneClearError) {
  const auto guard = Guard::open(options(test::capital_llama()));
  EXPECT_ERROR(guard->ask("", documents({kBergen})), Code::kInvalidArgument, "the question is empty");
  EXPECT_ERROR(guard->ask(" \n\t", documents({kBergen})), Code::kInvalidArgument, "the question is empty");
  EXPECT_ERROR(guard->ask("caf\xE9?", documents({kBergen})), Code::kInvalidArgument, "the question");
  EXPECT_ERROR(guard->ask(kQuestion, documents({"caf\xE9"})), Code::kInvalidArgument, "passage 1 (document-1)");
  EXPECT_ERROR(guard->ask(kQuestion), Code::kFailedPrecondition, "no index");
  Passage wrong = whole_document("d", kBergen);
  wrong.range.end += 1;
  EXPECT_ERROR(guard->ask(kQuestion, {wrong}), Code::kInvalidArgument, "does not match its text");
}

TEST_F(GuardAnswers, WhatDoesNotFitIsLeftOutAndCountedOrAnErrorNeverCut) {
  test::ReadingLlama model = test::capital_llama();
  model.max_positions = 400;
  const auto guard = Guard::open(options(model));
  const std::string filler(120, 'x');
  const Answer answer = guard->ask(kQuestion, documents({kBergen, filler, filler, filler}), {.max_tokens = 16});
  EXPECT_EQ(answer.text, kSaid + "Bergen.");
  EXPECT_EQ(answer.passages.size() + answer.passages_left_out, 4u);
  EXPECT_GT(answer.passages_left_out, 0u);
  const Answer behind = guard->ask(kQuestion, documents({std::string(1000, 'x'), kBergen}), {.max_tokens = 16});
  EXPECT_EQ(behind.text, kSaid + "Bergen.");
  EXPECT_EQ(behind.passages_left_out, 1u);
  for (const bool asked : {true, false})
    EXPECT_ERROR(asked ? guard->ask(kQuestion, documents({std::string(1000, 'x')}), {.max_tokens = 16})
                       : guard->check(kQuestion, documents({std::string(1000, 'x')}), kSaid + "Bergen."),
                 Code::kOutOfRange, "none of the passages (1) fits into the");
  EXPECT_ERROR(guard->check(kQuestion, documents({kBergen}), " \n"), Code::kInvalidArgument, "the answer is empty");
  EXPECT_ERROR(guard->ask(std::string(500, 'x') + "?", documents({kBergen}), {.max_tokens = 16}), Code::kOutOfRange,
               "tokens, more than the");
  EXPECT_ERROR(guard->ask(kQuestion, documents({kBergen}), {.max_tokens = 400}), Code::kOutOfRange,
               "does not fit into the model's 400 positions");
  EXPECT_ERROR(guard->check(kQuestion, documents({kBergen}), std::string(500, 'x')), Code::kOutOfRange, "");
}

TEST_F(GuardAnswers, FoldersThatDoNotBelongTogetherAreRefused) {
  const GuardOptions good = options(test::capital_llama());
  const struct {
    const char* what;
    std::function<void(GuardOptions&)> spoil;
    Code code;
    const char* piece;
  } rows[] = {
      {"missing model", [&](GuardOptions& o) { o.model = folder_ / "none"; }, Code::kNotFound, "none"},
      {"empty model folder", [&](GuardOptions& o) { std::filesystem::create_directory(o.model = folder_ / "empty"); },
       Code::kNotFound, "config.json"},
      {"missing embedder", [&](GuardOptions& o) { o.embedder = folder_ / "none"; }, Code::kNotFound, "none"},
      {"a decoder for an embedder", [&](GuardOptions& o) { o.embedder = good.model; }, Code::kUnimplemented, "llama"},
      {"an encoder for a model", [&](GuardOptions& o) { o.model = good.embedder; }, Code::kUnimplemented, "bert"},
      {"missing atlas", [&](GuardOptions& o) { o.atlas = folder_ / "none"; }, Code::kNotFound, "none"},
      {"atlas of another model", [&](GuardOptions& o) { test::stubborn_llama().write(o.model = folder_ / "other"); },
       Code::kFailedPrecondition, "atlas"},
      {"missing index", [&](GuardOptions& o) { o.index = folder_ / "none"; }, Code::kNotFound, "none"},
      {"missing log", [&](GuardOptions& o) { o.log = folder_ / "none", o.log_key = folder_ / "key"; }, Code::kNotFound, "none"},
      {"log without a key", [&](GuardOptions& o) { o = with_log(o), o.log_key.clear(); }, Code::kInvalidArgument,
       "no key file was named"},
      {"unknown device", [&](GuardOptions& o) { o.device = "abacus"; }, Code::kInvalidArgument, "abacus"},
      {"unknown dtype", [&](GuardOptions& o) { o.dtype = "int1"; }, Code::kInvalidArgument, "int1"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.what);
    GuardOptions spoilt = good;
    row.spoil(spoilt);
    EXPECT_ERROR(Guard::open(spoilt), row.code, row.piece);
  }
}

TEST_F(GuardAnswers, AnEmptyIndexSaysSo) {
  GuardOptions options = this->options(test::capital_llama());
  options.index = folder_ / "index";
  open_index(options.index);
  EXPECT_ERROR(Guard::open(options)->ask(kQuestion), Code::kFailedPrecondition, "holds no documents");
}

}  // namespace
}  // namespace openbook
