// What an index on disk does when somebody else holds it, when it is damaged, and when the disk is full.
#include <rocksdb/write_batch.h>

#include <fstream>

#include "base/full_disk.h"
#include "base/test_support.h"
#include "corpus.h"
#include "openbook/base/file.h"
#include "openbook/base/hash.h"
#include "record.h"
#include "retriever/hashing_embedder.h"
#include "rocks_store.h"

namespace openbook::retriever {
namespace {

namespace fs = std::filesystem;

const auto kEmbedder = std::make_shared<const test::HashingEmbedder>();

Document document(const std::string& id, const std::string& text) {
  return {.id = id, .text = text, .format = "text", .metadata = {}};
}

std::unique_ptr<Retriever> open(const fs::path& folder, OpenMode mode = OpenMode::kReadWrite) {
  return Retriever::open(folder, kEmbedder, mode);
}

// An index of three documents, closed.
struct Closed {
  test::TemporaryFolder folder;
  const fs::path path = folder / "index";

  explicit Closed(bool flushed) {
    const auto index = open(path);
    for (const char* word : {"one", "two", "three"}) index->ingest(document(word, std::string("The word is ") + word + "."));
    if (flushed) index->flush();
  }

  std::vector<fs::path> files(const std::string& ending) const {
    std::vector<fs::path> found;
    for (const auto& entry : fs::directory_iterator(path / "rocksdb"))
      if (entry.path().filename().string().ends_with(ending) || entry.path().filename().string().starts_with(ending))
        found.push_back(entry.path());
    return found;
  }
};

void flip_byte(const fs::path& path, size_t at) {
  std::string bytes = read_file(path);
  bytes.at(at) ^= 0x40;
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

// Opens and reads everything that is stored.
void read_all(const fs::path& path) {
  const auto index = open(path, OpenMode::kReadOnly);
  if (index->documents().size() != 3) throw std::runtime_error("documents were lost without a word");
  for (const StoredDocument& stored : index->documents()) index->document_text(stored.sha256);
  index->search("word");
}

TEST(Storage, AnIndexOfAnotherEmbedderIsRefusedByName) {
  const Closed closed(true);
  const auto other = std::make_shared<const test::HashingEmbedder>("other-embedder", 32);
  for (const OpenMode mode : {OpenMode::kReadOnly, OpenMode::kReadWrite}) {
    EXPECT_ERROR(Retriever::open(closed.path, other, mode), Code::kFailedPrecondition,
                 "made with the embedder hashing (64 dimensions");
    EXPECT_ERROR(Retriever::open(closed.path, other, mode), Code::kFailedPrecondition,
                 "opened with other-embedder (32 dimensions");
  }
  read_all(closed.path);
}

TEST(Storage, ASecondWriterIsRefusedAndReadersSeeWhatWasThereWhenTheyOpened) {
  const Closed closed(false);
  auto writer = open(closed.path);
  EXPECT_ERROR(open(closed.path), Code::kUnavailable, "another process is writing");
  const auto reader = open(closed.path, OpenMode::kReadOnly);
  const std::string old = reader->documents()[0].sha256;

  writer->ingest(document(reader->documents()[0].id, "Replaced."));
  writer->ingest(document("four", "The word is four."));
  writer->flush();
  writer->gc();  // rewrites the tables that the reader reads from
  EXPECT_EQ(reader->documents().size(), 3u);
  EXPECT_EQ(sha256_hex(reader->document_text(old)), old);
  EXPECT_EQ(reader->search("word", {.limit = 50}).size(), 3u);
  EXPECT_EQ(open(closed.path, OpenMode::kReadOnly)->documents().size(), 4u);
  writer.reset();
  open(closed.path);
}

TEST(Storage, ChunksLongerThanTheEmbedderReadsMatterToAWriterOnly) {
  const Closed closed(true);
  const ChunkerOptions longer{.max_tokens = kEmbedder->max_tokens() + 1};
  EXPECT_ERROR(Retriever::open(closed.path, kEmbedder, OpenMode::kReadWrite, longer), Code::kInvalidArgument,
               "would overlook the rest");
  EXPECT_FALSE(Retriever::open(closed.path, kEmbedder, OpenMode::kReadOnly, longer)->search("word").empty());
}

TEST(Storage, AReaderChangesNothing) {
  const Closed closed(true);
  std::map<fs::path, fs::file_time_type> before;
  for (const auto& entry : fs::recursive_directory_iterator(closed.path)) before[entry.path()] = entry.last_write_time();
  const auto reader = open(closed.path, OpenMode::kReadOnly);
  EXPECT_ERROR(reader->ingest(document("x", "x")), Code::kFailedPrecondition, "read-only");
  EXPECT_ERROR(reader->remove("one"), Code::kFailedPrecondition, "read-only");
  EXPECT_ERROR(reader->flush(), Code::kFailedPrecondition, "read-only");
  EXPECT_ERROR(reader->gc(), Code::kFailedPrecondition, "read-only");
  reader->search("word");
  std::map<fs::path, fs::file_time_type> after;
  for (const auto& entry : fs::recursive_directory_iterator(closed.path)) after[entry.path()] = entry.last_write_time();
  EXPECT_EQ(after, before);
}

TEST(Storage, WordsThatAnOlderVersionCountedAreCountedAgain) {
  const test::TemporaryFolder folder;
  const fs::path path = folder / "index";
  open(path)->ingest(document("keys", "กุญแจสำรองอยู่ที่ไหน\n\nOpened on 2001-05-09."));
  {
    RocksStore rocks(path / "rocksdb", OpenMode::kReadWrite);
    rocksdb::WriteBatch batch;
    const std::string whole_line = RecordWriter().string("กุญแจสำรองอยู่ที่ไหน").number(1).number(0).number(1).take();
    rocks.for_each(Family::kPostings, [&](std::string_view key, std::string_view) {
      batch.Put(rocks.handle(Family::kPostings), rocksdb::Slice(key.data(), key.size()), whole_line);
    });
    rocks.write(batch);
  }
  for (const OpenMode mode : {OpenMode::kReadOnly, OpenMode::kReadWrite}) {
    const auto index = open(path, mode);
    for (const char* question : {"สำรอง", "9 May 2001"})
      EXPECT_EQ(index->search(question, {.limit = 1, .mode = SearchMode::kWords}).size(), 1u) << question;
  }
}

TEST(Storage, AnIndexOnAReadOnlyMediumIsRead) {
  const Closed closed(false);
  const test::SmallDisk disk(closed.folder / "disk");
  if (!disk.there()) GTEST_SKIP() << "only root can mount a disk";
  fs::copy(closed.path, closed.folder / "disk/index", fs::copy_options::recursive);
  ASSERT_TRUE(disk.make_read_only());
  read_all(closed.folder / "disk/index");
  EXPECT_ERROR(open(closed.folder / "disk/index"), Code::kFailedPrecondition, "Read-only file system");
}

TEST(Storage, AnIndexThatIsBeingMadeIsNoneYet) {
  const test::TemporaryFolder folder;
  fs::create_directories(folder / "index/rocksdb");
  EXPECT_ERROR(open(folder / "index", OpenMode::kReadOnly), Code::kNotFound, "not made yet");
  rocksdb::Options options;
  options.create_if_missing = true;
  rocksdb::DB* raw = nullptr;
  ASSERT_TRUE(rocksdb::DB::Open(options, folder / "index/rocksdb", &raw).ok());  // before the first of its column families
  delete raw;
  EXPECT_ERROR(open(folder / "index", OpenMode::kReadOnly), Code::kNotFound, "not made yet");
  EXPECT_EQ(open(folder / "index")->documents().size(), 0u);
}

TEST(Storage, FoldersThatHoldNoIndexAreNamed) {
  const test::TemporaryFolder folder;
  EXPECT_ERROR(open(folder / "none", OpenMode::kReadOnly), Code::kNotFound, "none");
  EXPECT_FALSE(fs::exists(folder / "none"));
  std::ofstream(folder / "file") << "x";
  EXPECT_ERROR(open(folder / "file"), Code::kFailedPrecondition, "can't make the folder");
  EXPECT_ERROR(Retriever::open(folder / "none", kEmbedder, OpenMode::kReadWrite, {.max_tokens = 300}), Code::kInvalidArgument,
               "reads 256");
}

TEST(Storage, DamageToStoredDocumentsIsDataLossAndNeverSilent) {
  const struct {
    std::string name;
    bool flushed;
    void (*damage)(const Closed&);
  } rows[] = {
      {"tables", true,
       [](const Closed& c) {
         for (const auto& f : c.files(".sst")) flip_byte(f, 5);
       }},
      {"the ends of tables", true,
       [](const Closed& c) {
         for (const auto& f : c.files(".sst")) fs::resize_file(f, fs::file_size(f) / 2);
       }},
      {"a table gone", true, [](const Closed& c) { fs::remove(c.files(".sst").at(0)); }},
      {"the log", false,
       [](const Closed& c) {
         for (const auto& f : c.files(".log"))
           if (fs::file_size(f)) flip_byte(f, 40);
       }},
      {"the manifest", true,
       [](const Closed& c) {
         for (const auto& f : c.files("MANIFEST")) flip_byte(f, 20);
       }},
      {"the manifest gone", true,
       [](const Closed& c) {
         for (const auto& f : c.files("MANIFEST")) fs::remove(f);
       }},
      {"CURRENT", true, [](const Closed& c) { std::ofstream(c.path / "rocksdb/CURRENT") << "nonsense"; }},
      {"CURRENT gone", true, [](const Closed& c) { fs::remove(c.path / "rocksdb/CURRENT"); }},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    const Closed closed(row.flushed);
    read_all(closed.path);
    row.damage(closed);
    EXPECT_ERROR(read_all(closed.path), Code::kDataLoss, closed.path.string());
    EXPECT_ERROR(open(closed.path)->document_text(sha256_hex("The word is one.")), Code::kDataLoss, closed.path.string());
  }
}

TEST(Storage, ATextThatNoLongerHasItsHashIsDataLoss) {
  const Closed closed(true);
  const Sha256Digest digest = sha256("The word is two.");
  {
    RocksStore store(closed.path / "rocksdb", OpenMode::kReadWrite);
    rocksdb::WriteBatch batch;
    batch.Put(store.handle(Family::kTexts), {reinterpret_cast<const char*>(digest.data()), digest.size()}, "The word is 2!!.");
    store.write(batch);
  }
  EXPECT_ERROR(open(closed.path)->document_text(to_hex(digest)), Code::kDataLoss, "no longer has that hash");
}

TEST(Storage, AnUnknownFormatIsRefused) {
  const Closed closed(true);
  {
    RocksStore store(closed.path / "rocksdb", OpenMode::kReadWrite);
    rocksdb::WriteBatch batch;
    batch.Put(store.handle(Family::kMeta), "format", "openbook index 99");
    store.write(batch);
  }
  EXPECT_ERROR(open(closed.path), Code::kFailedPrecondition, "\"openbook index 99\"");
}

TEST(Storage, ADamagedOrOldVectorFileIsMadeAgainAndSaid) {
  const Closed closed(true);
  const fs::path file = closed.path / "vectors.faiss";
  const std::string good = read_file(file);
  const auto search = [&] {
    std::string ids;
    for (const Passage& passage :
         open(closed.path, OpenMode::kReadOnly)->search("the word three", {.limit = 9, .mode = SearchMode::kVectors}))
      ids += passage.document_id + " ";
    return ids;
  };
  const std::string expected = search();
  std::string flipped = good;
  flipped[good.size() / 2] ^= 1;
  const std::string absurd =
      RecordWriter().number(4).string(kEmbedder->fingerprint()).number(64).number(uint64_t{1} << 61).take();
  const Sha256Digest right = sha256(absurd);
  const std::string sealed = "openbook vectors 2\n" + std::string(right.begin(), right.end()) + absurd;
  ASSERT_EQ(open(closed.path, OpenMode::kReadOnly)->generation(), 4u);
  for (const std::string& bad : {flipped, good.substr(0, good.size() - 1), std::string(), std::string("nonsense"), sealed}) {
    write_file_atomically(file, bad);
    testing::internal::CaptureStderr();
    EXPECT_EQ(search(), expected);
    EXPECT_NE(testing::internal::GetCapturedStderr().find("made again from the stored vectors"), std::string::npos);
  }
  write_file_atomically(file, good);
  open(closed.path)->ingest(document("four", "Word number three and four"));
  EXPECT_NE(search().find("four"), std::string::npos) << "the file of an older generation was believed";
}

TEST(Storage, ADocumentOfVersionZeroPointOneIsRead) {
  const Closed closed(true);
  const Sha256Digest digest = sha256("The word is two.");
  {
    // As 0.1.0 wrote them: no file and time behind the document, no keys behind the chunks.
    const std::string document = RecordWriter()
                                     .string({reinterpret_cast<const char*>(digest.data()), digest.size()})
                                     .string("text")
                                     .number(16)
                                     .number(2)
                                     .number(200)
                                     .number(30)
                                     .number(1)
                                     .string("department")
                                     .string("hr")
                                     .take();
    const std::string chunks = RecordWriter().number(1).number(0).number(16).number(4).take();
    RocksStore store(closed.path / "rocksdb", OpenMode::kReadWrite);
    rocksdb::WriteBatch batch;
    batch.Put(store.handle(Family::kDocuments), "two", document);
    batch.Put(store.handle(Family::kChunks), std::string("\0\0\0\0\0\0\0\2", 8), chunks);
    store.write(batch);
  }
  auto index = open(closed.path);
  index->ingest(document("copy", "The word is two."));
  for (const StoredDocument& stored : index->documents()) {
    EXPECT_EQ(stored.ingested_ms == 0, stored.id == "two") << stored.id;
    EXPECT_EQ(stored.metadata.size(), stored.id == "two" ? 1u : 0u);
  }
  EXPECT_EQ(index->search("two", {.limit = 9, .mode = SearchMode::kWords}).size(), 1u) << "its copy is not known as one";
}

TEST(Storage, AFullDiskLeavesTheIndexAsItWasAndUsableAfterwards) {
  const Closed closed(false);
  auto index = open(closed.path);
  std::string large;
  for (int i = 0; i < 40000; ++i) large += "Sentence number " + std::to_string(i) + ". ";
  const uint64_t generation = index->generation();
  {
    const test::FileSizeLimit full(100 << 10);
    EXPECT_ERROR(index->ingest(document("large", large)), Code::kResourceExhausted, closed.path.string());
    EXPECT_EQ(index->generation(), generation);
    EXPECT_EQ(index->documents().size(), 3u);
    EXPECT_EQ(index->search("word", {.limit = 1})[0].text.substr(0, 11), "The word is");
    EXPECT_ERROR(index->ingest(document("large", large)), Code::kResourceExhausted, closed.path.string());
  }
  EXPECT_EQ(index->ingest(document("five", "The word is five.")).outcome, IngestOutcome::kAdded);
  EXPECT_EQ(index->ingest(document("large", large)).outcome, IngestOutcome::kAdded);
  index->flush();
  {
    const test::FileSizeLimit full(10 << 10);
    index->remove("one");
    EXPECT_ERROR(index->flush(), Code::kResourceExhausted, closed.path.string());
  }
  index.reset();
  index = open(closed.path);
  EXPECT_EQ(index->documents().size(), 4u);
  EXPECT_EQ(index->search("word five", {.limit = 1})[0].document_id, "five");
}

}  // namespace
}  // namespace openbook::retriever
