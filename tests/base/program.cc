#include "base/program.h"

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <stdexcept>
#include <thread>

namespace openbook::test {
namespace {

struct Pipe {
  int read_end = -1, write_end = -1;
  Pipe() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("can't make a pipe");
    read_end = ends[0];
    write_end = ends[1];
  }
};

[[noreturn]] void become(std::vector<std::string>& arguments, const ProgramOptions& options) {
  for (const char* name : {"OPENBOOK_MODEL", "OPENBOOK_EMBEDDER", "OPENBOOK_ATLAS", "OPENBOOK_POLICY", "OPENBOOK_INDEX",
                           "OPENBOOK_LOG", "OPENBOOK_LOG_KEY", "NO_COLOR"})
    ::unsetenv(name);
  ::setenv("TERM", "xterm", 1);
  for (const auto& [name, value] : options.environment) ::setenv(name.c_str(), value.c_str(), 1);
  if (!options.folder.empty() && ::chdir(options.folder.c_str()) != 0) ::_exit(126);
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  ::execv(argv[0], argv.data());
  ::_exit(127);
}

// Reads until both are closed; calls `meanwhile` after each read and every 10 ms. A terminal whose other side has gone reads as
// EIO.
void read_both(int out_fd, std::string& out, int err_fd, std::string& err, const std::function<void()>& meanwhile) {
  pollfd files[2] = {{out_fd, POLLIN, 0}, {err_fd, POLLIN, 0}};
  std::string* texts[2] = {&out, &err};
  while (files[0].fd >= 0 || files[1].fd >= 0) {
    if (::poll(files, 2, 10) < 0 && errno != EINTR) break;
    meanwhile();
    for (int i = 0; i < 2; ++i) {
      if (files[i].fd < 0 || files[i].revents == 0) continue;
      char buffer[1 << 14];
      const ssize_t got = ::read(files[i].fd, buffer, sizeof buffer);
      if (got > 0) {
        texts[i]->append(buffer, static_cast<size_t>(got));
      } else {
        ::close(files[i].fd);
        files[i].fd = -1;
      }
    }
  }
}

}  // namespace

ProgramResult run_program(const std::string& program, std::vector<std::string> arguments, const ProgramOptions& options) {
  arguments.insert(arguments.begin(), program);
  Pipe in, out, err;
  int terminal = -1;
  const pid_t child = options.terminal ? ::forkpty(&terminal, nullptr, nullptr, nullptr) : ::fork();
  if (child < 0) throw std::runtime_error("can't start " + program);
  if (child == 0) {
    ::dup2(in.read_end, STDIN_FILENO);
    if (!options.terminal) {
      ::dup2(out.write_end, STDOUT_FILENO);
      ::dup2(err.write_end, STDERR_FILENO);
    }
    become(arguments, options);
  }
  ::close(in.read_end);
  ::close(out.write_end);
  ::close(err.write_end);
  std::signal(SIGPIPE, SIG_IGN);
  std::thread writer([&] {
    [[maybe_unused]] const ssize_t written = ::write(in.write_end, options.input.data(), options.input.size());
    if (!options.interrupt_when) ::close(in.write_end);
  });
  ProgramResult result;
  bool interrupted = false;
  read_both(options.terminal ? terminal : out.read_end, result.out, err.read_end, result.err, [&] {
    if (interrupted || !options.interrupt_when || !options.interrupt_when(result.out + result.err)) return;
    interrupted = true;
    ::kill(child, SIGINT);
  });
  writer.join();
  if (options.interrupt_when) ::close(in.write_end);
  int status = 0;
  ::waitpid(child, &status, 0);
  result.killed = WIFSIGNALED(status);
  result.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return result;
}

}  // namespace openbook::test
