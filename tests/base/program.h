// Runs a program as a user does, and holds what came back.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace openbook::test {

struct ProgramResult {
  int status = -1;  // 128 + N after signal N
  std::string out, err;
};

struct ProgramOptions {
  std::string input;                               // on stdin
  std::map<std::string, std::string> environment;  // added; OPENBOOK_*, NO_COLOR and TERM are not inherited
  bool terminal = false;                           // stdout and stderr are one terminal; all that it shows is in `out`
  std::string folder;                              // to run in; empty: here
  int interrupt_after_ms = -1;                     // sends SIGINT
};

ProgramResult run_program(const std::string& program, std::vector<std::string> arguments, const ProgramOptions& options = {});

}  // namespace openbook::test
