#include "openbook/base/cancellation.h"

#include <thread>

#include "base/test_support.h"

namespace openbook {
namespace {

using std::chrono::milliseconds;

TEST(Cancellation, StopsOnceItIsRaised) {
  Cancellation cancellation;
  cancellation.check();
  std::thread([&] { cancellation.cancel(); }).join();
  EXPECT_ERROR(cancellation.check(), Code::kCancelled, "stopped on request");
}

TEST(Cancellation, AParentStopsItsChildrenAndNotTheOtherWayRound) {
  Cancellation caller;
  Cancellation request(&caller), step(&request);
  request.cancel();
  caller.check();
  EXPECT_ERROR(step.check(), Code::kCancelled, "stopped");
  Cancellation another(&caller);
  another.check();
  caller.cancel();
  EXPECT_ERROR(another.check(), Code::kCancelled, "stopped");
}

TEST(Cancellation, StopsWhenItsTimeIsOverAndSaysHowLongThatWas) {
  const Cancellation caller(nullptr, milliseconds(2)), request(&caller, milliseconds(3'600'000));
  std::this_thread::sleep_for(milliseconds(3));
  EXPECT_ERROR(caller.check(), Code::kDeadlineExceeded, "longer than 2 ms");
  EXPECT_ERROR(request.check(), Code::kDeadlineExceeded, "longer than 2 ms");  // a child has no more time than its parent
}

TEST(Cancellation, ARequestToStopIsNamedBeforeTheTimeThatIsOver) {
  Cancellation caller;
  const Cancellation request(&caller, milliseconds(1));
  std::this_thread::sleep_for(milliseconds(2));
  caller.cancel();
  EXPECT_ERROR(request.check(), Code::kCancelled, "stopped");
}

TEST(Cancellation, NoLimitAndTheLongestOneNeverEnd) {
  for (const milliseconds limit : {milliseconds(0), milliseconds(-5), milliseconds(INT64_MAX)})
    EXPECT_NO_THROW(Cancellation(nullptr, limit).check()) << limit.count();
}

}  // namespace
}  // namespace openbook
