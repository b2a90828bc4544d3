// A process that is killed while it appends, and one whose disk is full. Both are programs of their own: RocksDB's threads don't
// survive a fork.
#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <random>
#include <sstream>

#include "base/full_disk.h"
#include "guard/log_fixture.h"

namespace openbook {
namespace {

class LogCrashTest : public LogTest {
 protected:
  // Starts the program; it writes receipts into the file descriptor that is returned.
  int start(std::vector<std::string> arguments, const std::filesystem::path& key = {}) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("can't make a pipe");
    arguments.insert(arguments.begin(),
                     {OPENBOOK_LOG_APPENDER, log_folder().string(), (key.empty() ? key_file() : key).string()});
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    child_ = ::fork();
    if (child_ == 0) {
      ::dup2(ends[1], STDOUT_FILENO);
      ::execv(argv[0], argv.data());
      ::_exit(127);
    }
    ::close(ends[1]);
    return ends[0];
  }

  static std::string read_to_the_end(int fd) {
    std::string text;
    char buffer[4096];
    for (ssize_t got; (got = ::read(fd, buffer, sizeof buffer)) > 0;) text.append(buffer, static_cast<size_t>(got));
    ::close(fd);
    return text;
  }

  // What has been printed by now.
  static std::string read_what_is_there(int fd) {
    std::string text;
    char buffer[4096];
    for (pollfd output{fd, POLLIN, 0}; ::poll(&output, 1, 0) == 1 && output.revents & POLLIN;) {
      const ssize_t got = ::read(fd, buffer, sizeof buffer);
      if (got <= 0) break;
      text.append(buffer, static_cast<size_t>(got));
    }
    return text;
  }

  int wait_for_child() {
    int status = 0;
    ::waitpid(child_, &status, 0);
    return status;
  }

  // Whole lines only: a line that was cut is no acknowledgement.
  static std::vector<LogReceipt> receipts_in(const std::string& text) {
    std::vector<LogReceipt> receipts;
    std::istringstream lines(text.substr(0, text.rfind('\n') + 1));
    for (std::string line; std::getline(lines, line);)
      if (!line.starts_with("error") && !line.starts_with("key ")) receipts.push_back(parse_log_receipt(line));
    return receipts;
  }

  pid_t child_ = 0;
};

TEST_F(LogCrashTest, EveryAcknowledgedRecordOutlivesAKill) {
  size_t acknowledged = 0;
  for (int round = 0; round < 5; ++round) {
    const int output = start({"1000000", "2000"});
    ::usleep(static_cast<useconds_t>(60'000 + 37'000 * round));
    ::kill(child_, SIGKILL);
    const auto receipts = receipts_in(read_to_the_end(output));
    ASSERT_TRUE(WIFSIGNALED(wait_for_child()));
    const LogReport report = verify(receipts);
    EXPECT_EQ(report.state, LogState::kWhole) << report.finding;
    acknowledged += receipts.size();
    EXPECT_GE(report.records, acknowledged);
    EXPECT_LE(report.interrupted.size(), static_cast<size_t>(round) + 1);
  }
  EXPECT_GT(acknowledged, 10u);
  write_answer("goes on");
  EXPECT_EQ(verify().state, LogState::kWhole);
}

// The keys of which the program said that it would change to them, and how many of them it had changed to when it was killed.
struct Keys {
  std::vector<std::filesystem::path> files;
  size_t acknowledged = 0;

  explicit Keys(const std::string& text) {
    std::istringstream lines(text.substr(0, text.rfind('\n') + 1));
    for (std::string line; std::getline(lines, line);)
      if (line.starts_with("key ")) {
        files.emplace_back(line.substr(4));
      } else if (line.find(":" + std::string(kNoAnswer) + ":") != std::string::npos) {
        acknowledged = files.size();
      }
  }
};

TEST_F(LogCrashTest, AKillWhileTheKeyChangesLeavesALogThatOpensWithTheOldOrTheNewKey) {
  std::mt19937 random(testing::UnitTest::GetInstance()->random_seed());
  std::vector<std::filesystem::path> keys = {key_file()};  // in the order in which they were in force
  std::vector<LogReceipt> receipts;
  size_t changes = 0;
  for (int round = 0; round < 12; ++round) {
    const int output = start({"1000000", "20", "rotating"}, keys.back());
    ::usleep(static_cast<useconds_t>(30'000 + random() % 120'000));
    ::kill(child_, SIGKILL);
    const std::string text = read_to_the_end(output);
    ASSERT_TRUE(WIFSIGNALED(wait_for_child()));
    for (const LogReceipt& receipt : receipts_in(text)) receipts.push_back(receipt);
    const Keys changed(text);
    changes += changed.acknowledged;
    ASSERT_GE(changed.acknowledged + 1, changed.files.size());
    for (size_t i = 0; i < changed.files.size(); ++i) {
      const std::vector<std::filesystem::path> before = keys;
      if (i < changed.acknowledged || verify_with(changed.files[i], before).state == LogState::kWhole)
        keys.push_back(changed.files[i]);
    }
    const std::vector<std::filesystem::path> old(keys.begin(), keys.end() - 1);
    const LogReport report = verify_with(keys.back(), old, receipts);
    ASSERT_EQ(report.state, LogState::kWhole) << "round " << round << ": " << report.finding;
    ProvenanceLog::open(log_folder(), keys.back(), LogMode::kAppend);
  }
  EXPECT_GT(changes, 12u);
}

TEST_F(LogCrashTest, AReaderThatOpensWhileTheOtherAppendsSeesAWholeLogWithAllThatWasAcknowledged) {
  const int output = start({"1000000", "2000", "restless"});
  std::string printed;
  uint64_t seen = 0;
  int opens = 0;
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(8);  // a slow disk gets no further
  for (; (opens < 100 || seen < 200) && std::chrono::steady_clock::now() < end && !HasFatalFailure(); ++opens) {
    printed += read_what_is_there(output);
    const auto acknowledged = receipts_in(printed);
    const LogReport report = verify(acknowledged);
    ASSERT_EQ(report.state, LogState::kWhole) << "open " << opens << ": " << report.finding;
    ASSERT_GE(report.records, std::max<uint64_t>(seen, acknowledged.size()));
    seen = report.records;
  }
  ::kill(child_, SIGKILL);
  read_to_the_end(output);
  ASSERT_TRUE(WIFSIGNALED(wait_for_child()));
  EXPECT_GE(opens, 20);
  EXPECT_GE(seen, 12u) << "hardly anything was written beside the reader";
}

TEST_F(LogCrashTest, OnAFullDiskTheRecordIsNotThereAndTheRestIs) {
  const std::string output = read_to_the_end(start({"1000", "20000", "300000"}));
  EXPECT_EQ(WEXITSTATUS(wait_for_child()), 1);
  EXPECT_TRUE(output.ends_with("error resource_exhausted\n"))
      << output.substr(output.size() - std::min<size_t>(output.size(), 100));
  const auto receipts = receipts_in(output);
  EXPECT_GT(receipts.size(), 3u);
  const LogReport report = verify(receipts);
  EXPECT_EQ(report.state, LogState::kWhole) << report.finding;
  EXPECT_EQ(report.records, receipts.size());
  write_answer("room again");
  EXPECT_EQ(verify(receipts).state, LogState::kWhole);
}

TEST_F(LogTest, OnAFullDiskNoLogIsHalfMade) {
  for (const rlim_t bytes : {rlim_t{0}, rlim_t{60}, rlim_t{3000}}) {
    const test::FileSizeLimit full(bytes);
    bool made = true;
    try {
      ProvenanceLog::init(folder_ / "new", folder_ / "new.key");
    } catch (const Error& error) {
      made = false;
      EXPECT_EQ(error.code(), Code::kResourceExhausted) << error.what();
    }
    EXPECT_EQ(std::filesystem::exists(folder_ / "new"), made) << bytes;
    EXPECT_EQ(std::filesystem::exists(folder_ / "new.key"), made) << bytes;
  }
}

TEST_F(LogTest, OnAFullDiskTheKeyIsNotChangedAndNoKeyIsLost) {
  const auto receipts = write_answer("x");
  for (const rlim_t bytes : {rlim_t{0}, rlim_t{60}, rlim_t{200}}) {
    const std::filesystem::path next = folder_ / (std::to_string(bytes) + ".key");
    const auto log = open(LogMode::kAppend);
    {
      const test::FileSizeLimit full(bytes);
      EXPECT_ERROR(log->rotate_key(next), Code::kResourceExhausted, "");
    }
    EXPECT_EQ(log->verify(receipts).state, LogState::kWhole);
    EXPECT_EQ(std::filesystem::exists(next), bytes > 100) << bytes;  // a whole key file that the log may name is never removed
  }
  EXPECT_EQ(verify(receipts).records, 3u);
  write_answer("goes on under the old key");
  EXPECT_EQ(verify(receipts).state, LogState::kWhole);
}

TEST_F(LogTest, AfterAFullDiskTheSameLogGoesOn) {
  const auto log = open(LogMode::kAppend);
  const std::string id = ProvenanceLog::new_answer_id();
  const LogReceipt first = log->append(LogKind::kBegin, id, "x");
  for (const rlim_t bytes : {rlim_t{0}, rlim_t{500}}) {
    const test::FileSizeLimit full(bytes);
    for (int again = 0; again < 3; ++again) {
      EXPECT_ERROR(log->append(LogKind::kSentence, id, std::string(1000, 'x')), Code::kResourceExhausted, log_folder().string());
      EXPECT_EQ(log->entries().size(), 1u);  // it can be read all the while
    }
  }
  const LogReceipt last = log->append(LogKind::kEnd, id, "y");
  EXPECT_EQ(last.sequence, 2u);
  EXPECT_EQ(log->verify({first, last}).state, LogState::kWhole);
  EXPECT_EQ(verify({first, last}).state, LogState::kWhole);
}

}  // namespace
}  // namespace openbook
