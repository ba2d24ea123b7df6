#include "storage/journal/testing/faulty_file_system.hpp"

#include <utility>

namespace zonesync::journal {

class FaultyFile final : public File {
 public:
  FaultyFile(FaultyFileSystem& files, std::string path,
             std::shared_ptr<FaultyFileSystem::Content> content)
      : files_(files), path_(std::move(path)), content_(std::move(content)) {}

  [[nodiscard]] std::uint64_t size() const override { return content_->now.size(); }

  [[nodiscard]] Result<std::string> read(std::uint64_t offset, std::size_t size) const override {
    if (offset >= content_->now.size()) return std::string();
    return content_->now.substr(offset, size);
  }

  // A failed write leaves half of its bytes, as real disks do.
  Status append(ByteView bytes) override {
    Status status = files_.step("writing", path_);
    content_->now += status ? bytes : bytes.substr(0, bytes.size() / 2);
    return status;
  }

  Status truncate(std::uint64_t size) override {
    Status status = files_.step("truncating", path_);
    if (status) content_->now.resize(size);
    return status;
  }

  Status sync() override {
    Status status = files_.step("syncing", path_);
    if (status) content_->durable = content_->now;
    return status;
  }

 private:
  FaultyFileSystem& files_;
  std::string path_;
  std::shared_ptr<FaultyFileSystem::Content> content_;
};

class FaultyLock final : public FileLock {
 public:
  FaultyLock(FaultyFileSystem& files, std::string path) : files_(files), path_(std::move(path)) {}
  ~FaultyLock() override { files_.locks_.erase(path_); }

 private:
  FaultyFileSystem& files_;
  std::string path_;
};

Status FaultyFileSystem::step(const char* doing, const std::string& path) {
  ++steps_;
  const bool hit = fault_.at_step != 0 && (fault_.dead_afterwards ? steps_ >= fault_.at_step
                                                                  : steps_ == fault_.at_step);
  if (!hit) return {};
  return fail(fault_.code, std::string(doing) + " failed on purpose", path);
}

void FaultyFileSystem::crash(Luck luck) {
  fault_ = Fault{};
  steps_ = 0;
  locks_.clear();
  if (luck.names_kept) durable_ = now_;
  now_ = Names();
  for (auto& [path, content] : durable_) {
    auto after = std::make_shared<Content>();
    after->durable = content->durable;
    const bool appended = content->now.size() > content->durable.size() &&
                          content->now.compare(0, content->durable.size(), content->durable) == 0;
    if (appended) {
      const std::size_t unsynced = content->now.size() - content->durable.size();
      const std::size_t kept = unsynced * luck.kept_percent / 100;
      after->durable += content->now.substr(content->durable.size(), kept);
    }
    after->now = after->durable;
    now_[path] = after;
  }
  durable_ = now_;
}

std::string& FaultyFileSystem::content(const std::string& path) { return now_.at(path)->now; }

bool FaultyFileSystem::exists(const std::string& path) const {
  return now_.count(path) != 0 || directories_.count(path) != 0;
}

Result<std::unique_ptr<File>> FaultyFileSystem::open(const std::string& path) {
  const auto it = now_.find(path);
  if (it == now_.end()) return fail(ErrorCode::not_found, "no such file", path);
  return std::make_unique<FaultyFile>(*this, path, it->second);
}

Result<std::unique_ptr<File>> FaultyFileSystem::create(const std::string& path) {
  if (Status status = step("creating", path); !status) return fail(std::move(status.error()));
  now_[path] = std::make_shared<Content>();
  return std::make_unique<FaultyFile>(*this, path, now_[path]);
}

Status FaultyFileSystem::rename(const std::string& from, const std::string& to) {
  if (Status status = step("renaming", from); !status) return status;
  now_[to] = now_.at(from);
  now_.erase(from);
  return {};
}

Status FaultyFileSystem::remove(const std::string& path) {
  if (Status status = step("removing", path); !status) return status;
  if (now_.erase(path) == 0) return fail(ErrorCode::not_found, "no such file", path);
  return {};
}

Status FaultyFileSystem::sync_directory(const std::string& path) {
  if (Status status = step("syncing the directory", path); !status) return status;
  durable_ = now_;
  return {};
}

Status FaultyFileSystem::make_directory(const std::string& path) {
  if (Status status = step("making the directory", path); !status) return status;
  directories_.insert(path);
  return {};
}

Result<std::unique_ptr<FileLock>> FaultyFileSystem::lock(const std::string& path) {
  if (!locks_.insert(path).second) {
    return fail(ErrorCode::unavailable, "another process uses this store", path);
  }
  return std::make_unique<FaultyLock>(*this, path);
}

}  // namespace zonesync::journal
