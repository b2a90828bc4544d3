#include "storage/shared_folder.h"

#include <fcntl.h>
#include <rocksdb/file_system.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <string>
#include <thread>

#include "openbook/base/log.h"

namespace openbook::storage {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

// Deletes only while nobody opens the folder.
class PatientDeletions : public rocksdb::FileSystemWrapper {
 public:
  PatientDeletions(fs::path folder, milliseconds patience, std::shared_ptr<std::atomic<uint64_t>> denied)
      : FileSystemWrapper(rocksdb::FileSystem::Default()),
        folder_(std::move(folder)),
        patience_(patience),
        denied_(std::move(denied)) {}

  const char* Name() const override { return "PatientDeletions"; }

  rocksdb::IOStatus DeleteFile(const std::string& file, const rocksdb::IOOptions& options,
                               rocksdb::IODebugContext* debug) override {
    // RocksDB deletes in the threads that flush: who was denied once doesn't make them wait again for the same holder.
    const FolderLock nobody_opens(folder_, FolderLock::Kind::kDeleting, held_up_ ? milliseconds(0) : patience_);
    if (nobody_opens.denied()) {
      if (!held_up_.exchange(true)) log_warning(folder_.string() + ": others open it all the time; old files are left for later");
      ++*denied_;
      return rocksdb::IOStatus::Busy("another process is opening the folder of " + file);
    }
    held_up_ = false;
    return FileSystemWrapper::DeleteFile(file, options, debug);
  }

 private:
  const fs::path folder_;
  const milliseconds patience_;
  const std::shared_ptr<std::atomic<uint64_t>> denied_;
  std::atomic<bool> held_up_ = false;
};

class NotesToLog : public rocksdb::Logger {
 public:
  NotesToLog() : Logger(rocksdb::InfoLogLevel::WARN_LEVEL) {}
  using Logger::Logv;
  void Logv(const char* format, va_list arguments) override {
    char line[1024];
    std::vsnprintf(line, sizeof line, format, arguments);
    log_debug(std::string("rocksdb: ") + line);
  }
};

}  // namespace

FolderLock::FolderLock(const fs::path& folder, Kind kind, milliseconds patience) {
  folder_ = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder_ < 0) return;  // whoever opens the database is told why
  const int operation = (kind == Kind::kOpening ? LOCK_SH : LOCK_EX) | LOCK_NB;
  const auto deadline = steady_clock::now() + patience;
  while (::flock(folder_, operation) != 0) {
    if (errno == EINTR) continue;
    if (errno != EWOULDBLOCK) return;  // no locks here
    if (steady_clock::now() >= deadline) {
      denied_ = true;
      return;
    }
    std::this_thread::sleep_for(milliseconds(1));
  }
}

FolderLock::~FolderLock() {
  if (folder_ >= 0) ::close(folder_);
}

WriterEnv::WriterEnv(const fs::path& folder, milliseconds patience)
    : denied_(std::make_shared<std::atomic<uint64_t>>(0)),
      env_(rocksdb::NewCompositeEnv(std::make_shared<PatientDeletions>(folder, patience, denied_))) {}

void WriterEnv::set_in(rocksdb::DBOptions& options) const {
  options.env = env_.get();
  options.delete_obsolete_files_period_micros = 60'000'000;  // the default is six hours
}

std::shared_ptr<rocksdb::Logger> notes_to_log() { return std::make_shared<NotesToLog>(); }

}  // namespace openbook::storage
