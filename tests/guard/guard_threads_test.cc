// What guard.h promises of threads: several ask one Guard at once, and each gets the answer that it would have got alone.
// tests/sanitize.sh runs this under the thread sanitizer, too.
#include <gmock/gmock.h>

#include <thread>

#include "guard/reading_guard.h"

namespace openbook {
namespace {

using test::kBergen;
using test::kQuestion;

class GuardThreads : public test::ReadingGuardTest {
 protected:
  // A guard with an index and a log, whose model is steered in some answers and refused in others.
  std::unique_ptr<Guard> open() const {
    GuardOptions options = with_log(this->options(test::stubborn_llama()));
    options.index = folder_ / "index";
    const auto index = open_index(options.index);
    index->ingest({.id = "norway", .text = kBergen});
    index->ingest({.id = "cold", .text = "Norway is cold."});
    index->flush();
    return Guard::open(options);
  }
};

// Every way to ask, as JSON without what differs from call to call.
std::vector<std::function<std::string(const Guard&)>> requests(const std::vector<Passage>& bergen,
                                                               const std::vector<Passage>& cold) {
  const auto told = [](Answer answer) {
    answer.log_id.clear();
    answer.log_receipt.clear();
    return to_json(answer);
  };
  return {
      [=](const Guard& guard) { return told(guard.ask(kQuestion, bergen)); },
      [=](const Guard& guard) { return told(guard.ask(kQuestion, cold)); },
      [=](const Guard& guard) { return told(guard.ask(kQuestion)); },
      [=](const Guard& guard) { return told(guard.ask_unguarded(kQuestion, bergen)); },
      [=](const Guard& guard) { return told(guard.check(kQuestion, bergen, "The capital of Norway is Oslo.")); },
      [=](const Guard& guard) { return told(guard.ask(kQuestion, bergen, {.temperature = 0.5, .seed = 7})); },
  };
}

TEST_F(GuardThreads, AskingTogetherGivesTheAnswersOfAskingAlone) {
  const auto guard = open();
  const auto asked = requests(documents({kBergen}), documents({"Norway is cold."}));
  std::vector<std::string> alone;
  for (const auto& request : asked) alone.push_back(request(*guard));

  constexpr size_t kThreads = 4;
  std::vector<std::vector<std::string>> together(kThreads, std::vector<std::string>(asked.size()));
  std::vector<std::thread> threads;
  for (size_t thread = 0; thread < kThreads; ++thread)
    threads.emplace_back([&, thread] {
      for (size_t i = 0; i < asked.size(); ++i) {
        const size_t request = (i + thread) % asked.size();  // each in another order
        together[thread][request] = asked[request](*guard);
      }
    });
  for (std::thread& thread : threads) thread.join();
  for (const auto& answers : together) EXPECT_EQ(answers, alone);
  EXPECT_EQ(read_log()->verify().state, LogState::kWhole);
}

}  // namespace
}  // namespace openbook
