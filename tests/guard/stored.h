// What openbook 0.1.0 stored (tests/data/make_stored.sh says what is in it), unpacked where a test may change it.
#pragma once

#include <string>

#include "base/test_support.h"
#include "guard/program.h"

namespace openbook::test {

class StoredTest : public testing::Test {
 protected:
  static std::filesystem::path stored(const std::string& name) { return test_data("stored-0.1.0") / name; }

  // Unpacks index.tar.gz (index/) or log.tar.gz (log/ and log.key) into folder_.
  void unpack(const std::string& archive) const {
    const auto unpacked = run_program("/usr/bin/tar", {"-xzf", stored(archive), "--no-same-owner", "-C", folder_.path()});
    ASSERT_EQ(unpacked.status, 0) << unpacked.err;
  }
  // In folder_, as a user does.
  ProgramResult run(std::vector<std::string> arguments, ProgramOptions options = {}) const {
    options.folder = folder_.path();
    return run_openbook(std::move(arguments), options);
  }

  TemporaryFolder folder_;
};

}  // namespace openbook::test
