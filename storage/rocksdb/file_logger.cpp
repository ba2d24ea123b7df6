#include "storage/rocksdb/file_logger.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <string_view>

namespace zonesync::rocksdb_store {

FileLogger::FileLogger(const std::string& path)
    : rocksdb::Logger(rocksdb::InfoLogLevel::WARN_LEVEL),
      file_(path.empty() ? -1
                         : ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)) {
  if (file_ < 0) return;
  const off_t size = ::lseek(file_, 0, SEEK_END);
  written_ = size > 0 ? static_cast<std::size_t>(size) : 0;
}

FileLogger::~FileLogger() {
  if (file_ >= 0) ::close(file_);
}

void FileLogger::Logv(const char* format, va_list arguments) {
  std::array<char, 1024> line;
  const int wanted = std::vsnprintf(line.data(), line.size() - 1, format, arguments);
  if (wanted <= 0) return;
  std::size_t size = std::min(static_cast<std::size_t>(wanted), line.size() - 2);
  line[size++] = '\n';
  const std::lock_guard lock(mutex_);
  if (const std::string_view text(line.data(), size - 1); text.find(": dropping ") != text.npos) {
    last_drop_ = text.substr(text.rfind("] ") == text.npos ? 0 : text.rfind("] ") + 2);
  }
  if (file_ < 0) return;
  if (written_ + size > kMaxBytes) {
    if (::ftruncate(file_, 0) != 0) return;
    written_ = 0;
  }
  const ssize_t written = ::write(file_, line.data(), size);
  if (written > 0) written_ += static_cast<std::size_t>(written);
}

std::string FileLogger::last_drop() const {
  const std::lock_guard lock(mutex_);
  return last_drop_;
}

}  // namespace zonesync::rocksdb_store
