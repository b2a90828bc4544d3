// What was erased stands in no file of the index any more.
#include <fcntl.h>
#include <sys/file.h>

#include <algorithm>
#include <fstream>

#include "base/test_support.h"
#include "openbook/base/descriptor.h"
#include "openbook/base/file.h"
#include "openbook/retriever/retriever.h"
#include "retriever/hashing_embedder.h"

namespace openbook::retriever {
namespace {

namespace fs = std::filesystem;

const auto kEmbedder = std::make_shared<const test::HashingEmbedder>();

std::unique_ptr<Retriever> open(const fs::path& folder) { return Retriever::open(folder, kEmbedder, OpenMode::kReadWrite); }

// The files below `folder` that hold `bytes`.
std::string holders(const fs::path& folder, std::string_view bytes) {
  std::string names;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    if (entry.is_regular_file() && read_file(entry.path()).find(bytes) != std::string::npos)
      names += entry.path().filename().string() + " ";
  return names;
}

// Words that stand in the text, the terms, the id, the metadata, the file and the root of a person's documents and nowhere else.
constexpr const char* kTraces[] = {
    "Featherstonehaugh", "featherstonehaugh", "wolverhampton", "personfile", "payband", "zq7", "shelf9", "oldversion"};

Document person(const std::string& text) {
  return {.id = "personfile/quill.md",
          .text = "# Featherstonehaugh\n\nLives in Wolverhampton. " + text,
          .format = "markdown",
          .metadata = {{"payband", "zq7"}},
          .file = "/srv/shelf9/quill.md"};
}

// Many documents around it, in tables of several levels: flushed again and again, opened again.
void fill(const fs::path& folder) {
  auto index = open(folder);
  index->set_roots({{"/srv/shelf9", "personfile"}, {"/srv/docs", ""}});
  for (int i = 0; i < 40; ++i) {
    const std::string number = std::to_string(i);
    index->ingest({.id = "docs/" + number,
                   .text = "Room " + number + " has a door.",
                   .format = "text",
                   .metadata = {},
                   .file = "/srv/docs/" + number});
    if (i == 10) index->ingest(person("This is the oldversion."));
    if (i == 20) index->ingest(person("This is the new one."));
    if (i % 5 == 0) index->flush();
    if (i % 16 != 15) continue;
    index.reset();
    index = open(folder);
  }
}

TEST(Erase, NoFileOfTheIndexHasAByteOfItsTextTermsIdOrMetadata) {
  for (const bool flushed : {true, false}) {
    SCOPED_TRACE(flushed);
    const test::TemporaryFolder folder;
    fill(folder / "index");
    for (const char* trace : kTraces) EXPECT_NE(holders(folder / "index", trace), "") << trace << " was never there";
    auto index = open(folder / "index");
    if (flushed) index->flush();
    std::ofstream(folder / "index/vectors.faiss.a1B2c3") << "cut short by a kill";
    EXPECT_EQ(index->erase({"personfile/quill.md", "nobody"}), std::vector<std::string>{"nobody"});
    for (const char* trace : kTraces) EXPECT_EQ(holders(folder / "index", trace), "") << trace;
    EXPECT_FALSE(fs::exists(folder / "index/vectors.faiss.a1B2c3"));
    for (int reopened = 0; reopened < 2; ++reopened) {
      EXPECT_EQ(index->documents().size(), 40u);
      EXPECT_EQ(index->search("room 17 door", {.limit = 1})[0].document_id, "docs/17");
      EXPECT_EQ(index->roots(), (std::vector<IndexRoot>{{"/srv/docs", ""}}));
      index->ingest({.id = "later", .text = "Later.", .format = "text", .metadata = {}});
      index->remove("later");
      index.reset();
      index = open(folder / "index");
    }
    for (const char* trace : kTraces) EXPECT_EQ(holders(folder / "index", trace), "") << trace << " came back";
  }
}

TEST(Erase, ItsVectorsAreGoneToo) {
  const test::TemporaryFolder folder;
  fill(folder / "index");
  const std::vector<float> rows = kEmbedder->embed({person("This is the new one.").text});
  const std::string vector(reinterpret_cast<const char*>(rows.data()), 64 * sizeof(float));
  const auto index = open(folder / "index");
  index->flush();
  // A heading begins a chunk, so that the text is one chunk whose vector is of it alone.
  EXPECT_EQ(kEmbedder->dimension(), 64);
  EXPECT_NE(holders(folder / "index", vector.substr(0, 64 * sizeof(float))).find("vectors.faiss"), std::string::npos);
  index->erase({"personfile/quill.md"});
  EXPECT_EQ(holders(folder / "index", vector), "");
}

TEST(Erase, GcTakesOffTheDiskWhatWasRemovedBefore) {
  const test::TemporaryFolder folder;
  fill(folder / "index");
  const auto index = open(folder / "index");
  EXPECT_TRUE(index->remove("personfile/quill.md"));
  EXPECT_EQ(index->gc(), 2u);
  for (const char* trace : {"Featherstonehaugh", "featherstonehaugh", "wolverhampton", "payband", "zq7", "oldversion"})
    EXPECT_EQ(holders(folder / "index", trace), "") << trace;
}

TEST(Erase, ATextThatAnotherDocumentHasStays) {
  const test::TemporaryFolder folder;
  const auto index = open(folder / "index");
  const Document one{.id = "one", .text = "The same words.", .format = "text", .metadata = {}};
  Document two = one;
  two.id = "two";
  index->ingest(std::vector{one, two});
  index->erase({"one"});
  EXPECT_EQ(index->search("same words").at(0).document_id, "two");
  EXPECT_EQ(index->document_text(index->documents()[0].sha256), one.text);
}

TEST(Erase, BesideAReaderThatHoldsTheIndexItIsDoneAndTheReaderGoesOn) {
  const test::TemporaryFolder folder;
  fill(folder / "index");
  const auto reader = Retriever::open(folder / "index", kEmbedder, OpenMode::kReadOnly);
  const auto index = open(folder / "index");
  index->erase({"personfile/quill.md"});
  for (const char* trace : kTraces) EXPECT_EQ(holders(folder / "index", trace), "") << trace;
  EXPECT_EQ(reader->search("Featherstonehaugh", {.limit = 1})[0].document_id, "personfile/quill.md");
}

TEST(Erase, AFolderThatSomebodyKeepsLockedIsSaidAndTheNextTryFinishes) {
  const test::TemporaryFolder folder;
  fill(folder / "index");
  const auto index = open(folder / "index");
  {
    const Descriptor held(::open((folder / "index/rocksdb").c_str(), O_RDONLY | O_DIRECTORY));
    ASSERT_EQ(::flock(held.get(), LOCK_SH), 0);
    EXPECT_ERROR(index->erase({"personfile/quill.md"}), Code::kUnavailable, "keeps its folder locked");
    EXPECT_EQ(index->documents().size(), 40u);
  }
  EXPECT_EQ(index->erase({"personfile/quill.md"}), std::vector<std::string>{"personfile/quill.md"});
  for (const char* trace : kTraces) EXPECT_EQ(holders(folder / "index", trace), "") << trace;
}

}  // namespace
}  // namespace openbook::retriever
