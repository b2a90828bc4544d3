// Runs the program `openbook`, which the test's OPENBOOK_PROGRAM names.
#pragma once

#include "base/program.h"

namespace openbook::test {

inline ProgramResult run_openbook(std::vector<std::string> arguments, const ProgramOptions& options = {}) {
  return run_program(OPENBOOK_PROGRAM, std::move(arguments), options);
}

}  // namespace openbook::test
