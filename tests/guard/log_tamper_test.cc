// Somebody with the folder and without the key changes it: every way is found, or is one of those that docs/provenance-log.md
// says can't be.
#include <random>

#include "guard/log_fixture.h"
#include "openbook/base/file.h"
#include "storage/shared_folder.h"

namespace openbook {
namespace {

namespace fs = std::filesystem;

class LogTamperTest : public LogTest {
 protected:
  void SetUp() override {
    LogTest::SetUp();
    for (const char* text : {"one", "two"})
      for (const LogReceipt& receipt : write_answer(text)) receipts_.push_back(receipt);
  }
  std::vector<LogReceipt> receipts_;  // records 1 to 6
};

TEST_F(LogTamperTest, AnyChangedByteOfARecordOrPayloadOrHeadIsFound) {
  std::mt19937 random(testing::UnitTest::GetInstance()->random_seed());
  const auto spoil = [&](RawLog::Family family, const std::string& key) {
    std::string before;
    {
      RawLog raw(log_folder());
      before = raw.get(family, key);
      std::string after = before;
      after[random() % after.size()] ^= static_cast<char>(1 << random() % 8);
      raw.put(family, key, after);
    }
    const LogReport report = verify();
    EXPECT_NE(report.state, LogState::kWhole);
    EXPECT_FALSE(report.finding.empty());
    RawLog(log_folder()).put(family, key, before);
  };
  for (int round = 0; round < 8; ++round) {
    spoil(RawLog::kRecords, RawLog::key(1 + random() % 6));
    spoil(RawLog::kPayloads, RawLog::key(1 + random() % 6));
    spoil(RawLog::kHead, "head");
  }
  EXPECT_EQ(verify(receipts_).state, LogState::kWhole);
}

TEST_F(LogTamperTest, AChangedMacByteAndAChangedPayloadAreNamed) {
  {
    RawLog raw(log_folder());
    std::string record = raw.get(RawLog::kRecords, RawLog::key(3));
    record.back() ^= 1;
    raw.put(RawLog::kRecords, RawLog::key(3), record);
  }
  expect_broken("record 3: its MAC does not match");
  EXPECT_ERROR(open(LogMode::kReadOnly)->entries(), Code::kDataLoss, "record 3: its MAC does not match");
  EXPECT_EQ(ProvenanceLog::open(log_folder(), {}, LogMode::kReadOnly)->entries().size(), 6u);  // without a key: unchecked
}

TEST_F(LogTamperTest, AnotherPayloadOfTheSameLengthIsFound) {
  {
    RawLog raw(log_folder());
    std::string payload = raw.get(RawLog::kPayloads, RawLog::key(2));
    payload.replace(payload.size() - 3, 3, "ONE");
    raw.put(RawLog::kPayloads, RawLog::key(2), payload);
  }
  expect_broken("record 2: its payload was changed");
  EXPECT_ERROR(open(LogMode::kReadOnly)->of_answer(receipts_[0].answer_id), Code::kDataLoss, "record 2: its payload was changed");
  EXPECT_ERROR(open(LogMode::kAppend)->erase(receipts_[0].answer_id, "hide it"), Code::kDataLoss,
               "record 2: its payload was changed");
}

TEST_F(LogTamperTest, SwappedRecordsAndSwappedPayloadsAreFound) {
  for (const auto family : {RawLog::kRecords, RawLog::kPayloads}) {
    const auto swap = [&] {
      RawLog raw(log_folder());
      const std::string second = raw.get(family, RawLog::key(2)), fifth = raw.get(family, RawLog::key(5));
      raw.put(family, RawLog::key(2), fifth);
      raw.put(family, RawLog::key(5), second);
    };
    swap();
    expect_broken(family == RawLog::kRecords ? "record 2: record 5 stands in its place" : "record 2: its payload was changed");
    swap();
  }
}

TEST_F(LogTamperTest, AMissingRecordIsFound) {
  RawLog(log_folder()).remove(RawLog::kRecords, RawLog::key(2));
  expect_broken("record 2 is missing: record 3 follows");
}

TEST_F(LogTamperTest, ACutTailIsFoundAndNothingIsAppendedToIt) {
  {
    RawLog raw(log_folder());
    raw.remove(RawLog::kRecords, RawLog::key(6));
    raw.remove(RawLog::kPayloads, RawLog::key(6));
  }
  expect_broken("the head counts 6 records, 5 are there: the tail was cut");
  EXPECT_ERROR(open(LogMode::kAppend), Code::kDataLoss, "the head counts 6 records");
}

TEST_F(LogTamperTest, EmptyingTheLogIsFound) {
  {
    RawLog raw(log_folder());
    for (uint64_t sequence = 1; sequence <= 6; ++sequence) {
      raw.remove(RawLog::kRecords, RawLog::key(sequence));
      raw.remove(RawLog::kPayloads, RawLog::key(sequence));
    }
  }
  expect_broken("0 are there");
  RawLog(log_folder()).remove(RawLog::kHead, "head");
  expect_broken("the head is missing");
  EXPECT_ERROR(open(LogMode::kAppend), Code::kDataLoss, "the head is missing");
}

TEST_F(LogTamperTest, ARecordThatIsAppendedWithoutTheKeyIsFound) {
  {
    RawLog raw(log_folder());
    raw.put(RawLog::kRecords, RawLog::key(7), raw.get(RawLog::kRecords, RawLog::key(6)));
    raw.put(RawLog::kPayloads, RawLog::key(7), raw.get(RawLog::kPayloads, RawLog::key(6)));
  }
  expect_broken("record 7: record 6 stands in its place");
  EXPECT_ERROR(open(LogMode::kAppend), Code::kDataLoss, "the last one there is 7");
}

TEST_F(LogTamperTest, APayloadWithoutARecordIsFound) {
  RawLog(log_folder()).put(RawLog::kPayloads, RawLog::key(9), "x");
  expect_broken("a payload stands there that no record has");
}

TEST_F(LogTamperTest, ARollbackOfTheWholeFolderIsFoundByReceiptsOnly) {
  fs::copy(log_folder(), folder_ / "earlier", fs::copy_options::recursive);
  const auto later = write_answer("what must not be known");
  EXPECT_EQ(verify(later).state, LogState::kWhole);
  fs::remove_all(log_folder());
  fs::copy(folder_ / "earlier", log_folder(), fs::copy_options::recursive);
  EXPECT_EQ(verify().state, LogState::kWhole);  // a head beside the log goes back with it
  EXPECT_EQ(verify(receipts_).state, LogState::kWhole);
  expect_broken("the log ends at record 6: it was rolled back", {later[2]});
  write_answer("something else");
  expect_broken("the log was rolled back and continued", {later[0]});
}

TEST_F(LogTamperTest, AMissingPayloadIsFoundAndAForgedTombstoneToo) {
  RawLog(log_folder()).remove(RawLog::kPayloads, RawLog::key(2));
  expect_broken("record 2: its payload is missing, and no erasure says why");
  EXPECT_ERROR(open(LogMode::kReadOnly)->entries(), Code::kDataLoss, "record 2: its payload is missing");
  const std::string tombstone = std::string("\x01\x01", 2) + RawLog::key(6);
  RawLog(log_folder()).put(RawLog::kPayloads, RawLog::key(2), tombstone);
  expect_broken("record 2: its payload is marked as erased by record 6, which did not erase it");
}

// ---- erasing

std::string all_bytes(const fs::path& folder) {
  std::string bytes;
  for (const auto& file : fs::directory_iterator(folder)) bytes += read_file(file.path());
  return bytes;
}

TEST_F(LogTamperTest, ErasingTakesThePayloadOutOfTheFilesAndLeavesAWholeChain) {
  const auto secret = write_answer("a-secret-that-must-go");
  const auto kept = write_answer("what-stays");
  ASSERT_NE(all_bytes(log_folder()).find("a-secret-that-must-go"), std::string::npos);
  open(LogMode::kAppend)->erase(secret[0].answer_id, "asked for by the user");
  EXPECT_EQ(all_bytes(log_folder()).find("a-secret-that-must-go"), std::string::npos);
  EXPECT_NE(all_bytes(log_folder()).find("what-stays"), std::string::npos);
  const LogReport report = verify(secret);
  EXPECT_EQ(report.state, LogState::kWhole) << report.finding;
  EXPECT_EQ(report.erased, 3u);
  EXPECT_EQ(report.records, 13u);
  const auto entries = open(LogMode::kReadOnly)->of_answer(secret[0].answer_id);
  ASSERT_EQ(entries.size(), 4u);
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(entries[i].payload.has_value());
  EXPECT_EQ(entries[3].kind, LogKind::kErase);
  EXPECT_EQ(entries[3].payload, "erased 7 8 9\nasked for by the user");
  open(LogMode::kAppend)->erase(secret[0].answer_id, "again");  // nothing is left to erase: no second record
  EXPECT_EQ(verify().records, 13u);
}

TEST_F(LogTamperTest, ErasingWhileAnotherOpensTheLogAllTheTimeSaysThatTheBytesAreStillThere) {
  const auto secret = write_answer("a-secret-that-must-go");
  const auto log = open(LogMode::kAppend);
  {
    const storage::FolderLock opening(log_folder(), storage::FolderLock::Kind::kOpening, std::chrono::seconds(0));
    EXPECT_ERROR(log->erase(secret[0].answer_id, ""), Code::kUnavailable, "still in old files");
    EXPECT_NE(all_bytes(log_folder()).find("a-secret-that-must-go"), std::string::npos);
  }
  log->erase(secret[0].answer_id, "");
  EXPECT_EQ(all_bytes(log_folder()).find("a-secret-that-must-go"), std::string::npos);
  EXPECT_EQ(log->verify().erased, 3u);
}

TEST_F(LogTamperTest, AnErasedPayloadThatIsPutBackAndAnErasedErasureAreFound) {
  const std::string payload = RawLog(log_folder()).get(RawLog::kPayloads, RawLog::key(2));
  open(LogMode::kAppend)->erase(receipts_[0].answer_id, "");
  const std::string tombstone = RawLog(log_folder()).get(RawLog::kPayloads, RawLog::key(2));
  RawLog(log_folder()).put(RawLog::kPayloads, RawLog::key(2), payload);
  expect_broken("record 2: erased by record 7, but what stands there is not its tombstone");
  RawLog(log_folder()).put(RawLog::kPayloads, RawLog::key(2), tombstone);
  EXPECT_EQ(verify().state, LogState::kWhole);
  RawLog(log_folder()).put(RawLog::kPayloads, RawLog::key(7), tombstone);
  expect_broken("record 7: an erasure itself can't be erased");
}

}  // namespace
}  // namespace openbook
