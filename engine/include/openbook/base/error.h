// The one exception of openbook: a canonical code, a message that says what, where, expected and found, and a hint
// that says what to do.
//
// Foreign exceptions (RocksDB, FAISS, libtorch, JSON) are translated into it once, where the context is known.
//
//   throw Error(Code::kNotFound, "model folder /models/x: no config.json", "Give the folder that holds config.json.");
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace openbook {

// The canonical codes; what a caller should do beside each.
enum class Code {
  kInvalidArgument,     // the input is wrong whatever the state: fix the input
  kNotFound,            // what was named is not there: name something else
  kFailedPrecondition,  // the state is wrong for this call: fix the state, then call again
  kOutOfRange,          // past a limit that the message names
  kResourceExhausted,   // disk, memory or quota is used up: free some, then call again
  kUnavailable,         // somebody else holds it now: try again later
  kDataLoss,            // stored bytes are not what was written: restore them
  kUnimplemented,       // not supported by this build or for this model
  kInternal,            // a defect of openbook
  kCancelled,           // the caller asked to stop
  kDeadlineExceeded,    // the caller's time ran out
};

// "invalid_argument", "not_found", ...
std::string_view code_name(Code code);

class Error : public std::runtime_error {
 public:
  Error(Code code, const std::string& message, std::string hint = {});

  Code code() const { return code_; }
  const std::string& hint() const { return hint_; }  // what to do; may be empty

 private:
  Code code_;
  std::string hint_;
};

}  // namespace openbook
