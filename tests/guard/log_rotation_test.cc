// A log whose key was changed: what verifies with which keys, what somebody can't do who has the old one, and how the change
// itself is kept.
#include <fstream>
#include <thread>

#include "guard/log_fixture.h"
#include "log/log_format.h"
#include "log/log_key.h"
#include "openbook/base/file.h"

namespace openbook {
namespace {

namespace fs = std::filesystem;
using provenance::LogKey;

std::string id_of(const fs::path& key) { return LogKey::load(key).id(); }

// Records 1 to 3 under the first key, 4 the change, 5 to 7 under the second.
class LogRotationTest : public LogTest {
 protected:
  void SetUp() override {
    LogTest::SetUp();
    before_ = write_answer("before");
    change_ = open(LogMode::kAppend)->rotate_key(second_key());
    after_ = write_under(second_key(), "after");
  }
  fs::path second_key() const { return folder_ / "second.key"; }
  fs::path third_key() const { return folder_ / "third.key"; }
  std::unique_ptr<ProvenanceLog> append_with(const fs::path& key) const {
    return ProvenanceLog::open(log_folder(), key, LogMode::kAppend);
  }
  std::vector<LogReceipt> write_under(const fs::path& key, const std::string& text) const {
    const auto log = append_with(key);
    const std::string id = ProvenanceLog::new_answer_id();
    return {log->append(LogKind::kBegin, id, "question of " + text), log->append(LogKind::kSentence, id, text),
            log->append(LogKind::kEnd, id, "")};
  }
  // The record `sequence` as whoever has `key` would write it, after `change` changed it.
  void forge(uint64_t sequence, const fs::path& key, const std::function<void(provenance::Record&)>& change) const {
    RawLog raw(log_folder());
    provenance::Record record = provenance::decode_record(raw.get(RawLog::kRecords, RawLog::key(sequence)), "record");
    change(record);
    record.mac = LogKey::load(key).mac_record(provenance::record_body(record));
    raw.put(RawLog::kRecords, RawLog::key(sequence), provenance::encode_record(record));
  }
  void expect_state(const LogReport& report, LogState state, const std::string& piece) const {
    EXPECT_EQ(report.state, state) << report.finding;
    EXPECT_NE(report.finding.find(piece), std::string::npos) << report.finding;
  }

  std::vector<LogReceipt> before_, after_;
  LogReceipt change_;
};

TEST_F(LogRotationTest, WithBothKeysTheWholeLogVerifiesWithEveryReceipt) {
  std::vector<LogReceipt> all = before_;
  all.push_back(change_);
  all.insert(all.end(), after_.begin(), after_.end());
  const LogReport report = verify_with(second_key(), {key_file()}, all);
  EXPECT_EQ(report.state, LogState::kWhole) << report.finding;
  EXPECT_EQ(report.records, 7u);
  EXPECT_EQ(report.verified, 7u);
  EXPECT_TRUE(report.interrupted.empty());
  EXPECT_EQ(verify_with(key_file(), {second_key()}).state, LogState::kWhole);  // which is which the log says itself
}

TEST_F(LogRotationTest, TheNewKeyIsPrivateAndTheChangeIsARecordUnderBothKeys) {
  EXPECT_EQ(fs::status(second_key()).permissions(), fs::perms::owner_read | fs::perms::owner_write);
  EXPECT_NE(read_file(second_key()), read_file(key_file()));
  const auto entries = ProvenanceLog::open(log_folder(), second_key(), LogMode::kReadOnly, {key_file()})->entries();
  ASSERT_EQ(entries.size(), 7u);
  EXPECT_EQ(to_string(entries[3].receipt), to_string(change_));
  EXPECT_EQ(entries[3].kind, LogKind::kRotate);
  EXPECT_EQ(entries[3].receipt.answer_id, kNoAnswer);
  EXPECT_EQ(entries[3].key_id, id_of(key_file()));
  EXPECT_EQ(entries[4].key_id, id_of(second_key()));
  EXPECT_TRUE(entries[3].payload->starts_with("rotated " + id_of(key_file()) + " " + id_of(second_key()) + "\n"));
  for (const fs::path& key : {key_file(), second_key()})
    EXPECT_TRUE(ProvenanceLog::open(log_folder(), key, LogMode::kReadOnly)->entries(4, 1)[0].checked) << key;
}

TEST_F(LogRotationTest, WithTheNewKeyAloneWhatIsBeforeIsUnverifiableAndSaysSo) {
  const LogReport report = verify_with(second_key());
  expect_state(report, LogState::kUnverifiable,
               "records 1 to 3 are under key " + id_of(key_file()) +
                   ", which no key file at hand holds (unchanged since record 4, which changed the key)");
  EXPECT_EQ(report.verified, 4u);
  const auto entries = ProvenanceLog::open(log_folder(), second_key(), LogMode::kReadOnly)->entries();
  EXPECT_FALSE(entries[2].checked);
  EXPECT_EQ(entries[1].payload, "before");
  EXPECT_TRUE(entries[4].checked);
}

TEST_F(LogRotationTest, WithTheOldKeyAloneWhatIsAfterIsUnverifiableAndNothingIsAppended) {
  const LogReport report = verify();
  expect_state(report, LogState::kUnverifiable, "records 5 to 7 are under key " + id_of(second_key()));
  EXPECT_EQ(report.finding.find("unchanged"), std::string::npos) << report.finding;
  EXPECT_EQ(report.verified, 4u);
  EXPECT_ERROR(append_with(key_file()), Code::kFailedPrecondition,
               "names key " + id_of(second_key()) + ", the key file " + key_file().string() + " holds " + id_of(key_file()));
}

TEST_F(LogRotationTest, RightAfterTheChangeTheNewKeyContinuesTheLog) {
  append_with(second_key())->rotate_key(third_key());
  EXPECT_EQ(verify_with(third_key(), {second_key(), key_file()}).state, LogState::kWhole);
  const LogReport without_the_second = verify_with(third_key(), {key_file()});
  expect_state(without_the_second, LogState::kUnverifiable, "records 5 to 7 are under key " + id_of(second_key()));
  const LogReport third_only = verify_with(third_key());
  expect_state(third_only, LogState::kUnverifiable, "records 1 to 4 are under key");
  EXPECT_EQ(third_only.verified, 1u);
  const auto log = append_with(third_key());  // its last record is the change itself
  log->rotate_key(folder_ / "fourth.key");
  const LogReceipt next = log->append(LogKind::kBegin, ProvenanceLog::new_answer_id(), "x");  // without opening it again
  EXPECT_EQ(next.sequence, 10u);
  EXPECT_EQ(log->verify({next}).verified, 3u);
}

TEST_F(LogRotationTest, AReaderBesideAChangeOfKeyNeverSeesDamage) {
  std::atomic<bool> done = false;
  const auto log = append_with(second_key());
  std::thread reader([&] {
    while (!done) EXPECT_NE(log->verify().state, LogState::kBroken) << log->verify().finding;
  });
  std::vector<fs::path> keys = {key_file(), second_key()};
  for (int i = 0; i < 10; ++i) {
    log->rotate_key(folder_ / ("key-" + std::to_string(i)));
    keys.push_back(folder_ / ("key-" + std::to_string(i)));
  }
  done = true;
  reader.join();
  EXPECT_EQ(verify_with(keys.back(), {keys.begin(), keys.end() - 1}).state, LogState::kWhole);
}

// ---- who has the old key, for which it was changed

TEST_F(LogRotationTest, WhoHasTheOldKeyCanNotChangeWhatWasWrittenUnderIt) {
  forge(3, key_file(), [](provenance::Record& record) { record.time_ms += 1; });
  // Record 4 holds the MAC of record 3 as it was, and is under the new key, too.
  expect_state(verify_with(second_key(), {key_file()}), LogState::kBroken, "record 4: does not follow");
  const std::string third = RawLog(log_folder()).get(RawLog::kRecords, RawLog::key(3));
  forge(4, key_file(), [&](provenance::Record& record) { record.previous = provenance::decode_record(third, "").mac; });
  expect_state(verify_with(second_key(), {key_file()}), LogState::kBroken, "record 4: its MAC does not match");
  expect_state(verify_with(second_key()), LogState::kBroken, "record 4: its MAC does not match");
}

TEST_F(LogRotationTest, AChangeBeforeTheRotationIsFoundWithTheNewKeyAlone) {
  {
    RawLog raw(log_folder());
    provenance::Record first = provenance::decode_record(raw.get(RawLog::kRecords, RawLog::key(1)), "record 1");
    first.time_ms -= 86'400'000;  // its MAC stays as it was, and so do all links: only the first key would show it
    raw.put(RawLog::kRecords, RawLog::key(1), provenance::encode_record(first));
  }
  expect_state(verify_with(second_key()), LogState::kBroken,
               "the records before record 4 are not those that were there when it changed the key");
  expect_state(verify_with(second_key(), {key_file()}), LogState::kBroken, "record 1: its MAC does not match");
}

TEST_F(LogRotationTest, ARollbackToBeforeTheChangeIsSeenByTheNewKey) {
  fs::remove_all(log_folder());
  fs::remove(key_file());
  ProvenanceLog::init(log_folder(), key_file());
  write_answer("before");
  fs::copy(log_folder(), folder_ / "earlier", fs::copy_options::recursive);
  open(LogMode::kAppend)->rotate_key(third_key());
  fs::remove_all(log_folder());
  fs::rename(folder_ / "earlier", log_folder());
  for (const bool swapped : {false, true}) {
    const LogReport report = swapped ? verify_with(key_file(), {third_key()}) : verify_with(third_key(), {key_file()});
    expect_state(report, LogState::kUnverifiable, "which signed nothing in this log");
    EXPECT_EQ(report.verified, 3u);
  }
}

TEST_F(LogRotationTest, AnotherSuccessorThanTheRealOneIsNoWholeLog) {
  {  // Whoever has the old key cuts the log back to it, and changes to a key of their own.
    RawLog raw(log_folder());
    for (uint64_t sequence = 4; sequence <= 7; ++sequence) {
      raw.remove(RawLog::kRecords, RawLog::key(sequence));
      raw.remove(RawLog::kPayloads, RawLog::key(sequence));
    }
    const provenance::Record last = provenance::decode_record(raw.get(RawLog::kRecords, RawLog::key(3)), "");
    provenance::Head head{id_of(key_file()), 3, last.mac, {}};
    head.mac = LogKey::load(key_file()).mac_head(provenance::head_body(head));
    raw.put(RawLog::kHead, "head", provenance::encode_head(head));
  }
  append_with(key_file())->rotate_key(folder_ / "theirs.key");
  const LogReport report = verify_with(second_key(), {key_file()});
  expect_state(report, LogState::kUnverifiable, "which signed nothing in this log");
  expect_state(verify_with(second_key(), {key_file()}, {after_[2]}), LogState::kBroken, "the log ends at record 4");
}

TEST_F(LogRotationTest, AnyChangedBitOfTheChangeItselfIsFound) {
  for (const auto family : {RawLog::kRecords, RawLog::kPayloads}) {
    const std::string before = RawLog(log_folder()).get(family, RawLog::key(4));
    for (size_t byte = 0; byte < before.size(); byte += 7) {
      std::string after = before;
      after[byte] ^= 4;
      RawLog(log_folder()).put(family, RawLog::key(4), after);
      EXPECT_NE(verify_with(second_key(), {key_file()}).state, LogState::kWhole) << family << " byte " << byte;
    }
    RawLog(log_folder()).put(family, RawLog::key(4), before);
  }
  EXPECT_EQ(verify_with(second_key(), {key_file()}).state, LogState::kWhole);
}

TEST_F(LogRotationTest, ABuildThatDoesNotKnowTheKindSaysVersionAndNotDamage) {
  const std::string record = RawLog(log_folder()).get(RawLog::kRecords, RawLog::key(4));
  EXPECT_EQ(record[0], 2);
  EXPECT_EQ(RawLog(log_folder()).get(RawLog::kRecords, RawLog::key(5))[0], 1);
  std::string newer = record;
  newer[0] = 3;
  EXPECT_ERROR(provenance::decode_record(newer, "record 4"), Code::kUnimplemented, "format version 3");
  newer[0] = 1;
  EXPECT_ERROR(provenance::decode_record(newer, "record 4"), Code::kDataLoss, "format version 1 does not go with kind 5");
}

// ---- what is refused

TEST_F(LogRotationTest, ABrokenLogKeepsItsKey) {
  {
    RawLog raw(log_folder());
    std::string payload = raw.get(RawLog::kPayloads, RawLog::key(6));
    payload.back() ^= 1;
    raw.put(RawLog::kPayloads, RawLog::key(6), payload);
  }
  EXPECT_ERROR(append_with(second_key())->rotate_key(third_key()), Code::kDataLoss,
               "the key can't be changed: record 6: its payload was changed");
  EXPECT_FALSE(fs::exists(third_key()));
}

TEST_F(LogRotationTest, TheNewKeyMustBeNewAndOutsideAndTheLogOpenToWrite) {
  const auto log = append_with(second_key());
  EXPECT_ERROR(log->rotate_key(key_file()), Code::kFailedPrecondition, "exists already; a key is never replaced");
  EXPECT_ERROR(log->rotate_key(second_key()), Code::kFailedPrecondition, "exists already; a key is never replaced");
  EXPECT_ERROR(log->rotate_key(log_folder() / "key"), Code::kInvalidArgument, "lies in the log's folder");
  EXPECT_ERROR(log->rotate_key(""), Code::kInvalidArgument, "no key file was named");
  EXPECT_ERROR(log->rotate_key(folder_ / "none" / "key"), Code::kNotFound, "its folder is not there");
  EXPECT_EQ(log->verify().records, 7u);
  EXPECT_ERROR(ProvenanceLog::open(log_folder(), second_key(), LogMode::kReadOnly)->rotate_key(third_key()),
               Code::kFailedPrecondition, "reading only");
  EXPECT_FALSE(fs::exists(third_key()));
}

TEST_F(LogRotationTest, AnOldKeyThatCanNotBeTrustedIsSaid) {
  fs::permissions(key_file(), fs::perms::owner_read | fs::perms::others_read);
  const LogReport report = verify_with(second_key(), {key_file()});
  expect_state(report, LogState::kUnverifiable, "has mode 0404, expected 0600");
  EXPECT_NE(report.finding.find("records 1 to 3 are under key"), std::string::npos) << report.finding;
}

TEST_F(LogRotationTest, ErasingWhatIsUnderAnOldKeyNeedsTheNewestAlone) {
  append_with(second_key())->erase(before_[0].answer_id, "asked for");
  const LogReport report = verify_with(second_key(), {key_file()}, before_);
  EXPECT_EQ(report.state, LogState::kWhole) << report.finding;
  EXPECT_EQ(report.erased, 3u);
  EXPECT_ERROR(append_with(second_key())->erase(std::string(kNoAnswer), ""), Code::kInvalidArgument, "can't be erased");
}

TEST(Rotation, IsReadAsItIsWrittenAndNothingElseIs) {
  const provenance::Rotation rotation{std::string(16, 'a'), std::string(16, 'b'), sha256("x")};
  const std::string text = provenance::encode_rotation(rotation);
  const provenance::Rotation read = provenance::decode_rotation(text, "record 4");
  EXPECT_EQ(read.from, rotation.from);
  EXPECT_EQ(read.to, rotation.to);
  EXPECT_EQ(read.records, rotation.records);
  std::vector<std::string> bad = {"", "rotated", text + "0", text.substr(1), text.substr(0, text.size() - 1)};
  for (const size_t at : {size_t{0}, size_t{7}, size_t{8}, size_t{24}, size_t{25}, size_t{41}, size_t{42}, text.size() - 1}) {
    bad.push_back(text);
    bad.back()[at] = 'X';
  }
  for (const std::string& each : bad)
    EXPECT_ERROR(provenance::decode_rotation(each, "record 4"), Code::kDataLoss, "record 4: not a change of key");
}

}  // namespace
}  // namespace openbook
