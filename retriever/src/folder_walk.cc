#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <set>

#include "file_rules.h"
#include "named_folder.h"
#include "openbook/base/error.h"
#include "openbook/retriever/document.h"

namespace openbook::retriever {
namespace {

namespace fs = std::filesystem;

constexpr char kSecretHint[] = "An include pattern that names such files (id_rsa, *.key) reads them all the same.";

std::string why(const std::error_code& error) { return "can't be read: " + error.message(); }
std::error_code last_error() { return {errno, std::generic_category()}; }

// Walks one folder that was named.
class Walk {
 public:
  Walk(const fs::path& named, const FileRules& rules, FoundDocuments& found)
      : named_(named), rules_(rules), found_(found), folder_(std::make_shared<const NamedFolder>(named)) {}

  // Folder by folder, so that one which can't be read is named and costs nothing but itself.
  void run() {
    for (folders_ = {fs::path()}; !folders_.empty();) {
      const fs::path below = std::move(folders_.back());
      folders_.pop_back();
      list(below);
    }
    // A link is another name of a file that is mostly there by its own.
    std::set<fs::path> seen;
    for (const auto& [below, path] : files_) seen.insert(below);
    for (auto& [target, path] : links_)
      if (seen.insert(target).second) files_.emplace_back(std::move(target), std::move(path));
    std::sort(files_.begin(), files_.end());
    for (auto& [below, path] : files_) found_.files.push_back({std::move(path), folder_->path() / below, folder_});
  }

 private:
  void list(const fs::path& below) {
    const int opened = folder_->open(below, O_RDONLY | O_DIRECTORY);
    DIR* stream = opened < 0 ? nullptr : ::fdopendir(opened);
    if (!stream) {
      pass_over(below, last_error());
      if (opened >= 0) ::close(opened);
      return;
    }
    const std::unique_ptr<DIR, int (*)(DIR*)> closed_at_the_end(stream, ::closedir);
    for (;;) {
      errno = 0;
      const dirent* entry = ::readdir(stream);
      if (!entry) break;
      if (entry->d_name[0] != '.') take(opened, entry->d_name, below / entry->d_name);
    }
    if (errno != 0) pass_over(below, last_error());
  }

  void take(int folder, const char* name, const fs::path& below) {
    struct stat status {};
    if (::fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) != 0) {
      if (errno != ENOENT) pass_over(below, last_error());  // else gone since it was listed
    } else if (S_ISDIR(status.st_mode)) {
      if (!excludes(rules_, below)) folders_.push_back(below);
    } else if (S_ISREG(status.st_mode)) {
      if (wanted(below)) files_.emplace_back(below, named_ / below);
    } else if (S_ISLNK(status.st_mode) && wanted(below)) {
      take_link(below);
    }
  }

  // To a file inside the folder and nowhere else: a folder can't be made to give away what lies beside it.
  void take_link(const fs::path& below) {
    std::error_code broken;
    const fs::path target = fs::canonical(folder_->path() / below, broken);
    if (broken) {
      if (broken != std::errc::no_such_file_or_directory) pass_over(below, broken);
      return;
    }
    const fs::path inside = target.lexically_relative(folder_->path());
    if (inside.empty() || *inside.begin() == ".." || !fs::is_regular_file(target, broken)) return;
    if (wanted(inside)) links_.emplace_back(inside, named_ / below);
  }

  bool wanted(const fs::path& below) {
    if (is_excluded(below, rules_)) return false;
    if (!is_secret_name(below.filename().native()) || asks_for_secret(rules_, below)) return true;
    found_.secrets.push_back({named_ / below, "left out: by its name it may hold a key or a password", kSecretHint});
    return false;
  }

  void pass_over(const fs::path& below, const std::error_code& error) {
    found_.unreadable.push_back({below.empty() ? named_ : named_ / below, why(error), ""});
  }

  const fs::path named_;
  const FileRules& rules_;
  FoundDocuments& found_;
  const std::shared_ptr<const NamedFolder> folder_;
  std::vector<fs::path> folders_;                             // still to be listed, below the folder
  std::vector<std::pair<fs::path, fs::path>> files_, links_;  // what is read, below the folder; its name for people
};

void take_file(const fs::path& named, const FileRules& rules, FoundDocuments& found) {
  const fs::path name = named.filename();
  if (is_excluded(name, rules)) return;
  if (is_secret_name(name.native()) && !asks_for_secret(rules, name)) {
    found.secrets.push_back({named, "left out: by its name it may hold a key or a password", kSecretHint});
    return;
  }
  std::error_code failed;
  const fs::path file = fs::canonical(named, failed);
  if (failed) {
    found.unreadable.push_back({named, why(failed), ""});
    return;
  }
  // Its folder as it was spelled, where no link stands between: ids are relative as the path was.
  const fs::path spelled = named.has_parent_path() ? named.parent_path() : ".";
  const bool same = fs::canonical(spelled, failed) == file.parent_path() && name == file.filename();
  auto folder = std::make_shared<const NamedFolder>(same ? spelled : file.parent_path());
  found.files.push_back({named, folder->path() / file.filename(), std::move(folder)});
}

bool by_path(const PassedOver& a, const PassedOver& b) { return a.path < b.path; }

}  // namespace

FoundDocuments find_documents(const std::vector<fs::path>& paths, const FileRules& rules) {
  require_patterns(rules);
  FoundDocuments found;
  for (const fs::path& path : paths) {
    std::error_code failed;
    const fs::file_status status = fs::status(path, failed);
    if (status.type() == fs::file_type::not_found) throw Error(Code::kNotFound, path.string() + ": no such file or folder");
    if (!fs::status_known(status))
      found.unreadable.push_back({path, why(failed), ""});
    else if (fs::is_directory(status))
      Walk(path, rules, found).run();
    else
      take_file(path, rules, found);
  }
  std::set<fs::path> seen;
  std::erase_if(found.files, [&](const FoundFile& file) { return !seen.insert(file.file).second; });
  std::sort(found.unreadable.begin(), found.unreadable.end(), by_path);
  std::sort(found.secrets.begin(), found.secrets.end(), by_path);
  return found;
}

}  // namespace openbook::retriever
