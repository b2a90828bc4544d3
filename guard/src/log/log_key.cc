#include "log/log_key.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "openbook/base/descriptor.h"
#include "openbook/base/error.h"

namespace openbook::provenance {
namespace {

constexpr std::string_view kPrefix = "openbook-log-key 1 ";
constexpr size_t kFileBytes = kPrefix.size() + 2 * Secret::kBytes + 1;

std::string named(const std::filesystem::path& file) { return "log key " + file.string() + ": "; }

[[noreturn]] void throw_open_error(const std::filesystem::path& file, int error) {
  switch (error) {
    case ELOOP:
      throw Error(Code::kFailedPrecondition, named(file) + "is a symbolic link, which is never followed",
                  "Name the key file itself.");
    case EEXIST:
      throw Error(Code::kFailedPrecondition, named(file) + "exists already; a key is never replaced",
                  "Choose another name. If an interrupted `log init` or `log rotate-key` left it and no log uses it, remove it "
                  "first.");
    case ENOENT:
      throw Error(Code::kFailedPrecondition, named(file) + "is not there",
                  "Name the key file that `openbook log init` made. Without it a log can't be continued or verified.");
    default:
      throw Error(Code::kFailedPrecondition, named(file) + "can't open: " + std::strerror(error));
  }
}

void require_private(int fd, const std::filesystem::path& file) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) throw_open_error(file, errno);
  if (!S_ISREG(status.st_mode)) throw Error(Code::kFailedPrecondition, named(file) + "is not a plain file");
  if (status.st_uid != ::geteuid())
    throw Error(Code::kFailedPrecondition,
                named(file) + "belongs to user " + std::to_string(status.st_uid) + ", expected " + std::to_string(::geteuid()),
                "Run as the user who owns the log.");
  if (status.st_mode & 077) {
    char mode[8];
    std::snprintf(mode, sizeof mode, "%04o", static_cast<unsigned>(status.st_mode & 07777));
    throw Error(Code::kFailedPrecondition, named(file) + "has mode " + mode + ", expected 0600: others can read or change it",
                "Whoever read it can forge the log. If nobody did: chmod 600 " + file.string());
  }
}

void write_synced(int fd, std::string_view bytes, const std::filesystem::path& file) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) throw Error(Code::kResourceExhausted, named(file) + "can't write: " + std::strerror(errno));
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  if (::fsync(fd) != 0) throw Error(Code::kResourceExhausted, named(file) + "can't sync: " + std::strerror(errno));
}

void sync_folder_of(const std::filesystem::path& file) {
  const std::filesystem::path folder = file.has_parent_path() ? file.parent_path() : ".";
  const Descriptor directory(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.get() < 0 || ::fsync(directory.get()) != 0)
    throw Error(Code::kUnavailable, folder.string() + ": can't sync the folder: " + std::strerror(errno));
}

}  // namespace

LogKey::LogKey(const Secret& root, std::filesystem::path file) : file_(std::move(file)) {
  constexpr std::string_view kSalt = "openbook-log 1";
  std::array<uint8_t, 8> id;
  hkdf_sha256(root.bytes(), kSalt, "records", records_.bytes());
  hkdf_sha256(root.bytes(), kSalt, "head", head_.bytes());
  hkdf_sha256(root.bytes(), kSalt, "key id", id);
  id_ = hex(id);
}

LogKey LogKey::create(const std::filesystem::path& file) {
  Secret root;
  fill_random(root.bytes());
  const Descriptor made(::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (made.get() < 0 && errno == ENOENT)
    throw Error(Code::kNotFound, named(file) + "its folder is not there", "Make the folder first.");
  if (made.get() < 0) throw_open_error(file, errno);
  std::string digits = hex(root.bytes());
  std::string line = std::string(kPrefix) + digits + "\n";
  try {
    write_synced(made.get(), line, file);
    sync_folder_of(file);
  } catch (...) {
    wipe(digits);
    wipe(line);
    ::unlink(file.c_str());
    throw;
  }
  wipe(digits);
  wipe(line);
  return LogKey(root, file);
}

LogKey LogKey::load(const std::filesystem::path& file) {
  // O_NONBLOCK: a pipe in the key's place must not hang the program.
  const Descriptor opened(::open(file.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
  if (opened.get() < 0) throw_open_error(file, errno);
  require_private(opened.get(), file);
  std::array<uint8_t, kFileBytes + 1> buffer{};  // one byte more, to see a file that is too long
  size_t size = 0;
  for (ssize_t got = 1; got > 0 && size < buffer.size(); size += static_cast<size_t>(std::max<ssize_t>(got, 0)))
    got = ::read(opened.get(), buffer.data() + size, buffer.size() - size);
  Secret root;
  const std::string_view text(reinterpret_cast<const char*>(buffer.data()), size);
  const bool is_key = size == kFileBytes && text.starts_with(kPrefix) && text.back() == '\n' &&
                      unhex(text.substr(kPrefix.size(), 2 * Secret::kBytes), root.bytes());
  wipe(buffer);
  if (!is_key)
    throw Error(Code::kDataLoss, named(file) + "is not a log key: expected one line \"openbook-log-key 1\" and 64 hex digits",
                "Restore it from a backup; a new key can't verify an old log.");
  return LogKey(root, file);
}

const LogKey* LogKeys::find(std::string_view id) const {
  if (newest && newest->id() == id) return &*newest;
  const auto found = std::find_if(old.begin(), old.end(), [&](const LogKey& key) { return key.id() == id; });
  return found == old.end() ? nullptr : &*found;
}

void require_key_outside(const std::filesystem::path& key_file, const std::filesystem::path& folder) {
  if (folder.empty()) throw Error(Code::kInvalidArgument, "no folder of a provenance log was named");
  if (key_file.empty())
    throw Error(Code::kInvalidArgument, "provenance log " + folder.string() + ": no key file was named",
                "Name the one that `openbook log init` made.");
  const auto resolved_folder = std::filesystem::weakly_canonical(std::filesystem::absolute(folder) / "");
  const auto parent = std::filesystem::absolute(key_file).parent_path();
  const auto resolved_parent = std::filesystem::weakly_canonical(parent / "");
  const auto [end, unused] =
      std::mismatch(resolved_folder.begin(), resolved_folder.end(), resolved_parent.begin(), resolved_parent.end());
  const bool only_slash_left =
      end != resolved_folder.end() && end->empty();  // a trailing separator of a folder that is not there yet
  if (end == resolved_folder.end() || only_slash_left)
    throw Error(Code::kInvalidArgument, named(key_file) + "lies in the log's folder " + folder.string(),
                "Keep the key elsewhere: who copies the folder must not get the key with it.");
}

}  // namespace openbook::provenance
