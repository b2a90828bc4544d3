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

// Reads until both are closed. A terminal whose other side has gone reads as EIO.
void read_both(int out_fd, std::string& out, int err_fd, std::string& err) {
  pollfd files[2] = {{out_fd, POLLIN, 0}, {err_fd, POLLIN, 0}};
  std::string* texts[2] = {&out, &err};
  while (files[0].fd >= 0 || files[1].fd >= 0) {
    if (::poll(files, 2, -1) < 0 && errno != EINTR) break;
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
  // One that is to be interrupted waits for its stdin until then.
  std::thread side([&] {
    if (options.interrupt_after_ms >= 0) {
      ::usleep(static_cast<useconds_t>(options.interrupt_after_ms) * 1000);
      ::kill(child, SIGINT);
      return;
    }
    [[maybe_unused]] const ssize_t written = ::write(in.write_end, options.input.data(), options.input.size());
    ::close(in.write_end);
  });
  ProgramResult result;
  read_both(options.terminal ? terminal : out.read_end, result.out, err.read_end, result.err);
  side.join();
  if (options.interrupt_after_ms >= 0) ::close(in.write_end);
  int status = 0;
  ::waitpid(child, &status, 0);
  result.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return result;
}

}  // namespace openbook::test
