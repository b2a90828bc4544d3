// Runs a program as a user does, and holds what came back.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace openbook::test {

struct ProgramResult {
  int status = -1;      // 128 + N after signal N
  bool killed = false;  // by a signal
  std::string out, err;
};

struct ProgramOptions {
  std::string input;                               // on stdin
  std::map<std::string, std::string> environment;  // added; OPENBOOK_*, NO_COLOR and TERM are not inherited
  bool terminal = false;                           // stdout and stderr are one terminal; all that it shows is in `out`
  std::string folder;                              // to run in; empty: here
  // Asked every 10 ms with all that came on stdout and stderr; once it is true, SIGINT is sent. The program's stdin stays open
  // until it ends.
  std::function<bool(const std::string& shown)> interrupt_when;
};

ProgramResult run_program(const std::string& program, std::vector<std::string> arguments, const ProgramOptions& options = {});

}  // namespace openbook::test
