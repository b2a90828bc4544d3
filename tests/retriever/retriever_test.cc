#include "openbook/retriever/retriever.h"

#include <atomic>
#include <set>
#include <thread>

#include "base/test_support.h"
#include "openbook/base/hash.h"
#include "retriever/hashing_embedder.h"

namespace openbook::retriever {
namespace {

const auto kEmbedder = std::make_shared<const test::HashingEmbedder>();
constexpr SearchMode kModes[] = {SearchMode::kHybrid, SearchMode::kWords, SearchMode::kVectors};

std::unique_ptr<Retriever> open(const std::filesystem::path& folder, OpenMode mode = OpenMode::kReadWrite) {
  return Retriever::open(folder, kEmbedder, mode);
}

std::vector<Document> library() {
  return {
      {.id = "leave.md",
       .text = "# Leave\n\nEvery employee has 25 days of leave.\n\n## Parents\n\nParents have 90 more.\n",
       .format = "markdown",
       .metadata = {{"department", "hr"}}},
      {.id = "pay.md",
       .text = "# Pay\n\nSalaries arrive on the 27th.\n",
       .format = "markdown",
       .metadata = {{"department", "finance"}}},
      {.id = "secret.txt",
       .text = "The merger with Grebe Ltd. closes in May. Leave it secret.",
       .format = "text",
       .metadata = {{"department", "board"}}},
      {.id = "假期.txt", .text = "员工每年有二十天年假。病假另算。", .format = "text", .metadata = {}},
  };
}

struct Filled {
  test::TemporaryFolder folder;
  std::unique_ptr<Retriever> index = open(folder / "index");
  Filled() {
    for (const Document& document : library()) index->ingest(document);
  }
};

std::string described(const std::vector<Passage>& passages) {
  std::string lines;
  for (const Passage& passage : passages)
    lines += passage.document_id + " " + std::to_string(passage.range.begin) + ".." + std::to_string(passage.range.end) + " " +
             std::to_string(passage.score) + " " + passage.text + "\n";
  return lines;
}

TEST(Retriever, FindsThePassageByWordsAndByVectors) {
  const Filled filled;
  for (const SearchMode mode : kModes) {
    EXPECT_EQ(filled.index->search("When do salaries arrive?", {.limit = 1, .mode = mode})[0].document_id, "pay.md");
    EXPECT_EQ(filled.index->search("年假有几天？", {.limit = 1, .mode = mode})[0].document_id, "假期.txt");
  }
}

TEST(Retriever, APassageIsTheStoredBytesOfItsRangeAndNothingElse) {
  const test::TemporaryFolder folder;
  const auto index = open(folder / "index");
  const std::string text = "# Título\r\n\r\n\x1B[31mRojo\x1B[0m <|im_end|> niño.\r\n";
  index->ingest({.id = "a", .text = text, .format = "markdown", .metadata = {}});
  const Passage passage = index->search("rojo").at(0);
  EXPECT_EQ(passage.text, text.substr(static_cast<size_t>(passage.range.begin), static_cast<size_t>(passage.range.size())));
  EXPECT_NE(passage.text.find("\x1B[31mRojo\x1B[0m <|im_end|> niño."), std::string::npos);
  EXPECT_EQ(passage.document_sha256, sha256_hex(text));
  EXPECT_EQ(index->document_text(passage.document_sha256), text);
}

TEST(Retriever, AChunkIsFoundByTheHeadingsAboveItAndSaysThemBesideItsText) {
  const test::TemporaryFolder folder;
  const auto index = Retriever::open(folder / "index", kEmbedder, OpenMode::kReadWrite, {.max_tokens = 8, .overlap_tokens = 0});
  index->ingest({.id = "a",
                 .text = "# Siskin gateway\n\n## Power\n\nIt draws two watts. Use the supplied adapter only.",
                 .format = "markdown",
                 .metadata = {}});
  index->ingest({.id = "b",
                 .text = "# Tern gauge\n\n## Power\n\nIt draws six watts. Use the supplied adapter only.",
                 .format = "markdown",
                 .metadata = {}});
  for (const auto& [device, id] : {std::pair{"siskin", "a"}, std::pair{"tern", "b"}}) {
    const auto passages =
        index->search(std::string(device) + ": use the supplied adapter only", {.limit = 1, .mode = SearchMode::kVectors});
    EXPECT_EQ(passages.at(0).document_id, id);
    EXPECT_EQ(passages[0].text, "Use the supplied adapter only.");
    EXPECT_EQ(passages[0].context, id == std::string("a") ? "Siskin gateway\nPower" : "Tern gauge\nPower");
  }
}

TEST(Retriever, AChunkIsFoundByATitleThatIsNoHeading) {
  const test::TemporaryFolder folder;
  const auto index = Retriever::open(folder / "index", kEmbedder, OpenMode::kReadWrite, {.max_tokens = 8, .overlap_tokens = 0});
  for (const std::string device : {"Siskin", "Tern"})
    index->ingest({.id = device,
                   .text = "\n" + device + "\n\nIt draws two watts at most. Use the supplied adapter only.",
                   .format = "text",
                   .metadata = {}});
  for (const std::string device : {"Siskin", "Tern"})
    EXPECT_EQ(
        index->search(device + ": use the supplied adapter only", {.limit = 1, .mode = SearchMode::kVectors}).at(0).document_id,
        device);
}

TEST(Retriever, IngestAddsReplacesOrDoesNothing) {
  Filled filled;
  Document pay = library()[1];
  uint64_t generation = filled.index->generation();
  EXPECT_EQ(filled.index->ingest(pay).outcome, IngestOutcome::kUnchanged);
  EXPECT_EQ(filled.index->generation(), generation);

  pay.text = "# Pay\n\nBonuses arrive in June.\n";
  const IngestReport report = filled.index->ingest(pay);
  EXPECT_EQ(report.outcome, IngestOutcome::kReplaced);
  EXPECT_EQ(report.sha256, sha256_hex(pay.text));
  EXPECT_EQ(filled.index->generation(), generation + 1);
  for (const SearchMode mode : kModes)
    for (const Passage& passage : filled.index->search("When do salaries arrive? 27th", {.limit = 50, .mode = mode}))
      EXPECT_EQ(passage.text.find("Salaries"), std::string::npos);

  pay.metadata["department"] = "hr";
  EXPECT_EQ(filled.index->ingest(pay).outcome, IngestOutcome::kReplaced);
  EXPECT_EQ(filled.index->documents().size(), library().size());
  pay.id = "new.md";
  EXPECT_EQ(filled.index->ingest(pay).outcome, IngestOutcome::kAdded);
}

TEST(Retriever, ManyDocumentsGoInTogetherAsTheyWouldOneByOne) {
  const Filled one_by_one;
  const test::TemporaryFolder folder;
  const auto together = open(folder / "index");
  std::vector<Document> documents = library();
  const uint64_t generation = together->generation();
  const auto reports = together->ingest(documents);
  EXPECT_EQ(together->generation(), generation + 1);  // one batch
  ASSERT_EQ(reports.size(), documents.size());
  for (size_t i = 0; i < reports.size(); ++i) EXPECT_EQ(reports[i].sha256, sha256_hex(documents[i].text));
  EXPECT_EQ(described(together->search("days of leave", {.limit = 50})),
            described(one_by_one.index->search("days of leave", {.limit = 50})));

  documents[1].text = "# Pay\n\nBonuses arrive in June.\n";
  documents.push_back({.id = "new", .text = "New.", .format = "text", .metadata = {}});
  std::string outcomes;
  for (const IngestReport& report : together->ingest(documents)) outcomes += "aru"[static_cast<size_t>(report.outcome)];
  EXPECT_EQ(outcomes, "uruua");
  EXPECT_TRUE(together->ingest(std::span<const Document>()).empty());
}

TEST(Retriever, OneBadDocumentOfManyLeavesTheIndexAsItWas) {
  Filled filled;
  const uint64_t generation = filled.index->generation();
  const Document good{.id = "x", .text = "Good.", .format = "text", .metadata = {}};
  Document bad = good;
  bad.text = "caf\xE9";
  bad.id = "y";
  for (const std::vector<Document>& documents : {std::vector{good, bad}, std::vector{good, good}}) {
    EXPECT_ERROR(filled.index->ingest(documents), Code::kInvalidArgument, documents[1].id);
    EXPECT_EQ(filled.index->generation(), generation);
  }
}

TEST(Retriever, AFileThatMovedIsRememberedWithoutANewVersion) {
  Filled filled;
  Document pay = library()[1];
  pay.file = "/home/pay.md";
  EXPECT_EQ(filled.index->ingest(pay).outcome, IngestOutcome::kUnchanged);
  for (int reopened = 0; reopened < 2; ++reopened) {
    for (const StoredDocument& document : filled.index->documents()) {
      EXPECT_EQ(document.file, document.id == "pay.md" ? "/home/pay.md" : "");
      EXPECT_GT(document.ingested_ms, 1700000000000);
    }
    filled.index.reset();
    filled.index = open(filled.folder / "index");
  }
}

TEST(Retriever, RootsAreKept) {
  Filled filled;
  EXPECT_TRUE(filled.index->roots().empty());
  const std::vector<IndexRoot> roots = {{"/home/docs", "docs"}, {"/srv", ""}};
  filled.index->set_roots(roots);
  const uint64_t generation = filled.index->generation();
  filled.index->set_roots(roots);
  EXPECT_EQ(filled.index->generation(), generation);
  filled.index.reset();
  EXPECT_EQ(open(filled.folder / "index", OpenMode::kReadOnly)->describe().roots, roots);
}

TEST(Retriever, CopiesOfATextComeOnceAndAreNamed) {
  const test::TemporaryFolder folder;
  const auto index = open(folder / "index");
  const std::string text = "# Mast\n\nThe mast of the ketch is 14 metres tall.\n";
  for (int copy = 0; copy < 120; ++copy)
    index->ingest(
        {.id = "copy" + std::to_string(1000 + copy), .text = text, .format = "markdown", .metadata = {{"copy", "yes"}}});
  index->ingest({.id = "wrapped",
                 .text = "# Mast\r\n\r\nThe mast of the ketch\r\nis 14 metres tall.\r\n",
                 .format = "markdown",
                 .metadata = {}});
  index->ingest({.id = "other", .text = "The ketch has a mast of spruce.", .format = "text", .metadata = {}});
  index->ingest({.id = "third", .text = "A sail hangs on a boom.", .format = "text", .metadata = {}});
  for (const SearchMode mode : {SearchMode::kHybrid, SearchMode::kWords}) {
    const auto found = index->search("How tall is the mast of the ketch?", {.limit = 2, .mode = mode});
    ASSERT_EQ(found.size(), 2u);
    EXPECT_NE(found[0].text.find("14 metres"), std::string::npos);
    EXPECT_EQ(found[0].also_in.size(), 120u);
    EXPECT_EQ(found[1].document_id, "other");
    EXPECT_TRUE(found[1].also_in.empty());
  }
  EXPECT_EQ(index->search("mast ketch", {.limit = 50, .mode = SearchMode::kVectors}).size(), 3u);
  const auto no_copies = [](const std::string&, const auto& metadata) { return !metadata.contains("copy"); };
  const auto allowed = index->search("How tall is the mast of the ketch?", {.limit = 1, .filter = no_copies});
  EXPECT_EQ(allowed.at(0).document_id, "wrapped");
  EXPECT_TRUE(allowed[0].also_in.empty()) << "names a document that may not be found";
}

TEST(Retriever, TheSameWordsUnderAnotherTitleAreNoCopy) {
  const test::TemporaryFolder folder;
  const auto index = Retriever::open(folder / "index", kEmbedder, OpenMode::kReadWrite, {.max_tokens = 8, .overlap_tokens = 0});
  for (const char* device : {"Siskin", "Tern"})
    index->ingest({.id = device,
                   .text = std::string("# ") + device + "\n\nIt is blue and tall now. It draws two watts.",
                   .format = "markdown",
                   .metadata = {}});
  size_t found = 0;
  for (const Passage& passage : index->search("It draws two watts", {.limit = 50}))
    found += passage.text == "It draws two watts.";
  EXPECT_EQ(found, 2u);
}

TEST(Retriever, ARemovedDocumentIsFoundNoMoreAndTheRestStill) {
  Filled filled;
  EXPECT_TRUE(filled.index->remove("pay.md"));
  EXPECT_FALSE(filled.index->remove("pay.md"));
  for (int reopened = 0; reopened < 2; ++reopened) {
    EXPECT_EQ(filled.index->documents().size(), 3u);
    for (const SearchMode mode : kModes) {
      for (const Passage& passage : filled.index->search("salaries", {.limit = 50, .mode = mode}))
        EXPECT_NE(passage.document_id, "pay.md");
      EXPECT_EQ(filled.index->search("merger", {.limit = 1, .mode = mode})[0].document_id, "secret.txt");
    }
    filled.index.reset();
    filled.index = open(filled.folder / "index");
  }
}

TEST(Retriever, AFilteredIndexRanksAsOneThatNeverHeldTheRest) {
  const Filled filled;
  const test::TemporaryFolder folder;
  const auto without = open(folder / "index");
  for (const Document& document : library())
    if (document.id != "secret.txt") without->ingest(document);
  const auto not_the_board = [](const std::string&, const std::map<std::string, std::string>& metadata) {
    return !metadata.contains("department") || metadata.at("department") != "board";
  };
  for (const SearchMode mode : kModes)
    EXPECT_EQ(described(filled.index->search("leave of the merger in May", {.limit = 50, .mode = mode, .filter = not_the_board})),
              described(without->search("leave of the merger in May", {.limit = 50, .mode = mode})));
  EXPECT_TRUE(filled.index->search("leave", {.filter = [](auto&, auto&) { return false; }}).empty());
}

TEST(Retriever, ReopenedItFindsTheSameWithAndWithoutTheVectorFile) {
  Filled filled;
  const std::string before = described(filled.index->search("days of leave", {.limit = 50}));
  filled.index.reset();
  EXPECT_FALSE(std::filesystem::exists(filled.folder / "index/vectors.faiss"));
  filled.index = open(filled.folder / "index");
  EXPECT_EQ(described(filled.index->search("days of leave", {.limit = 50})), before);
  filled.index->flush();
  EXPECT_TRUE(std::filesystem::exists(filled.folder / "index/vectors.faiss"));
  filled.index.reset();
  EXPECT_EQ(described(open(filled.folder / "index", OpenMode::kReadOnly)->search("days of leave", {.limit = 50})), before);
}

TEST(Retriever, ManyReplacementsLeaveNoTrace) {
  Filled filled;
  const std::string before = described(filled.index->search("days of leave", {.limit = 50}));
  for (int i = 0; i < 40; ++i)
    filled.index->ingest({.id = "x", .text = "Leave of days " + std::to_string(i), .format = "text", .metadata = {}});
  filled.index->remove("x");
  EXPECT_EQ(described(filled.index->search("days of leave", {.limit = 50})), before);
}

TEST(Retriever, OldVersionsStayReadableUntilGc) {
  Filled filled;
  const std::string old = filled.index->documents()[0].sha256;
  const std::string id = filled.index->documents()[0].id;
  filled.index->ingest({.id = id, .text = "Changed.", .format = "text", .metadata = {}});
  EXPECT_NE(filled.index->document_text(old).find("25 days"), std::string::npos);
  EXPECT_EQ(filled.index->gc(), 1u);
  EXPECT_EQ(filled.index->gc(), 0u);
  EXPECT_ERROR(filled.index->document_text(old), Code::kNotFound, old);
  EXPECT_EQ(filled.index->document_text(filled.index->documents()[0].sha256), "Changed.");
}

TEST(Retriever, ChunksOfCurrentVersionsAreCounted) {
  Filled filled;
  EXPECT_EQ(filled.index->chunk_count(), 5u);
  filled.index->remove("secret.txt");
  EXPECT_EQ(filled.index->chunk_count(), 4u);
}

TEST(Retriever, WithoutAnEmbedderItSearchesByWordsOnly) {
  Filled filled;
  filled.index.reset();
  const auto index = Retriever::open(filled.folder / "index", nullptr, OpenMode::kReadOnly);
  EXPECT_EQ(index->search("salaries", {.limit = 1, .mode = SearchMode::kWords})[0].document_id, "pay.md");
  EXPECT_ERROR(index->search("salaries"), Code::kFailedPrecondition, "without an embedder");
}

TEST(Retriever, BadInputIsOneClearErrorAndChangesNothing) {
  Filled filled;
  const uint64_t generation = filled.index->generation();
  const struct {
    Document document;
    Code code;
    std::string piece;
  } rows[] = {
      {{.id = "a", .text = "caf\xE9", .format = "text", .metadata = {}}, Code::kInvalidArgument, "a: not UTF-8 at byte 3"},
      {{.id = "a", .text = std::string("a\0b", 3), .format = "text", .metadata = {}}, Code::kInvalidArgument, "NUL at byte 1"},
      {{.id = "a", .text = " \n", .format = "text", .metadata = {}}, Code::kInvalidArgument, "a: empty"},
      {{.id = "a", .text = std::string(kMaxDocumentBytes + 1, 'x'), .format = "text", .metadata = {}},
       Code::kOutOfRange,
       "limit of 67108864"},
      {{.id = "a", .text = "x", .format = "pdf", .metadata = {}}, Code::kInvalidArgument, "\"pdf\""},
      {{.id = "", .text = "x", .format = "text", .metadata = {}}, Code::kInvalidArgument, "id of 0 bytes"},
      {{.id = "\xFF", .text = "x", .format = "text", .metadata = {}}, Code::kInvalidArgument, "document id: not UTF-8"},
      {{.id = "a", .text = "x", .format = "text", .metadata = {{"k", "\xFF"}}}, Code::kInvalidArgument, "metadata \"k\""},
  };
  for (const auto& row : rows) EXPECT_ERROR(filled.index->ingest(row.document), row.code, row.piece);
  EXPECT_ERROR(filled.index->search(" \n"), Code::kInvalidArgument, "question is empty");
  EXPECT_ERROR(filled.index->search("\xFF"), Code::kInvalidArgument, "question: not UTF-8");
  EXPECT_ERROR(filled.index->document_text("12"), Code::kInvalidArgument, "no SHA-256");
  EXPECT_EQ(filled.index->generation(), generation);
}

TEST(Retriever, WithoutAnEmbedderDocumentsAreRemovedButNotIngested) {
  Filled filled;
  filled.index->flush();
  filled.index.reset();
  auto index = Retriever::open(filled.folder / "index", nullptr, OpenMode::kReadWrite);
  EXPECT_ERROR(index->ingest(library()[0]), Code::kFailedPrecondition, "without an embedder");
  EXPECT_TRUE(index->remove("pay.md"));
  index->flush();
  index.reset();
  const auto reader = open(filled.folder / "index", OpenMode::kReadOnly);
  EXPECT_EQ(reader->search("merger", {.limit = 1, .mode = SearchMode::kVectors})[0].document_id, "secret.txt");
  EXPECT_ERROR(Retriever::open(filled.folder / "none", nullptr, OpenMode::kReadWrite), Code::kNotFound, "there is none");
  EXPECT_FALSE(std::filesystem::exists(filled.folder / "none"));
}

TEST(Retriever, AnEmptyIndexSaysSo) {
  const test::TemporaryFolder folder;
  const auto index = open(folder / "index");
  EXPECT_ERROR(index->search("anything"), Code::kFailedPrecondition, "holds no documents");
  EXPECT_EQ(index->chunk_count(), 0u);
}

TEST(Retriever, ACancelledIngestStoresNothing) {
  Filled filled;
  Cancellation cancellation;
  cancellation.cancel();
  EXPECT_ERROR(filled.index->ingest({.id = "x", .text = "x", .format = "text", .metadata = {}}, &cancellation), Code::kCancelled,
               "stopped");
  EXPECT_EQ(filled.index->documents().size(), library().size());
}

TEST(Retriever, SearchesRunBesideAnIngest) {
  Filled filled;
  std::atomic<bool> done{false};
  std::atomic<int> wrong{0};
  std::vector<std::thread> readers;
  for (int reader = 0; reader < 3; ++reader)
    readers.emplace_back([&] {
      while (!done)
        for (const Passage& passage : filled.index->search("number of leave", {.limit = 20}))
          if (filled.index->document_text(passage.document_sha256)
                  .substr(static_cast<size_t>(passage.range.begin), passage.text.size()) != passage.text)
            ++wrong;
    });
  for (int i = 0; i < 60; ++i)
    filled.index->ingest(
        {.id = "n" + std::to_string(i % 7), .text = "Leave number " + std::to_string(i) + ".", .format = "text", .metadata = {}});
  done = true;
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace openbook::retriever
