#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <set>
#include <thread>

#include "guard/log_fixture.h"
#include "openbook/base/file.h"

namespace openbook {
namespace {

namespace fs = std::filesystem;

TEST_F(LogTest, AnEmptyLogIsWhole) {
  const LogReport report = verify();
  EXPECT_EQ(report.state, LogState::kWhole) << report.finding;
  EXPECT_EQ(report.records, 0u);
  EXPECT_TRUE(open(LogMode::kReadOnly)->entries().empty());
}

TEST_F(LogTest, WhatWasAppendedIsReadBack) {
  const auto receipts = write_answer("Leave is 30 days.");
  const auto second = write_answer("second");
  const auto log = open(LogMode::kReadOnly);
  const auto entries = log->entries();
  ASSERT_EQ(entries.size(), 6u);
  for (size_t i = 0; i < 3; ++i) EXPECT_EQ(to_string(entries[i].receipt), to_string(receipts[i]));
  EXPECT_EQ(entries[0].kind, LogKind::kBegin);
  EXPECT_EQ(entries[1].kind, LogKind::kSentence);
  EXPECT_EQ(entries[1].payload, "Leave is 30 days.");
  EXPECT_EQ(entries[2].payload, "");
  EXPECT_EQ(entries[0].receipt.sequence, 1u);
  EXPECT_GT(entries[0].time_ms, 1'600'000'000'000);  // after 2020
  EXPECT_LE(entries[0].time_ms, entries[5].time_ms);
  EXPECT_EQ(log->of_answer(second[0].answer_id).size(), 3u);
  EXPECT_EQ(log->entries(2, 2).size(), 2u);
  EXPECT_EQ(log->entries(2, 2)[0].receipt.sequence, 2u);
  EXPECT_TRUE(log->entries(7).empty());
  for (const LogEntry& entry : entries) EXPECT_TRUE(entry.checked);
}

TEST_F(LogTest, PayloadsMayHoldAnyBytes) {
  std::string bytes;
  for (int byte = 0; byte < 256; ++byte) bytes += static_cast<char>(byte);
  const std::string id = ProvenanceLog::new_answer_id();
  open(LogMode::kAppend)->append(LogKind::kBegin, id, bytes);
  EXPECT_EQ(open(LogMode::kReadOnly)->of_answer(id)[0].payload, bytes);
}

TEST_F(LogTest, WholeReportNamesInterruptedAnswersInOrder) {
  const std::string first = ProvenanceLog::new_answer_id(), second = ProvenanceLog::new_answer_id();
  {
    const auto log = open(LogMode::kAppend);
    log->append(LogKind::kBegin, first, "");
    log->append(LogKind::kBegin, second, "");
  }
  write_answer("ended");
  const LogReport report = verify();
  EXPECT_EQ(report.state, LogState::kWhole) << report.finding;
  EXPECT_EQ(report.records, 5u);
  EXPECT_EQ(report.interrupted, (std::vector<std::string>{first, second}));
  EXPECT_EQ(report.head_mac.size(), 64u);
}

TEST_F(LogTest, ReceiptsOfTheLogAreFoundInIt) {
  const auto receipts = write_answer("x");
  EXPECT_EQ(verify(receipts).state, LogState::kWhole);
}

TEST_F(LogTest, ThreadsAppendOneChain) {
  constexpr int kThreads = 4, kAnswers = 5;
  {
    const auto log = open(LogMode::kAppend);
    std::vector<std::thread> threads;
    for (int i = 0; i < kThreads; ++i)
      threads.emplace_back([&log] {
        for (int answer = 0; answer < kAnswers; ++answer) {
          const std::string id = ProvenanceLog::new_answer_id();
          log->append(LogKind::kBegin, id, "q");
          log->append(LogKind::kEnd, id, "a");
          EXPECT_EQ(log->verify().state, LogState::kWhole);  // beside the other writers
        }
      });
    for (auto& thread : threads) thread.join();
  }
  const LogReport report = verify();
  EXPECT_EQ(report.state, LogState::kWhole) << report.finding;
  EXPECT_EQ(report.records, 2u * kThreads * kAnswers);
  EXPECT_TRUE(report.interrupted.empty());
}

TEST_F(LogTest, ASecondWriterIsRefusedAndAReaderIsNot) {
  const auto writer = open(LogMode::kAppend);
  const std::string id = ProvenanceLog::new_answer_id();
  writer->append(LogKind::kBegin, id, "beside");
  EXPECT_ERROR(open(LogMode::kAppend), Code::kUnavailable, "another writer");
  const auto reader = open(LogMode::kReadOnly);
  EXPECT_EQ(reader->of_answer(id)[0].payload, "beside");
  writer->append(LogKind::kEnd, id, "later");
  EXPECT_EQ(reader->of_answer(id).size(), 1u);  // as of when it was opened
  EXPECT_ERROR(reader->append(LogKind::kEnd, id, ""), Code::kFailedPrecondition, "reading only");
  EXPECT_ERROR(reader->erase(id, ""), Code::kFailedPrecondition, "reading only");
}

TEST_F(LogTest, AReaderThatOpensWhileTheWriterFlushesSeesAWholeLog) {
  const auto log = open(LogMode::kAppend);
  const std::string id = ProvenanceLog::new_answer_id(), payload(400 << 10, 'x');
  std::atomic<uint64_t> written = 0;
  std::thread writer([&] {  // a flush every ten records
    for (int i = 0; i < 80; ++i) written = log->append(LogKind::kSentence, id, payload).sequence;
    written = UINT64_MAX;
  });
  for (uint64_t before = 0; (before = written) != UINT64_MAX;) {
    const LogReport report = verify();
    EXPECT_EQ(report.state, LogState::kWhole) << report.finding;
    EXPECT_GE(report.records, before);
    if (HasFailure()) break;
  }
  writer.join();
  EXPECT_EQ(verify().records, 80u);
}

TEST_F(LogTest, BadCallsAreNamed) {
  const auto log = open(LogMode::kAppend);
  const std::string id = ProvenanceLog::new_answer_id();
  EXPECT_ERROR(log->append(LogKind::kBegin, "abc", ""), Code::kInvalidArgument, "32 lower-case hex digits");
  EXPECT_ERROR(log->append(LogKind::kErase, id, ""), Code::kInvalidArgument, "by erase() or rotate_key() alone");
  EXPECT_ERROR(log->append(LogKind::kRotate, id, ""), Code::kInvalidArgument, "by erase() or rotate_key() alone");
  EXPECT_ERROR(log->append(LogKind::kBegin, id, std::string((64 << 20) + 1, 'x')), Code::kOutOfRange, "at most 67108864");
  EXPECT_ERROR(log->of_answer(id), Code::kNotFound, id);
  EXPECT_ERROR(log->erase(id, ""), Code::kNotFound, id);
  EXPECT_EQ(log->verify().records, 0u);
}

TEST_F(LogTest, AFolderOrKeyThatIsNotNamedIsSaid) {
  EXPECT_ERROR(ProvenanceLog::open(log_folder(), "", LogMode::kAppend), Code::kInvalidArgument, "no key file was named");
  EXPECT_ERROR(ProvenanceLog::open("", key_file(), LogMode::kAppend), Code::kNotFound, "");
  EXPECT_ERROR(ProvenanceLog::open("", "", LogMode::kReadOnly), Code::kNotFound, "");
  EXPECT_ERROR(ProvenanceLog::init("", folder_ / "x.key"), Code::kInvalidArgument, "no folder");
  EXPECT_ERROR(ProvenanceLog::init(folder_ / "x", ""), Code::kInvalidArgument, "no key file was named");
}

TEST(LogReceipt, IsReadAsItIsWrittenAndNothingElseIs) {
  const std::string id(32, 'a'), mac(64, 'b');
  EXPECT_EQ(to_string(parse_log_receipt("12:" + id + ":" + mac)), "12:" + id + ":" + mac);
  const std::vector<std::string> bad = {"",
                                        "12",
                                        "12:" + id,
                                        "0:" + id + ":" + mac,
                                        "-1:" + id + ":" + mac,
                                        "x:" + id + ":" + mac,
                                        "1x:" + id + ":" + mac,
                                        "1:" + id + ":" + mac + "0",
                                        "1:" + mac + ":" + id,
                                        "99999999999999999999:" + id + ":" + mac,
                                        ":" + id + ":" + mac,
                                        "1:" + std::string(32, 'A') + ":" + mac,
                                        "1:" + id + ":" + mac + ":"};
  for (const std::string& text : bad) EXPECT_ERROR(parse_log_receipt(text), Code::kInvalidArgument, "SEQUENCE:ANSWER_ID:MAC");
}

TEST(LogAnswerId, IsRandom) {
  std::set<std::string> ids;
  for (int i = 0; i < 100; ++i) ids.insert(ProvenanceLog::new_answer_id());
  EXPECT_EQ(ids.size(), 100u);
  EXPECT_EQ(ids.begin()->size(), 32u);
}

// ---- keys

TEST_F(LogTest, TheKeyIsPrivateAndNeverReplaced) {
  struct stat status {};
  ASSERT_EQ(::stat(key_file().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0600u);
  const std::string before = read_file(key_file());
  EXPECT_ERROR(ProvenanceLog::init(folder_ / "other", key_file()), Code::kFailedPrecondition, "exists already");
  EXPECT_FALSE(fs::exists(folder_ / "other"));  // nothing half made is left
  EXPECT_ERROR(ProvenanceLog::init(log_folder(), folder_ / "new.key"), Code::kFailedPrecondition, "not an empty folder");
  EXPECT_FALSE(fs::exists(folder_ / "new.key"));
  EXPECT_EQ(read_file(key_file()), before);
  fs::create_symlink(folder_ / "elsewhere", folder_ / "link.key");
  EXPECT_ERROR(ProvenanceLog::init(folder_ / "other", folder_ / "link.key"), Code::kFailedPrecondition, "exists already");
  EXPECT_FALSE(fs::exists(folder_ / "elsewhere"));
}

TEST_F(LogTest, AKeyInsideTheLogIsRefusedAlsoThroughLinks) {
  const auto other = folder_ / "other";
  EXPECT_ERROR(ProvenanceLog::init(other, other / "key"), Code::kInvalidArgument, "lies in the log's folder");
  EXPECT_ERROR(ProvenanceLog::init(other, folder_ / "x" / ".." / "other" / "key"), Code::kInvalidArgument,
               "lies in the log's folder");
  EXPECT_FALSE(fs::exists(other));
  fs::create_directory(other);
  fs::create_directory_symlink(other, folder_ / "link");
  EXPECT_ERROR(ProvenanceLog::init(other, folder_ / "link" / "key"), Code::kInvalidArgument, "lies in the log's folder");
  EXPECT_ERROR(ProvenanceLog::init(folder_ / "link", other / "key"), Code::kInvalidArgument, "lies in the log's folder");
  ProvenanceLog::init(other, folder_ / "other.key");  // a name that begins alike is another place
  fs::rename(folder_ / "other.key", other / "key");
  EXPECT_ERROR(ProvenanceLog::open(other, other / "key", LogMode::kAppend), Code::kInvalidArgument, "lies in the log's folder");
}

TEST_F(LogTest, KeysThatCanNotBeTrustedAreRefusedAndTheLogIsThenUnverifiable) {
  write_answer("x");
  const auto key = key_file();
  const std::string content = read_file(key);
  const struct {
    std::function<void()> spoil;
    Code code;
    const char* piece;
  } rows[] = {
      {[&] { fs::remove(key); }, Code::kFailedPrecondition, "is not there"},
      {[&] { ::chmod(key.c_str(), 0640); }, Code::kFailedPrecondition, "mode 0640, expected 0600"},
      {[&] { ::chmod(key.c_str(), 0602); }, Code::kFailedPrecondition, "mode 0602"},
      {[&] {
         fs::rename(key, folder_ / "real.key");
         fs::create_symlink(folder_ / "real.key", key);
       },
       Code::kFailedPrecondition, "symbolic link"},
      {[&] {
         fs::remove(key);
         fs::create_directory(key);
         ::chmod(key.c_str(), 0700);
       },
       Code::kFailedPrecondition, "not a plain file"},
      {[&] {
         fs::remove(key);
         ::mkfifo(key.c_str(), 0600);
       },
       Code::kFailedPrecondition, "not a plain file"},
      {[&] { std::ofstream(key) << ""; }, Code::kDataLoss, "is not a log key"},
      {[&] { std::ofstream(key) << content.substr(0, 40) << "\n"; }, Code::kDataLoss, "is not a log key"},
      {[&] { std::ofstream(key) << content << "\n"; }, Code::kDataLoss, "is not a log key"},
      {[&] { std::ofstream(key) << "openbook-log-key 2" << content.substr(18); }, Code::kDataLoss, "is not a log key"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.piece);
    row.spoil();
    EXPECT_ERROR(open(LogMode::kAppend), row.code, row.piece);
    const auto reader = open(LogMode::kReadOnly);
    ASSERT_EQ(reader->entries().size(), 3u);
    EXPECT_FALSE(reader->entries()[0].checked);
    const LogReport report = reader->verify();
    EXPECT_EQ(report.state, LogState::kUnverifiable);
    EXPECT_NE(report.finding.find(row.piece), std::string::npos) << report.finding;
    fs::remove(folder_ / "real.key");
    fs::remove(key);
    std::ofstream(key) << content;
    ::chmod(key.c_str(), 0600);
  }
  EXPECT_EQ(verify().state, LogState::kWhole);
}

TEST_F(LogTest, AKeyOfAnotherUserIsRefused) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give a file away";
  ASSERT_EQ(::chown(key_file().c_str(), 12345, 12345), 0);
  EXPECT_ERROR(open(LogMode::kAppend), Code::kFailedPrecondition, "belongs to user 12345");
}

TEST_F(LogTest, AnotherLogsKeyVerifiesNothing) {
  write_answer("x");
  ProvenanceLog::init(folder_ / "other", folder_ / "other.key");
  EXPECT_ERROR(ProvenanceLog::open(log_folder(), folder_ / "other.key", LogMode::kAppend), Code::kFailedPrecondition,
               "the key file " + (folder_ / "other.key").string() + " holds");
  const auto reader = ProvenanceLog::open(log_folder(), folder_ / "other.key", LogMode::kReadOnly);
  EXPECT_EQ(reader->verify().state, LogState::kUnverifiable);
  EXPECT_NE(reader->verify().finding.find("a wrong key file, or another log"), std::string::npos);
  EXPECT_NE(reader->verify().finding.find("the key file " + (folder_ / "other.key").string() + " holds"), std::string::npos);
  EXPECT_EQ(reader->verify().verified, 0u);
  ASSERT_EQ(reader->entries().size(), 3u);
  EXPECT_FALSE(reader->entries()[0].checked);
}

// ---- folders

TEST_F(LogTest, WhatIsNoLogIsNamed) {
  EXPECT_ERROR(ProvenanceLog::open(folder_ / "none", key_file(), LogMode::kAppend), Code::kNotFound, "is not there");
  EXPECT_ERROR(ProvenanceLog::open(folder_ / "none", key_file(), LogMode::kReadOnly), Code::kNotFound, "is not there");
  EXPECT_ERROR(ProvenanceLog::open(key_file(), key_file(), LogMode::kReadOnly), Code::kNotFound, "is a file");
  fs::create_directory(folder_ / "empty");
  EXPECT_ERROR(ProvenanceLog::open(folder_ / "empty", key_file(), LogMode::kReadOnly), Code::kNotFound, "holds no log");
  EXPECT_ERROR(ProvenanceLog::init(folder_ / "a" / "b", folder_ / "ab.key"), Code::kNotFound, "can't make the folder");
  EXPECT_ERROR(ProvenanceLog::init(folder_ / "c", folder_ / "a" / "key"), Code::kNotFound, "its folder is not there");
  EXPECT_FALSE(fs::exists(folder_ / "c"));
  rocksdb::DB* other = nullptr;
  rocksdb::Options options;
  options.create_if_missing = true;
  ASSERT_TRUE(rocksdb::DB::Open(options, (folder_ / "database").string(), &other).ok());
  delete other;
  EXPECT_ERROR(ProvenanceLog::open(folder_ / "database", key_file(), LogMode::kAppend), Code::kFailedPrecondition,
               "Column family not found");
}

void change_middle_byte(const fs::path& file) {
  std::fstream bytes(file, std::ios::in | std::ios::out | std::ios::binary);
  const auto middle = static_cast<std::streamoff>(fs::file_size(file) / 2);
  bytes.seekg(middle);
  const int before = bytes.get();
  bytes.seekp(middle);
  bytes.put(static_cast<char>(before ^ 0x55));
}

TEST_F(LogTest, ADamagedFolderIsDataLoss) {
  write_answer("x");
  RawLog(log_folder()).flush();
  const struct {
    const char* prefix;
    const char* suffix;
    std::function<void(const fs::path&)> damage;
  } rows[] = {
      {"CURRENT", "", [](const fs::path& file) { fs::remove(file); }},
      {"CURRENT", "", [](const fs::path& file) { std::ofstream(file) << "nonsense\n"; }},
      {"MANIFEST-", "", [](const fs::path& file) { change_middle_byte(file); }},
      {"", ".sst", [](const fs::path& file) { fs::remove(file); }},
      {"", ".sst", [](const fs::path& file) { fs::resize_file(file, fs::file_size(file) / 2); }},
  };
  for (const auto& row : rows) {
    const test::TemporaryFolder copy;
    fs::copy(log_folder(), copy / "log", fs::copy_options::recursive);
    size_t damaged = 0;
    for (const auto& file : fs::directory_iterator(copy / "log")) {
      const std::string name = file.path().filename();
      if (!name.starts_with(row.prefix) || !name.ends_with(row.suffix)) continue;
      row.damage(file.path());
      ++damaged;
    }
    SCOPED_TRACE(std::string(row.prefix) + "*" + row.suffix);
    ASSERT_GT(damaged, 0u);
    EXPECT_ERROR(ProvenanceLog::open(copy / "log", key_file(), LogMode::kAppend), Code::kDataLoss,
                 "provenance log " + (copy / "log").string());
  }
}

TEST_F(LogTest, DamageInTheMiddleOfTheWriteAheadFileIsNotForgotten) {
  write_answer(std::string(1000, 'x'));
  for (const auto& file : fs::directory_iterator(log_folder()))
    if (file.path().extension() == ".log" && file.file_size() > 1000) change_middle_byte(file.path());
  EXPECT_ERROR(open(LogMode::kAppend), Code::kDataLoss, "can't open it");
  EXPECT_ERROR(open(LogMode::kReadOnly), Code::kDataLoss, "can't open it");
}

}  // namespace
}  // namespace openbook
