#include "openbook/engine/session.h"

#include <chrono>
#include <functional>
#include <random>
#include <thread>

#include "base/test_support.h"
#include "engine/tiny_llama.h"

namespace openbook::engine {
namespace {

using test::close;

std::vector<TokenId> random_ids(size_t count, const Model& model, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<TokenId> ids(count);
  for (TokenId& id : ids) id = static_cast<TokenId>(random() % model.config().vocabulary);
  return ids;
}

std::span<const TokenId> piece(const std::vector<TokenId>& ids, size_t begin, size_t end) {
  return std::span(ids).subspan(begin, end - begin);
}

class TinySession : public testing::TestWithParam<std::string> {
 protected:
  const Decoder decoder_{test::load_tiny(GetParam())};
  const Model& model_ = decoder_.model();
  const int64_t capacity_ = model_.config().max_positions;
};
INSTANTIATE_TEST_SUITE_P(All, TinySession, testing::ValuesIn(test::kTinyLlamas), [](const auto& info) { return info.param; });

TEST_P(TinySession, AppendEqualsTheDecoder) {
  const test::Golden golden = test::golden_of(GetParam());
  Session session(decoder_, capacity_);
  session.append(golden.ids);
  EXPECT_TRUE(close(session.logits(), golden.logits[-1], 1e-4));
  EXPECT_EQ(session.tokens(), golden.ids);
  EXPECT_EQ(session.position(), static_cast<int64_t>(golden.ids.size()));
  EXPECT_EQ(session.taps(), nullptr);
}

TEST_P(TinySession, RewindAndAppendEqualAFreshSessionToTheBit) {
  const std::vector<TokenId> ids = random_ids(24, model_, 1), wrong = random_ids(9, model_, 2);
  const auto heads = test::all_heads(model_);
  Session fresh(decoder_, capacity_, heads, {2, 10});
  fresh.append(piece(ids, 0, 14));
  fresh.append(piece(ids, 14, 24));

  Session rewound(decoder_, capacity_, heads, {2, 10});
  rewound.append(piece(ids, 0, 14));
  rewound.append(wrong);
  rewound.rewind(14);
  EXPECT_EQ(rewound.position(), 14);
  EXPECT_FALSE(rewound.logits().defined());
  rewound.append(piece(ids, 14, 24));

  EXPECT_TRUE(at::equal(rewound.logits(), fresh.logits()));
  EXPECT_TRUE(at::equal(rewound.taps()->z(), fresh.taps()->z()));
  EXPECT_TRUE(at::equal(rewound.taps()->pattern(), fresh.taps()->pattern()));
  EXPECT_EQ(rewound.tokens(), fresh.tokens());
}

TEST_P(TinySession, EditsAreGoneAfterRewindAndClear) {
  const std::vector<TokenId> ids = random_ids(20, model_, 3);
  Session plain(decoder_, capacity_), edited(decoder_, capacity_);
  for (Session* session : {&plain, &edited}) session->append(piece(ids, 0, 12));
  edited.edits().from_position = 12;
  edited.edits().set_gain({0, 0}, 0.0f);
  edited.edits().set_bias({1, 1}, 4.0f);
  edited.edits().set_biased_keys({{3, 6}});
  plain.append(piece(ids, 12, 20));
  edited.append(piece(ids, 12, 20));
  EXPECT_FALSE(close(edited.logits(), plain.logits(), 1e-3)) << "the edits changed nothing";

  edited.rewind(12);
  edited.edits().clear();
  edited.append(piece(ids, 12, 20));
  EXPECT_TRUE(at::equal(edited.logits(), plain.logits()));
}

TEST_P(TinySession, TapsBelongToTheLastToken) {
  const std::vector<TokenId> ids = random_ids(16, model_, 4);
  const auto heads = test::all_heads(model_);
  Session at_once(decoder_, capacity_, heads, {1, 8}), one_by_one(decoder_, capacity_, heads, {1, 8});
  at_once.append(ids);
  for (const TokenId& id : ids) one_by_one.append({&id, 1});
  EXPECT_TRUE(close(at_once.taps()->z(), one_by_one.taps()->z(), 1e-5));
  EXPECT_TRUE(close(at_once.taps()->pattern(), one_by_one.taps()->pattern(), 1e-5));
  EXPECT_TRUE(close(at_once.taps()->resid_final(), one_by_one.taps()->resid_final(), 1e-5));
}

TEST_P(TinySession, LogProbabilitiesEqualTheSoftmaxOfEveryStep) {
  const std::vector<TokenId> ids = random_ids(18, model_, 5);
  Session session(decoder_, capacity_);
  session.append(piece(ids, 0, 11));
  std::vector<double> expected;
  for (size_t i = 11; i < ids.size(); ++i) {
    expected.push_back(at::log_softmax(session.logits().to(at::kDouble), -1)[ids[i]].item<double>());
    session.append(piece(ids, i, i + 1));
  }
  const std::vector<double> got = log_probabilities(decoder_, piece(ids, 0, 11), piece(ids, 11, 18));
  ASSERT_EQ(got.size(), expected.size());
  for (size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], expected[i], 1e-4) << i;
}

TEST_P(TinySession, LongRunsGoInChunksAndSeeTheSame) {
  const std::vector<TokenId> ids = random_ids(Session::kChunk + 150, model_, 9);
  const auto heads = test::all_heads(model_);
  const at::Tensor whole = test::run_whole(decoder_, ids);
  Session chunked(decoder_, capacity_, heads, {1, 300}), last_alone(decoder_, capacity_, heads, {1, 300});
  chunked.append(ids);
  last_alone.append(piece(ids, 0, ids.size() - 1));
  last_alone.append(piece(ids, ids.size() - 1, ids.size()));
  EXPECT_TRUE(close(chunked.logits(), whole[-1], 1e-4));
  EXPECT_TRUE(close(chunked.taps()->pattern(), last_alone.taps()->pattern(), 1e-4));

  for (size_t context : {size_t{5}, size_t{Session::kChunk + 20}}) {
    const std::vector<double> got = log_probabilities(decoder_, piece(ids, 0, context), piece(ids, context, ids.size()));
    ASSERT_EQ(got.size(), ids.size() - context);
    const at::Tensor expected = at::log_softmax(whole.to(at::kDouble), -1);
    for (size_t i = 0; i < got.size(); ++i)
      ASSERT_NEAR(got[i], expected[static_cast<int64_t>(context + i) - 1][ids[context + i]].item<double>(), 1e-3) << i;
  }
}

TEST_P(TinySession, LogProbabilitiesOfAForkEqualThoseComputedAnew) {
  const std::vector<TokenId> ids = random_ids(40, model_, 13), other = random_ids(40, model_, 14);
  Session session(decoder_, capacity_);
  session.append(piece(ids, 0, 24));
  session.edits().from_position = 24;
  session.edits().set_gain({0, 0}, 0.0f);
  session.append(piece(ids, 24, 30));
  const auto equal = [&](std::span<const TokenId> context, const std::string& what) {
    const std::vector<double> forked = log_probabilities(session, context, piece(ids, 30, 40)),
                              anew = log_probabilities(decoder_, context, piece(ids, 30, 40));
    ASSERT_EQ(forked.size(), anew.size()) << what;
    for (size_t i = 0; i < anew.size(); ++i) EXPECT_NEAR(forked[i], anew[i], 1e-4) << what << " " << i;
  };
  std::vector<TokenId> shortened(ids.begin(), ids.begin() + 10), later = ids;
  shortened.insert(shortened.end(), ids.begin() + 15, ids.begin() + 30);
  equal(piece(ids, 0, 30), "all that was read, the end of it under an edit");
  equal(piece(ids, 0, 12), "its beginning");
  equal(shortened, "without some tokens of its middle");
  equal(later, "more than was read");
  equal(other, "something else");
  EXPECT_EQ(session.position(), 30);
  EXPECT_EQ(session.unedited(), 24);
  session.rewind(20);
  EXPECT_EQ(session.unedited(), 20);
  session.append(piece(other, 0, 10));  // its edit acts from position 24 on
  EXPECT_EQ(session.unedited(), 24);
}

class PlainSession : public testing::Test {
 protected:
  const Decoder decoder_{test::load_tiny("plain")};
};

TEST_F(PlainSession, ErrorsLeaveTheSessionWhereItStood) {
  const std::vector<TokenId> ids = random_ids(8, decoder_.model(), 6);
  Session session(decoder_, 10);
  session.append(ids);
  const at::Tensor before = session.logits().clone();
  Cancellation cancellation;
  cancellation.cancel();
  const TokenId unknown = -1;
  EXPECT_ERROR(session.append(piece(ids, 0, 3)), Code::kOutOfRange, "3 tokens after position 8 do not fit into the session's 10");
  EXPECT_ERROR(session.append(piece(ids, 0, 1), &cancellation), Code::kCancelled, "stopped");
  EXPECT_ERROR(session.append({&unknown, 1}), Code::kInvalidArgument, "token id -1");
  EXPECT_ERROR(session.rewind(9), Code::kOutOfRange, "9");
  EXPECT_ERROR(session.rewind(-1), Code::kOutOfRange, "-1");
  EXPECT_EQ(session.position(), 8);
  EXPECT_EQ(session.tokens(), ids);
  EXPECT_TRUE(at::equal(session.logits(), before));
  session.append(piece(ids, 0, 2));  // and it goes on
  EXPECT_EQ(session.position(), 10);
}

TEST_F(PlainSession, AnErrorInALaterChunkTakesTheEarlierOnesBack) {
  const std::vector<TokenId> ids = random_ids(8, decoder_.model(), 10);
  std::vector<TokenId> bad_late = random_ids(Session::kChunk + 10, decoder_.model(), 11);
  bad_late.back() = -1;
  Session session(decoder_, 400), fresh(decoder_, 400);
  session.append(ids);
  EXPECT_ERROR(session.append(bad_late), Code::kInvalidArgument, "token id -1");
  EXPECT_EQ(session.position(), 8);
  fresh.append(ids);
  for (Session* each : {&session, &fresh}) each->append(ids);
  EXPECT_TRUE(at::equal(session.logits(), fresh.logits()));
}

// Work on a model so deep that one chunk of a prompt takes a while: stopped after a sixteenth of that, it must not run to its
// end.
class DeepModel : public testing::Test {
 protected:
  DeepModel() {
    session_.append(piece(ids_, 0, 8));
    session_.rewind(0);  // buffers are there now
    whole_ = seconds_of([&] { session_.append(ids_); });
    session_.rewind(8);
  }

  static double seconds_of(const std::function<void()>& work) {
    const auto begin = std::chrono::steady_clock::now();
    work();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  }
  std::chrono::milliseconds soon() const { return std::chrono::milliseconds(1 + static_cast<int64_t>(whole_ * 1000 / 16)); }

  // As if it had never been stopped.
  void expect_usable() {
    EXPECT_EQ(session_.position(), 8);
    Session fresh(decoder_, 512);
    fresh.append(piece(ids_, 0, 8));
    for (Session* each : {&session_, &fresh}) each->append(piece(ids_, 8, 12));
    EXPECT_TRUE(close(session_.logits(), fresh.logits(), 1e-4));
    EXPECT_EQ(session_.tokens(), fresh.tokens());
  }

  const Decoder decoder_{[] {
    const openbook::test::TemporaryFolder folder;
    test::write_deep_llama(folder.path(), 400);
    return Model::load(folder.path());
  }()};
  const std::vector<TokenId> ids_ = random_ids(Session::kChunk, decoder_.model(), 12);
  Session session_{decoder_, 512};
  double whole_ = 0;
};

TEST_F(DeepModel, ADeadlineEndsAPromptWithinALayer) {
  const Cancellation request(nullptr, soon());
  const double stopped = seconds_of(
      [&] { EXPECT_ERROR(session_.append(ids_, &request), Code::kDeadlineExceeded, std::to_string(soon().count()) + " ms"); });
  EXPECT_LT(stopped, whole_ / 2);
  expect_usable();
}

TEST_F(DeepModel, AnotherThreadStopsAPromptInItsMiddle) {
  Cancellation caller;
  const Cancellation request(&caller, std::chrono::hours(1));
  std::thread other([&] { std::this_thread::sleep_for(soon()), caller.cancel(); });
  const double stopped = seconds_of([&] { EXPECT_ERROR(session_.append(ids_, &request), Code::kCancelled, "stopped"); });
  other.join();
  EXPECT_LT(stopped, whole_ / 2);
  expect_usable();
}

TEST_F(DeepModel, AForkDoesNotReadTheContextAgain) {
  session_.append(piece(ids_, 8, ids_.size()));
  const double forked = seconds_of([&] { log_probabilities(session_, ids_, piece(ids_, 0, 3)); });
  EXPECT_LT(forked, whole_ / 2);
}

TEST_F(DeepModel, ADeadlineEndsLogProbabilitiesWithinALayer) {
  const Cancellation request(nullptr, soon());
  const double stopped = seconds_of([&] {
    EXPECT_ERROR(log_probabilities(decoder_, ids_, piece(ids_, 0, 3), &request), Code::kDeadlineExceeded, "longer than");
  });
  EXPECT_LT(stopped, whole_ / 2);
}

TEST_F(PlainSession, NothingCanBeChosenWithoutLogits) {
  Session session(decoder_, 8);
  Sampler sampler({});
  EXPECT_ERROR(session.choose(sampler), Code::kFailedPrecondition, "no logits");
  const std::vector<TokenId> ids = random_ids(2, decoder_.model(), 7);
  session.append(ids);
  EXPECT_EQ(session.choose(sampler), session.logits().argmax().item<int64_t>());
  session.rewind(1);
  EXPECT_ERROR(session.choose(sampler), Code::kFailedPrecondition, "no logits");
}

TEST_F(PlainSession, LogProbabilitiesNeedAContextThatFits) {
  const std::vector<TokenId> ids =
      random_ids(static_cast<size_t>(decoder_.model().config().max_positions) + 2, decoder_.model(), 8);
  EXPECT_ERROR(log_probabilities(decoder_, {}, piece(ids, 0, 1)), Code::kInvalidArgument, "at least one token");
  EXPECT_ERROR(log_probabilities(decoder_, piece(ids, 0, 5), piece(ids, 5, ids.size())), Code::kOutOfRange, "do not fit");
  EXPECT_TRUE(log_probabilities(decoder_, piece(ids, 0, 5), {}).empty());
  const Session session(decoder_, 8);
  EXPECT_ERROR(log_probabilities(session, {}, piece(ids, 0, 1)), Code::kInvalidArgument, "at least one token");
  EXPECT_ERROR(log_probabilities(session, piece(ids, 0, 5), piece(ids, 5, ids.size())), Code::kOutOfRange, "do not fit");
  Cancellation cancellation;
  cancellation.cancel();
  EXPECT_ERROR(log_probabilities(decoder_, piece(ids, 0, 5), piece(ids, 5, 6), &cancellation), Code::kCancelled, "stopped");
}

}  // namespace
}  // namespace openbook::engine
