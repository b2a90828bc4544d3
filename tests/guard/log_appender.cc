// Appends answers to a log and prints the receipt of every record once it is acknowledged: a process that the tests may kill or
// starve of disk.
//
//   log_appender FOLDER KEY COUNT PAYLOAD_BYTES [FILE_LIMIT_BYTES | restless | rotating]
//
// Restless, it opens the log anew after every fourth answer, so that files come and go. Rotating, it changes the key after every
// answer: it prints "key FILE" before, and the receipt after.
#include <sys/resource.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "openbook/base/error.h"
#include "openbook/guard/provenance_log.h"

int main(int argc, char** argv) {
  using namespace openbook;
  if (argc < 5) return 2;
  const std::string payload(std::strtoul(argv[4], nullptr, 10), 'x');
  try {
    auto log = ProvenanceLog::open(argv[1], argv[2], LogMode::kAppend);
    const bool restless = argc > 5 && argv[5] == std::string("restless"),
               rotating = argc > 5 && argv[5] == std::string("rotating");
    if (argc > 5 && !restless && !rotating) {
      std::signal(SIGXFSZ, SIG_IGN);  // a write past the limit is an error, as on a full disk, and no signal
      const rlim_t limit = std::strtoul(argv[5], nullptr, 10);
      const rlimit limits{limit, RLIM_INFINITY};
      if (::setrlimit(RLIMIT_FSIZE, &limits) != 0) return 2;
    }
    for (long answer = 0; answer < std::strtol(argv[3], nullptr, 10); ++answer) {
      const std::string id = ProvenanceLog::new_answer_id();
      for (const LogKind kind : {LogKind::kBegin, LogKind::kSentence, LogKind::kEnd}) {
        std::printf("%s\n", to_string(log->append(kind, id, payload)).c_str());
        std::fflush(stdout);
      }
      if (rotating) {
        const std::string key = argv[1] + ("-" + id + ".key");
        std::printf("key %s\n", key.c_str());
        std::fflush(stdout);
        std::printf("%s\n", to_string(log->rotate_key(key)).c_str());
        std::fflush(stdout);
      }
      if (!restless || answer % 4 != 3) continue;
      log.reset();
      log = ProvenanceLog::open(argv[1], argv[2], LogMode::kAppend);
    }
  } catch (const Error& error) {
    std::printf("error %s\n", std::string(code_name(error.code())).c_str());
    return 1;
  }
  return 0;
}
