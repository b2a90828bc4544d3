// A writer in a process of its own: killed at random moments, the index holds what was acknowledged; read while it writes, too.
#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <map>
#include <random>
#include <sstream>
#include <thread>

#include "base/test_support.h"
#include "openbook/base/hash.h"
#include "openbook/retriever/retriever.h"
#include "retriever/hashing_embedder.h"
#include "retriever/ingest_steps.h"

namespace openbook::retriever {
namespace {

// ingest_loop in a process of its own.
class Writer {
 public:
  Writer(const std::filesystem::path& folder, int first_step, const char* restless = nullptr) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
    const std::string first = std::to_string(first_step);
    child_ = fork();
    if (child_ == 0) {
      dup2(ends[1], STDOUT_FILENO);
      execl(OPENBOOK_INGEST_LOOP, OPENBOOK_INGEST_LOOP, folder.c_str(), first.c_str(), restless, nullptr);
      _exit(127);
    }
    close(ends[1]);
    output_ = ends[0];
  }
  ~Writer() {
    if (child_ > 0) kill();
  }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  // The last step that it has acknowledged by now; 0 for none. Waits for nothing.
  int acknowledged() {
    for (pollfd output{output_, POLLIN, 0}; poll(&output, 1, 0) == 1 && output.revents & POLLIN;) wait();
    int last = 0;
    for (std::istringstream lines(acknowledged_.substr(0, acknowledged_.rfind('\n') + 1)); lines >> last;) {
    }
    return last;
  }

  // Waits until it has acknowledged something.
  void wait() {
    char buffer[4096];
    const ssize_t got = read(output_, buffer, sizeof buffer);
    if (got > 0) acknowledged_.append(buffer, static_cast<size_t>(got));
  }

  // Kills it; the steps that it acknowledged, a line each.
  std::string kill() {
    ::kill(child_, SIGKILL);
    char buffer[4096];
    for (ssize_t got; (got = read(output_, buffer, sizeof buffer)) > 0;) acknowledged_.append(buffer, static_cast<size_t>(got));
    close(output_);
    int status = 0;
    waitpid(child_, &status, 0);
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << "the writer ended by itself, status " << status;
    child_ = -1;
    return acknowledged_;
  }

 private:
  pid_t child_ = -1;
  int output_ = -1;
  std::string acknowledged_;
};

// Runs a writer from `first_step` on, kills it after `life`, and returns the last step that it acknowledged, or first_step - 1.
int run_and_kill(const std::filesystem::path& folder, int first_step, std::chrono::microseconds life) {
  Writer writer(folder, first_step);
  std::this_thread::sleep_for(life);
  int last = first_step - 1;
  for (std::istringstream lines(writer.kill()); lines >> last;) {
  }
  return last;
}

using State = std::map<std::string, std::string>;  // document id -> SHA-256 of its text

void apply(State& state, int step) {
  if (test::step_removes(step))
    state.erase(test::step_document_id(step));
  else
    for (const Document& document : test::step_documents(step)) state[document.id] = sha256_hex(document.text);
}

State stored(const Retriever& index) {
  State state;
  for (const StoredDocument& document : index.documents()) {
    index.document_text(document.sha256);  // throws when it isn't what was written
    state[document.id] = document.sha256;
  }
  return state;
}

TEST(Crash, KilledAtAnyMomentTheIndexOpensAndHoldsWhatWasAcknowledged) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  const test::TemporaryFolder folder;
  const auto embedder = std::make_shared<const test::HashingEmbedder>();
  State expected;
  int next_step = 1, acknowledged = 0;
  for (int round = 0; round < 10; ++round) {
    const int last = run_and_kill(folder / "index", next_step, std::chrono::microseconds(5000 + random() % 200000));
    for (int step = next_step; step <= last; ++step) apply(expected, step);
    acknowledged += last - next_step + 1;
    State with_step_in_flight = expected;
    apply(with_step_in_flight, last + 1);

    const auto index = Retriever::open(folder / "index", embedder, OpenMode::kReadWrite);
    const State state = stored(*index);
    ASSERT_TRUE(state == expected || state == with_step_in_flight) << "round " << round << ", last acknowledged step " << last;
    size_t chunks = 0;
    for (const StoredDocument& document : index->documents()) chunks += document.chunks;
    ASSERT_EQ(index->chunk_count(), chunks);
    for (const SearchMode mode : {SearchMode::kWords, SearchMode::kVectors})
      if (!state.empty()) ASSERT_EQ(index->search("line", {.limit = 1000, .mode = mode}).size(), chunks);
    expected = state;
    next_step = last + 2;
  }
  EXPECT_GT(acknowledged, 0) << "no round lived long enough to test anything";
}

// Whatever the writer is at, a reader that opens sees what the index was after some step: one not before the last acknowledged,
// and not before the one that an earlier reader saw.
TEST(TwoProcesses, AReaderThatOpensWhileTheOtherWritesSeesAWholeNumberOfSteps) {
  const test::TemporaryFolder folder;
  const auto embedder = std::make_shared<const test::HashingEmbedder>();
  Writer writer(folder / "index", 1, "restless");
  writer.wait();
  State expected;
  int seen = 0, opens = 0;
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(8);  // a slow disk gets no further
  for (; (opens < 100 || seen < 40) && std::chrono::steady_clock::now() < end; ++opens) {
    for (const int acknowledged = writer.acknowledged(); seen < acknowledged;) apply(expected, ++seen);
    const auto reader = Retriever::open(folder / "index", embedder, OpenMode::kReadOnly);
    const int in_flight = writer.acknowledged() + 1;
    const State state = stored(*reader);
    while (state != expected && seen < in_flight) apply(expected, ++seen);
    ASSERT_EQ(state, expected) << "open " << opens << " is no state of a step up to " << in_flight;
    size_t chunks = 0;
    for (const StoredDocument& document : reader->documents()) chunks += document.chunks;
    ASSERT_GE(chunks, state.size());
    for (const SearchMode mode : {SearchMode::kWords, SearchMode::kVectors})
      ASSERT_EQ(reader->search("line", {.limit = 1000, .mode = mode}).size(), chunks);
  }
  EXPECT_GE(opens, 20);
  EXPECT_GE(seen, 5) << "the writer hardly wrote anything beside the readers";
}

TEST(TwoProcesses, TheSecondMayNotWrite) {
  const test::TemporaryFolder folder;
  const auto embedder = std::make_shared<const test::HashingEmbedder>();
  Writer writer(folder / "index", 1);
  writer.wait();
  EXPECT_ERROR(Retriever::open(folder / "index", embedder, OpenMode::kReadWrite), Code::kUnavailable,
               "another process is writing to it");
  writer.kill();
  EXPECT_NO_THROW(Retriever::open(folder / "index", embedder, OpenMode::kReadWrite));
}

}  // namespace
}  // namespace openbook::retriever
